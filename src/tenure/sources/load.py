"""The way in: find the tables, map and coerce their columns, check every row, report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tenure.core.errors import DataError, Problem
from tenure.core.steps import Step, quote, text_literal
from tenure.core.times import DAY
from tenure.sources import attributes, audit, coerce, counts, origin
from tenure.sources.canonical import ahead, canonical, directly
from tenure.sources.counts import Counts
from tenure.sources.dataset import Dataset
from tenure.sources.mapping import map_columns
from tenure.sources.report import DataReport
from tenure.sources.stage import Layout
from tenure.sources.summary import table_report
from tenure.sources.tables import SOURCES

if TYPE_CHECKING:
    import pyarrow as pa

    from tenure.core.config import Config
    from tenure.engine import Engine

LAZY_ROWS = 1_000_000
NO_OWNER = ("accounts", "fx_rates")
Progress = Callable[[str], None]


@dataclass
class Table:
    """One table on its way in."""

    layout: Layout
    origin: str
    unused: dict[str, str] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    ahead: dict[str, Any] = field(default_factory=dict)
    empty: list[str] = field(default_factory=list)


def load(config: Config, engine: Engine, *, progress: Progress | None = None) -> Dataset:
    """Load the tables of a config into an engine, checked and cut at `observed_until`.

    Args:
        config: The run.
        engine: Where the canonical tables will stand.
        progress: Told in a few words what is being read.

    Raises:
        DataError: If a table cannot be used at all; lists every problem over all tables.
    """
    say = progress or (lambda _: None)
    engine.drop(*SOURCES)
    found, problems = origin.find(config.data, engine)
    tables: dict[str, Table] = {}
    for name, place in found.items():
        table, wrong = _prepare(place, config, engine)
        problems += wrong
        if table:
            tables[name] = table
    problems += (
        attributes.unknown(config.data, tables["accounts"].layout) if "accounts" in tables else []
    )
    for name in list(tables):
        say(f"reading {name}")
        try:
            _stage(tables[name], tables, engine)
        except DataError as error:
            problems += [_unread(name, tables.pop(name).origin, item) for item in error.problems]
    _count(tables, engine)
    for table in tables.values():
        wrong = counts.unreadable(table.layout, table.counts, engine)
        hopeless = None if wrong else counts.unusable(table.layout, table.counts, engine)
        problems += wrong + ([hopeless] if hopeless else [])
        table.empty = table.counts.without_values(table.layout)
    if problems:
        raise DataError(*problems)
    say("checking")
    until = config.data.observed_until or _day_after_last(tables)
    dataset = _finish(tables, config, engine, until)
    _require_rows(dataset)
    report = _with_findings(dataset)
    dataset = replace(dataset, report=report)
    say("fingerprint")
    _ = dataset.fingerprint
    return dataset


def load_frames(
    frames: Mapping[str, pa.Table],
    config: Config,
    engine: Engine,
    *,
    observed_until: datetime,
    lean: bool = False,
) -> Dataset:
    """Load Arrow tables that already have canonical columns, by the same road.

    For history that is posted and for tests: small tables, possibly empty, of few accounts.  A
    column that is there counts as there even where it is empty, and shares of dirt are not
    computed.

    Args:
        frames: Arrow tables by canonical name.
        config: The run; `data.timezone` and the attribute lists apply.
        engine: Where the canonical tables will stand.
        observed_until: When observation stopped, exclusive, naive UTC.
        lean: Count only rows, not emptied values, where every row is sound: the same tables in
            a third of the time.

    Raises:
        DataError: If a table is unknown, lacks a required column, or cannot be read.
    """
    engine.drop(*(name for name in SOURCES if name not in frames))
    tables, problems = _posted(frames, config, engine)
    if problems:
        raise DataError(*problems)
    if lean and all(table.layout.sure for table in tables.values()):
        dataset = _directly(tables, config, engine, observed_until)
        if dataset:
            return dataset
    for table in tables.values():
        _stage(table, tables, engine)
    _count(tables, engine)
    for table in tables.values():
        problems += counts.unreadable(table.layout, table.counts, engine)
    if problems:
        raise DataError(*problems)
    return _finish(tables, config, engine, observed_until)


def _posted(
    frames: Mapping[str, pa.Table], config: Config, engine: Engine
) -> tuple[dict[str, Table], list[Problem]]:
    """Register Arrow tables and look at their columns."""
    problems = [origin.unknown_table(name) for name in frames if name not in SOURCES]
    tables: dict[str, Table] = {}
    for name, source in SOURCES.items():
        if name not in frames:
            if source.required:
                fix = "give it, with at least its required columns"
                problems.append(Problem(name, "the table is required", fix=fix))
            continue
        engine.register(f"_raw_{name}", frames[name])
        problems += map_columns(source, frames[name].column_names, {}).problems
        types = engine.columns(f"_raw_{name}")
        layout = Layout(source, f"_raw_{name}", types, zone=config.data.timezone)
        problems += _refused(layout)
        tables[name] = _without_clockless(Table(layout, "posted"))
        tables[name].counts.rows = frames[name].num_rows
    return tables, problems


def _directly(
    tables: Mapping[str, Table], config: Config, engine: Engine, until: datetime
) -> Dataset | None:
    """Make the canonical tables in one statement each, or nothing where a row is not sound."""
    for name, table in tables.items():
        known = None if name in NO_OWNER else "SELECT account_id FROM accounts"
        engine.run([directly(replace(table.layout, accounts=known), until)])
    found = counts.direct([table.layout for table in tables.values()], engine)
    for name, table in tables.items():
        seen = found[name]
        if seen["rows"] != table.counts.rows or seen["twice"]:
            return None
        table.counts.used = seen["rows"]
        table.ahead = seen | {"ahead": 0, "clocks": [0] * len(table.layout.clocks)}
    return _dataset(tables, config, engine, until)


def _prepare(
    place: origin.Origin, config: Config, engine: Engine
) -> tuple[Table | None, list[Problem]]:
    """Map a table's columns and look at their types."""
    source = SOURCES[place.name]
    authored = config.data.tables.get(place.name)
    try:
        theirs = engine.columns(place.relation)
    except DataError as error:
        return None, [_unread(place.name, place.text, item) for item in error.problems]
    found = map_columns(source, theirs, authored.columns if authored else {})
    if found.problems:
        return None, found.problems
    relation = f"_mapped_{place.name}"
    try:
        types = _view(relation, place.relation, found.columns, engine)
    except DataError:
        return None, _culprits(place, found.columns, engine)
    formats = authored.formats if authored else {}
    layout = Layout(source, relation, types, formats, config.data.timezone)
    problems = _refused(layout) + _wrong_formats(layout, engine)
    return (None if problems else _without_clockless(Table(layout, place.text))), problems


