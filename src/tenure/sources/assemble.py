"""From staged tables to the dataset: canonical tables, the report, and SELECTs of the rejects."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from tenure.core.config import Config
from tenure.core.errors import DataError, Problem
from tenure.core.records.data import DataRecord, TableRecord
from tenure.core.steps import quote, text_literal
from tenure.engine import Engine
from tenure.sources import duplicates, rejected_lines
from tenure.sources.canonical import ahead, canonical, nothing_ahead
from tenure.sources.contract import SOURCES
from tenure.sources.dataset import Dataset
from tenure.sources.layout import IncomingTable
from tenure.sources.observation import Observation
from tenure.sources.quality import attributes, dirt
from tenure.sources.quality.table_report import table_report

LAZY_ROWS = 1_000_000


def assemble(
    tables: Mapping[str, IncomingTable], config: Config, engine: Engine, observation: Observation
) -> Dataset:
    """Return the dataset of staged tables, with all of its report that follows from counts."""
    until = observation.until
    rates = tables["fx_rates"].layout if "fx_rates" in tables else None
    for table in tables.values():
        present = set(table.layout.columns) - set(table.empty)
        lazy = table.counts.rows > LAZY_ROWS
        engine.run([canonical(table.layout, present, until, lazy=lazy, rates=rates)])
    _look_ahead(tables, engine, until)
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
    report = DataRecord(
        observed_until=until,
        observed_until_declared=config.data.observed_until is not None,
        accounts=reports["accounts"].rows_used,
        usable=all(reports[name].rows_used for name in SOURCES if SOURCES[name].required),
        red=(*observation.red, *red(reports)),
        missing_tables=tuple(name for name in SOURCES if name not in tables),
        attributes=verdicts,
        tables=reports,
    )
    rejects = {name: _rejects(table) for name, table in tables.items() if table.counts.rejected}
    leases = tuple(table.parts.lease for table in tables.values() if table.parts)
    return Dataset(engine, columns, until, report, rejects, leases)


def _look_ahead(tables: Mapping[str, IncomingTable], engine: Engine, until: datetime) -> None:
    """Set what lies at or after `observed_until`, from the tallies where these tell."""
    waiting = dict(tables)
    tallied = {name for name, table in tables.items() if table.parts and not table.marked}
    for names, select in ((tallied, nothing_ahead), (tables.keys(), ahead)):
        selects = [select(waiting[name].layout, until) for name in names if name in waiting]
        if selects:
            for row in engine.fetch(" UNION ALL ".join(selects)).to_pylist():
                waiting.pop(row["name"]).ahead = row


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
        for number, reason in enumerate(layout.every_reason, 1)
    )
    rows = f"SELECT _reason AS number, _row AS row FROM ({again}) WHERE _reason > 0"
    rejects = (
        f"SELECT number, reason, rule, row FROM ({rows}) JOIN (VALUES {names}) "
        "AS why(number, reason, rule) USING (number)"
    )
    if table.lines:
        lines = quote(rejected_lines.table_of(layout.source.name))
        rejects += f" UNION ALL SELECT 256, code, rule, row FROM {lines}"
    return f"SELECT reason, rule, row FROM ({rejects}) ORDER BY number, row"


def require_rows(dataset: Dataset) -> None:
    """Check that `observed_until` leaves rows of every required table.

    Raises:
        DataError: If it leaves none of one.
    """
    rule, fix = "no row lies before observed_until", "correct data.observed_until"
    until = f"observed_until {dataset.observed_until:%Y-%m-%d}"
    tables = dataset.report.tables.values()
    empty = [item.name for item in tables if SOURCES[item.name].required and not item.rows_used]
    if empty:
        raise DataError(*(Problem(name, rule, until, fix) for name in empty))


def with_findings(dataset: Dataset, *, thorough: bool = True) -> DataRecord:
    """Return the report with coverage and, if thorough, the warnings that need several tables."""
    tables = dirt.with_dirt(dataset) if thorough else dataset.report.tables
    number = dataset.engine.value("SELECT count(DISTINCT account_id) FROM accounts")
    own = [text for text in dataset.report.red if text not in red(dataset.report.tables)]
    changes = {"tables": tables, "accounts": number, "red": (*own, *red(tables))}
    return dataset.report.model_copy(update=changes)


def red(tables: Mapping[str, TableRecord]) -> tuple[str, ...]:
    """Return what puts the data in doubt, one sentence each."""
    return tuple(
        f"{name}: {remark.text}"
        for name, table in tables.items()
        for remark in table.remarks
        if remark.red
    )
