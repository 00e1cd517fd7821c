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
    """One of two models, measured on the rows that both predicted."""

    log_loss: Figure
    auc: Figure
    """Area under the ROC curve."""
    over_base_rate: Figure
    """Gain in log loss over the base rate that was known at each prediction time."""
    mean_probability: float


class PairedGain(Record):
    """Gain of the challenger on the same rows; above 0 favours it."""

    log_loss: Figure
    auc: Figure


class GroupComparison(Record):
    """Two models within one group of accounts."""

    by: str
    """What makes the group."""
    name: str
    rows: int
    events: int
    """Distinct outcomes."""
    others: int
    """Accounts without one."""
    log_loss: float
    """Of the champion."""
    increase: Figure
    """By how much that rises with the challenger."""
    worse: bool | None
    """Whether it may rise much; None where too few outcomes tell."""


class PastUses(Record):
    """How often the outcomes of some prediction times have been used to choose a model."""

    first: Time
    """The first prediction time."""
    last: Time
    """The last."""
    contests: int
    """Pairs of bundles that were compared on some of these, the present one included."""
    recipes: int
    """Different declarations, settings or code that were tested on some of them."""


class Comparison(SparseRecord):
    """A challenger beside the champion on the same rows."""

    rows: int
    """Rows that both predicted."""
    accounts: int
    """Their accounts."""
    cutoffs: int
    """Their prediction times."""
    first: Time
    """The first of these."""
    last: Time
    """The last."""
    positives: int
    """Rows followed by the outcome."""
    events: int
    """Distinct outcomes."""
    observed_rate: float
    """Share of rows followed by the outcome."""
    champion: Side
    """The champion, measured."""
    challenger: Side
    """The challenger, measured."""
    gain: PairedGain
    """What the challenger gains."""
    better: float
    """Probability that its gain in log loss is above 0."""
    groups: tuple[GroupComparison, ...]
    """Both within groups of accounts."""
    as_it_stands: Figure | None = None
    """Log loss of the challenger's bundle minus that of its recipe."""
    level: float
    """Of the intervals."""
    limits: PromotionConfig
    """What the challenger has to show."""
    basis: Basis | None = None
    """``unseen``, ``later`` or ``replayed``: who spoke for the two."""
    how: str | None = None
    """The same in words."""
    used: PastUses | None = None
    """How often the outcomes of these prediction times have been used to choose."""
    notes: tuple[str, ...] = ()
    """What to know beside it."""


class TargetPromotion(Record):
    """What became of one target."""

    action: Action
    """``promoted``, ``first``, ``forced``, ``rolled_back``, ``refused`` or ``nothing``."""
    champion: str | None = None
    """The champion before."""
    version: str | None = None
    """The challenger."""
    sentences: tuple[str, ...]
    """Why, for people."""
    comparison: Comparison | None = None
    """What was measured; None where nothing was."""


class PromotionRecord(Record):
    """What `tenure promote` came to."""

    name: str
    """Project: the config's name."""
    dry_run: bool
    """Whether nothing was changed."""
    passed: bool
    """Whether nothing was refused."""
    notes: tuple[str, ...]
    """On MLflow."""
    targets: dict[str, TargetPromotion]
    """What became of each target."""


class ShadowRecord(SparseRecord):
    """A champion and the challenger in its shadow, on the runs that both scored."""

    champion: str
    """Version of the champion, whose scores are delivered."""
    challenger: str
    """Version of the challenger, whose scores are only compared."""
    runs: int
    """Prediction times."""
    rows: int
    """Scores that both gave, under the main horizon."""
    last: Time
    """The last prediction time."""
    mean_champion: float
    """Mean probability of the champion."""
    mean_challenger: float
    """Mean probability of the challenger."""
    apart: float
    """Mean absolute difference of the two."""
    posted_rows: int = 0
    """Posted rows that both scored for a request."""
    posted_apart: float | None = None
    """Mean absolute difference on these; None without any."""
    comparison: Comparison | None = None
    """Both on the scores whose outcome is known; None where too few are."""


class ScoredMoney(Record):
    """MRR of scored accounts in one currency."""

    currency: str | None
    """Its name; None for accounts without one, or with several."""
    accounts: int
    mrr: float
    """Their MRR."""
    mrr_at_risk: float
    """Probability of churn × MRR, summed over accounts with a probability."""
    notice_accounts: int
    """Accounts that gave notice, which have no probability."""
    notice_mrr: float
    """Their MRR, a known loss; no part of `mrr_at_risk`."""


class ScoreRecord(Record):
    """What `tenure score` wrote."""

    rows: int
    """Rows: one per account and horizon."""
    accounts: int
    as_of: Time
    out: str
    abstained: int
    """Accounts without a probability."""
    models: dict[str, str]
    """Target → version of its bundle."""
    money: tuple[ScoredMoney, ...] = ()
    """MRR of the accounts, by currency."""
    warnings: tuple[str, ...] = ()
    """What to know before the scores are believed."""
    drift: dict[str, BookDrift] = Field(default_factory=dict)
    """Target → how the book differs from the last known prediction times."""
