"""One YAML file is one run; every key has a default that is safe and written down here."""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    model_validator,
)

from tenure.core.errors import ConfigError, Problem, suggestion
from tenure.core.paths import absolute, expanded
from tenure.core.sections import EvaluationConfig, PromotionConfig, Section, TuningConfig
from tenure.core.times import as_utc


def _time(value: Any) -> Any:
    if isinstance(value, str | date | datetime):
        try:
            return as_utc(value)
        except ValueError:
            raise ValueError("is not an ISO date or time, e.g. 2024-03-01") from None
    return value


Moment = Annotated[datetime, BeforeValidator(_time)]


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is not a known time zone, e.g. Europe/Berlin") from None
    return value


Zone = Annotated[str, AfterValidator(_zone)]


class TableConfig(Section):
    """Where one table comes from and how its columns map onto the contract's."""

    path: str | None = Field(None, description="CSV or Parquet file or glob, or a DuckDB file.")
    table: str | None = Field(
        None, description="Table inside a DuckDB file; without `path`, of Spark's catalogue."
    )
    sql: str | None = Field(None, description="A SELECT over files, relative to the config file.")
    columns: dict[str, str] = Field({}, description="Canonical name → your column or SQL.")
    formats: dict[str, str] = Field(
        {}, description="Canonical time column → `iso`, `epoch_s`, `epoch_ms` or a strptime format."
    )
    assumptions: dict[str, str] = Field(
        {}, description="Canonical column → what you assumed about it; listed by the audit."
    )

    @model_validator(mode="after")
    def _one_origin(self) -> TableConfig:
        catalogue = self.table is not None and self.path is None and self.sql is None
        if (self.path is None) == (self.sql is None) and not catalogue:
            raise ValueError("needs exactly one of `path` and `sql`")
        return self


def _table(value: Any) -> Any:
    return {"path": value} if isinstance(value, str) else value


class DataConfig(Section):
    """The input."""

    path: str = Field(..., description="Folder (or DuckDB file) that holds the tables.")
    tables: dict[str, Annotated[TableConfig, BeforeValidator(_table)]] = Field(
        {}, description="Tables by canonical name; those left out are looked for under `path`."
    )
    base: str = Field(".", description="Folder that relative paths refer to.")
    observed_until: Moment | None = Field(
        None,
        description="When observation stopped (exclusive); default: the day after the last event.",
    )
    timezone: Zone = Field("UTC", description="Zone of times written without one (IANA name).")
    cache: bool = Field(
        True,
        description="Keep the checked rows of large files (200,000 rows and more) as Parquet under "
        "`paths.runs`, and what scoring counts of them, so that only new and changed files are "
        "read again; not on Spark.",
    )
    constant_attributes: list[str] = Field(
        [], description="Further account attributes that never change and may be features."
    )
    changing_attributes: list[str] = Field(
        [], description="Contract attributes (segment, industry …) that do change: not features."
    )


class CalendarConfig(Section):
    """When accounts are asked."""

    cadence: Literal["monthly", "weekly"] = Field(
        "monthly", description="1st of month, or Mondays."
    )
    start: Moment | None = Field(None, description="First prediction time.")
    end: Moment | None = Field(None, description="Last prediction time (inclusive).")


class LabelConfig(Section):
    """What counts as an outcome, and when it is known."""

    horizon_days: int = Field(90, ge=1, le=1096)
    horizons: list[Annotated[int, Field(ge=1, le=1096)] | Literal["renewal"]] = Field(
        [],
        description="Further horizons of each model: days, or `renewal` for the renewal date.",
    )
    gap_days: int = Field(0, ge=0, le=365)
    winback_gap_days: int = Field(30, ge=0, le=365)
    dated_by: Literal["decided", "effective"] = "decided"
    threshold: float = Field(0.10, gt=0, le=10, description="Change of list MRR that counts.")


