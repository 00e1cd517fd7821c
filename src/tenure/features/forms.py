"""Formulas of one row: those of one form, such as ``a / b``, are computed at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tenure.core.fragments import evaluate, form_of

if TYPE_CHECKING:
    from tenure.features.declare import Computed
    from tenure.features.fold import Array


@dataclass(frozen=True)
class Form:
    """Formulas of one form.

    Attributes:
        text: The formula, over places.
        read: Place → the column that each formula reads there.
        names: What the formulas give.
    """

    text: str
    read: Mapping[str, tuple[str, ...]]
    names: tuple[str, ...]

    def values(self, known: Mapping[str, Array]) -> Array:
        """Return what the formulas give of one row, shape (formulas,)."""
        given = {
            place: np.concatenate([known[name] for name in columns])
            for place, columns in self.read.items()
        }
        return np.broadcast_to(evaluate(self.text, given), len(self.names))


def forms(computed: Iterable[Computed]) -> list[Form]:
    """Return formulas by their form, in an order in which each part comes first."""
    depth: dict[str, int] = {}
    found: dict[tuple[int, str], list[tuple[str, tuple[str, ...]]]] = {}
    for item in computed:
        text, reads = form_of(item.formula)
        depth[item.spec.name] = 1 + max((depth.get(name, 0) for name in reads), default=0)
        alike = found.setdefault((depth[item.spec.name], text), [])
        alike.append((item.spec.name, reads))
    return [
        Form(
            text,
            {
                f"_{place}": columns
                for place, columns in enumerate(zip(*(reads for _, reads in alike), strict=True))
            },
            tuple(name for name, _ in alike),
        )
        for (_, text), alike in sorted(found.items(), key=lambda item: item[0][0])
    ]
