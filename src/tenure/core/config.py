"""One YAML file is one run; every key has a default that is safe and written down here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    model_validator,
)

from tenure.core.authored import merged, read_mapping
from tenure.core.errors import ConfigError, Problem, suggestion
from tenure.core.paths import absolute, database_url, present
from tenure.core.secrets import written_out
from tenure.core.sections import (
    AuditConfig,
    EvaluationConfig,
    ExportConfig,
    MetricsConfig,
    PromotionConfig,
    ScoreConfig,
    Section,
    ServiceConfig,
    StoreConfig,
    SuccessConfig,
    TrackingConfig,
    TuningConfig,
    WebhookConfig,
)
from tenure.core.tables import ConnectionConfig, TableConfig, connection_config, table_config
from tenure.core.times import as_utc
from tenure.core.validation import validation_problems


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


class DataConfig(Section):
    """The input."""

    path: str
    """Folder (or DuckDB file) that holds the tables; may be left out where `tables` names all of
    them."""
    tables: dict[str, Annotated[TableConfig, BeforeValidator(table_config)]] = Field({})
    """Tables by canonical name; those left out are looked for under `path`."""
    base: str = "."
    """Folder that relative names in SQL refer to; what does not exist there is looked for under
    `path`."""
    observed_until: Moment | None = None
    """When observation stopped (exclusive); default: the day after the last event."""
    leave_out: list[str] = Field([])
    """Tables that are not looked for under `path`, though a file has their name."""
    timezone: Zone = "UTC"
    """Zone of times written without one (IANA name)."""
    cache: bool = True
    """Keep the checked rows of large files (200,000 rows and more) as Parquet under `paths.runs`,
    so that only new and changed files are read again; not on Spark."""
    land: Literal["always", "once"] = "always"
    """Whether `check`, `train` and `score` fetch the tables of connections, lakes and object stores
    anew, or only those never fetched. Other commands read what landed last."""
    constant_attributes: list[str] = Field([])
    """Further account attributes that never change and may be features."""
    changing_attributes: list[str] = Field([])
    """Contract attributes (segment, industry …) that do change: not features."""

    @model_validator(mode="before")
    @classmethod
    def _named_one_by_one(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and value.get("tables"):
            return {"path": "", **value}
        return value

    @property
    def folders(self) -> tuple[str, ...]:
        """Return the folders that relative names refer to, the config's first."""
        return (self.base, self.path) if self.path else (self.base,)


class CalendarConfig(Section):
    """When accounts are asked."""

    cadence: Literal["monthly", "weekly"] = "monthly"
    """1st of month, or Mondays."""
    start: Moment | None = None
    """First prediction time."""
    end: Moment | None = None
    """Last prediction time (inclusive)."""


class ExpansionConfig(Section):
    """What counts as an expansion."""

    at_constant_price: bool = False
    """Leave out what list prices rose by: only more seats or plans count."""


class LabelConfig(Section):
    """What counts as an outcome, and when it is known."""

    horizon_days: int = Field(90, ge=1, le=1096)
    horizons: list[Annotated[int, Field(ge=1, le=1096)] | Literal["renewal"]] = Field([])
    """Further horizons of each model: days, or `renewal` for the renewal date."""
    gap_days: int = Field(0, ge=0, le=365)
    winback_gap_days: int = Field(30, ge=0, le=365)
    dated_by: Literal["decided", "effective"] = "decided"
    threshold: float = Field(0.10, gt=0, le=10)
    """Change of list MRR that counts."""
    expansion: ExpansionConfig = ExpansionConfig()


class FeatureConfig(Section):
    """Which families, and features of your own."""

    families: list[str] = Field(
        [
            *("usage", "people", "adoption", "rhythm", "change", "support", "survey"),
            *("subscription", "invoice", "touchpoint", "onboarding", "account", "level"),
        ]
    )
    """Those of `docs/features.md`; `calendar` is off: see there."""
    custom: list[dict[str, Any]] = Field([])
    """Feature declarations; a list directly under `features` is short for this."""
    modules: list[str] = Field([])
    """Python files or importable modules that hold `FAMILY` or `FAMILIES`."""
    exclude: list[str] = Field([])
    """Feature names to leave out."""
    cache: bool = True
    """Keep features of large tables under `runs`; a later run adds to them."""


def _features(value: Any) -> Any:
    return {"custom": value} if isinstance(value, list) else value


class ModelConfig(Section):
    """How the model is fitted."""

    seed: int = Field(0, ge=0, le=2**31 - 1)
    threads: int = Field(2, ge=1, le=256)
    min_events: int = Field(30, ge=1)
    """Fewer distinct past events, or accounts without one (for renewals: lapses), are refused."""
    min_train_cutoffs: int = Field(4, ge=1)
    """Prediction times a backtest fold trains on."""
    min_train_positives: int = Field(15, ge=1)
    """Distinct outcomes a backtest fold trains on."""
    min_test_cutoffs: int = Field(3, ge=1)
    """Fewer make no claim."""
    calibrator: Literal["auto", "sigmoid", "identity"] = "auto"
    """From score to probability: `sigmoid` learns how far the score holds on later rows; `auto`
    also follows the rate of all accounts, where that has paid."""
    interval_level: float = Field(0.8, gt=0, lt=1)
    """Share of the true probabilities that an interval should hold."""
    parameters: dict[str, Any] = Field({})
    """LightGBM parameters that replace defaults."""
    tuning: TuningConfig = TuningConfig()


