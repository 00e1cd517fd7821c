"""Tables as they are: files, folders of parts, tables of DuckDB files and of connections."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tenure.core.errors import DataError, Problem
from tenure.core.steps import Step, quote, text_literal
from tenure.engine import Engine
from tenure.engine.base import CSV_SUFFIXES, DATABASE_SUFFIXES, PARQUET_SUFFIXES, has_suffix
from tenure.sources import coerce
from tenure.sources.files import files_of
from tenure.sources.text_files import engine_reason

JSON_SUFFIXES = (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz")
_PARTS = (*CSV_SUFFIXES, *PARQUET_SUFFIXES)
_SKIPPED = {"models", "runs", "mlruns"}
_NUMBERS = re.compile(r"\d+(?:[._-]\d+)*")
_SAMPLE = 2_000
"""Rows in which keys of JSON texts are looked for."""


def plain(name: str) -> str:
    """Return a name of a column as it is compared.

    >>> plain("Created (UTC)"), plain("property_hs_timestamp"), plain("CreatedDate__c")
    ('createdutc', 'hstimestamp', 'createddate')
    """
    spelled = re.sub(r"__c$|\s*\(metadata\)$", "", name.strip().lower())
    spelled = re.sub(r"^(property|properties|traits)[_.]", "", spelled)
    return re.sub(r"[^a-z0-9]", "", spelled)


@dataclass(frozen=True, slots=True)
class RawColumn:
    """A column, or a field inside one."""

    name: str
    """Its name, fields of structures and JSON texts with dots."""
    sql: str
    """SQL of its value; `{0}` stands for the table's alias and a point."""
    type: str

    def of(self, alias: str = "") -> str:
        """Return SQL of the value, in a query where the table has an alias."""
        return self.sql.replace("{0}", f"{alias}." if alias else "")


@dataclass(frozen=True)
class RawTable:
    """A table as it lies there."""

    place: str
    """Path or glob, relative to the folder; the name of a connection."""
    relation: str
    """What the engine knows it as."""
    columns: tuple[RawColumn, ...] = field(repr=False)
    table: str | None = None
    """Name of the table inside a DuckDB file or of a connection."""
    json: bool = False
    """Whether it is read as JSON."""
    connection: bool = False
    """Whether it is one of a connection."""

    @property
    def label(self) -> str:
        """Return what to call it in a sentence."""
        return f"{self.place}: {self.table}" if self.table else self.place

    @property
    def source(self) -> str:
        """Return what stands after FROM in a query over it."""
        if self.table:
            return f"{spelled(self.place)}.{self.in_database}"
        place = text_literal(self.place)
        return f"read_json({place})" if self.json else place

    @property
    def in_database(self) -> str:
        """Return its name inside its database; names of both cases are in quotes, as they are."""
        names = (self.table or "").split(".")
        return ".".join(
            spelled(name)
            if name in (name.lower(), name.upper()) or not self.connection
            else quote(name)
            for name in names
        )


def raw_tables(folder: Path, engine: Engine, words: Collection[str]) -> list[RawTable | Problem]:
    """Return the tables of a folder, and the problems with those that cannot be read.

    Files whose names differ in numbers only and whose columns are alike are one table.

    Each becomes known in the engine, under a name of its own; `words` are names of columns by which
    the header of a text file is known.
    """
    tables: list[RawTable | Problem] = []
    for number, places in enumerate(_together(folder)):
        relation = f"_look_{number}"
        try:
            tables += _attached(folder, places, relation, engine, words)
        except DataError as error:
            reason = engine_reason(error.problems[0])
            tables.append(Problem(places, "cannot be read", reason, "mend the file, or remove it"))
    return tables


def _together(folder: Path) -> list[str]:
    """Return the places of tables: files, folders of parts, and globs of numbered files."""
    places: dict[str, list[str]] = {}
    for item in sorted(folder.iterdir()):
        name = item.name
        if name.startswith((".", "_")) or name in _SKIPPED:
            continue
        if item.is_dir():
            if any(has_suffix(str(part), _PARTS) for part in item.rglob("*")):
                places[name] = [name]
        elif has_suffix(name, (*_PARTS, *DATABASE_SUFFIXES, *JSON_SUFFIXES)):
            places.setdefault(_NUMBERS.sub("*", name), []).append(name)
    return [pattern if len(names) > 1 else names[0] for pattern, names in places.items()]


