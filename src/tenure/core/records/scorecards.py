"""Scorecards of accounts, the health map of a book, and health beside the model."""

from __future__ import annotations

from typing import Literal

from tenure.core.records.base import Figure, Record, Time


class MeasureScore(Record):
    """One measure of an account.

    Attributes:
        name: Its name; `docs/scorecards.md` says its rule.
        value: In its own unit; None where there is none, and `reason` says why.
        score: 0 to 100, high is good.
        trend: The score less that of the earlier time; None where one of them is missing.
        reason: Why there is no value.
    """

    name: str
    value: float | None = None
    score: float | None = None
    trend: float | None = None
    reason: str | None = None


class Scorecard(Record):
    """One scorecard of an account.

    Attributes:
        name: ``vendor_outcomes``, ``client_experience`` or ``customer_outcomes``.
        score: Mean of its measures that have a value, 0 to 100.
        coverage: Share of its measures that have one, in [0, 1].
        trend: The score less that of the earlier time.
        measures: Its measures.
    """

    name: str
    score: float | None = None
    coverage: float
    trend: float | None = None
    measures: tuple[MeasureScore, ...]


class ComposedScore(Record):
    """A score composed of parts: 0 to 100, the share of its weights with data, and its trend."""

    score: float | None = None
    coverage: float
    trend: float | None = None


class AccountScorecards(Record):
    """The scorecards of an account.

    Attributes:
        account_id: Whose.
        as_of: What was known before counts.
        compared_with: The earlier time that trends refer to.
        cards: The scorecards.
        customer_success: In [0, 1], from experience and outcomes; None where one of them is.
        join: The named rule that joins them.
        advocacy_rule: The named rule of the measure `advocacy`.
        health: The weighted health score of the config; None where it has none.
    """

    account_id: str
    as_of: Time
    compared_with: Time
    cards: tuple[Scorecard, ...]
    customer_success: float | None = None
    join: Literal["arithmetic", "geometric", "minimum"]
    advocacy_rule: str
    health: ComposedScore | None = None


class MapCell(Record):
    """Accounts that share a place on the health map.

    Attributes:
        x: Its column.
        y: Its row.
        accounts: How many.
        mrr: MRR by currency; accounts without one stand under an empty name.
    """

    x: str
    y: str
    accounts: int
    mrr: dict[str, float]


class HealthMap(Record):
    """A book of accounts by health and revenue, or by experience and outcomes.

    Attributes:
        kind: Which of the two.
        as_of: What was known before counts.
        x_rule: What a column is, in words.
        y_rule: What a row is.
        x: Columns in order.
        y: Rows in order.
        cells: All cells, also empty ones.
        left_out: Accounts that lack one of both, with their MRR.
    """

    kind: Literal["health", "experience"]
    as_of: Time
    x_rule: str
    y_rule: str
    x: tuple[str, ...]
    y: tuple[str, ...]
    cells: tuple[MapCell, ...]
    left_out: MapCell


class RankedBy(Record):
    """How well a score tells who leaves, on the test rows of the model's backtest.

    Attributes:
        auc: Area under the ROC curve.
        lift_at_10: Rate of leavers among the tenth with the worst score, over the rate of all.
        false_greens: Share of the leavers that stood green.
        false_green_mrr: Share of the leavers' MRR, by currency.
    """

    auc: Figure
    lift_at_10: Figure
    false_greens: Figure
    false_green_mrr: dict[str, float | None]


class HealthComparison(Record):
    """A weighted health score beside the model.

    Attributes:
        rows: Test rows of the backtest that have a health score.
        left_out: Test rows without one.
        churned: Of `rows`, those whose account left.
        green_share: Share of the rows that the health score calls green; the model's green are as
            many rows, those of the lowest probability.
        health: The health score.
        model: The model.
        gain: AUC of the model less that of the health score.
    """

    rows: int
    left_out: int
    churned: int
    green_share: float
    health: RankedBy
    model: RankedBy
    gain: Figure
