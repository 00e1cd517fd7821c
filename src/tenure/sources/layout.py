"""How each table is to be staged: its columns mapped, its types and declared formats checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tenure.core.errors import DataError, Problem
from tenure.core.steps import Step, quote, text_literal
from tenure.sources import coerce, origin
from tenure.sources.cache.parts import StagedParts
from tenure.sources.cache.update import SourceFiles
from tenure.sources.contract import SOURCES
from tenure.sources.counts import Counts
from tenure.sources.mapping import map_columns
from tenure.sources.staging_sql import Layout

if TYPE_CHECKING:
    import pyarrow as pa

    from tenure.core.config import Config
    from tenure.engine import Engine

NO_OWNER = ("accounts", "fx_rates")


@dataclass
class IncomingTable:
    """One table while it is loaded.

    Attributes:
        layout: How it is staged.
        origin: Where it comes from, in words: a path, `query`, `posted`.
        unused: Late columns left out, with the clock that they lack.
        counts: Counts of its staged rows.
        ahead: What lies at or after `observed_until`.
        empty: Columns without a value in any row.
        files: Its files, where they are known one by one, so that staged rows may be cached.
        parts: Its staged parts, where it is read from the cache.
        marked: Whether it has duplicates, so that its staged rows are a table in the engine.
    """

    layout: Layout
    origin: str
    unused: dict[str, str] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    ahead: dict[str, Any] = field(default_factory=dict)
    empty: list[str] = field(default_factory=list)
    files: SourceFiles | None = None
    parts: StagedParts | None = None
    marked: bool = False


def prepare(
    place: origin.TableOrigin, config: Config, engine: Engine
) -> tuple[IncomingTable | None, list[Problem]]:
    """Return a table with its columns mapped and its types checked, or the problems with it."""
    source = SOURCES[place.name]
    settings = config.data.tables.get(place.name)
    try:
        columns = engine.columns(place.relation)
    except DataError as error:
        return None, [origin.cannot_read(place.name, place.text, item) for item in error.problems]
    mapped = map_columns(source, columns, settings.columns if settings else {})
    if mapped.problems:
        return None, mapped.problems
    relation = f"_mapped_{place.name}"
    try:
        types = _view(relation, place.relation, mapped.columns, engine)
    except DataError:
        return None, _culprits(place, mapped.columns, engine)
    formats = settings.formats if settings else {}
    layout = Layout(source, relation, types, formats, config.data.timezone)
    problems = _refused(layout) + _wrong_formats(layout, engine)
    if problems:
        return None, problems
    table = _without_clockless(IncomingTable(layout, place.text))
    if place.files:
        table.files = SourceFiles(table.layout, place.files, mapped.columns)
    return table, problems


def _view(relation: str, raw: str, columns: Mapping[str, str], engine: Engine) -> dict[str, str]:
    items = ", ".join(f"{sql} AS {quote(name)}" for name, sql in columns.items())
    engine.run([Step(relation, f"SELECT {items} FROM {quote(raw)}", lazy=True)])
    return engine.columns(relation)


def _culprits(
    place: origin.TableOrigin, columns: Mapping[str, str], engine: Engine
) -> list[Problem]:
    problems = []
    for name, sql in columns.items():
        try:
            _view(f"_mapped_{place.name}", place.relation, {name: sql}, engine)
        except DataError as error:
            where, rule = (
                f"data.tables.{place.name}.columns.{name}",
                origin.first_line(error.problems[0]),
            )
            problems.append(Problem(where, rule, sql.strip("()\n"), "correct the expression"))
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


def _without_clockless(table: IncomingTable) -> IncomingTable:
    """Return the table without its late columns whose clock was not mapped."""
    layout = table.layout
    table.unused = {
        name: clock
        for name, clock in layout.source.late.items()
        if name in layout.types and clock not in layout.types
    }
    types = {name: kind for name, kind in layout.types.items() if name not in table.unused}
    table.layout = replace(layout, types=types)
    return table


def register_posted(
    frames: Mapping[str, pa.Table], config: Config, engine: Engine
) -> tuple[dict[str, IncomingTable], list[Problem]]:
    """Register posted tables; return how they are staged, and the problems with their columns."""
    problems = [origin.unknown_table(name) for name in frames if name not in SOURCES]
    tables: dict[str, IncomingTable] = {}
    for name, source in SOURCES.items():
        if name not in frames:
            if source.required:
                fix = "give it, with at least its required columns"
                problems.append(Problem(name, "the table is required", fix=fix))
            continue
        engine.register(f"_raw_{name}", frames[name])
        types = engine.columns(f"_raw_{name}")
        layout = Layout(source, f"_raw_{name}", types, zone=config.data.timezone, values=False)
        table = _without_clockless(IncomingTable(layout, "posted"))
        problems += map_columns(source, list(types), {}).problems + _refused(table.layout)
        tables[name] = table
    return tables, problems
