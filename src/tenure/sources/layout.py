"""How each table is to be staged: its columns mapped, its types and declared formats checked."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tenure.core.errors import DataError, Problem
from tenure.core.spec import Source
from tenure.core.steps import Step, quote, text_literal
from tenure.sources import coerce, origin, time_formats
from tenure.sources.cache.parts import StagedParts
from tenure.sources.cache.update import SourceFiles
from tenure.sources.contract import CONSTANT, SOURCES
from tenure.sources.counts import Counts
from tenure.sources.files import Files
from tenure.sources.landing import history
from tenure.sources.mapping import map_columns
from tenure.sources.staging_sql import Layout
from tenure.sources.text_files import engine_reason

if TYPE_CHECKING:
    import pyarrow as pa

    from tenure.core.config import Config
    from tenure.core.records.data import RemarkRecord
    from tenure.engine import Engine

NO_OWNER = ("accounts", "fx_rates")
WHOLE = ("mergers",)
"""Tables whose rows are checked against each other, so that they are staged together."""


@dataclass
class IncomingTable:
    """One table while it is loaded."""

    layout: Layout
    """How it is staged."""
    origin: str
    """Where it comes from, in words: a path, `query`, `posted`."""
    unused: dict[str, str] = field(default_factory=dict)
    """Late columns left out, with the clock that they lack."""
    counts: Counts = field(default_factory=Counts)
    """Counts of its staged rows."""
    ahead: dict[str, Any] = field(default_factory=dict)
    """What lies at or after `observed_until`."""
    empty: list[str] = field(default_factory=list)
    """Columns without a value in any row."""
    files: SourceFiles | None = None
    """Its files, where they are known one by one, so that staged rows may be cached."""
    parts: StagedParts | None = None
    """Its staged parts, where it is read from the cache."""
    lacking: list[Problem] = field(default_factory=list)
    """The problem with a required column that other tables may give."""
    notes: list[RemarkRecord] = field(default_factory=list)
    """Remarks for the report from what is looked at between counting and reporting."""
    samples: dict[tuple[str, str], str] = field(default_factory=dict)
    """What the report says of words: (`nothing` or `unread`, column) → the words."""
    marked: bool = False
    """Whether it has duplicates, so that its staged rows are a table in the engine."""
    reads: tuple[Files, ...] = ()
    """Files that it is read from, those of a query too."""
    lines: str = ""
    """The first line of them that is no row, in words."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Columns of kinds that cannot be used, with their types."""

    def restage(self, select: str, engine: Engine) -> None:
        """Put the rows of a SELECT in the place of the staged ones."""
        engine.run([Step("_restaged", select)])
        engine.drop(self.layout.staged)
        engine.run([Step(self.layout.staged, "SELECT * FROM _restaged")])
        engine.drop("_restaged")


def prepare(
    place: origin.TableOrigin, config: Config, engine: Engine
) -> tuple[IncomingTable | None, list[Problem]]:
    """Return a table with its columns mapped and its types checked, or the problems with it."""
    source = SOURCES[place.name]
    settings = config.data.tables.get(place.name)
    try:
        columns = engine.columns(place.relation)
    except DataError as error:
        return None, [origin.unread(place.name, place.text, item) for item in error.problems]
    authored = settings.columns if settings else {}
    mapped = map_columns(source, columns, authored, _spelled(config))
    lacking = [item for item in mapped.problems if item.thing == "accounts.created_at"]
    if len(mapped.problems) > len(lacking):
        return None, mapped.problems
    relation = f"_mapped_{place.name}"
    try:
        types = _view(relation, place.relation, mapped.columns, engine)
    except DataError:
        return None, _culprits(place, mapped.columns, engine)
    left_out = _without_values(source, types, {*authored, *config.data.constant_attributes})
    if left_out:
        own = {name: sql for name, sql in mapped.columns.items() if name not in left_out}
        mapped = replace(mapped, columns=own)
        types = _view(relation, place.relation, own, engine)
    formats = settings.formats if settings else {}
    layout = Layout(source, relation, types, formats, config.data.timezone)
    problems = _refused(layout, engine) + _wrong_formats(layout, engine)
    if problems:
        return None, problems
    if place.history:
        layout = _with_history(layout, mapped.columns, config, engine)
    table = IncomingTable(layout, place.text, reads=place.reads, left_out=left_out)
    table = _without_clockless(table)
    table.lacking = lacking
    if place.files:
        table.files = SourceFiles(table.layout, place.files, mapped.columns)
    return table, problems


def _with_history(
    layout: Layout, columns: Mapping[str, str], config: Config, engine: Engine
) -> Layout:
    """Return how the history of a table that was copied day by day is staged."""
    name, data = layout.source.name, config.data
    if "valid_from" in layout.types:
        rule, fix = "accounts have a history of their own", "leave `snapshots` out"
        raise DataError(Problem(f"data.tables.{name}.snapshots", rule, "valid_from", fix))
    copied = f"_copied_{name}"
    seen = {item: quote(item) for item in ("_key", "_seen_at", "_gone")}
    _view(copied, f"_raw_{name}", {**columns, **seen}, engine)
    raw = replace(layout, raw=copied)
    constant = set(data.constant_attributes) - set(data.changing_attributes)
    if name == "accounts":
        constant |= CONSTANT - set(data.changing_attributes)
        sql = history.account_history(raw, constant, data.observed_until)
    else:
        sql = history.subscription_history(raw, data.observed_until)
    engine.run([Step(layout.raw, sql)])
    types = engine.columns(layout.raw)
    # Times that the history gives are in UTC, whatever the columns were.
    same = {name for name, kind in layout.types.items() if types[name] == kind}
    formats = {name: form for name, form in layout.formats.items() if name in same}
    return replace(layout, types=types, formats=formats)


def _spelled(config: Config) -> list[str]:
    """Return the names in a config that may be attributes of accounts."""
    data = config.data
    names = [*data.constant_attributes, *data.changing_attributes, *config.evaluation.groups]
    names += [name.rpartition(".")[2] for name in config.audit.allow]
    fragments = [str(text) for item in config.features.custom for text in item.values()]
    names += [word for text in fragments for word in re.findall(r"\w+", text)]
    return [*reversed(names)]


def _without_values(
    source: Source, types: Mapping[str, str], wanted: Collection[str]
) -> dict[str, str]:
    """Return the further columns of kinds that hold no single value, which nobody wants."""
    declared = {column.name for column in source.columns} | {"known_at"} | set(wanted)
    return {
        name: sql_type
        for name, sql_type in types.items()
        if name not in declared and not coerce.base_type(sql_type)
    }


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
                engine_reason(error.problems[0]),
            )
            problems.append(Problem(where, rule, sql.strip("()\n"), "correct the expression"))
    return problems


def _refused(layout: Layout, engine: Engine) -> list[Problem]:
    problems = []
    for name, sql_type in layout.types.items():
        wrong = coerce.refusal(sql_type, layout.columns[name], layout.formats.get(name))
        if wrong:
            rule, fix = wrong
            value = sql_type
            if layout.columns[name] == "time" and coerce.is_number(sql_type):
                value, fix = time_formats.advice(layout, name, engine)
            elif name in layout.optional:
                fix += f", or leave the column out: `columns: {{{name}: ''}}`"
            problems.append(Problem(f"{layout.source.name}.{name}", rule, value, fix))
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
                fix = f"use iso, {', '.join(coerce.EPOCHS)} or a strptime format such as '%d/%m/%Y'"
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
        problems += map_columns(source, list(types), {}).problems + _refused(table.layout, engine)
        tables[name] = table
    return tables, problems
