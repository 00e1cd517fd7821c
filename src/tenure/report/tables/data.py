"""The data section of the report, as plain texts and tables."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from tenure.core.records.data import DataRecord, TableRecord
from tenure.report.sentences import findings
from tenure.report.sentences.formatting import (
    NONE,
    count,
    counted,
    day,
    in_order,
    percent,
    plain,
    ratio,
    sentence,
)
from tenure.report.tables.layout import Cell, Table, flagged, listing, table

COUNTED = frozenset({"rejected", "emptied", "no_clock"})
"""Remarks that only repeat what stands in lists of its own."""
GENERAL = {
    "at_or_after_observed_until": "it became known only after observation stopped",
    "duplicate_key": "of rows with one key the first known is kept",
    "missing_time": "without a time nobody knows when it happened",
    "unknown_account": "account_id must stand in the accounts table",
    "unreadable": "the value is not of the column’s type; declare its format or map it by SQL",
    "without_its_clock": "a late value needs the time it became known",
}


def data_view(data: DataRecord) -> dict[str, Any]:
    """Return what the data section shows, by its name in the template."""
    from tenure.sources.contract import SOURCES

    tables = in_order(data.tables, SOURCES).values()
    declared = "as declared" if data.observed_until_declared else "the day after the last event"
    return {
        "summary": findings.data_finding(data),
        "red": data.red,
        "observed_until": f"Observation stopped at {data.observed_until} ({declared}).",
        "overview": _overview(tables),
        "tables": sorted(map(_input, tables), key=lambda item: not item["red"]),
        "attributes": table(
            "",
            data.attributes,
            ("Attribute", lambda item: item.name),
            ("Use", lambda item: "may be a feature" if item.usable else "not a feature"),
            ("Why", lambda item: item.verdict),
        ),
        "missing": data.missing_tables,
    }


def _overview(tables: Iterable[TableRecord]) -> Table | None:
    return table(
        "Set aside: at or after the end of observation. Rows per account: median of those with any",
        tables,
        ("Table", _name),
        (">Rows in", lambda item: count(item.rows_in)),
        (">Used", lambda item: count(item.rows_used)),
        (">Rejected", _rejected),
        (">Set aside", lambda item: count(item.set_aside)),
        ("First event", lambda item: day(item.first)),
        ("Last event", lambda item: day(item.last)),
        (">Age of the last", lambda item: _age(item.freshness_days)),
        (">Accounts with rows", lambda item: percent(item.coverage)),
        (">Rows each", lambda item: count(item.median_rows)),
    )


def _name(item: TableRecord) -> Cell:
    reds = sum(remark.red for remark in item.remarks)
    return flagged(item.name, reds > 0, counted(reds, "red warning") if reds else "")


def _rejected(item: TableRecord) -> Cell:
    share = ratio(item.rows_rejected, item.rows_in) or 0.0
    return flagged(count(item.rows_rejected), share > 0.05, percent(share) if share else "")


def _age(days: float | None) -> str:
    return NONE if days is None else counted(round(days), "day")


def _input(item: TableRecord) -> dict[str, Any]:
    """Return what is said of one input table."""
    why = rules(item.name)
    rows = [
        (Cell(sentence(plain(reason)), why.get(reason, "")), Cell(count(rows)))
        for reason, rows in sorted(item.rejected.items(), key=lambda pair: -pair[1])
    ]
    values = [
        (Cell(f"{column}: {plain(reason)}", why.get(reason, "")), Cell(count(values), "values"))
        for column, reasons in item.emptied.items()
        for reason, values in reasons.items()
    ]
    return {
        "name": item.name,
        "origin": item.origin,
        "red": [remark.text for remark in item.remarks if remark.red],
        "notes": [
            remark.text for remark in item.remarks if not remark.red and remark.code not in COUNTED
        ],
        "rejected": listing([*rows, *values], "Rejected rows and emptied values", ">How many"),
        "unused": [f"{column} (needs its clock {clock})" for column, clock in item.unused.items()],
        "assumptions": [f"{column}: {text}" for column, text in item.assumptions.items()],
    }


@cache
def rules(table_name: str) -> dict[str, str]:
    """Return the rule behind each reason of a table, in words, with the next step."""
    from tenure.sources.contract import SOURCES

    source = SOURCES.get(table_name)
    return GENERAL | {
        check.reason: f"{check.rule}; {check.fix}" if check.fix else check.rule
        for check in (source.checks if source else ())
    }
