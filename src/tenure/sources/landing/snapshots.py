"""Copies of tables that are overwritten at their source, one a day, of which only changes are kept.

    runs/snapshots/<table>/
        manifest.json          the copies that were taken; written last, atomically
        2026-01-31.parquet     rows that were new or changed that day, or had gone

A row carries `_key`, `_hash` of its values, `_seen_at` and `_gone`.  `history` makes rows of the
contract from them.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from tenure.core.config import Config
from tenure.core.errors import DataError, Problem
from tenure.core.files import locked, replacing, write_json
from tenure.core.records.base import Record, Time
from tenure.core.steps import Step, quote, text_literal
from tenure.core.times import literal
from tenure.engine import Engine
from tenure.sources.contract import SOURCES
from tenure.sources.mapping import map_columns

MANIFEST = "manifest.json"
KEYS = {"accounts": ("account_id",), "subscriptions": ("subscription_id", "started_at")}
"""Tables of which copies can be kept → what tells their rows apart."""
MOST_GONE, FEWEST_GONE = 0.2, 10
"""Share of rows, and rows, that may be gone at most: more look like a source that was cut off."""


class Copy(Record):
    """One day's copy of a table."""

    at: Time
    """When it was taken."""
    rows: int
    """Rows that the table had."""
    new: int
    """Rows that had not been seen before."""
    changed: int
    """Rows whose values were others."""
    gone: int
    """Rows that were no longer there."""

    @property
    def file(self) -> str:
        """Return the name of the file with its changes."""
        return f"{self.at[:10]}.parquet"


class Copies(Record):
    """The copies of a table, in the order of time."""

    taken: tuple[Copy, ...] = ()


def snapshot_folder(config: Config, name: str) -> Path:
    """Return the folder of the copies of a table."""
    return (config.paths.runs / "snapshots" / name).absolute()


def copies_of(folder: Path) -> Copies:
    """Return the copies in a folder, none where there is no manifest.

    Raises:
        DataError: If the manifest cannot be read.
    """
    path = folder / MANIFEST
    if not path.exists():
        return Copies()
    try:
        return Copies.model_validate_json(path.read_bytes())
    except ValueError:
        fix = "restore it, or move the folder away to begin anew"
        raise DataError(Problem(str(path), "cannot be read", fix=fix)) from None


def attach_copies(config: Config, name: str, engine: Engine) -> None:
    """Make all rows of the copies of a table known as `_raw_<name>`.

    Raises:
        DataError: If no copy has been taken yet, or the table can have none.
    """
    require_key(name)
    if engine.dialect != "duckdb":
        fix = "set `engine: {kind: duckdb}`"
        raise DataError(Problem(name, "snapshots are read by DuckDB alone", fix=fix))
    folder = snapshot_folder(config, name)
    copies = copies_of(folder)
    if not copies.taken:
        fix = "run `tenure snapshot CONFIG`, each day, or set `snapshots: false`"
        raise DataError(Problem(name, "has no snapshots yet", fix=fix))
    engine.run([Step(f"_raw_{name}", _rows_of(folder, copies), lazy=True)])


def _rows_of(folder: Path, copies: Copies) -> str:
    """Return a SELECT of all rows of copies: of files that the manifest lists, no others."""
    files = ", ".join(text_literal(str(folder / copy.file)) for copy in copies.taken)
    return f"SELECT * FROM read_parquet([{files}], union_by_name=true, can_have_nan=true)"


def require_key(name: str) -> None:
    """Refuse a table whose rows cannot be told apart from day to day.

    Raises:
        DataError: Naming those that can.
    """
    if name not in KEYS:
        rule, fix = "is not kept day by day", f"set it for {' or '.join(KEYS)}"
        raise DataError(Problem(f"data.tables.{name}.snapshots", rule, "true", fix))


def take(config: Config, name: str, engine: Engine, at: datetime, *, force: bool) -> Copy | None:
    """Take the copy of a day; return it, or None where that day has one.

    The rows are known as `_raw_<name>`; with `force` any number of them may be gone.

    Raises:
        DataError: If rows cannot be told apart, or so many are gone that the source looks cut off.
    """
    folder = snapshot_folder(config, name)
    current = _keyed(config, name, engine)
    with locked(folder):
        copies = copies_of(folder)
        if copies.taken and copies.taken[-1].at[:10] >= at.date().isoformat():
            return None
        engine.run([Step("_current", current)])
        copy, changes = _changes(folder, copies, engine, at)
        held = copy.rows - copy.new + copy.gone
        if not force and copy.gone > max(FEWEST_GONE, MOST_GONE * held):
            rule = f"{copy.gone:,} of {held:,} rows are gone since the last copy"
            fix = "check that the source is whole; if it is, `tenure snapshot --force`"
            raise DataError(Problem(name, rule, fix=fix))
        with replacing(folder / copy.file) as temporary:
            engine.write(changes, f"{temporary}")
        write_json(folder / MANIFEST, Copies(taken=(*copies.taken, copy)).to_json())
    return copy


def _keyed(config: Config, name: str, engine: Engine) -> str:
    """Return a SELECT of the rows of a table, each key once, with their keys and hashes."""
    settings = config.data.tables[name]
    columns = engine.columns(f"_raw_{name}")
    mapped = map_columns(SOURCES[name], columns, settings.columns)
    if mapped.problems:
        raise DataError(*mapped.problems)
    parts = [mapped.columns.get(part, mapped.columns["account_id"]) for part in KEYS[name]]
    key = " || chr(31) || ".join(f"trim(CAST({part} AS VARCHAR))" for part in parts)
    values = ", ".join(f"{quote(column)} := {quote(column)}" for column in sorted(columns))
    return (
        f"SELECT *, {key} AS _key, md5(CAST(to_json(struct_pack({values})) AS VARCHAR)) AS _hash "
        f"FROM {quote(f'_raw_{name}')} WHERE {key} IS NOT NULL "
        "QUALIFY row_number() OVER (PARTITION BY _key ORDER BY _hash) = 1"
    )


def _changes(folder: Path, copies: Copies, engine: Engine, at: datetime) -> tuple[Copy, str]:
    """Return what is counted of a copy, and the SELECT of its changes over `_current`."""
    before = (
        f"{_rows_of(folder, copies)} "
        "QUALIFY row_number() OVER (PARTITION BY _key ORDER BY _seen_at DESC) = 1"
        if copies.taken
        else f"SELECT *, {literal(at)} AS _seen_at, false AS _gone FROM _current WHERE false"
    )
    engine.run([Step("_before", before)])
    moment = literal(at)
    changes = (
        f"SELECT c.*, {moment} AS _seen_at, false AS _gone FROM _current AS c "
        "LEFT JOIN _before AS b ON b._key = c._key "
        "WHERE b._key IS NULL OR b._gone OR b._hash <> c._hash UNION ALL BY NAME "
        f"SELECT * REPLACE ({moment} AS _seen_at, true AS _gone) FROM _before "
        "WHERE NOT _gone AND _key NOT IN (SELECT _key FROM _current)"
    )
    counted = engine.row(
        "SELECT (SELECT count(*) FROM _current) AS n, count(*) FILTER (_gone) AS gone, "
        "count(*) FILTER (NOT _gone AND _key NOT IN (SELECT _key FROM _before WHERE NOT _gone)) "
        f"AS new, count(*) AS listed FROM ({changes})"
    )
    changed = counted["listed"] - counted["gone"] - counted["new"]
    new, gone = counted["new"], counted["gone"]
    return Copy(at=at, rows=counted["n"], new=new, changed=changed, gone=gone), changes
