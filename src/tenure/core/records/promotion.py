"""What a promotion compared and decided, and what a scoring run wrote."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tenure.core.records.base import Figure, Record, SparseRecord, Time
from tenure.core.records.score_drift import BookDrift
from tenure.core.sections import PromotionConfig

Basis = Literal["unseen", "later", "replayed"]
Action = Literal["promoted", "first", "forced", "rolled_back", "refused", "nothing"]


class Side(Record):
    """One of two models, measured on the rows that both predicted.

    Attributes:
        log_loss: Mean log loss.
        auc: Area under the ROC curve.
        over_base_rate: Gain in log loss over the base rate that was known at each prediction time.
        mean_probability: Mean predicted probability.
    """

    log_loss: Figure
    auc: Figure
    over_base_rate: Figure
    mean_probability: float


class PairedGain(Record):
    """Gain of the challenger on the same rows; above 0 favours it."""

    log_loss: Figure
    auc: Figure


class GroupComparison(Record):
    """Two models within one group of accounts.

    Attributes:
        by: What makes the group.
        name: Its name.
        rows: Rows.
        events: Distinct outcomes.
        others: Accounts without one.
        log_loss: Of the champion.
        increase: By how much that rises with the challenger.
        worse: Whether it may rise much; None where too few outcomes tell.
    """

    by: str
    name: str
    rows: int
    events: int
    others: int
    log_loss: float
    increase: Figure
    worse: bool | None


class PastUses(Record):
    """How often the outcomes of some prediction times have been used to choose a model.

    Attributes:
        first: The first prediction time.
        last: The last.
        contests: Pairs of bundles that were compared on some of these, the present one included.
        recipes: Different declarations, settings or code that were tested on some of them.
    """

    first: Time
    last: Time
    contests: int
    recipes: int


class Comparison(SparseRecord):
    """A challenger beside the champion on the same rows.

    Attributes:
        rows: Rows that both predicted.
        accounts: Their accounts.
        cutoffs: Their prediction times.
        first: The first of these.
        last: The last.
        positives: Rows followed by the outcome.
        events: Distinct outcomes.
        observed_rate: Share of rows followed by the outcome.
        champion: The champion, measured.
        challenger: The challenger, measured.
        gain: What the challenger gains.
        better: Probability that its gain in log loss is above 0.
        groups: Both within groups of accounts.
        as_it_stands: Log loss of the challenger's bundle minus that of its recipe.
        level: Of the intervals.
        limits: What the challenger has to show.
        basis: ``unseen``, ``later`` or ``replayed``: who spoke for the two.
        how: The same in words.
        used: How often the outcomes of these prediction times have been used to choose.
        notes: What to know beside it.
    """

    rows: int
    accounts: int
    cutoffs: int
    first: Time
    last: Time
    positives: int
    events: int
    observed_rate: float
    champion: Side
    challenger: Side
    gain: PairedGain
    better: float
    groups: tuple[GroupComparison, ...]
    as_it_stands: Figure | None = None
    level: float
    limits: PromotionConfig
    basis: Basis | None = None
    how: str | None = None
    used: PastUses | None = None
    notes: tuple[str, ...] = ()


class TargetPromotion(Record):
    """What became of one target.

    Attributes:
        action: ``promoted``, ``first``, ``forced``, ``rolled_back``, ``refused`` or ``nothing``.
        champion: The champion before.
        version: The challenger.
        sentences: Why, for people.
        comparison: What was measured; None where nothing was.
    """

    action: Action
    champion: str | None = None
    version: str | None = None
    sentences: tuple[str, ...]
    comparison: Comparison | None = None


class PromotionRecord(Record):
    """What `tenure promote` came to.

    Attributes:
        name: Project: the config's name.
        dry_run: Whether nothing was changed.
        passed: Whether nothing was refused.
        notes: On MLflow.
        targets: What became of each target.
    """

    name: str
    dry_run: bool
    passed: bool
    notes: tuple[str, ...]
    targets: dict[str, TargetPromotion]


class ShadowRecord(SparseRecord):
    """A champion and the challenger in its shadow, on the runs that both scored.

    Attributes:
        champion: Version of the champion, whose scores are delivered.
        challenger: Version of the challenger, whose scores are only compared.
        runs: Prediction times.
        rows: Scores that both gave, under the main horizon.
        last: The last prediction time.
        mean_champion: Mean probability of the champion.
        mean_challenger: Mean probability of the challenger.
        apart: Mean absolute difference of the two.
        posted_rows: Posted rows that both scored for a request.
        posted_apart: Mean absolute difference on these; None without any.
        comparison: Both on the scores whose outcome is known; None where too few are.
    """

    champion: str
    challenger: str
    runs: int
    rows: int
    last: Time
    mean_champion: float
    mean_challenger: float
    apart: float
    posted_rows: int = 0
    posted_apart: float | None = None
    comparison: Comparison | None = None


class ScoredMoney(Record):
    """MRR of scored accounts in one currency.

    Attributes:
        currency: Its name; None for accounts without one, or with several.
        accounts: Accounts.
        mrr: Their MRR.
        mrr_at_risk: Probability of churn × MRR, summed over accounts with a probability.
        notice_accounts: Accounts that gave notice, which have no probability.
        notice_mrr: Their MRR, a known loss; no part of `mrr_at_risk`.
    """

    currency: str | None
    accounts: int
    mrr: float
    mrr_at_risk: float
    notice_accounts: int
    notice_mrr: float


class ScoreRecord(Record):
    """What `tenure score` wrote.

    Attributes:
        rows: Rows: one per account and horizon.
        accounts: Accounts.
        as_of: Prediction time.
        out: File.
        abstained: Accounts without a probability.
        models: Target → version of its bundle.
        money: MRR of the accounts, by currency.
        warnings: What to know before the scores are believed.
        drift: Target → how the book differs from the last known prediction times.
    """

    rows: int
    accounts: int
    as_of: Time
    out: str
    abstained: int
    models: dict[str, str]
    money: tuple[ScoredMoney, ...] = ()
    warnings: tuple[str, ...] = ()
    drift: dict[str, BookDrift] = Field(default_factory=dict)
