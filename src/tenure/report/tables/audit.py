"""An audit laid out as plain texts and tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tenure.core.records.audit import AuditRecord, ReadRecord, ReadsRecord, SuspectRecord
from tenure.core.records.base import Figure
from tenure.core.times import as_utc
from tenure.report.sentences import audit as audit_sentences
from tenure.report.sentences.formatting import (
    NONE,
    count,
    day,
    first_of,
    joined,
    number,
    percent,
    ratio,
    sentence,
    spread,
)
from tenure.report.sentences.shape import advice, looks
from tenure.report.tables.layout import Cell, Table, flagged, table

VERDICTS = {"drifted": "drifted", "shifted": "shifted", "ages": "grows by itself"}
KINDS = {
    "forward": "AUC on later rows",
    "accounts": "AUC over accounts",
    "certain": "rows followed by it",
    "near": "rows around it",
}
CLOCKS = {"event_time": "the rows"}
Tables = list[Table | None]


def audit_view(audit: AuditRecord, *, whole_page: bool = True) -> dict[str, Any]:
    """Return what the page of an audit shows; only a whole page lists the reads of each feature."""
    return {
        "name": audit.name,
        "created_at": audit.created_at.replace("T", " ").replace("Z", " UTC"),
        "headline": audit_sentences.headline(audit),
        "sample": audit_sentences.sample(audit),
        "parts": [
            {
                "anchor": f"audit-{key}",
                "title": title,
                "finding": describe(audit),
                "tables": list(filter(None, TABLES[key](audit))),
                "details": _every_read(audit.reads) if whole_page and key == "reads" else None,
            }
            for key, (title, describe) in audit_sentences.PARTS.items()
        ],
    }


def _reads(audit: AuditRecord) -> Tables:
    reads = audit.reads
    if reads is None:
        return []
    groups: dict[tuple[str, str], list[ReadRecord]] = {}
    for read in reads.features.values():
        key = (read.source or "as_of alone", ", ".join(read.clocks) or "known_at alone")
        groups.setdefault(key, []).append(read)
    return [
        table(
            "Read at or after as_of",
            [(name, reads.features[name]) for name in reads.violations],
            ("Feature", lambda item: Cell(item[0], item[1].source, "bad")),
            ("As of", lambda item: ", ".join(map(day, item[1].violations))),
        ),
        table(
            "How long before as_of the latest thing read had happened, and was known",
            sorted(groups.items()),
            ("Table", lambda item: item[0][0]),
            ("Late columns’ clocks", lambda item: item[0][1]),
            (">Features", lambda item: count(len(item[1]))),
            (">Closest event", lambda item: _margin(reads, (x.latest_event for x in item[1]))),
            (">Closest knowledge", lambda item: _margin(reads, (x.latest_known for x in item[1]))),
        ),
    ]


def _margin(reads: ReadsRecord, latest: Iterable[tuple[str | None, ...]]) -> str:
    """Return the shortest time between what was read and `as_of`."""
    gaps = [
        (as_utc(as_of) - as_utc(time)).total_seconds()
        for times in latest
        for as_of, time in zip(reads.as_of, times, strict=True)
        if time
    ]
    if not gaps:
        return NONE
    least = min(gaps)
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if abs(least) >= 2 * size:
            return f"{number(least / size, 0)} {unit}"
    return f"{number(least, 6 if abs(least) < 1 else 0)} seconds"


def _every_read(reads: ReadsRecord | None) -> Table | None:
    if reads is None or not reads.as_of:
        return None
    return table(
        f"Every feature at {day(reads.as_of[-1])}; all prediction times are in the JSON",
        reads.features.items(),
        ("Feature", lambda item: Cell(item[0], item[1].source)),
        ("Latest event read", lambda item: _stamp(item[1].latest_event[-1])),
        ("Latest known", lambda item: _stamp(item[1].latest_known[-1])),
    )


def _stamp(text: str | None) -> str:
    return text.replace("T", " ").replace("Z", "") if text else "nothing in the window"


def _shuffle(audit: AuditRecord) -> Tables:
    parts = audit.shuffle or ()
    return [
        table(
            "Features that noticed the future",
            [(part, item) for part in parts for item in part.moved],
            ("Feature", lambda pair: Cell(pair[1].feature, tone="bad")),
            ("Noise from", lambda pair: day(pair[0].as_of)),
            (">Values changed", lambda pair: count(pair[1].values)),
            ("Accounts, for example", lambda pair: ", ".join(pair[1].accounts)),
        ),
        table(
            "",
            parts,
            ("Everything from", lambda part: day(part.as_of)),
            (">Rows replaced or added", lambda part: count(part.rows)),
            (">Values compared", lambda part: count(part.compared)),
            (
                ">Features that moved",
                lambda part: flagged(count(len(part.moved)), bool(part.moved)),
            ),
        ),
    ]


def _clocks(audit: AuditRecord) -> Tables:
    done = audit_sentences.DONE
    order = list(done)

    return [
        table(
            "",
            sorted(audit.clocks, key=lambda item: order.index(item.done)),
            ("Column", lambda item: f"{item.table}.{item.column}"),
            ("What was done", lambda item: Cell(sentence(done[item.done]), item.text)),
            ("Read by", lambda item: first_of(item.features, 4) or NONE),
        )
    ]


def _late(audit: AuditRecord) -> Tables:
    if audit.late is None:
        return []
    return [
        table(
            "Days from happening to known, of what was late",
            sorted(audit.late.arrivals, key=lambda item: -item.share),
            ("Table", lambda item: Cell(item.table, CLOCKS.get(item.clock, item.clock))),
            (">Rows", lambda item: count(item.rows)),
            (">Late", lambda item: percent(item.share)),
            (">Median", lambda item: count(item.lag_days.get("median"))),
            (">90 %", lambda item: count(item.lag_days.get("p90"))),
            (">99 %", lambda item: count(item.lag_days.get("p99"))),
            (">Longest", lambda item: count(item.lag_days.get("highest"))),
        ),
        table(
            "Values that differ from a world that knows at once",
            audit.late.costs,
            ("Family", lambda item: item.family),
            (">Values", lambda item: count(item.values)),
            (">Changed", lambda item: percent(item.share)),
            (">Snapshots touched", lambda item: percent(ratio(item.snapshots, item.of_snapshots))),
            ("Most often", lambda item: joined(item.features, percent)),
        ),
    ]


def _drift(audit: AuditRecord) -> Tables:
    features = audit.drift.features if audit.drift else ()
    return [
        table(
            "Features that do not look as they did; the stability index is 0 where nothing moved",
            [item for item in features if item.verdict in VERDICTS],
            ("Feature", lambda item: item.feature),
            ("Verdict", lambda item: flagged(VERDICTS[item.verdict], item.verdict == "drifted")),
            (">Index", lambda item: number(item.psi, 2)),
            ("In words", lambda item: sentence(item.text)),
        )
    ]


def _suspects(audit: AuditRecord) -> Tables:
    return [
        table(
            "",
            audit.suspects or (),
            ("Column", lambda item: Cell(item.column, "allowed by name" if item.allowed else "")),
            ("Target", lambda item: item.target),
            (">Figure", lambda item: Cell(_figure(item), KINDS[item.kind])),
            ("Why that is suspicious", lambda item: sentence(item.text)),
        )
    ]


def _lifetimes(audit: AuditRecord) -> Tables:
    return [
        table(
            "How rows grow with the length of a life: 1 is in step with it, 0 not at all",
            audit.lifetimes or (),
            ("Table", lambda item: Cell(item.table, "allowed by name" if item.allowed else "")),
            (">Accounts", lambda item: count(item.accounts)),
            (">Early rows", lambda item: flagged(spread(item.early), item.kind == "spread")),
            (">All rows", lambda item: flagged(spread(item.growth), item.kind == "spread")),
            (">Most rows", lambda item: Cell(count(item.highest), percent(item.at_highest))),
            ("In words", lambda item: sentence(f"{looks(item)}. {sentence(advice(item))}")),
        )
    ]


def _figure(item: SuspectRecord) -> str:
    if item.kind in {"certain", "near"}:
        return percent(item.figure)
    return spread(Figure(value=item.figure, lo=item.lo, hi=item.hi), 3)


TABLES: dict[str, Callable[[AuditRecord], Tables]] = {
    "reads": _reads,
    "shuffle": _shuffle,
    "clocks": _clocks,
    "late": _late,
    "drift": _drift,
    "suspects": _suspects,
    "lifetimes": _lifetimes,
}
