"""Parts of an event that add up to it: who leaves leaves by choice, or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tenure.core.arrays import Array
from tenure.labels.targets import TARGETS

ENDS = ("", "_lo", "_hi")


def adding_up(flat: Mapping[str, Any]) -> dict[str, Array]:
    """Return the probabilities of all parts of an event and their bounds, so that they add up.

    Parts that were trained together do so by themselves; those of different times need a factor.

    `flat` are columns by name, one value per entry, missing where there is none.

    Returns:
        The columns that replace those of `flat`; none where a part of an event is no target.
    """
    parts: dict[str, list[str]] = {}
    for target in TARGETS.values():
        if target.whole:
            parts.setdefault(target.whole, []).append(target.name)
    columns: dict[str, Array] = {}
    for whole, names in parts.items():
        if all(f"{name}_probability" in flat for name in (whole, *names)):
            total = sum(np.asarray(flat[f"{name}_probability"]) for name in names)
            with np.errstate(invalid="ignore", divide="ignore"):
                factor = np.asarray(flat[f"{whole}_probability"]) / total
            ends = [f"{name}_probability{end}" for name in names for end in ENDS]
            columns |= {end: np.asarray(flat[end]) * factor for end in ends}
    return columns
