"""How a backtest went over its prediction times: over all of them, lately, and which way."""

from __future__ import annotations

from tenure.core.records.base import UNMEASURED, Figure, SparseRecord, Time


class FoldSpan(SparseRecord):
    """Figures of successive prediction times; intervals allow for shocks that a time shares.

    Attributes:
        since: The first prediction time.
        until: The last.
        folds: How many.
        n: Predictions.
        positives: Predictions followed by the outcome.
        observed_rate: Share of predictions followed by the outcome.
        mean_probability: Mean predicted probability.
        log_loss_gain: Gain in log loss over the base rate.
        calibration_gap: Mean probability minus observed rate.
    """

    since: Time
    until: Time
    folds: int
    n: int
    positives: int
    observed_rate: float
    mean_probability: float
    log_loss_gain: Figure = UNMEASURED
    calibration_gap: Figure = UNMEASURED


class OverTime(SparseRecord):
    """A backtest over its prediction times.

    Attributes:
        overall: All prediction times.
        lately: The latest, which span one horizon; None where no earlier one is left.
        gain_trend: Change of the gain in log loss from the first to the last, along a line.
        gap_trend: The same of mean probability minus observed rate.
    """

    overall: FoldSpan
    lately: FoldSpan | None = None
    gain_trend: Figure = UNMEASURED
    gap_trend: Figure = UNMEASURED
