"""An audit laid out as plain texts and tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tenure.report.sentences import audit as audit_words
from tenure.report.sentences.findings import Headline
from tenure.report.sentences.words import NONE, count, day, number, percent, sentence
from tenure.report.tables.layout import Cell, Entry, Table, table, whole

VERDICTS = {
    "drifted": "drifted",
    "shifted": "shifted",
    "ages": "grows by itself",
}
KINDS = {
    "forward": "AUC on later rows",
    "accounts": "AUC over accounts",
    "certain": "rows followed by it",
    "near": "rows around it",
}
ROWS = "the rows"


@dataclass(frozen=True)
class Part:
    """One part of an audit.

    Attributes:
        anchor: Where it stands on the page.
        title: What it is about.
        finding: What came of it.
        tables: What it is made of.
        details: Long tables, folded.
    """

    anchor: str
    title: str
    finding: str
    tables: tuple[Table, ...]
    details: tuple[Table, ...] = ()


@dataclass(frozen=True)
class AuditView:
    """The whole audit."""

    name: str
    created_at: str
    headline: Headline
    sample: str
    parts: tuple[Part, ...]


def audit_view(audit: Entry, *, whole_page: bool = True) -> AuditView:
    """Lay an audit out; parts that it lacks say so.

    Args:
        audit: The record.
        whole_page: Whether the reads of every single feature are listed too.
    """
    audit = json.loads(json.dumps(audit))
    return AuditView(
        name=str(audit.get("name") or "tenure"),
        created_at=str(audit.get("created_at") or "").replace("T", " ").replace("Z", " UTC"),
        headline=audit_words.headline(audit),
        sample=audit_words.sample(audit),
        parts=tuple(
            Part(
                f"audit-{key}",
                title,
                say(audit),
                tuple(found for found in TABLES[key](audit) if found),
                tuple(found for found in DETAILS[key](audit) if found and whole_page)
                if key in DETAILS
                else (),
            )
            for key, (title, say) in audit_words.PARTS.items()
        ),
    )


def _reads(audit: Entry) -> list[Table | None]:
    reads = audit.get("reads") or {"features": {}, "as_of": [], "violations": []}
    bad = [
        (
            Cell(name, reads["features"][name]["source"], tone="bad"),
            Cell(", ".join(day(item) for item in reads["features"][name]["violations"])),
        )
        for name in reads["violations"]
    ]
    groups: dict[tuple[str, str], list[Entry]] = {}
    for found in reads["features"].values():
        key = (
            str(found["source"] or "as_of alone"),
            ", ".join(found["clocks"]) or "known_at alone",
        )
        groups.setdefault(key, []).append(found)
    rows = [
        (
            Cell(source),
            Cell(clocks),
            whole(len(items)),
            Cell(_margin(reads["as_of"], items, "latest_event"), numeric=True),
            Cell(_margin(reads["as_of"], items, "latest_known"), numeric=True),
        )
        for (source, clocks), items in sorted(groups.items())
    ]
    columns = ("Table", "Late columns’ clocks", "Features", "Closest event", "Closest knowledge")
    caption = "How long before as_of the latest thing read had happened, and was known"
    return [
        table("Read at or after as_of", ("Feature", "As of"), bad),
        table(caption, columns, rows, numeric=(2, 3, 4)),
    ]


def _margin(moments: list[str], items: list[Entry], key: str) -> str:
    """Return the shortest time between what was read and `as_of`."""
    gaps = [
        (_moment(as_of) - _moment(latest)).total_seconds()
        for found in items
        for as_of, latest in zip(moments, found[key], strict=True)
        if latest
    ]
    if not gaps:
        return NONE
    least = min(gaps)
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if abs(least) >= 2 * size:
            return f"{number(least / size, 0)} {unit}"
    return f"{number(least, 6 if abs(least) < 1 else 0)} seconds"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.removesuffix("Z"))


def _every_read(audit: Entry) -> list[Table | None]:
    reads = audit.get("reads")
    if not reads or not reads["as_of"]:
        return []
    rows = [
        (
            Cell(name, found["source"]),
            Cell(_stamp(found["latest_event"][-1])),
            Cell(_stamp(found["latest_known"][-1])),
        )
        for name, found in reads["features"].items()
    ]
    caption = f"Every feature at {day(reads['as_of'][-1])}; all prediction times are in the JSON"
    return [table(caption, ("Feature", "Latest event read", "Latest known"), rows)]


def _stamp(text: str | None) -> str:
    return text.replace("T", " ").replace("Z", "") if text else "nothing in the window"


def _shuffle(audit: Entry) -> list[Table | None]:
    rows, moved = [], []
    for item in audit.get("shuffle") or []:
        bad = len(item["moved"])
        rows.append(
            (
                Cell(day(item["as_of"])),
                whole(item["rows"]),
                whole(item["compared"]),
                Cell(count(bad), numeric=True, tone="bad" if bad else ""),
            )
        )
        moved += [
            (
                Cell(str(found["feature"]), tone="bad"),
                Cell(day(item["as_of"])),
                whole(found["values"]),
                Cell(", ".join(found["accounts"])),
            )
            for found in item["moved"]
        ]
    heads = ("Everything from", "Rows replaced or added", "Values compared", "Features that moved")
    names = ("Feature", "Noise from", "Values changed", "Accounts, for example")
    return [
        table("Features that noticed the future", names, moved, numeric=(2,)),
        table("", heads, rows, numeric=(1, 2, 3)),
    ]


def _clocks(audit: Entry) -> list[Table | None]:
    order = list(audit_words.DONE)
    found = sorted(audit.get("clocks") or [], key=lambda item: order.index(item["done"]))
    rows = []
    for item in found:
        read, more = item["features"][:4], len(item["features"]) - 4
        names = ", ".join(read) + (f" and {count(more)} more" if more > 0 else "")
        rows.append(
            (
                Cell(f"{item['table']}.{item['column']}"),
                Cell(sentence(audit_words.DONE[item["done"]]), item["text"]),
                Cell(names or NONE),
            )
        )
    return [table("", ("Column", "What was done", "Read by"), rows)]


def _late(audit: Entry) -> list[Table | None]:
    late = audit.get("late") or {"arrivals": [], "costs": []}
    arrivals = [
        (
            Cell(item["table"], ROWS if item["clock"] == "event_time" else item["clock"]),
            whole(item["rows"]),
            Cell(percent(item["share"]), numeric=True),
            *(whole(item["lag_days"].get(key)) for key in ("median", "p90", "p99", "highest")),
        )
        for item in sorted(late["arrivals"], key=lambda item: -item["share"])
    ]
    costs = [
        (
            Cell(item["family"]),
            whole(item["values"]),
            Cell(percent(item["share"]), numeric=True),
            Cell(percent(item["snapshots"] / item["of_snapshots"]), numeric=True)
            if item["of_snapshots"]
            else Cell(NONE, numeric=True),
            Cell(", ".join(f"{name} {percent(share)}" for name, share in item["features"].items())),
        )
        for item in late["costs"]
    ]
    heads = ("Table", "Rows", "Late", "Median", "90 %", "99 %", "Longest")
    names = ("Family", "Values", "Changed", "Snapshots touched", "Most often")
    return [
        table(
            "Days from happening to known, of what was late", heads, arrivals, (1, 2, 3, 4, 5, 6)
        ),
        table("Values that differ from a world that knows at once", names, costs, (1, 2, 3)),
    ]


def _drift(audit: Entry) -> list[Table | None]:
    found = (audit.get("drift") or {"features": []})["features"]
    rows = [
        (
            Cell(str(item["feature"])),
            Cell(VERDICTS[item["verdict"]], tone="bad" if item["verdict"] == "drifted" else ""),
            Cell(number(item["psi"], 2), numeric=True),
            Cell(sentence(item["text"])),
        )
        for item in found
        if item["verdict"] in VERDICTS
    ]
    caption = "Features that do not look as they did; the stability index is 0 where nothing moved"
    return [table(caption, ("Feature", "Verdict", "Index", "In words"), rows, numeric=(2,))]


def _suspects(audit: Entry) -> list[Table | None]:
    rows = [
        (
            Cell(str(item["column"]), "allowed by name" if item["allowed"] else ""),
            Cell(str(item["target"])),
            Cell(_figure(item), KINDS[item["kind"]], numeric=True),
            Cell(sentence(str(item["text"]))),
        )
        for item in audit.get("suspects") or []
    ]
    return [table("", ("Column", "Target", "Figure", "Why that is suspicious"), rows, numeric=(2,))]


def _figure(item: Entry) -> str:
    if item["kind"] in {"certain", "near"}:
        return percent(item["figure"])
    if item["lo"] is None or item["hi"] is None:
        return number(item["figure"])
    return f"{number(item['figure'])} [{number(item['lo'])}, {number(item['hi'])}]"


Tables = Callable[[Any], list[Table | None]]
TABLES: dict[str, Tables] = {
    "reads": _reads,
    "shuffle": _shuffle,
    "clocks": _clocks,
    "late": _late,
    "drift": _drift,
    "suspects": _suspects,
}
DETAILS: dict[str, Tables] = {"reads": _every_read}
