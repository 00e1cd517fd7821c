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
    """

    as_of: Time
    """Its start."""
    expected: float
    """The expected amount."""
    observed: float
    """What it was."""
    variance: float
    """Variance of the amount if accounts were independent."""


class ComponentFit(SparseRecord):
    """How an amount follows from the risks of accounts."""

    rule: Rule
    """Where the risks come from."""
    target: str | None = None
    """Of the model; None without one."""
    horizon_days: int | None = None
    """Of its probabilities."""
    due: float
    """What came of one expected loss (or gain) of an account whose term ends in the period."""
    not_due: float
    """The same of all others."""
    spread: float
    """Variance of the amount of an account, over its risk × MRR²: above 1 where amounts vary, below
    where only a part of the MRR moves."""
    windows: tuple[PastWindow, ...] = ()
    """Past periods that do not overlap, oldest first; shocks are estimated from them."""


class ForecastTrack(SparseRecord):
    """How forecasts of one figure, as they would have been made then, did in the past.

    Amounts of MRR are shares of the MRR at the start of the period.
    """

    name: FigureName
    forecasts: int
    """How many; their periods overlap."""
    windows: int
    """How many periods of those do not overlap."""
    since: Time
    """Start of the first of the periods."""
    until: Time
    """Start of the last."""
    coverage: float
    """Share of the intervals that held what happened."""
    bias: float
    """Mean of forecast minus what happened."""
    error: float
    """Mean absolute error of the forecast."""
    last_period_error: float | None = None
    """The same of the rate of the last period that had ended."""
    mean_of_4_error: float | None = None
    """The same of the mean rate of the last four periods, or as many as there were."""


class PeriodFit(Record):
    """What forecasts of a month or a quarter are made with."""

    components: dict[str, dict[Rule, ComponentFit]]
    """Amount → rule → its fit; that of a model is preferred, the rate of the past stands in where
    there are no probabilities."""
    correlation: dict[str, float] = Field(default_factory=dict)
    """Two amounts, joined by a space → correlation of their deviations."""
    stretch: dict[str, float] = Field(default_factory=dict)
    """Amount → factor on its deviation, from how far past forecasts of it were off."""
    track: tuple[ForecastTrack, ...] = ()
    """How the forecast did in the past."""


class ForecastFit(Record):
    """What a training run learnt for the forecast, from its backtest."""

    level: float
    """Share of outcomes that an interval should hold."""
    periods: dict[PeriodName, PeriodFit]
    """By the length of the period."""


class ForecastFigure(SparseRecord):
    """One figure of one period and group of accounts."""

    name: FigureName
    period: PeriodName
    """Its length."""
    period_from: Time
    """Its start, the time of the scores."""
    period_to: Time
    """Its end, exclusive."""
    group: dict[str, str] = Field(default_factory=dict)
    """What splits the accounts → value; empty for all."""
    currency: str | None = None
    """Of money, and of ratios of money."""
    value: float | None = None
    """What is expected; None where there is none, and `reason` says why."""
    lo: float | None = None
    """Lower end of the interval."""
    hi: float | None = None
    known: float | None = None
    """The part of a loss that is decided already: of accounts under notice."""
    accounts: int = 0
    """Accounts that it is about."""
    rule: Rule | None = None
    """Where the risks come from, where one amount is forecast."""
    reason: str | None = None
    """Why there is no value."""


class ForecastRecord(Record):
    """What is expected of the accounts that pay at a time; new accounts are no part of it."""

    as_of: Time
    """The time of the scores."""
    run_id: str
    level: float
    """Share of outcomes that an interval should hold."""
    figures: tuple[ForecastFigure, ...]
    track: dict[PeriodName, tuple[ForecastTrack, ...]] = Field(default_factory=dict)
    """Length of the period → how such forecasts did in the past."""
    notes: tuple[str, ...] = ()
    """What limits it."""
