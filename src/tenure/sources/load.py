"""Load the tables of a run: find them, map and coerce their columns, check every row, report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from tenure.core.errors import DataError, Problem
from tenure.core.progress import SILENT, Progress
from tenure.core.records.data import RemarkRecord
from tenure.core.steps import Step, quote
from tenure.sources import counts, duplicates, ends, origin, rejected_lines
from tenure.sources.assemble import assemble, require_rows, with_findings
from tenure.sources.cache import parts
from tenure.sources.contract import SOURCES
from tenure.sources.dataset import Dataset
from tenure.sources.layout import NO_OWNER, WHOLE, IncomingTable, prepare, register_posted
from tenure.sources.observation import Observation, observed
from tenure.sources.quality import attributes, notes

if TYPE_CHECKING:
    import pyarrow as pa

    from tenure.core.config import Config
    from tenure.engine import Engine


def load(
    config: Config, engine: Engine, *, progress: Progress = SILENT, thorough: bool = True
) -> Dataset:
    """Load the tables of a config into an engine, checked and cut at `observed_until`.

    Staged rows of large tables that come as files are kept under `paths.runs`, so that the next
    load stages only files that are new or changed; the result is the same.

    Args:
        config: The run.
        engine: Where the canonical tables will stand.
        progress: What shows which table is being read.
        thorough: Whether to look for dirt that breaks no rule and to compute the fingerprint now;
            callers that need only the tables can do without.

    Raises:
        DataError: If a table cannot be used at all; lists every problem over all tables.
    """
    progress.stage("reading tables")
    engine.drop(*SOURCES)
    origins, problems = origin.find(config, engine)
    tables: dict[str, IncomingTable] = {}
    for name, place in origins.items():
        table, faults = prepare(place, config, engine)
        problems += faults
        if table:
            tables[name] = table
    if "accounts" in tables:
        problems += _dated(tables, engine)
        problems += attributes.unknown(config.data, tables["accounts"].layout)
    for number, name in enumerate(list(tables)):
        progress.step(number, len(origins), name)
        try:
            _stage(tables[name], tables, engine, config)
            if (staged := tables[name].parts) and staged.changes:
                progress.note(f"{name}: {staged.changes}")
        except DataError as error:
            where = tables.pop(name).origin
            problems += [origin.unread(name, where, item) for item in error.problems]
    progress.stage("checking rows")
    _count(tables, engine)
    for table in tables.values():
        unreadable = counts.unreadable(table.layout, table.counts, engine)
        problems += unreadable or counts.unusable(table.layout, table.counts, engine)
        table.empty = table.counts.without_values(table.layout)
        table.empty += notes.mostly_unknown(table.layout, table.counts)
        notes.note_words(table, engine)
        notes.note_differences(table, engine)
    if problems:
        raise DataError(*problems)
    settings = config.data.tables.get("subscriptions")
    ended_at = settings.ended_at if settings else None
    ends.close_gaps(tables["subscriptions"], ended_at, engine)
    reach = observed(tables, config.data.observed_until, engine)
    dataset = assemble(tables, config, engine, reach)
    require_rows(dataset)
    dataset = replace(dataset, report=with_findings(dataset, thorough=thorough))
    if thorough:
        progress.stage("fingerprint of the tables")
        _ = dataset.fingerprint
    return dataset


def load_frames(
    frames: Mapping[str, pa.Table],
    config: Config,
    engine: Engine,
    *,
    observed_until: datetime,
) -> Dataset:
    """Load Arrow tables whose columns have canonical names, with the same checks as files.

    For posted history and for tests: small tables, possibly without rows.  A column counts as
    present even where it has no value, shares of dirt are not computed, and a column fails them all
    only where none of its values can be read.

    Args:
        frames: Tables by canonical name.
        config: The run; `data.timezone` and the attribute lists apply.
        engine: Where the canonical tables will stand.
        observed_until: When observation stopped, exclusive, naive UTC.

    Raises:
        DataError: If a table is unknown, lacks a required column, or cannot be read.
    """
    engine.drop(*(name for name in SOURCES if name not in frames))
    tables, problems = register_posted(frames, config, engine)
    if problems:
        raise DataError(*problems)
    for table in tables.values():
        _stage(table, tables, engine)
    _count(tables, engine)
    for table in tables.values():
        problems += counts.unreadable(table.layout, table.counts, engine, some=True)
    if problems:
        raise DataError(*problems)
    return assemble(tables, config, engine, Observation(observed_until))


def _dated(tables: Mapping[str, IncomingTable], engine: Engine) -> list[Problem]:
    """Give accounts, not yet staged, the first start of their subscriptions as `created_at`.

    That is where they have no such time of their own; else nothing is done.
    """
    accounts = tables["accounts"]
    if not accounts.lacking or "subscriptions" not in tables:
        return accounts.lacking
    ours, theirs = accounts.layout, tables["subscriptions"].layout
    starts = (
        f"SELECT {theirs.worded('account_id')} AS _started, "
        f"min({theirs.worded('started_at')}) AS created_at FROM {quote(theirs.raw)} GROUP BY 1"
    )
    sql = (
        f"SELECT a.*, f.created_at FROM (SELECT *, {ours.worded('account_id')} AS _id FROM "
        f"{quote(ours.raw)}) AS a LEFT JOIN ({starts}) AS f ON f._started = a._id"
    )
    raw = "_dated_accounts"
    engine.run([Step(raw, sql, lazy=True)])
    accounts.layout = replace(ours, raw=raw, types={**ours.types, "created_at": "TIMESTAMP"})
    accounts.files = None
    text = "created_at is not mapped: it is the first started_at of the account's subscriptions"
    accounts.notes.append(RemarkRecord(code="first_start", text=text))
    return []


def _stage(
    table: IncomingTable,
    tables: Mapping[str, IncomingTable],
    engine: Engine,
    config: Config | None = None,
) -> None:
    """Stage a table: from the cache, where a config allows it and its size makes it pay."""
    owned = table.layout.source.name not in NO_OWNER
    if owned and "accounts" in tables:
        staged = quote(tables["accounts"].layout.staged)
        accounts = f"SELECT account_id FROM {staged} WHERE _reason = 0"
        table.layout = replace(table.layout, accounts=accounts)
    checkable = not owned or table.layout.accounts is not None
    checkable = checkable and table.layout.source.name not in WHOLE
    if config and config.data.cache and table.files and checkable:
        source = replace(table.files, layout=table.layout)
        table.parts = parts.staged_parts(source, config.paths.runs / "cache" / "staged", engine)
    if table.parts:
        table.lines = parts.view_parts(table.layout, table.parts, engine)
    else:
        engine.drop(table.layout.staged)
        engine.run([Step(table.layout.staged, table.layout.select())])
        _add_lines(table, engine)


def _add_lines(table: IncomingTable, engine: Engine) -> None:
    """Add the lines of files that are no rows to a staged table, as rejected rows."""
    layout, name = table.layout, table.layout.source.name
    if not rejected_lines.collect(name, table.reads, engine):
        return
    if problem := rejected_lines.encoding_problem(name, f"_raw_{name}", engine):
        raise DataError(problem)
    table.restage(rejected_lines.with_lines(layout, quote(layout.staged)), engine)
    table.lines = rejected_lines.sample(name, engine)


def _count(tables: Mapping[str, IncomingTable], engine: Engine) -> None:
    """Count the staged rows by reason and remarks, after marking duplicates as rejected."""
    if not tables:
        return
    tallied = [name for name, table in tables.items() if table.parts]
    layouts = [table.layout for table in tables.values()]
    for name, counted in counts.count(layouts, engine, tallied).items():
        tables[name].counts = counted
    keyed = [
        table.layout
        for table in tables.values()
        if duplicates.has_key(table.layout) and not (table.parts and table.parts.distinct)
    ]
    sql = " UNION ALL ".join(
        f"SELECT '{layout.source.name}' AS name, count(*) AS n "
        f"FROM ({duplicates.repeated(layout, quote(layout.staged))})"
        for layout in keyed
    )
    twice = [row["name"] for row in engine.fetch(sql).to_pylist() if row["n"]] if keyed else []
    for name in twice:
        table, layout = tables[name], tables[name].layout
        table.restage(duplicates.deduplicated(layout, quote(layout.staged)), engine)
        table.marked = True
        notes.note_parts(table, engine)
        table.counts = counts.count([layout], engine)[name]