class FeatureConfig(Section):
    """Which families, and features of your own."""

    families: list[str] = Field(
        [
            *("usage", "people", "adoption", "rhythm", "change", "support", "survey"),
            *("subscription", "invoice", "touchpoint", "onboarding", "account", "level"),
        ],
        description="Those of `docs/features.md`; `calendar` is off: see there.",
    )
    custom: list[dict[str, Any]] = Field(
        [], description="Feature declarations; a list directly under `features` is short for this."
    )
    modules: list[str] = Field(
        [], description="Python files or importable modules that hold `FAMILY` or `FAMILIES`."
    )
    exclude: list[str] = Field([], description="Feature names to leave out.")
    cache: bool = Field(
        True, description="Keep features of large tables under `runs`; a later run adds to them."
    )


def _features(value: Any) -> Any:
    return {"custom": value} if isinstance(value, list) else value


class ModelConfig(Section):
    """How the model is fitted."""

    seed: int = Field(0, ge=0, le=2**31 - 1)
    threads: int = Field(2, ge=1, le=256)
    min_events: int = Field(
        30,
        ge=1,
        description="Fewer distinct past events, or accounts without one (for renewals: lapses), "
        "are refused.",
    )
    min_train_cutoffs: int = Field(
        4, ge=1, description="Prediction times a backtest fold trains on."
    )
    min_train_positives: int = Field(
        40, ge=1, description="Positive rows a backtest fold trains on."
    )
    min_test_cutoffs: int = Field(3, ge=1, description="Fewer make no claim.")
    calibrator: Literal["auto", "sigmoid", "isotonic", "beta", "venn_abers", "identity"] = Field(
        "auto", description="From score to probability; `auto`: the best on later rows."
    )
    interval_level: float = Field(
        0.8, gt=0, lt=1, description="Share of the true probabilities that an interval should hold."
    )
    parameters: dict[str, Any] = Field({}, description="LightGBM parameters that replace defaults.")
    tuning: TuningConfig = TuningConfig()


class ScoreConfig(Section):
    """How scores are shown."""

    high_at: float = Field(
        3.0, gt=0, description="Band `high` from this multiple of the base rate."
    )
    medium_at: float = Field(1.0, gt=0, description="Band `medium` likewise.")
    capacity: int | None = Field(
        None, ge=1, description="Accounts a team can handle: bands by rank."
    )
    stale_after_days: int = Field(30, ge=1)
    lookback_days: int = Field(365, ge=1, description="Past in which coverage is counted.")
    min_coverage: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of the sources up to which an account is not scored (0: with none).",
    )
    min_tenure_days: int = Field(
        0, ge=0, description="Paid days an account needs to be scored (0: all are)."
    )
    abstain_when_stale: bool = Field(
        True, description="Score nobody where every source of events is stale."
    )


class TrackingConfig(Section):
    """Where MLflow keeps runs and models."""

    uri: str | None = Field(
        None, description="Any MLflow tracking URI; default SQLite under `runs`."
    )
    experiment: str | None = Field(None, description="Experiment; default: the config's name.")


class PathConfig(Section):
    """Where a run writes, relative to the current directory."""

    models: Path = Path("models")
    runs: Path = Path("runs")


class EngineConfig(Section):
    """What runs the SQL."""

    kind: Literal["duckdb", "spark"] = "duckdb"
    threads: int = Field(2, ge=1, le=256)
    memory_limit: str = Field("4GB", pattern=r"^\d+(\.\d+)?\s?(KB|MB|GB|TB|KiB|MiB|GiB|TiB)$")
    master: str | None = Field(None, description="Spark master; default: `local[<threads>]`.")
    settings: dict[str, str | int | float | bool] = Field(
        {}, description="Spark settings, added to the defaults or in their place."
    )
    scratch: str | None = Field(
        None, description="Folder for rows that Spark keeps; a cluster needs one that all see."
    )


class ServiceConfig(Section):
    """The HTTP service."""

    port: int = Field(3000, ge=1, le=65535)
    host: str = "127.0.0.1"
    max_body_bytes: int = Field(2_000_000, ge=1_000)
    max_accounts: int = Field(1_000, ge=1, description="Accounts one request may ask for.")