def _view(relation: str, raw: str, columns: Mapping[str, str], engine: Engine) -> dict[str, str]:
    items = ", ".join(f"{sql} AS {quote(name)}" for name, sql in columns.items())
    engine.run([Step(relation, f"SELECT {items} FROM {quote(raw)}", lazy=True)])
    return engine.columns(relation)


def _culprits(place: origin.Origin, columns: Mapping[str, str], engine: Engine) -> list[Problem]:
    problems = []
    for name, sql in columns.items():
        try:
            _view(f"_mapped_{place.name}", place.relation, {name: sql}, engine)
        except DataError as error:
            where = f"data.tables.{place.name}.columns.{name}"
            problems.append(
                Problem(where, origin.reason(error), sql.strip("()\n"), "correct the expression")
            )
    return problems


def _refused(layout: Layout) -> list[Problem]:
    problems = []
    for name, sql_type in layout.types.items():
        wrong = coerce.refusal(sql_type, layout.columns[name], layout.formats.get(name))
        if wrong:
            rule, fix = wrong
            problems.append(Problem(f"{layout.source.name}.{name}", rule, sql_type, fix))
    return problems


def _wrong_formats(layout: Layout, engine: Engine) -> list[Problem]:
    problems = []
    for name, form in layout.formats.items():
        where = f"data.tables.{layout.source.name}.formats.{name}"
        if layout.columns.get(name) != "time":
            fix = "name a mapped time column of the contract"
            problems.append(Problem(where, "is not a time column of the table", form, fix))
        elif form != "iso" and form not in coerce.EPOCHS:
            try:
                engine.fetch(f"SELECT try_strptime('x', {text_literal(form)})")
            except DataError:
                fix = "use iso, epoch_s, epoch_ms or a strptime format such as '%d/%m/%Y'"
                problems.append(Problem(where, "is not a format", form, fix))
    return problems


def _without_clockless(table: Table) -> Table:
    """Leave out late columns whose clock was not mapped."""
    layout = table.layout
    table.unused = {
        name: clock
        for name, clock in layout.source.late.items()
        if name in layout.types and clock not in layout.types
    }
    types = {name: kind for name, kind in layout.types.items() if name not in table.unused}
    table.layout = replace(layout, types=types)
    return table


