"""The way in: find the tables, map and coerce their columns, check every row, report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from tenure.core.errors import DataError, Problem
from tenure.core.steps import Step, quote
from tenure.core.times import DAY
from tenure.sources import counts, duplicates, origin
from tenure.sources.assemble import assemble, require_rows, with_findings
from tenure.sources.cache import parts, reread
from tenure.sources.contract import SOURCES
from tenure.sources.dataset import Dataset
from tenure.sources.layout import NO_OWNER, IncomingTable, prepare, register_posted, unread
from tenure.sources.quality import attributes

if TYPE_CHECKING:
    import pyarrow as pa

    from tenure.core.config import Config
    from tenure.engine import Engine

Progress = Callable[[str], None]


def load(
    config: Config, engine: Engine, *, progress: Progress | None = None, thorough: bool = True
) -> Dataset:
    """Load the tables of a config into an engine, checked and cut at `observed_until`.

    Staged rows of large tables that come as files are kept under `paths.runs`, so that the next
    load stages only files that are new or changed; the result is the same.

    Args:
        config: The run.
        engine: Where the canonical tables will stand.
        progress: Told in a few words what is being read.
        thorough: Whether to look for dirt that breaks no rule and to take the fingerprint at once;
            what only needs the tables can do without.

    Raises:
        DataError: If a table cannot be used at all; lists every problem over all tables.
    """
    say = progress or (lambda _: None)
    engine.drop(*SOURCES)
    found, problems = origin.find(config.data, engine)
    tables: dict[str, IncomingTable] = {}
    for name, place in found.items():
        table, wrong = prepare(place, config, engine)
        problems += wrong
        if table:
            tables[name] = table
    if "accounts" in tables:
        problems += attributes.unknown(config.data, tables["accounts"].layout)
    for name in list(tables):
        say(f"reading {name}")
        try:
            _stage(tables[name], tables, engine, config)
            if (kept := tables[name].kept) and kept.changes:
                say(f"{name}: {kept.changes}")
        except DataError as error:
            problems += [unread(name, tables.pop(name).origin, item) for item in error.problems]
    _count(tables, engine)
    problems += [item for table in tables.values() for item in _hopeless(table, engine)]
    if problems:
        raise DataError(*problems)
    say("checking")
    until = config.data.observed_until or _day_after_last(tables)
    dataset = assemble(tables, config, engine, until)
    require_rows(dataset)
    dataset = replace(dataset, report=with_findings(dataset, thorough=thorough))
    if thorough:
        say("fingerprint")
        _ = dataset.fingerprint
    return dataset


def _hopeless(table: IncomingTable, engine: Engine) -> list[Problem]:
    """Return why a table cannot be used; else note its columns that hold no value."""
    problems = counts.unreadable(table.layout, table.counts, engine)
    if not problems:
        problem = counts.unusable(table.layout, table.counts, engine)
        problems = [problem] if problem else []
    table.empty = table.counts.without_values(table.layout)
    return problems


def load_frames(
    frames: Mapping[str, pa.Table],
    config: Config,
    engine: Engine,
    *,
    observed_until: datetime,
) -> Dataset:
    """Load tables at hand that already have canonical columns, by the same road.

    For history that is posted and for tests: small tables, possibly empty, of few accounts.  A
    column that is there counts as there even where it is empty, and shares of dirt are not
    computed.

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
        problems += counts.unreadable(table.layout, table.counts, engine)
    if problems:
        raise DataError(*problems)
    return assemble(tables, config, engine, observed_until)


def _stage(
    table: IncomingTable,
    tables: Mapping[str, IncomingTable],
    engine: Engine,
    config: Config | None = None,
) -> None:
    """Stage a table; with a config, from kept parts where that pays."""
    owned = table.layout.source.name not in NO_OWNER
    if owned and "accounts" in tables:
        known = quote(tables["accounts"].layout.staged)
        known = f"SELECT account_id FROM {known} WHERE _reason = 0"
        table.layout = replace(table.layout, accounts=known)
    sound = not owned or table.layout.accounts is not None
    if config and config.data.cache and table.found and sound:
        found = replace(table.found, layout=table.layout)
        table.kept = parts.staged_parts(found, config.paths.runs / "cache" / "staged", engine)
    if table.kept:
        reread.show(table.layout, table.kept, engine)
    else:
        engine.drop(table.layout.staged)
        engine.run([Step(table.layout.staged, table.layout.select())])


def _count(tables: Mapping[str, IncomingTable], engine: Engine) -> None:
    """Count the marks of all staged rows and mark duplicates where there are any."""
    if not tables:
        return
    tallied = [name for name, table in tables.items() if table.kept]
    layouts = [table.layout for table in tables.values()]
    for name, found in counts.count(layouts, engine, tallied).items():
        tables[name].counts = found
    keyed = [
        table.layout
        for table in tables.values()
        if duplicates.has_key(table.layout) and not (table.kept and table.kept.distinct)
    ]
    sql = " UNION ALL ".join(
        f"SELECT '{layout.source.name}' AS name, count(*) AS n "
        f"FROM ({duplicates.repeated(layout, quote(layout.staged))})"
        for layout in keyed
    )
    twice = [row["name"] for row in engine.fetch(sql).to_pylist() if row["n"]] if keyed else []
    for name in twice:
        layout = tables[name].layout
        engine.run([Step("_marked", duplicates.deduplicated(layout, quote(layout.staged)))])
        engine.drop(layout.staged)
        engine.run([Step(layout.staged, "SELECT * FROM _marked")])
        engine.drop("_marked")
        tables[name].marked = True
        tables[name].counts = counts.count([layout], engine)[name]


def _day_after_last(tables: Mapping[str, IncomingTable]) -> datetime:
    last = max(
        table.counts.last
        for name, table in tables.items()
        if table.counts.last and name != "fx_rates"
    )
    return last.replace(hour=0, minute=0, second=0, microsecond=0) + DAY
