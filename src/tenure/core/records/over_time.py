"""How a backtest went over its prediction times: over all of them, lately, and which way."""

from __future__ import annotations

from tenure.core.records.base import UNMEASURED, Figure, SparseRecord, Time


class FoldSpan(SparseRecord):
    """Figures of successive prediction times; intervals allow for shocks that a time shares."""

    since: Time
    """The first prediction time."""
    until: Time
    """The last."""
    folds: int
    """How many."""
    n: int
    """Predictions."""
    positives: int
    """Predictions followed by the outcome."""
    observed_rate: float
    """Share of predictions followed by the outcome."""
    mean_probability: float
    log_loss_gain: Figure = UNMEASURED
    """Gain in log loss over the base rate."""
    calibration_gap: Figure = UNMEASURED
    """Mean probability minus observed rate."""


class OverTime(SparseRecord):
    """A backtest over its prediction times."""

    overall: FoldSpan
    """All prediction times."""
    lately: FoldSpan | None = None
    """The latest, which span one horizon; None where no earlier one is left."""
    gain_trend: Figure = UNMEASURED
    """Change of the gain in log loss from the first to the last, along a line."""
    gap_trend: Figure = UNMEASURED
    """The same of mean probability minus observed rate."""
