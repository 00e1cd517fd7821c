"""Scorecards of accounts, the health map of a book, and health beside the model."""

from __future__ import annotations

from typing import Literal

from tenure.core.records.base import Figure, Record, Time


class MeasureScore(Record):
    """One measure of an account."""

    name: str
    """Its name; `docs/scorecards.md` says its rule."""
    value: float | None = None
    """In its own unit; None where there is none, and `reason` says why."""
    score: float | None = None
    """0 to 100, high is good."""
    trend: float | None = None
    """The score less that of the earlier time; None where one of them is missing."""
    reason: str | None = None
    """Why there is no value."""


class Scorecard(Record):
    """One scorecard of an account."""

    name: str
    """``vendor_outcomes``, ``client_experience`` or ``customer_outcomes``."""
    score: float | None = None
    """Mean of its measures that have a value, 0 to 100."""
    coverage: float
    """Share of its measures that have one, in [0, 1]."""
    trend: float | None = None
    """The score less that of the earlier time."""
    measures: tuple[MeasureScore, ...]


class ComposedScore(Record):
    """A score composed of parts: 0 to 100, the share of its weights with data, and its trend."""

    score: float | None = None
    coverage: float
    trend: float | None = None


class AccountScorecards(Record):
    """The scorecards of an account."""

    account_id: str
    as_of: Time
    """What was known before counts."""
    compared_with: Time
    """The earlier time that trends refer to."""
    cards: tuple[Scorecard, ...]
    customer_success: float | None = None
    """In [0, 1], from experience and outcomes; None where one of them is."""
    join: Literal["arithmetic", "geometric", "minimum"]
    """The named rule that joins them."""
    advocacy_rule: str
    """The named rule of the measure `advocacy`."""
    health: ComposedScore | None = None
    """The weighted health score of the config; None where it has none."""


class MapCell(Record):
    """Accounts that share a place on the health map."""

    x: str
    """Its column."""
    y: str
    """Its row."""
    accounts: int
    mrr: dict[str, float]
    """MRR by currency; accounts without one stand under an empty name."""


class HealthMap(Record):
    """A book of accounts by health and revenue, or by experience and outcomes."""

    kind: Literal["health", "experience"]
    """Which of the two."""
    as_of: Time
    """What was known before counts."""
    x_rule: str
    """What a column is, in words."""
    y_rule: str
    """What a row is."""
    x: tuple[str, ...]
    """Columns in order."""
    y: tuple[str, ...]
    """Rows in order."""
    cells: tuple[MapCell, ...]
    """All cells, also empty ones."""
    left_out: MapCell
    """Accounts that lack one of both, with their MRR."""


class RankedBy(Record):
    """How well a score tells who leaves, on the test rows of the model's backtest."""

    auc: Figure
    """Area under the ROC curve."""
    lift_at_10: Figure
    """Rate of leavers among the tenth with the worst score, over the rate of all."""
    false_greens: Figure
    """Share of the leavers that stood green."""
    false_green_mrr: dict[str, float | None]
    """Share of the leavers' MRR, by currency."""


class HealthComparison(Record):
    """A weighted health score beside the model."""

    rows: int
    """Test rows of the backtest that have a health score."""
    left_out: int
    """Test rows without one."""
    churned: int
    """Of `rows`, those whose account left."""
    green_share: float
    """Share of the rows that the health score calls green; the model's green are as many rows,
    those of the lowest probability."""
    health: RankedBy
    model: RankedBy
    gain: Figure
    """AUC of the model less that of the health score."""
