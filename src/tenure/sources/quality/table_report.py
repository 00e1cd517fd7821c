"""The report of one table, from its counts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from tenure.core.records.data import RemarkRecord, TableRecord
from tenure.core.tables import TableConfig
from tenure.core.times import DAY
from tenure.sources.layout import IncomingTable

RED_SHARE = 0.05


def table_report(
    table: IncomingTable, columns: Collection[str], until: datetime, settings: TableConfig | None
) -> TableRecord:
    """Return the report of one table and its columns in use, without what needs other tables."""
    layout, counts, ahead = table.layout, table.counts, table.ahead
    emptied = counts.emptied(layout)
    due = 0
    for clock, rows in zip(layout.clocks, ahead["clocks"], strict=True):
        if rows and (layout.source.name, clock) == ("subscriptions", "ended_at"):
            due = rows
        elif rows:
            emptied.setdefault(clock, {})["at_or_after_observed_until"] = rows
    last = ahead["last"]
    return TableRecord(
        name=layout.source.name,
        origin=table.origin,
        rows_in=counts.rows,
        rows_used=counts.used - ahead["ahead"],
        rows_rejected=counts.rejected.total(),
        rejected=counts.reasons(),
        set_aside=ahead["ahead"],
        emptied=emptied,
        columns=tuple(sorted(columns)),
        first=ahead["first"],
        last=last,
        freshness_days=(until - last) / DAY if last else None,
        coverage=None,
        median_rows=None,
        unused=table.unused,
        assumptions=settings.assumptions if settings else {},
        remarks=tuple(_remarks(table, emptied, due)),
    )


def remark(code: str, text: str, rows: int, total: int) -> RemarkRecord:
    """Return a warning with its share of the table, red above 5 %."""
    share = rows / total if total else 0.0
    percent = f"{100 * share:.1f}".rstrip("0").rstrip(".") if share >= 0.0005 else "under 0.1"
    text = f"{percent} % of {text}"
    return RemarkRecord(code=code, text=text, rows=rows, share=share, red=share > RED_SHARE)


def _of_files(table: IncomingTable) -> Iterator[RemarkRecord]:
    """Yield what is to be known about the files of a table and their columns."""
    if table.lines:
        text = f"some lines of its files are no rows and were rejected: {table.lines}"
        yield RemarkRecord(code="lines", text=text)
    for files in table.reads:
        yield from (RemarkRecord(code="files", text=note) for note in files.notes)
    if table.left_out:
        kinds = ", ".join(f"{name} ({kind})" for name, kind in table.left_out.items())
        text = f"left out, for they hold no single value: {kinds}"
        yield RemarkRecord(code="left_out", text=text)


def _remarks(
    table: IncomingTable, emptied: Mapping[str, Mapping[str, int]], due: int
) -> Iterator[RemarkRecord]:
    layout, counts = table.layout, table.counts
    if rejected := counts.rejected.total():
        reasons = ", ".join(f"{code} {rows}" for code, rows in counts.reasons().items())
        yield remark("rejected", f"rows were rejected: {reasons}", rejected, counts.rows)
    yield from _of_files(table)
    for place, bit in enumerate(layout.bits):
        if bit.kind == "warn" and counts.remarks[place]:
            rule = next(item.rule for item in layout.checks if item.reason == bit.code)
            yield remark(bit.code, f"rows: {rule}", counts.remarks[place], counts.used)
    for column, reasons_of in emptied.items():
        rows = sum(reasons_of.values())
        why = ", ".join(f"{code} {number}" for code, number in reasons_of.items())
        if words := table.samples.get(("unread", column)):
            why += f" ({words})"
        yield remark("emptied", f"values of {column} were emptied: {why}", rows, counts.used)
    yield from table.notes
    yield from _words(table)
    for name, clock in table.unused.items():
        text = f"{name} is not used: map its clock {clock} too"
        yield RemarkRecord(code="no_clock", text=text)
    for name in dict.fromkeys(table.empty):
        if name in layout.types and ("unread", name) in table.samples:
            text = f"{name} counts as absent, for most of its words are not known: "
            text += table.samples["unread", name]
            yield RemarkRecord(code="unknown_words", text=text, red=True)
        elif name in layout.types:
            text = f"{name} has no value in any row and counts as absent"
            yield RemarkRecord(code="all_null", text=text)
    if table.parts and table.parts.changes:
        rows = table.parts.rows_anew
        yield RemarkRecord(code="staged_anew", text=table.parts.changes, rows=rows)
    if due:
        text = "rows end at or after observed_until: that end is a due date (renews_at)"
        yield RemarkRecord(code="due_date", text=f"{due} {text}", rows=due)


def _words(table: IncomingTable) -> Iterator[RemarkRecord]:
    """Yield how many values of each column say that there is none."""
    for place, bit in enumerate(table.layout.bits):
        rows = table.counts.remarks[place]
        if bit.kind == "nothing" and rows:
            words = table.samples.get(("nothing", bit.column))
            which = f" ({words})" if words else ""
            text = f"{rows:,} values of {bit.column} say that there is none{which}: they are empty"
            share = rows / table.counts.used
            yield RemarkRecord(code="nothing", text=text, rows=rows, share=share)
