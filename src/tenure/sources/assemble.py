"""From staged tables to the dataset: canonical tables, the report, and SELECTs of the rejects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tenure.core.errors import DataError, Problem
from tenure.core.steps import text_literal
from tenure.sources import duplicates
from tenure.sources.canonical import ahead, canonical, nothing_ahead
from tenure.sources.contract import SOURCES
from tenure.sources.dataset import Dataset
from tenure.sources.layout import IncomingTable
from tenure.sources.quality import attributes, dirt
from tenure.sources.quality.data_report import DataReport
from tenure.sources.quality.table_report import table_report

if TYPE_CHECKING:
    from tenure.core.config import Config
    from tenure.engine import Engine

LAZY_ROWS = 1_000_000


def assemble(
    tables: Mapping[str, IncomingTable], config: Config, engine: Engine, until: datetime
) -> Dataset:
    """Make the canonical tables from the staged ones."""
    for table in tables.values():
        lazy = table.counts.rows > LAZY_ROWS
        engine.run([canonical(table.layout, _present(table), until, lazy=lazy)])
    tallied = [table.layout for table in tables.values() if table.parts and not table.marked]
    rows = _rows_of([nothing_ahead(layout, until) for layout in tallied], engine)
    others = [table.layout for name, table in tables.items() if name not in rows]
    rows |= _rows_of([ahead(layout, until) for layout in others], engine)
    for name, row in rows.items():
        tables[name].ahead = row
    return dataset_of(tables, config, engine, until)


def _rows_of(selects: list[str], engine: Engine) -> dict[str, dict[str, Any]]:
    if not selects:
        return {}
    rows = engine.fetch(" UNION ALL ".join(selects)).to_pylist()
    return {row["name"]: row for row in rows}


def dataset_of(
    tables: Mapping[str, IncomingTable], config: Config, engine: Engine, until: datetime
) -> Dataset:
    """Return the dataset, with all of its report that follows from counts."""
    verdicts = attributes.verdicts(config.data, tables["accounts"].layout)
    barred = {item.name for item in verdicts if not item.usable}
    columns = {}
    for name, table in tables.items():
        real = frozenset(table.layout.types) - {"known_at"} - frozenset(table.empty)
        columns[name] = real - barred if name == "accounts" else real
    reports = {
        name: table_report(table, columns[name], until, config.data.tables.get(name))
        for name, table in tables.items()
    }
    report = DataReport(
        observed_until=until,
        declared=config.data.observed_until is not None,
        accounts=reports["accounts"].rows_used,
        tables=reports,
        missing=tuple(name for name in SOURCES if name not in tables),
        attributes=verdicts,
    )
    rejects = {name: _rejects(table) for name, table in tables.items() if table.counts.rejected}
    leases = tuple(table.parts.lease for table in tables.values() if table.parts)
    return Dataset(engine, columns, until, report, rejects, leases)


def _present(table: IncomingTable) -> set[str]:
    """Return the columns that hold a value in some row."""
    return set(table.layout.columns) - set(table.empty)


def _rejects(table: IncomingTable) -> str:
    layout = table.layout
    again = layout.select(keep_raw=True)
    if table.counts.rejected["duplicate_key"]:
        again = (
            f"WITH _again AS MATERIALIZED ({again}) "
            f"SELECT * FROM ({duplicates.deduplicated(layout, '_again', keep_raw=True)})"
        )
    names = ", ".join(
        f"({number}, {text_literal(reason.code)}, {text_literal(reason.rule)})"
        for number, reason in enumerate((*layout.reasons, layout.duplicate_reason), 1)
    )
    return (
        f"SELECT reason, rule, _row AS row FROM ({again}) JOIN (VALUES {names}) "
        f"AS why(number, reason, rule) ON number = _reason ORDER BY number, row"
    )


def require_rows(dataset: Dataset) -> None:
    """Check that `observed_until` leaves rows of every required table.

    Raises:
        DataError: If it leaves none of one.
    """
    until = dataset.observed_until
    problems = [
        Problem(
            name,
            "no row lies before observed_until",
            f"observed_until {until:%Y-%m-%d}",
            "correct data.observed_until",
        )
        for name, table in dataset.report.tables.items()
        if SOURCES[name].required and not table.rows_used
    ]
    if problems:
        raise DataError(*problems)


def with_findings(dataset: Dataset, *, thorough: bool = True) -> DataReport:
    """Return the report with coverage and, if thorough, the warnings that need several tables."""
    dirt_by_table = dirt.find_dirt(dataset) if thorough else {}
    accounts = dataset.engine.fetch("SELECT count(DISTINCT account_id) FROM accounts")
    tables = {
        name: replace(
            table,
            coverage=dirt_by_table[name].coverage,
            median_rows=dirt_by_table[name].median_rows,
            remarks=(*table.remarks, *dirt_by_table[name].remarks),
        )
        if name in dirt_by_table
        else table
        for name, table in dataset.report.tables.items()
    }
    return replace(dataset.report, tables=tables, accounts=accounts.column(0).to_pylist()[0])
