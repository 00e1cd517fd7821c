"""The data section of the report, as plain texts and tables."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from tenure.report.sentences import findings
from tenure.report.sentences.words import NONE, count, counted, day, known, percent, plain, sentence
from tenure.report.tables.layout import Cell, Entry, Table, in_order, table, whole

COUNTED = frozenset({"rejected", "emptied", "no_clock"})
"""Remarks that only repeat what stands in lists of its own."""


@dataclass(frozen=True)
class TableView:
    """One input table's part of the data section."""

    name: str
    origin: str
    red: tuple[str, ...]
    notes: tuple[str, ...]
    rejected: Table | None
    unused: tuple[str, ...]
    assumptions: tuple[str, ...]


@dataclass(frozen=True)
class DataView:
    """The data section."""

    summary: str
    red: tuple[str, ...]
    observed_until: str
    overview: Table | None
    tables: tuple[TableView, ...]
    attributes: Table | None
    missing: tuple[str, ...]


def data_view(data: Entry) -> DataView:
    """Lay out a data report."""
    from tenure.sources.contract import SOURCES

    tables = in_order(data.get("tables") or {}, SOURCES)
    attributes = [
        (
            Cell(str(item.get("name"))),
            Cell("may be a feature" if item.get("usable") else "not a feature"),
            Cell(str(item.get("verdict") or "")),
        )
        for item in data.get("attributes") or []
    ]
    declared = (
        "as declared" if data.get("observed_until_declared") else "the day after the last event"
    )
    until = data.get("observed_until")
    inputs = [_input(name, found) for name, found in tables.items()]
    return DataView(
        summary=findings.data_finding(data),
        red=tuple(str(text) for text in data.get("red") or ()),
        observed_until=f"Observation stopped at {until} ({declared})." if until else "",
        overview=_overview(tables),
        tables=tuple(sorted(inputs, key=lambda item: not item.red)),
        attributes=table("", ("Attribute", "Use", "Why"), attributes),
        missing=tuple(str(name) for name in data.get("missing_tables") or ()),
    )


def _overview(tables: Entry) -> Table | None:
    rows = []
    for name, found in tables.items():
        rejected, rows_in = found.get("rows_rejected") or 0, found.get("rows_in") or 0
        heavy = bool(rows_in) and rejected / rows_in > 0.05
        reds = sum(bool(remark.get("red")) for remark in found.get("remarks") or [])
        rows.append(
            (
                Cell(
                    str(name),
                    counted(reds, "red warning") if reds else "",
                    tone="bad" if reds else "",
                ),
                whole(rows_in),
                whole(found.get("rows_used")),
                Cell(
                    count(rejected),
                    percent(rejected / rows_in) if rejected and rows_in else "",
                    numeric=True,
                    tone="bad" if heavy else "",
                ),
                whole(found.get("set_aside")),
                Cell(day(found.get("first"))),
                Cell(day(found.get("last"))),
                Cell(_days(found.get("freshness_days")), numeric=True),
                Cell(percent(found.get("coverage")), numeric=True),
                whole(found.get("median_rows")),
            )
        )
    columns = (
        "Table",
        "Rows in",
        "Used",
        "Rejected",
        "Set aside",
        "First event",
        "Last event",
        "Age of the last",
        "Accounts with rows",
        "Rows each",
    )
    caption = (
        "Set aside: at or after the end of observation. Rows per account: median of those with any"
    )
    return table(caption, columns, rows, numeric=(1, 2, 3, 4, 7, 8, 9))


def _input(name: str, found: Entry) -> TableView:
    remarks = found.get("remarks") or []
    rejected = [
        (Cell(sentence(plain(reason)), rules(name).get(reason, "")), whole(times))
        for reason, times in sorted((found.get("rejected") or {}).items(), key=lambda x: -x[1])
    ]
    emptied = [
        (
            Cell(f"{column}: {plain(reason)}", rules(name).get(reason, "")),
            Cell(count(times), "values", numeric=True),
        )
        for column, reasons in (found.get("emptied") or {}).items()
        for reason, times in reasons.items()
    ]
    columns = ("Rejected rows and emptied values", "How many")
    return TableView(
        name=str(name),
        origin=str(found.get("origin") or ""),
        red=tuple(str(remark.get("text")) for remark in remarks if remark.get("red")),
        notes=tuple(
            str(remark.get("text"))
            for remark in remarks
            if not remark.get("red") and remark.get("code") not in COUNTED
        ),
        rejected=table("", columns, [*rejected, *emptied], numeric=(1,)),
        unused=tuple(
            f"{column} (needs its clock {clock})"
            for column, clock in (found.get("unused") or {}).items()
        ),
        assumptions=tuple(
            f"{column}: {text}" for column, text in (found.get("assumptions") or {}).items()
        ),
    )


@cache
def rules(table_name: str) -> dict[str, str]:
    """Return the rule behind each reason of a table, in words, with the next step."""
    from tenure.sources.contract import SOURCES

    source = SOURCES.get(table_name)
    return GENERAL | {
        check.reason: f"{check.rule}; {check.fix}" if check.fix else check.rule
        for check in (source.checks if source else ())
    }


GENERAL = {
    "at_or_after_observed_until": "it became known only after observation stopped",
    "duplicate_key": "of rows with one key the first known is kept",
    "missing_time": "without a time nobody knows when it happened",
    "unknown_account": "account_id must stand in the accounts table",
    "unreadable": "the value is not of the column’s type; declare its format or map it by SQL",
    "without_its_clock": "a late value needs the time it became known",
}


def _days(value: Any) -> str:
    return counted(round(value), "day") if known(value) else NONE
