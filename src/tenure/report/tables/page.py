"""What the page shows: a training record laid out as plain texts and tables."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tenure.report.sentences.words import NONE, count, counted, day, known, number
from tenure.report.tables.data import DataView, data_view
from tenure.report.tables.layout import Cell, Entry, Table, in_order, joined, pairs, table
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


def page(record: Entry) -> PageView:
    """Lay a training record out; parts that it lacks are left out.

    A record gives the same page before it is written and after it was read back.
    """
    record = json.loads(json.dumps(record, sort_keys=True))
    config = record.get("config") or {}
    data = record.get("data") or {}
    features = record.get("features") or {}
    absent = [
        (Cell(str(item.get("name"))), Cell(str(item.get("reason") or NONE)))
        for item in features.get("absent") or []
    ]
    targets = in_order(record.get("targets") or {}, config.get("targets") or ())
    return PageView(
        name=str(record.get("name") or "tenure"),
        created_at=str(record.get("created_at") or "").replace("T", " ").replace("Z", " UTC"),
        calendar=_calendar(record.get("calendar") or {}),
        targets=tuple(target_view(name, entry, config) for name, entry in targets.items()),
        data=data_view(data),
        families=_families(features),
        absent=table("Features that this data cannot give", ("Feature", "Why"), absent),
        about=_about(record),
        config=json.dumps(config, indent=1, ensure_ascii=False),
    )


def _calendar(calendar: Entry) -> str:
    if not calendar.get("count"):
        return "no prediction time"
    cadence = f"{calendar['cadence']} " if calendar.get("cadence") else ""
    times = counted(calendar["count"], f"{cadence}prediction time")
    return f"{times}, {day(calendar.get('first'))} to {day(calendar.get('last'))}"


def _families(features: Entry) -> str:
    families = features.get("families") or {}
    listed = ", ".join(f"{name} {count(size)}" for name, size in families.items())
    said = f"{counted(features.get('count') or 0, 'feature')}"
    return f"{said}, by family: {listed}." if listed else f"{said}."


def _about(record: Entry) -> Table | None:
    seconds = record.get("took_seconds")
    return pairs(
        {
            "Project": record.get("name"),
            "Trained at": record.get("created_at"),
            "Took": f"{number(seconds, 0)} s" if known(seconds) else None,
            "Tenure": record.get("tenure_version"),
            "Libraries": joined(record.get("versions") or {}),
            "Data fingerprint": record.get("fingerprint"),
        }
    )