def _stage(table: Table, tables: Mapping[str, Table], engine: Engine) -> None:
    if table.layout.source.name not in NO_OWNER and "accounts" in tables:
        known = quote(tables["accounts"].layout.staged)
        known = f"SELECT account_id FROM {known} WHERE _reason = 0"
        table.layout = replace(table.layout, accounts=known)
    engine.run([Step(table.layout.staged, table.layout.select())])


def _count(tables: Mapping[str, Table], engine: Engine) -> None:
    """Count the marks of all staged rows and mark duplicates where there are any."""
    if not tables:
        return
    for name, found in counts.count((table.layout for table in tables.values()), engine).items():
        tables[name].counts = found
    keyed = [table.layout for table in tables.values() if table.layout.has_key]
    sql = " UNION ALL ".join(
        f"SELECT '{layout.source.name}' AS name, count(*) AS n "
        f"FROM ({layout.duplicates(quote(layout.staged))})"
        for layout in keyed
    )
    twice = [row["name"] for row in engine.fetch(sql).to_pylist() if row["n"]] if keyed else []
    for name in twice:
        layout = tables[name].layout
        engine.run(
            [
                Step("_marked", layout.deduplicated(quote(layout.staged))),
                Step(layout.staged, "SELECT * FROM _marked"),
            ]
        )
        engine.drop("_marked")
        tables[name].counts = counts.count([layout], engine)[name]


def _day_after_last(tables: Mapping[str, Table]) -> datetime:
    last = max(
        table.counts.last
        for name, table in tables.items()
        if table.counts.last and name != "fx_rates"
    )
    return last.replace(hour=0, minute=0, second=0, microsecond=0) + DAY


def _finish(
    tables: Mapping[str, Table], config: Config, engine: Engine, until: datetime
) -> Dataset:
    """Make the canonical tables from the staged ones."""
    for table in tables.values():
        columns = set(table.layout.columns) - set(table.empty)
        lazy = table.counts.rows > LAZY_ROWS
        engine.run([canonical(table.layout, columns, until, lazy=lazy)])
    sql = " UNION ALL ".join(ahead(table.layout, until) for table in tables.values())
    for row in engine.fetch(sql).to_pylist():
        tables[row["name"]].ahead = row
    return _dataset(tables, config, engine, until)


def _dataset(
    tables: Mapping[str, Table], config: Config, engine: Engine, until: datetime
) -> Dataset:
    """Return the dataset with its report as far as counts go."""
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
    return Dataset(engine, columns, until, report, rejects)


def _rejects(table: Table) -> str:
    layout = table.layout
    again = layout.select(keep_raw=True)
    if table.counts.rejected["duplicate_key"]:
        again = (
            f"WITH _again AS MATERIALIZED ({again}) "
            f"SELECT * FROM ({layout.deduplicated('_again', keep_raw=True)})"
        )
    names = ", ".join(
        f"({number}, {text_literal(reason.code)}, {text_literal(reason.rule)})"
        for number, reason in enumerate((*layout.reasons, layout.duplicate_reason), 1)
    )
    return (
        f"SELECT reason, rule, _row AS row FROM ({again}) JOIN (VALUES {names}) "
        f"AS why(number, reason, rule) ON number = _reason ORDER BY number, row"
    )


def _require_rows(dataset: Dataset) -> None:
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


def _with_findings(dataset: Dataset) -> DataReport:
    found = audit.audit(dataset)
    accounts = dataset.engine.fetch("SELECT count(DISTINCT account_id) FROM accounts")
    tables = {
        name: replace(
            table,
            coverage=found[name].coverage,
            median_rows=found[name].median_rows,
            remarks=(*table.remarks, *found[name].remarks),
        )
        if name in found
        else table
        for name, table in dataset.report.tables.items()
    }
    return replace(dataset.report, tables=tables, accounts=accounts.column(0).to_pylist()[0])


def _unread(name: str, place: str, item: Problem | str) -> Problem:
    text = item.value or item.rule if isinstance(item, Problem) else item
    if isinstance(item, Problem) and item.thing == "DuckDB":
        text = item.rule
    fix = "check the file, or the SQL and formats that the config gives for it"
    return Problem(name, f"cannot be read from {place}", text.splitlines()[0][:200], fix)