class AuditConfig(Section):
    """How much of the data the point-in-time audit looks at, and when it speaks up."""

    accounts: int = Field(
        2_000, ge=10, description="Accounts whose features are looked at; more are sampled."
    )
    copied: int = Field(
        300, ge=10, description="Accounts of these whose rows are copied, to be disturbed."
    )
    rows: int = Field(
        2_000_000, ge=1_000, description="Rows of one table that may be copied at most."
    )
    shuffles: int = Field(
        3, ge=0, description="Prediction times at which the future is replaced by noise."
    )
    recent: int = Field(
        3, ge=1, description="Latest prediction times that are compared with the earlier ones."
    )
    drift: float = Field(
        0.25, gt=0, description="Population stability index from which a feature has drifted."
    )
    auc: float = Field(
        0.90, gt=0.5, le=1, description="AUC of one column alone that is too good to be true."
    )
    allow: list[str] = Field(
        [],
        description="Columns that may be that good: a feature, or a source column "
        "`<table>.<column>` with every feature made from it.",
    )


class Config(Section):
    """A whole run."""

    name: str = Field("tenure", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    data: DataConfig
    calendar: CalendarConfig = CalendarConfig()
    labels: LabelConfig = LabelConfig()
    targets: list[str] = Field(["churn", "expansion"], min_length=1)
    features: Annotated[FeatureConfig, BeforeValidator(_features)] = FeatureConfig()
    model: ModelConfig = ModelConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    promotion: PromotionConfig = PromotionConfig()
    score: ScoreConfig = ScoreConfig()
    tracking: TrackingConfig = TrackingConfig()
    paths: PathConfig = PathConfig()
    engine: EngineConfig = EngineConfig()
    service: ServiceConfig = ServiceConfig()
    audit: AuditConfig = AuditConfig()


def load_config(path: Path | str) -> Config:
    """Read a YAML config; `${VAR}` and `${VAR:-default}` are taken from the environment.

    Relative data paths are made absolute against the file's folder; `name` defaults to its stem.

    Raises:
        ConfigError: If the file is missing, is not YAML, or breaks a rule; lists every problem.
    """
    path = Path(path)
    if not path.is_file():
        raise ConfigError(Problem(str(path), "is not a file", fix="give the path of a YAML config"))
    try:
        authored = yaml.safe_load(expanded(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(Problem(str(path), "is not valid YAML", str(error))) from error
    if not isinstance(authored, dict):
        raise ConfigError(
            Problem(str(path), "must be a mapping", fix="start with `data: {path: DIR}`")
        )
    authored.setdefault("name", re.sub(r"[^A-Za-z0-9_.-]", "-", path.stem))
    return make_config(authored, base=path.parent, origin=str(path))


def make_config(authored: dict[str, Any], *, base: Path, origin: str = "config") -> Config:
    """Resolve an authored mapping into a `Config`.

    Args:
        authored: What the user wrote.
        base: Folder that relative data paths refer to.
        origin: What to call the config in messages.

    Raises:
        ConfigError: If a rule is broken; lists every problem.
    """
    try:
        config = Config.model_validate(authored)
    except ValidationError as error:
        raise ConfigError(*[_problem(origin, item) for item in error.errors()]) from None
    data = config.data
    tables = {
        name: table.model_copy(update={"path": absolute(table.path, base) if table.path else None})
        for name, table in data.tables.items()
    }
    update = {
        "path": absolute(data.path, base),
        "base": absolute(data.base, base),
        "tables": tables,
    }
    modules = [
        absolute(name, base) if name.endswith(".py") else name for name in config.features.modules
    ]
    return config.model_copy(
        update={
            "data": data.model_copy(update=update),
            "features": config.features.model_copy(update={"modules": modules}),
        }
    )


def _problem(origin: str, item: Any) -> Problem:
    where = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        key = str(item["loc"][-1])
        return Problem(f"{origin}: {where}", "unknown key", fix=suggestion(key, _keys(item["loc"])))
    value = "" if item["type"] == "missing" else repr(item.get("input"))[:80]
    return Problem(f"{origin}: {where}", item["msg"].removeprefix("Value error, "), value)


def _keys(location: tuple[Any, ...]) -> list[str]:
    model: Any = Config
    for part in location[:-1]:
        if model is DataConfig and part == "tables":
            model = TableConfig
        elif isinstance(part, str) and model is not TableConfig and part in model.model_fields:
            model = model.model_fields[part].annotation
    return list(getattr(model, "model_fields", {}))
