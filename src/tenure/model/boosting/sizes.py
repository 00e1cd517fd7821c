"""How large a booster should be for an amount of data."""

from __future__ import annotations

from typing import NamedTuple


class _Size(NamedTuple):
    below: float
    """Distinct outcomes below which it applies."""
    depth: int
    leaves: int
    rounds: int
    learning_rate: float
    l2: float
    path_smooth: float
    bagging_fraction: float


_SIZES = (
    _Size(20, 2, 4, 100, 0.04, 10, 0, 0.8),
    _Size(67, 2, 4, 150, 0.04, 10, 0, 0.8),
    _Size(333, 3, 8, 150, 0.04, 10, 0, 0.8),
    _Size(833, 3, 8, 430, 0.02, 15, 30, 0.6),
    _Size(1_667, 4, 12, 300, 0.03, 5, 0, 0.8),
    _Size(float("inf"), 4, 12, 500, 0.03, 5, 0, 0.8),
)
USUAL = 3
"""Rows that see one outcome, for which penalties and leaves are stated: a month's cadence."""


def sized_parameters(rarer: int, rows: int, outcomes: int | None = None) -> dict[str, float]:
    """Return depth, leaves, rounds and regularisation that suit an amount of data.

    What counts is the number of distinct outcomes: an outcome that is seen from several prediction
    times adds rows, and little else.

    `rarer` are the rows of the rarer class, `outcomes` the distinct ones behind them; by default
    each row has its own.

    Returns:
        Values for the constructor of `TenureClassifier`.

    >>> sized_parameters(50, 1_000)["depth"], sized_parameters(20_000, 300_000)["depth"]
    (2, 4)
    >>> sized_parameters(4_000, 40_000, 400)["depth"]
    3
    """
    outcomes = max(rarer if outcomes is None else outcomes, 1)
    size = next(size for size in _SIZES if outcomes < size.below)
    times_seen = max(rarer, 1) / outcomes
    wanted = min(5.0, max(1.0, USUAL * outcomes / 20)) / USUAL  # outcomes that a leaf expects
    per_outcome = max(rows, 1) / outcomes
    scale = times_seen / USUAL
    return {
        "rounds": size.rounds,
        "learning_rate": size.learning_rate,
        "depth": size.depth,
        "leaves": size.leaves,
        "min_rows_leaf": int(min(max(wanted * per_outcome, 5), max(rows / 10, 1), 500 * scale)),
        "l2": size.l2 * scale,
        "path_smooth": size.path_smooth * scale,
        "feature_fraction": 0.5,
        "bagging_fraction": size.bagging_fraction,
    }
