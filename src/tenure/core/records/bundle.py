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
    """What a bundle was made from, and how it reads feature values.

    Attributes:
        format: Of the bundle's files.
        name: Project: the config's name.
        model_name: Project and target, as the model is registered.
        target: What is predicted.
        labels: How outcomes were labelled.
        calendar: When accounts were asked.
        model_settings: How the models were fitted, threads left out.
        declarations: The features, as `tenure.features.plan.plan.to_json` gives them.
        members: Feature → values with a feature of their own.
        modules: Hashes of the user's modules that declared features.
        recipe: Hash of everything but the data that decides what a model is.
        tables: Table → columns that it had.
        reads: Table → those of them that the features read.
        begins: Source → first day of its history.
        sql_hash: Hash of the statements that the features are computed by.
        fingerprint: Hash of the data.
        trained_until: When the last outcome learnt from was known.
        versions: Libraries that decide what a model is.
    """

    format: int = FORMAT
    name: str
    model_name: str
    target: str
    labels: LabelConfig = LabelConfig()
    calendar: CalendarConfig = CalendarConfig()
    model_settings: ModelConfig = ModelConfig()
    declarations: list[dict[str, Any]] = Field(default_factory=list)
    members: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    modules: dict[str, str] = Field(default_factory=dict)
    recipe: str | None = None
    tables: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    reads: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    begins: dict[str, str] = Field(default_factory=dict)
    sql_hash: str = ""
    fingerprint: str = ""
    trained_until: Time
    versions: dict[str, str] = Field(default_factory=dict)

    @field_serializer("model_settings")
    def _without_threads(self, value: ModelConfig) -> dict[str, Any]:
        return value.model_dump(mode="json", exclude={"threads"})


class BundleMetrics(Evaluation):
    """The backtest of a bundle, and the verdict on it."""

    verdict: Verdict | None = None
