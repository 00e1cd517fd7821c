"""The data section of the report, as plain texts and tables."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from tenure.core.records.data import DataRecord, TableRecord
from tenure.report.sentences import findings
from tenure.report.sentences.formatting import NONE, count, counted, day, percent, plain, sentence
from tenure.report.tables.layout import Cell, Table, in_order, table, whole

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


def data_view(data: DataRecord) -> DataView:
    """Lay out a data report."""
    from tenure.sources.contract import SOURCES

    tables = in_order(data.tables, SOURCES)
    attributes = [
        (
            Cell(item.name),
            Cell("may be a feature" if item.usable else "not a feature"),
            Cell(item.verdict),
        )
        for item in data.attributes
    ]
    declared = "as declared" if data.observed_until_declared else "the day after the last event"
    inputs = [_input(item) for item in tables.values()]
    return DataView(
        summary=findings.data_finding(data),
        red=data.red,
        observed_until=f"Observation stopped at {data.observed_until} ({declared}).",
        overview=table(
            "Set aside: at or after the end of observation. Rows per account: median of those "
            "with any",
            OVERVIEW,
            [_overview(item) for item in tables.values()],
            numeric=(1, 2, 3, 4, 7, 8, 9),
        ),
        tables=tuple(sorted(inputs, key=lambda item: not item.red)),
        attributes=table("", ("Attribute", "Use", "Why"), attributes),
        missing=data.missing_tables,
    )


OVERVIEW = (
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


def _overview(item: TableRecord) -> tuple[Cell, ...]:
    share = item.rows_rejected / item.rows_in if item.rows_in else 0.0
    reds = sum(remark.red for remark in item.remarks)
    return (
        Cell(
            item.name,
            counted(reds, "red warning") if reds else "",
            tone="bad" if reds else "",
        ),
        whole(item.rows_in),
        whole(item.rows_used),
        Cell(
            count(item.rows_rejected),
            percent(share) if share else "",
            numeric=True,
            tone="bad" if share > 0.05 else "",
        ),
        whole(item.set_aside),
        Cell(day(item.first)),
        Cell(day(item.last)),
        Cell(
            NONE if item.freshness_days is None else counted(round(item.freshness_days), "day"),
            numeric=True,
        ),
        Cell(percent(item.coverage), numeric=True),
        whole(item.median_rows),
    )


def _input(item: TableRecord) -> TableView:
    rejected = [
        (Cell(sentence(plain(reason)), rules(item.name).get(reason, "")), whole(rows))
        for reason, rows in sorted(item.rejected.items(), key=lambda pair: -pair[1])
    ]
    emptied = [
        (
            Cell(f"{column}: {plain(reason)}", rules(item.name).get(reason, "")),
            Cell(count(values), "values", numeric=True),
        )
        for column, reasons in item.emptied.items()
        for reason, values in reasons.items()
    ]
    columns = ("Rejected rows and emptied values", "How many")
    return TableView(
        name=item.name,
        origin=item.origin,
        red=tuple(remark.text for remark in item.remarks if remark.red),
        notes=tuple(
            remark.text for remark in item.remarks if not remark.red and remark.code not in COUNTED
        ),
        rejected=table("", columns, [*rejected, *emptied], numeric=(1,)),
        unused=tuple(
            f"{column} (needs its clock {clock})" for column, clock in item.unused.items()
        ),
        assumptions=tuple(f"{column}: {text}" for column, text in item.assumptions.items()),
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
