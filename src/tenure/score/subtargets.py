"""A part is never more likely than its whole: who leaves by choice leaves.

Each target has a model of its own, so that the probability of voluntary churn could come out above
that of churn.  Here it is lowered to it; drivers stay as the part's own model gives them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from tenure.labels.targets import CHURN, TARGETS

if TYPE_CHECKING:
    from tenure.score.horizons import ScoreEntries

Array: TypeAlias = np.ndarray[Any, Any]

WHOLES: dict[str, str] = {
    target.name: CHURN.name for target in TARGETS.values() if target.churn_type is not None
}
"""Part → the target that it is a part of."""
ENDS = ("", "_lo", "_hi")


def capped_parts(flat: Mapping[str, Any], entries: ScoreEntries) -> dict[str, Array]:
    """Return the probabilities of parts and their bounds, none above that of its whole.

    A whole that does not know a horizon stands in with the next longer one that it knows: it is at
    least as likely, and so the part does not fall as the horizon grows.

    Args:
        flat: Columns by name, one value per entry, missing where there is none.  A whole does not
            fall as the horizon grows.
        entries: Whom each entry is about, and how far ahead.

    Returns:
        The columns that replace those of `flat`; none where no part stands beside its whole.
    """
    capped: dict[str, Array] = {}
    for part, whole in WHOLES.items():
        if f"{part}_probability" not in flat or f"{whole}_probability" not in flat:
            continue
        names = [f"{part}_probability{end}" for end in ENDS]
        most = _filled([np.asarray(flat[f"{whole}_probability{end}"]) for end in ENDS], entries)
        chance, low, high = (_lower(flat[name], top) for name, top in zip(names, most, strict=True))
        capped |= zip(names, (chance, _lower(low, chance), high), strict=True)
    return capped


def _lower(values: Array, most: Array) -> Array:
    """Return values that are at most `most`, where that is known."""
    return np.where(most < values, most, values)


def _filled(columns: list[Array], entries: ScoreEntries) -> list[Array]:
    """Return columns whose gaps hold the account's value at its next longer horizon."""
    if entries.same:
        return columns
    order = np.lexsort((entries.days, entries.row))
    frame = pd.DataFrame(dict(enumerate(columns))).iloc[order]
    filled = frame.groupby(entries.row[order]).bfill().sort_index()
    return [filled[place].to_numpy(dtype=np.float64) for place in range(len(columns))]
