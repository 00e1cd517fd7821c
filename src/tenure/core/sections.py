"""Sections of a config that need no other: how to tune, measure, score, keep, audit."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from tenure.core.authored import settled


def one_line(schema: dict[str, Any]) -> None:
    """Write what each field of a JSON schema means in one line, however it stands in the code."""
    for item in schema.get("properties", {}).values():
        if "description" in item:
            item["description"] = " ".join(item["description"].split())


class Section(BaseModel):
    """Base of all sections: frozen, and unknown keys are errors.

    What a key means stands below it.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, json_schema_extra=one_line
    )

    def settled(self) -> Self:
        """Return it with the variables that were not set when it was read.

        Raises:
            ConfigError: If one still is not set.
        """
        return self.model_copy(update=settled(dict(self)))


class TuningConfig(Section):
    """How long the booster's parameters are searched; without a limit they are not."""

    trials: int = Field(0, ge=0, le=10_000)
    """Trials of each search; 0 and no seconds: no tuning."""
    seconds: float | None = Field(None, gt=0)
    """Seconds of all searches of a model; the result then varies."""
    every: int = Field(6, ge=1)
    """Backtest folds that use a search before the next."""

    @property
    def wanted(self) -> bool:
        """Whether anything is searched."""
        return bool(self.trials) or self.seconds is not None


class EvaluationConfig(Section):
    """How the backtest is measured."""

    bootstrap: int = Field(500, ge=50, le=10_000)
    """Account-clustered resamples."""
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
    discount_rate: float = Field(0.1, ge=0, le=1)
    """Discount of a year, for the lifetime value by the method `discounted`."""
    csat_thresholds: dict[str, float] = Field({})
    """Scale, e.g. `1-10` → the least answer that is positive, for the method `declared`."""
    currency: str | None = None
    """What `fx_rates` convert to; default: the currency whose rate is 1 or that has none."""


class FeaturePoints(Section):
    """A feature and the values of it that give no points and all points."""

    feature: str
    """A feature of `docs/features.md`, or one of your own."""
    bad: float
    """Value that gives 0 points."""
    good: float
    """Value that gives 100; below `bad` where less is better."""

    @model_validator(mode="after")
    def _a_line(self) -> Self:
        if self.good == self.bad:
            raise ValueError("`bad` and `good` must differ")
        return self


class HealthPart(Section):
    """One part of a weighted health score: a measure of the scorecards, or a feature."""

    weight: float = Field(..., gt=0)
    """Its share, relative to the other parts."""
    measure: str | None = None
    """A measure of `docs/scorecards.md`, which has its own cut points."""
    feature: str | None = None
    bad: float | None = None
    good: float | None = None
    missing: float | None = Field(None, ge=0, le=100)
    """Points of an account without a value; none: the part drops out and its weight spreads."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        line = (self.bad is not None, self.good is not None)
        if (self.measure is None) == (self.feature is None):
            raise ValueError("needs either `measure` or `feature`")
        if self.feature is not None and (not all(line) or self.bad == self.good):
            raise ValueError("needs `bad` and `good`, which differ, beside `feature`")
        if self.measure is not None and any(line):
            raise ValueError("has the cut points of its measure: leave `bad` and `good` out")
        return self


class WorkListConfig(Section):
    """Whom to call."""

    capacity: int | None = Field(None, ge=1)
    """Accounts per owner and list; default: 5 of a small book, 20 of a large one."""
    book: Literal["auto", "small", "large"] = "auto"
    """A small book (up to 25 accounts) lists any account, a large one those in a risk band."""
    opt_out_days: int = Field(45, ge=0, le=365)
    """Accounts that can end their contract for only so many more days come first."""
    hold_out: float = Field(0.0, ge=0, le=0.5)
    """Share of accounts that are left off the lists, to measure what the lists bring."""


class SuccessConfig(Section):
    """Scorecards, health and work lists."""

    join: Literal["arithmetic", "geometric", "minimum"] = "arithmetic"
    """How experience and outcomes make customer success: mean, CE × CO, or the lower one."""
    trend_days: int = Field(90, ge=1, le=1096)
    """Days before the prediction time with which scorecards are compared."""
    roi_proxy: FeaturePoints | None = None
    """A feature that stands for the return your customers get."""
    health: list[HealthPart] = Field([])
    """Parts of a weighted health score; none: there is no such score beside the model."""
    green_at: float = Field(70.0, ge=0, le=100)
    """Weighted health from which an account is green."""
    red_below: float = Field(40.0, ge=0, le=100)
    """Weighted health below which it is red."""
    band_margin: float = Field(0.15, ge=0, lt=1)
    """Share of a threshold that the risk has to fall below it before the shown band falls."""
    band_dwell_days: int = Field(28, ge=0, le=365)
    """Days that a shown band stands at least before it falls."""
    worklist: WorkListConfig = WorkListConfig()

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.red_below > self.green_at:
            raise ValueError("`red_below` must not lie above `green_at`")
        return self


class PromotionConfig(Section):
    """What a challenger has to show to become champion."""

    probability: float = Field(0.75, ge=0.5, lt=1)
    """Probability with which it is better than the champion on the same rows."""
    tolerance: float = Field(0.25, ge=0, le=1)
    """Share of the champion's gain over the base rate that it may lose at the lower end of the
    interval."""
    group_tolerance: float = Field(1.0, ge=0)
    """The same within a group: share of the champion's gain over all rows."""
    group_events: int = Field(30, ge=1)
    """Groups with fewer distinct outcomes, or accounts without one, are not judged."""


