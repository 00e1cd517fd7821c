"""Sections of a config that need no other: how to tune, measure, score, keep, audit."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Section(BaseModel):
    """Base of all sections: frozen, and unknown keys are errors.

    What a key means stands below it in one line, or in its `description`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class TuningConfig(Section):
    """How long the booster's parameters are searched; without a limit they are not."""

    trials: int = Field(0, ge=0, le=10_000)
    """Trials of each search; 0 and no seconds: no tuning."""
    seconds: float | None = Field(None, gt=0)
    """Seconds of all searches of a model; the result then varies."""
    every: int = Field(6, ge=1, description="Backtest folds that use a search before the next.")

    @property
    def wanted(self) -> bool:
        """Whether anything is searched."""
        return bool(self.trials) or self.seconds is not None


class EvaluationConfig(Section):
    """How the backtest is measured."""

    bootstrap: int = Field(500, ge=50, le=10_000, description="Account-clustered resamples.")
    level: float = Field(0.95, gt=0.5, lt=1)
    max_folds: int | None = Field(None, ge=1)
    """Replay only so many of the latest prediction times; default: all."""
    contrast: bool = True
    """Also measure accounts never seen, and what a random split would promise."""
    groups: list[str] = Field(["segment"])
    """Text features whose values are measured apart."""
    profit_months: float = Field(12.0, gt=0)
    """Months of MRR that an account which is kept is worth."""
    profit_margin: float = Field(0.8, gt=0, le=1)
    """Share of MRR left after the cost of serving the account."""
    profit_contact_cost: float = Field(50.0, ge=0)
    """Cost of contacting one account, in the currency of its MRR."""
    profit_offer: float = Field(0.05, ge=0, lt=1)
    """Share of its worth that an account is offered to stay."""
    profit_accepted: float = Field(0.3, gt=0, lt=1)
    """Assumed share of leaving accounts that an offer keeps."""


class MetricsConfig(Section):
    """What customer-success metrics are computed with."""

    renewal_grace_days: int = Field(30, ge=0, le=365)
    """Days after its due date within which a renewal still counts as one."""
    notice_period_days: int | None = Field(None, ge=0, le=1096)
    """Days before its due date by which a contract has to be ended; none: no opt-out deadlines."""
    activation_days: int = Field(30, ge=1, le=1096)
    """Days from the first paid start within which an account is to be active."""
    activation_event: str | None = None
    """Usage event that is the first value; without one any use activates."""
    csat_thresholds: dict[str, float] = Field({})
    """Scale, e.g. `1-10` → the least answer that is positive, for the method `declared`."""
    currency: str | None = None
    """What `fx_rates` convert to; default: the currency whose rate is 1 or that has none."""


class PromotionConfig(Section):
    """What a challenger has to show to become champion."""

    probability: float = Field(
        0.75,
        ge=0.5,
        lt=1,
        description="Probability with which it is better than the champion on the same rows.",
    )
    tolerance: float = Field(
        0.25,
        ge=0,
        le=1,
        description="Share of the champion's gain over the base rate that it may lose at the lower "
        "end of the interval.",
    )
    group_tolerance: float = Field(1.0, ge=0)
    """The same within a group: share of the champion's gain over all rows."""
    group_events: int = Field(30, ge=1)
    """Groups with fewer distinct outcomes, or accounts without one, are not judged."""


class TrackingConfig(Section):
    """Where MLflow keeps runs and models."""

    uri: str | None = None
    """Any MLflow tracking URI; default SQLite under `runs`."""
    experiment: str | None = Field(None, description="Experiment; default: the config's name.")


def _database(url: str) -> str:
    if not url.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
        raise ValueError("must begin with postgresql+psycopg:// or sqlite:///")
    return url


class StoreConfig(Section):
    """Where scored runs are kept, to be compared with later ones."""

    url: Annotated[str, AfterValidator(_database)] | None = Field(
        None,
        exclude=True,  # it may hold a password, which no record of a run is to repeat
        repr=False,
        description="`postgresql+psycopg://user:${PASSWORD}@host/database`; default: SQLite, in "
        "`tenure.db` under `paths.runs`.",
    )
    keep: int | None = Field(None, ge=2)
    """Keep so many runs, the latest by prediction time; default: all."""


class ServiceConfig(Section):
    """The HTTP service."""

    port: int = Field(3000, ge=1, le=65535)
    host: str = "127.0.0.1"
    max_body_bytes: int = Field(2_000_000, ge=1_000)
    max_accounts: int = Field(1_000, ge=1, description="Accounts one request may ask for.")


class AuditConfig(Section):
    """How much of the data the point-in-time audit looks at, and when it speaks up."""

    accounts: int = Field(2_000, ge=10)
    """Accounts whose features are looked at; more are sampled."""
    copied: int = Field(300, ge=10)
    """Accounts of these whose rows are copied, to be disturbed."""
    rows: int = Field(2_000_000, ge=1_000)
    """Rows of one table that may be copied at most."""
    shuffles: int = Field(3, ge=0)
    """Prediction times at which the future is replaced by noise."""
    recent: int = Field(3, ge=1)
    """Latest prediction times that are compared with the earlier ones."""
    drift: float = Field(0.25, gt=0)
    """Population stability index from which a feature has drifted."""
    auc: float = Field(0.90, gt=0.5, le=1)
    """AUC of one column alone that is too good to be true."""
    allow: list[str] = Field(
        [],
        description="Columns that may be that good: a feature, or a source column "
        "`<table>.<column>` with every feature made from it; or a table whose rows per account may "
        "look made for its whole life.",
    )


class ScoreConfig(Section):
    """How scores are shown."""

    high_at: float = Field(3.0, gt=0)
    """Band `high` from this multiple of the base rate."""
    medium_at: float = Field(1.0, gt=0, description="Band `medium` likewise.")
    capacity: int | None = Field(None, ge=1)
    """Accounts a team can handle: bands by rank."""
    stale_after_days: int = Field(30, ge=1)
    lookback_days: int = Field(365, ge=1, description="Past in which coverage is counted.")
    min_coverage: float = Field(0.0, ge=0, le=1)
    """Share of the sources up to which an account is not scored (0: with none)."""
    min_tenure_days: int = Field(0, ge=0)
    """Paid days an account needs to be scored (0: all are)."""
    abstain_when_stale: bool = True
    """Score nobody where every source of events is stale."""
    levers_first: bool = False
    """Name the drivers that a team can act on before those that it cannot."""
