"""An audit laid out as plain texts and tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tenure.core.records.audit import AuditRecord, ReadRecord, ReadsRecord, SuspectRecord
from tenure.core.records.base import Figure
from tenure.core.times import as_utc
from tenure.report.sentences import audit as audit_sentences
from tenure.report.sentences.findings import Headline
from tenure.report.sentences.formatting import (
    NONE,
    count,
    day,
    number,
    percent,
    sentence,
    spread,
)
from tenure.report.tables.layout import Cell, Table, table, whole

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


def audit_view(audit: AuditRecord, *, whole_page: bool = True) -> AuditView:
    """Lay an audit out; parts that it lacks say so.

    Args:
        audit: The record.
        whole_page: Whether the reads of every single feature are listed too.
    """
    return AuditView(
        name=audit.name,
        created_at=audit.created_at.replace("T", " ").replace("Z", " UTC"),
        headline=audit_sentences.headline(audit),
        sample=audit_sentences.sample(audit),
        parts=tuple(
            Part(
                f"audit-{key}",
                title,
                describe(audit),
                tuple(filter(None, TABLES[key](audit))),
                tuple(filter(None, _details(key, audit))) if whole_page else (),
            )
            for key, (title, describe) in audit_sentences.PARTS.items()
        ),
    )


def _details(key: str, audit: AuditRecord) -> list[Table | None]:
    return _every_read(audit.reads) if key == "reads" and audit.reads else []


def _reads(audit: AuditRecord) -> list[Table | None]:
    if audit.reads is None:
        return []
    reads = audit.reads
    bad = [
        (
            Cell(name, reads.features[name].source, tone="bad"),
            Cell(", ".join(day(time) for time in reads.features[name].violations)),
        )
        for name in reads.violations
    ]
    groups: dict[tuple[str, str], list[ReadRecord]] = {}
    for read in reads.features.values():
        key = (read.source or "as_of alone", ", ".join(read.clocks) or "known_at alone")
        groups.setdefault(key, []).append(read)
    rows = [
        (
            Cell(source),
            Cell(clocks),
            whole(len(items)),
            Cell(_margin(reads.as_of, (item.latest_event for item in items)), numeric=True),
            Cell(_margin(reads.as_of, (item.latest_known for item in items)), numeric=True),
        )
        for (source, clocks), items in sorted(groups.items())
    ]
    columns = ("Table", "Late columns’ clocks", "Features", "Closest event", "Closest knowledge")
    caption = "How long before as_of the latest thing read had happened, and was known"
    return [
        table("Read at or after as_of", ("Feature", "As of"), bad),
        table(caption, columns, rows, numeric=(2, 3, 4)),
    ]


def _margin(cutoffs: tuple[str, ...], latest: Iterable[tuple[str | None, ...]]) -> str:
    """Return the shortest time between what was read and `as_of`."""
    gaps = [
        (as_utc(as_of) - as_utc(time)).total_seconds()
        for times in latest
        for as_of, time in zip(cutoffs, times, strict=True)
        if time
    ]
    if not gaps:
        return NONE
    least = min(gaps)
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if abs(least) >= 2 * size:
            return f"{number(least / size, 0)} {unit}"
    return f"{number(least, 6 if abs(least) < 1 else 0)} seconds"


def _every_read(reads: ReadsRecord) -> list[Table | None]:
    if not reads.as_of:
        return []
    rows = [
        (
            Cell(name, read.source),
            Cell(_stamp(read.latest_event[-1])),
            Cell(_stamp(read.latest_known[-1])),
        )
        for name, read in reads.features.items()
    ]
    caption = f"Every feature at {day(reads.as_of[-1])}; all prediction times are in the JSON"
    return [table(caption, ("Feature", "Latest event read", "Latest known"), rows)]


def _stamp(text: str | None) -> str:
    return text.replace("T", " ").replace("Z", "") if text else "nothing in the window"


def _shuffle(audit: AuditRecord) -> list[Table | None]:
    rows, moved = [], []
    for part in audit.shuffle or ():
        bad = len(part.moved)
        rows.append(
            (
                Cell(day(part.as_of)),
                whole(part.rows),
                whole(part.compared),
                Cell(count(bad), numeric=True, tone="bad" if bad else ""),
            )
        )
        moved += [
            (
                Cell(item.feature, tone="bad"),
                Cell(day(part.as_of)),
                whole(item.values),
                Cell(", ".join(item.accounts)),
            )
            for item in part.moved
        ]
    heads = ("Everything from", "Rows replaced or added", "Values compared", "Features that moved")
    names = ("Feature", "Noise from", "Values changed", "Accounts, for example")
    return [
        table("Features that noticed the future", names, moved, numeric=(2,)),
        table("", heads, rows, numeric=(1, 2, 3)),
    ]


def _clocks(audit: AuditRecord) -> list[Table | None]:
    order = list(audit_sentences.DONE)
    rows = []
    for item in sorted(audit.clocks, key=lambda item: order.index(item.done)):
        more = len(item.features) - 4
        names = ", ".join(item.features[:4]) + (f" and {count(more)} more" if more > 0 else "")
        rows.append(
            (
                Cell(f"{item.table}.{item.column}"),
                Cell(sentence(audit_sentences.DONE[item.done]), item.text),
                Cell(names or NONE),
            )
        )
    return [table("", ("Column", "What was done", "Read by"), rows)]


def _late(audit: AuditRecord) -> list[Table | None]:
    if audit.late is None:
        return []
    arrivals = [
        (
            Cell(item.table, ROWS if item.clock == "event_time" else item.clock),
            whole(item.rows),
            Cell(percent(item.share), numeric=True),
            *(whole(item.lag_days.get(key)) for key in ("median", "p90", "p99", "highest")),
        )
        for item in sorted(audit.late.arrivals, key=lambda item: -item.share)
    ]
    costs = [
        (
            Cell(item.family),
            whole(item.values),
            Cell(percent(item.share), numeric=True),
            Cell(
                percent(item.snapshots / item.of_snapshots if item.of_snapshots else None),
                numeric=True,
            ),
            Cell(", ".join(f"{name} {percent(share)}" for name, share in item.features.items())),
        )
        for item in audit.late.costs
    ]
    heads = ("Table", "Rows", "Late", "Median", "90 %", "99 %", "Longest")
    names = ("Family", "Values", "Changed", "Snapshots touched", "Most often")
    return [
        table(
            "Days from happening to known, of what was late", heads, arrivals, (1, 2, 3, 4, 5, 6)
        ),
        table("Values that differ from a world that knows at once", names, costs, (1, 2, 3)),
    ]


def _drift(audit: AuditRecord) -> list[Table | None]:
    rows = [
        (
            Cell(item.feature),
            Cell(VERDICTS[item.verdict], tone="bad" if item.verdict == "drifted" else ""),
            Cell(number(item.psi, 2), numeric=True),
            Cell(sentence(item.text)),
        )
        for item in (audit.drift.features if audit.drift else ())
        if item.verdict in VERDICTS
    ]
    caption = "Features that do not look as they did; the stability index is 0 where nothing moved"
    return [table(caption, ("Feature", "Verdict", "Index", "In words"), rows, numeric=(2,))]


def _suspects(audit: AuditRecord) -> list[Table | None]:
    rows = [
        (
            Cell(item.column, "allowed by name" if item.allowed else ""),
            Cell(item.target),
            Cell(_figure(item), KINDS[item.kind], numeric=True),
            Cell(sentence(item.text)),
        )
        for item in audit.suspects or ()
    ]
    return [table("", ("Column", "Target", "Figure", "Why that is suspicious"), rows, numeric=(2,))]


def _figure(item: SuspectRecord) -> str:
    if item.kind in {"certain", "near"}:
        return percent(item.figure)
    return spread(Figure(value=item.figure, lo=item.lo, hi=item.hi), 3)


TABLES: dict[str, Callable[[AuditRecord], list[Table | None]]] = {
    "reads": _reads,
    "shuffle": _shuffle,
    "clocks": _clocks,
    "late": _late,
    "drift": _drift,
    "suspects": _suspects,
}