def _attached(
    folder: Path, place: str, relation: str, engine: Engine, words: Collection[str]
) -> Iterator[RawTable]:
    path = str(folder / place)
    if has_suffix(place, DATABASE_SUFFIXES):
        for number, table in enumerate(engine.tables(path)):
            name = f"{relation}_{number}"
            engine.attach(name, path, table)
            yield RawTable(place, name, columns_of(name, engine), table)
        return
    if has_suffix(place, JSON_SUFFIXES):
        reader = f"SELECT * FROM read_json({text_literal(path)})"
        engine.run([Step(relation, reader, lazy=True)])
        yield RawTable(place, relation, columns_of(relation, engine), json=True)
        return
    files = files_of(path, words, relation, engine)
    if files is None:
        engine.attach(relation, path)
    else:
        engine.run([Step(relation, files.select(), lazy=True)])
    yield RawTable(place, relation, columns_of(relation, engine))


def columns_of(relation: str, engine: Engine) -> tuple[RawColumn, ...]:
    """Return the columns of a table, and the fields of structures and JSON texts in them."""
    types = engine.columns(relation)
    columns = [
        RawColumn(name, f"{{0}}{spelled(name)}", sql_type) for name, sql_type in types.items()
    ]
    return (*columns, *_fields(relation, types, engine))


def spelled(name: str) -> str:
    """Return a name in SQL: bare where that is enough."""
    bare = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) and name.lower() not in _RESERVED
    return name if bare else quote(name)


_RESERVED = frozenset(
    re.findall(
        r"\w+",
        "all analyse analyze and any array as asc both case cast check collate column "
        "constraint create date default deferrable desc describe distinct do else end except "
        "false fetch for foreign from grant group having in initially intersect interval into "
        "lateral leading limit not null offset on only or order pivot placing primary qualify "
        "references returning select show some summarize symmetric table then time timestamp to "
        "trailing true union unique unpivot using value values variadic when where window with ",
    )
)
"""Words that are no bare names in SQL."""


def _fields(relation: str, types: dict[str, str], engine: Engine) -> Iterator[RawColumn]:
    """Yield the fields of structures, two levels deep at most, and of JSON texts."""
    for name, sql_type in types.items():
        if sql_type.startswith("STRUCT("):
            yield from _struct(relation, name, spelled(name), engine, depth=2)
    texts = [
        name
        for name, sql_type in types.items()
        if coerce.base_type(sql_type) == "VARCHAR" or sql_type == "JSON"
    ]
    if not texts:
        return
    # One pass over the first rows, however many columns there are.
    sample = f"{relation}_sample"
    items = ", ".join(
        f"nullif(trim(CAST({spelled(name)} AS VARCHAR)), '') AS c{place}"
        for place, name in enumerate(texts)
    )
    engine.run([Step(sample, f"SELECT {items} FROM {quote(relation)} LIMIT {_SAMPLE}")])
    tests = ", ".join(
        f"coalesce(bool_and(starts_with(c{place}, '{{')), false)" for place in range(len(texts))
    )
    flags = engine.value(f"SELECT [{tests}] FROM {sample}")
    for place, name in enumerate(texts):
        if flags[place]:
            yield from _json(sample, f"c{place}", name, engine)
    engine.drop(sample)


def _struct(relation: str, name: str, sql: str, engine: Engine, depth: int) -> Iterator[RawColumn]:
    rows = engine.fetch(f"SELECT unnest({sql}) FROM {quote(relation)} LIMIT 0")
    inner = {item: f"{sql}.{spelled(item)}" for item in rows.schema.names}
    items = ", ".join(f"typeof({text}) AS {quote(item)}" for item, text in inner.items())
    kinds = engine.fetch(f"SELECT {items} FROM {quote(relation)} LIMIT 1").to_pylist()
    for item, kind in (kinds[0] if kinds else {}).items():
        yield RawColumn(f"{name}.{item}", f"{{0}}{inner[item]}", kind)
        if depth > 1 and kind.startswith("STRUCT("):
            yield from _struct(relation, f"{name}.{item}", inner[item], engine, depth - 1)


def _json(sample: str, value: str, name: str, engine: Engine) -> Iterator[RawColumn]:
    """Yield the keys of a column of JSON objects written as text."""
    keys = engine.fetch(
        f"SELECT DISTINCT unnest(json_keys({value})) AS k FROM {sample} "
        f"WHERE json_valid({value}) ORDER BY 1"
    )
    for key in keys.column(0).to_pylist():
        path = text_literal(f"$.{key}" if re.fullmatch(r"\w+", key) else f'$."{key}"')
        sql = f"json_extract_string({{0}}{spelled(name)}, {path})"
        yield RawColumn(f"{name}.{key}", sql, "VARCHAR")