class TrackingConfig(Section):
    """Where MLflow keeps runs and models."""

    uri: str | None = None
    """Any MLflow tracking URI; default SQLite under `runs`."""
    experiment: str | None = None
    """Experiment; default: the config's name."""


def _database(url: str) -> str:
    if not url.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
        raise ValueError("must begin with postgresql+psycopg:// or sqlite:///")
    return url


class StoreConfig(Section):
    """Where scored runs are kept, to be compared with later ones."""

    # It may hold a password, which no record of a run is to repeat.
    url: Annotated[str, AfterValidator(_database)] | None = Field(None, exclude=True, repr=False)
    """`postgresql+psycopg://user:${PASSWORD}@host/database`; default: SQLite, in `tenure.db` under
    `paths.runs`."""
    keep: int | None = Field(None, ge=2)
    """Keep so many runs, the latest by prediction time; default: all."""
    shadow: bool = True
    """Score with the challenger that waits too, after the champion, and keep what it gives."""


class ExportConfig(Section):
    """Another system that scores are sent to by `tenure export`."""

    adapter: str | None = None
    """One of docs/export.md; default: the name of the section."""
    url: str | None = Field(None, exclude=True, repr=False)
    """Where the system answers; may hold a password."""
    token: str | None = Field(None, exclude=True, repr=False)
    """Key or token, e.g. `${HUBSPOT_TOKEN}`."""
    user: str | None = Field(None, exclude=True)
    """Who reads back, where that is apart."""
    read_url: str | None = Field(None, exclude=True, repr=False)
    """Where reading back is answered, if elsewhere."""
    read_token: str | None = Field(None, exclude=True, repr=False)
    """Key for reading back, where it is another one."""
    headers: dict[str, str] = Field({}, exclude=True, repr=False)
    """Further headers of every request."""
    object: str = ""
    """Their object, table or service; a CRM's account or company by default."""
    key: str = "account_id"
    """Their field that holds the account_id."""
    columns: dict[str, str] = Field({})
    """Column of the flat rows → field of theirs."""
    read_back: dict[str, str] = Field({})
    """Field of theirs → its name where they are read, for systems that need it."""
    horizon_days: int | None = Field(None, ge=1)
    """Default: the main horizon."""


class WebhookConfig(Section):
    """A URL that is told what changed, as Standard Webhooks says."""

    url: str = Field(exclude=True, repr=False)
    secrets: list[str] = Field(min_length=1, exclude=True, repr=False)
    """`whsec_…`, e.g. `${WEBHOOK_SECRET}`; several while one replaces another."""
    events: list[Literal["score.band_changed", "model.champion_changed"]] = Field(
        ["score.band_changed", "model.champion_changed"]
    )


class ProxyConfig(Section):
    """A proxy in front of the service that says in a header who is there."""

    addresses: list[str] = Field(min_length=1)
    """IP addresses of the proxy."""
    header: str = Field("X-Forwarded-User", min_length=1)
    """Header with the user's name; from any other address it counts for nothing."""
    scopes: list[Literal["read", "score", "feedback", "admin"]] = ["read", "feedback"]


class ServiceConfig(Section):
    """The HTTP service."""

    port: int = Field(3000, ge=1, le=65535)
    host: str = "127.0.0.1"
    workers: int = Field(1, ge=1, le=64)
    """Processes that answer requests."""
    max_body_bytes: int = Field(2_000_000, ge=1_000)
    max_accounts: int = Field(1_000, ge=1)
    """Accounts one request may ask for."""
    require_keys: bool = False
    """Ask for a key on this machine's own address as well."""
    deadline_seconds: float = Field(9, gt=0, le=50)
    """Time within which a request is answered, or given up."""
    requests_per_minute: int = Field(1_200, ge=1)
    """Requests of one key to one process."""
    session_hours: float = Field(12, gt=0, le=720)
    """How long a sign-in lasts."""
    audit_days: int = Field(365, ge=1)
    """How long the audit log is held."""
    proxy: ProxyConfig | None = None


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
    allow: list[str] = Field([])
    """Columns that may be that good: a feature, or a source column `<table>.<column>` with every
    feature made from it; or a table whose rows per account may look made for its whole life."""


class ScoreConfig(Section):
    """How scores are shown."""

    high_at: float = Field(3.0, gt=0)
    """Band `high` from this multiple of the base rate."""
    medium_at: float = Field(1.0, gt=0)
    """Band `medium` likewise."""
    capacity: int | None = Field(None, ge=1)
    """Accounts a team can handle: bands by rank."""
    stale_after_days: int = Field(30, ge=1)
    lookback_days: int = Field(365, ge=1)
    """Past in which coverage is counted."""
    min_coverage: float = Field(0.0, ge=0, le=1)
    """Share of the sources up to which an account is not scored (0: with none)."""
    min_tenure_days: int = Field(0, ge=0)
    """Paid days an account needs to be scored (0: all are)."""
    abstain_when_stale: bool = True
    """Score nobody where every source of events is stale."""
    levers_first: bool = False
    """Name the drivers that a team can act on before those that it cannot."""
