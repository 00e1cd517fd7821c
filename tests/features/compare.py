"""The engine and the oracle side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np

from features.past import MEMBERS, OPEN, Past
from oracle.oracle_features import Oracle
from tenure.core.spec import Family

MILLIONTH = 1e-6
"""Amounts are declared to be exact to whole millionths."""


def disagreements(
    past: Past,
    cutoffs: Sequence[datetime],
    *,
    against: Past | None = None,
    families: Iterable[Family] = OPEN,
    known_begins: Mapping[str, date] | None = None,
) -> dict[str, list[tuple[str, datetime, Any, Any]]]:
    """Return column → (account, as_of, the engine's value, the oracle's) where they differ.

    Args:
        past: What the engine is given.
        cutoffs: Prediction times.
        against: What the oracle is given, by default the same.
        families: Declarations.
        known_begins: First day of the history of each table, where a model knew it.
    """
    families = tuple(families)
    matrix = past.matrix(sorted(set(cutoffs)), families=families, known_begins=known_begins)
    oracle = Oracle((against or past).rows, families, MEMBERS, known_begins)
    assert set(matrix.values) == set(oracle.visible)
    found: dict[str, list[tuple[str, datetime, Any, Any]]] = {}
    columns = {name: matrix.values[name].tolist() for name in matrix.values}
    units = {name: spec.unit for name, spec in matrix.specs.items()}
    for index, (account, stamp) in enumerate(
        zip(matrix.rows["account_id"], matrix.rows["as_of"], strict=True)
    ):
        as_of = stamp.to_pydatetime()
        for name, expected in oracle.values(account, as_of).items():
            if not _same(columns[name][index], expected, exact=units[name] == "count"):
                found.setdefault(name, []).append((account, as_of, columns[name][index], expected))
    return found


def _same(value: Any, expected: Any, *, exact: bool) -> bool:
    if expected is None or value is None or isinstance(expected, str):
        missing = value is None or value != value
        return missing if expected is None else bool(value == expected)
    rounded = np.float32(expected)
    if exact:
        return bool(value == rounded)
    return bool(abs(value - float(rounded)) <= float(np.spacing(abs(rounded))) + MILLIONTH)
