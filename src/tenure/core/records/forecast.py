"""The forecast of retention: what it says, what it was fitted on, and how it did in the past."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tenure.core.records.base import Record, SparseRecord, Time

PeriodName = Literal["month", "quarter"]
Rule = Literal["model", "constant_hazard", "historic_rate"]
"""Where the risk of an account comes from: the probability of a model as it is; the same, scaled to
the length of the period as if its hazard were constant; or one rate for all accounts, that of the
past."""
FigureName = Literal[
    "logo_churn",
    "logo_churn_rate",
    "churned_mrr",
    "contracted_mrr",
    "expanded_mrr",
    "gross_revenue_retention",
    "net_revenue_retention",
    "gross_renewal_rate",
    "arr_at_risk",
]


class PastWindow(Record):
    """What was expected of one past period without a shock, and what happened.

    Amounts are multiples of the mean MRR of an account.

    Attributes:
        as_of: Its start.
        expected: The expected amount.
        observed: What it was.
        variance: Variance of the amount if accounts were independent.
    """

    as_of: Time
    expected: float
    observed: float
    variance: float


class ComponentFit(SparseRecord):
    """How an amount follows from the risks of accounts.

    Attributes:
        rule: Where the risks come from.
        target: Of the model; None without one.
        horizon_days: Of its probabilities.
        due: What came of one expected loss (or gain) of an account whose term ends in the period.
        not_due: The same of all others.
        spread: Variance of the amount of an account, over its risk × MRR²: above 1 where amounts
            vary, below where only a part of the MRR moves.
        windows: Past periods that do not overlap, oldest first; shocks are estimated from them.
    """

    rule: Rule
    target: str | None = None
    horizon_days: int | None = None
    due: float
    not_due: float
    spread: float
    windows: tuple[PastWindow, ...] = ()


class ForecastTrack(SparseRecord):
    """How forecasts of one figure, as they would have been made then, did in the past.

    Amounts of MRR are shares of the MRR at the start of the period.

    Attributes:
        name: The figure.
        forecasts: How many; their periods overlap.
        windows: How many periods of those do not overlap.
        since: Start of the first of the periods.
        until: Start of the last.
        coverage: Share of the intervals that held what happened.
        bias: Mean of forecast minus what happened.
        error: Mean absolute error of the forecast.
        last_period_error: The same of the rate of the last period that had ended.
        mean_of_4_error: The same of the mean rate of the last four periods, or as many as there
            were.
    """

    name: FigureName
    forecasts: int
    windows: int
    since: Time
    until: Time
    coverage: float
    bias: float
    error: float
    last_period_error: float | None = None
    mean_of_4_error: float | None = None


class PeriodFit(Record):
    """What forecasts of a month or a quarter are made with.

    Attributes:
        components: Amount → rule → its fit; that of a model is preferred, the rate of the past
            stands in where there are no probabilities.
        correlation: Two amounts, joined by a space → correlation of their deviations.
        stretch: Amount → factor on its deviation, from how far past forecasts of it were off.
        track: How the forecast did in the past.
    """

    components: dict[str, dict[Rule, ComponentFit]]
    correlation: dict[str, float] = Field(default_factory=dict)
    stretch: dict[str, float] = Field(default_factory=dict)
    track: tuple[ForecastTrack, ...] = ()


class ForecastFit(Record):
    """What a training run learnt for the forecast, from its backtest.

    Attributes:
        level: Share of outcomes that an interval should hold.
        periods: By the length of the period.
    """

    level: float
    periods: dict[PeriodName, PeriodFit]


class ForecastFigure(SparseRecord):
    """One figure of one period and group of accounts.

    Attributes:
        name: What it is.
        period: Its length.
        period_from: Its start, the time of the scores.
        period_to: Its end, exclusive.
        group: What splits the accounts → value; empty for all.
        currency: Of money, and of ratios of money.
        value: What is expected; None where there is none, and `reason` says why.
        lo: Lower end of the interval.
        hi: Upper end.
        known: The part of a loss that is decided already: of accounts under notice.
        accounts: Accounts that it is about.
        rule: Where the risks come from, where one amount is forecast.
        reason: Why there is no value.
    """

    name: FigureName
    period: PeriodName
    period_from: Time
    period_to: Time
    group: dict[str, str] = Field(default_factory=dict)
    currency: str | None = None
    value: float | None = None
    lo: float | None = None
    hi: float | None = None
    known: float | None = None
    accounts: int = 0
    rule: Rule | None = None
    reason: str | None = None


class ForecastRecord(Record):
    """What is expected of the accounts that pay at a time; new accounts are no part of it.

    Attributes:
        as_of: The time of the scores.
        run_id: Of the kept run.
        level: Share of outcomes that an interval should hold.
        figures: The forecast.
        track: Length of the period → how such forecasts did in the past.
        notes: What limits it.
    """

    as_of: Time
    run_id: str
    level: float
    figures: tuple[ForecastFigure, ...]
    track: dict[PeriodName, tuple[ForecastTrack, ...]] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()
