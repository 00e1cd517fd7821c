"""What a bundle says of itself in ``spec.json`` and ``metrics.json``."""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_serializer

from tenure.core.config import CalendarConfig, LabelConfig, ModelConfig
from tenure.core.records.base import Record, Time
from tenure.core.records.evaluation import Evaluation, Verdict

FORMAT = 4
"""Of a bundle's files; a bundle of another format cannot be read."""


class BundleSpec(Record):
    """What a bundle was made from, and how it reads feature values."""

    format: int = FORMAT
    """Of the bundle's files."""
    name: str
    """Project: the config's name."""
    model_name: str
    """Project and target, as the model is registered."""
    target: str
    labels: LabelConfig = LabelConfig()
    """How outcomes were labelled."""
    calendar: CalendarConfig = CalendarConfig()
    """When accounts were asked."""
    model_settings: ModelConfig = ModelConfig()
    """How the models were fitted, threads left out."""
    declarations: list[dict[str, Any]] = Field(default_factory=list)
    """The features, as `tenure.features.plan.plan.to_json` gives them."""
    members: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Feature → values with a feature of their own."""
    modules: dict[str, str] = Field(default_factory=dict)
    """Hashes of the user's modules that declared features."""
    recipe: str | None = None
    """Hash of everything but the data that decides what a model is."""
    tables: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Table → columns that it had."""
    reads: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Table → those of them that the features read."""
    begins: dict[str, str] = Field(default_factory=dict)
    """Source → first day of its history."""
    sql_hash: str = ""
    """Hash of the statements that the features are computed by."""
    fingerprint: str = ""
    trained_until: Time
    """When the last outcome learnt from was known."""
    versions: dict[str, str] = Field(default_factory=dict)
    """Libraries that decide what a model is."""

    @field_serializer("model_settings")
    def _without_threads(self, value: ModelConfig) -> dict[str, Any]:
        return value.model_dump(mode="json", exclude={"threads"})


class BundleMetrics(Evaluation):
    """The backtest of a bundle, and the verdict on it."""

    verdict: Verdict | None = None
