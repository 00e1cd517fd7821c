"""What the page shows: a training record laid out as plain texts and tables."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tenure.core.files import canonical_json
from tenure.core.records.training import CalendarFacts, FeatureFacts, TrainingRecord
from tenure.report.sentences.formatting import count, counted, day, number
from tenure.report.tables.data import DataView, data_view
from tenure.report.tables.layout import Cell, Table, in_order, joined, pairs, table
from tenure.report.tables.targets import TargetView, target_view


@dataclass(frozen=True)
class PageView:
    """The whole page."""

    name: str
    created_at: str
    calendar: str
    targets: tuple[TargetView, ...]
    data: DataView
    families: str
    absent: Table | None
    about: Table | None
    config: str


def page(record: TrainingRecord) -> PageView:
    """Lay a training record out; before it is written it gives the page that it gives after."""
    record = TrainingRecord.model_validate_json(canonical_json(record.to_json()))
    config, features = record.config, record.features
    absent = [(Cell(item.name), Cell(item.reason)) for item in features.absent]
    targets = in_order(record.targets, config.targets)
    settings = config.model_dump(mode="json")
    return PageView(
        name=record.name,
        created_at=record.created_at.replace("T", " ").replace("Z", " UTC"),
        calendar=_calendar(record.calendar),
        targets=tuple(target_view(name, target, config) for name, target in targets.items()),
        data=data_view(record.data),
        families=_families(features),
        absent=table("Features that this data cannot give", ("Feature", "Why"), absent),
        about=_about(record),
        config=json.dumps(settings, indent=1, sort_keys=True, ensure_ascii=False),
    )


def _calendar(calendar: CalendarFacts) -> str:
    if not calendar.count:
        return "no prediction time"
    times = counted(calendar.count, f"{calendar.cadence} prediction time")
    return f"{times}, {day(calendar.first)} to {day(calendar.last)}"


def _families(features: FeatureFacts) -> str:
    sizes = ", ".join(f"{name} {count(size)}" for name, size in features.families.items())
    total = counted(features.count, "feature")
    return f"{total}, by family: {sizes}." if sizes else f"{total}."


def _about(record: TrainingRecord) -> Table | None:
    return pairs(
        {
            "Project": record.name,
            "Trained at": record.created_at,
            "Took": f"{number(record.took_seconds, 0)} s",
            "Tenure": record.tenure_version,
            "Libraries": joined(record.versions),
            "Data fingerprint": record.fingerprint,
        }
    )