class PathConfig(Section):
    """Where a run writes, relative to the current directory."""

    models: Path = Path("models")
    runs: Path = Path("runs")


class EngineConfig(Section):
    """What runs the SQL."""

    kind: Literal["duckdb", "spark"] = "duckdb"
    threads: int = Field(2, ge=1, le=256)
    memory_limit: str = Field("4GB", pattern=r"^\d+(\.\d+)?\s?(KB|MB|GB|TB|KiB|MiB|GiB|TiB)$")
    master: str | None = None
    """Spark master; default: `local[<threads>]`."""
    settings: dict[str, str | int | float | bool] = Field({})
    """Spark settings, added to the defaults or in their place."""
    scratch: str | None = None
    """Folder for rows that Spark keeps; a cluster needs one that all see."""


class Config(Section):
    """A whole run."""

    name: str = Field("tenure", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    data: DataConfig
    connections: dict[str, Annotated[ConnectionConfig, BeforeValidator(connection_config)]] = Field(
        {}
    )
    """Name → how a database is reached: its URL, or `url`, `driver`, `options`."""
    calendar: CalendarConfig = CalendarConfig()
    labels: LabelConfig = LabelConfig()
    targets: list[str] = Field(["churn", "expansion"], min_length=1)
    features: Annotated[FeatureConfig, BeforeValidator(_features)] = FeatureConfig()
    model: ModelConfig = ModelConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    promotion: PromotionConfig = PromotionConfig()
    score: ScoreConfig = ScoreConfig()
    tracking: TrackingConfig = TrackingConfig()
    store: StoreConfig = StoreConfig()
    paths: PathConfig = PathConfig()
    engine: EngineConfig = EngineConfig()
    service: ServiceConfig = ServiceConfig()
    audit: AuditConfig = AuditConfig()
    metrics: MetricsConfig = MetricsConfig()
    exports: dict[str, ExportConfig] = Field({})
    """Name → another system that scores are sent to."""
    webhooks: dict[str, WebhookConfig] = Field({})
    """Name → a URL that is told what changed."""
    success: SuccessConfig = SuccessConfig()


def load_config(path: Path | str, changes: Mapping[str, Any] | None = None) -> Config:
    """Read a YAML config; `${VAR}` and `${VAR:-default}` are taken from the environment.

    Relative data paths are made absolute (see `make_config`); `name` defaults to the file's stem.

    Args:
        path: The file.
        changes: Put into what the file says (see `merged`).

    Raises:
        ConfigError: If the file is missing, is not YAML, gives a key twice, or breaks a rule;
            lists every problem.
    """
    path = Path(path)
    authored = merged(read_mapping(path), changes or {})
    authored.setdefault("name", re.sub(r"[^A-Za-z0-9_.-]", "-", path.stem))
    if "connections" in authored:
        refuse_passwords(merged(read_mapping(path, unread=True), changes or {}))
    return make_config(authored, base=path.parent, origin=str(path))


def refuse_passwords(authored: Mapping[str, Any]) -> None:
    """Refuse connections whose passwords are written out.

    Raises:
        ConfigError: Naming each place.
    """
    if problems := [*written_out(authored.get("connections"))]:
        raise ConfigError(*problems)


def make_config(authored: dict[str, Any], *, base: Path, origin: str = "config") -> Config:
    """Resolve an authored mapping into a `Config`.

    Relative paths under `data`, and those of feature modules, refer to the config's folder.  The
    path of a table that does not exist there is looked for under `data.path` too.

    Args:
        authored: What the user wrote.
        base: The config's folder.
        origin: What to call the config in messages.

    Raises:
        ConfigError: If a rule is broken; lists every problem.
    """
    try:
        config = Config.model_validate(authored)
    except ValidationError as error:
        raise ConfigError(*validation_problems(origin, authored, error.errors(), _keys)) from None
    data = config.data
    update: dict[str, Any] = {
        "path": absolute(data.path, base) if data.path else "",
        "base": absolute(data.base, base),
    }
    folders = (base, Path(update["path"] or base))
    update["tables"] = {
        name: table.model_copy(
            update={
                "path": present(table.path, folders) if table.path else None,
                "delta": absolute(table.delta, base) if table.delta else None,
            }
        )
        for name, table in data.tables.items()
    }
    connections = {
        name: item.model_copy(update={"url": database_url(item.url, base) if item.url else None})
        for name, item in config.connections.items()
    }
    unknown = [
        Problem(
            f"data.tables.{name}.connection",
            "is not one of `connections`",
            table.connection,
            suggestion(table.connection, connections),
        )
        for name, table in data.tables.items()
        if table.connection is not None and table.connection not in connections
    ]
    if unknown:
        raise ConfigError(*unknown)
    modules = [
        absolute(name, base) if name.endswith(".py") else name for name in config.features.modules
    ]
    return config.model_copy(
        update={
            "data": data.model_copy(update=update),
            "connections": connections,
            "features": config.features.model_copy(update={"modules": modules}),
        }
    )


def _keys(location: tuple[Any, ...]) -> list[str]:
    model: Any = Config
    for part in location[:-1]:
        if model is DataConfig and part == "tables":
            model = TableConfig
        elif model is Config and part == "connections":
            model = ConnectionConfig
        elif isinstance(part, str) and model is not TableConfig and part in model.model_fields:
            model = model.model_fields[part].annotation
    return list(getattr(model, "model_fields", {}))
