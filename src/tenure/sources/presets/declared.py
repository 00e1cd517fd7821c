"""What a preset declares: the tables of a vendor's export, and the contract's tables they give.

A preset is one YAML file in `vendors/`, and data only.  Its `objects` say how an exported table
is recognised: `columns` names each column once and lists the spellings that exports use (compared
without case, spaces and signs; `*` stands for anything), `needs` are the columns without which it
is not that object, and `files` are words that the file's name may hold.  Its `tables` say what the
contract's tables are made of: an object (`from`), further ones (`joins`), and an expression per
column.  Of several expressions the first counts whose columns all exist; a column without one is
absent.

Expressions are DuckDB's SQL over `object.column`, `let.name` (shared pieces) and these words:

* `as_time(c)`, `as_number(c)`, `as_flag(c)`: a column read as what it is, however it is written;
* `months(unit, count)`: the months of a billing interval;
* `minor_units(currency)`: how many of the smallest unit make one of the currency;
* `file_word('call', 'email')`: the first of some words that the file's name holds, else null.

To add a vendor, add a file; nothing else names it.

>>> presets()["zendesk"].vendor
'Zendesk'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from tenure.core.authored import read_mapping

Kind = Literal["own", "crm", "billing", "support", "product", "survey"]
KINDS: tuple[Kind, ...] = get_args(Kind)
FOLDER = Path(__file__).parent / "vendors"


@dataclass(frozen=True, slots=True)
class RawObject:
    """A table of a vendor's export."""

    name: str
    """What the preset calls it; its alias in SQL."""
    files: tuple[str, ...]
    """Words that the name of its file may hold."""
    needs: tuple[str, ...]
    """Columns without which a table is not this object."""
    columns: Mapping[str, tuple[str, ...]]
    """Column → its spellings."""
    many: bool = False
    """Whether several files may be this object at once (calls and meetings)."""
    latest: tuple[str, ...] = ()
    """Keys and time, where only the last row of each key is joined; empty for all."""
    newest: tuple[str, ...] = ()
    """Key and time of which, in a table called a history, the last row counts."""
    never: tuple[str, ...] = ()
    """Columns that a table which is this object does not have."""
    named: bool = False
    """Whether the file's name must hold one of the words, for the columns are everybody's."""


@dataclass(frozen=True, slots=True)
class Part:
    """Further rows of a table: the same as the table's own but for some columns."""

    columns: Mapping[str, tuple[str, ...]]
    """Columns that differ."""
    where: tuple[str, ...]
    """Which rows; the part is left out where none of these expressions can be had."""


@dataclass(frozen=True, slots=True)
class TableShape:
    """How a table of the contract is made of a vendor's objects."""

    table: str
    start: str
    """The object whose rows they are."""
    joins: Mapping[str, tuple[str, ...]]
    """Further object → conditions under which its row belongs to a row, the first that can be
    had."""
    account: tuple[str, ...]
    """The vendor's own id of the account; empty where rows carry none."""
    columns: Mapping[str, tuple[str, ...]]
    """Column of the contract → expressions."""
    lets: Mapping[str, tuple[str, ...]]
    """Shared piece → expressions."""
    where: tuple[str, ...] = ()
    """Which rows; all where none of these expressions can be had."""
    parts: tuple[Part, ...] = ()
    """Further rows."""
    lacks: tuple[str, ...] = ()
    """What such an export cannot tell, a sentence each."""


@dataclass(frozen=True, slots=True, eq=False)
class Preset:
    """A vendor's shape."""

    name: str
    """The name of its file."""
    vendor: str
    """What people call the vendor."""
    kind: Kind
    """What the system is for; which one is asked first depends on it."""
    version: int
    """Number of the declaration, which the config names."""
    about: str
    """Which exports it knows."""
    assumes: tuple[str, ...]
    """What it takes for granted."""
    objects: Mapping[str, RawObject]
    tables: tuple[TableShape, ...]
    """What they give."""
    account: tuple[str, str] | None
    """Object and column that hold the vendor's own accounts and their id, if exported."""
    people: Mapping[str, str]
    """Object → the column in it that holds the account of a person."""
    generic: bool = False
    """Whether its columns are everybody's words, so that any vendor's shape says more."""


def _texts(value: Any) -> tuple[str, ...]:
    """Return a text, or several, as a tuple."""
    if value is None:
        return ()
    items = value if isinstance(value, list) else [value]
    return tuple(str(item).strip() for item in items)


def _expressions(value: Any) -> dict[str, tuple[str, ...]]:
    return {name: _texts(item) for name, item in (value or {}).items()}


def _object(name: str, authored: Mapping[str, Any]) -> RawObject:
    columns = authored["columns"]
    listed = dict.fromkeys(columns) if isinstance(columns, list) else columns
    return RawObject(
        name,
        _texts(authored.get("files")),
        _texts(authored["needs"]),
        {column: (column, *_texts(spellings)) for column, spellings in listed.items()},
        bool(authored.get("many", False)),
        _texts(authored.get("latest")),
        _texts(authored.get("newest")),
        _texts(authored.get("never")),
        bool(authored.get("named", False)),
    )


def _shape(table: str, authored: Mapping[str, Any]) -> TableShape:
    parts = authored.get("parts") or []
    return TableShape(
        table=table,
        start=authored["from"],
        joins=_expressions(authored.get("joins")),
        account=_texts(authored.get("account")),
        columns=_expressions(authored["columns"]),
        lets=_expressions(authored.get("let")),
        where=_texts(authored.get("where")),
        parts=tuple(Part(_expressions(p["columns"]), _texts(p["where"])) for p in parts),
        lacks=_texts(authored.get("lacks")),
    )


def read_preset(path: Path) -> Preset:
    """Return the preset that a YAML file declares."""
    authored = read_mapping(path)
    shapes = [
        _shape(table, item)
        for table, entry in authored["tables"].items()
        for item in (entry if isinstance(entry, list) else [entry])
    ]
    holder = str(authored.get("account") or "").partition(".")
    return Preset(
        name=path.stem,
        vendor=authored["vendor"],
        kind=authored["kind"],
        version=authored["version"],
        about=authored["about"].strip(),
        assumes=_texts(authored.get("assumes")),
        objects={name: _object(name, item) for name, item in authored["objects"].items()},
        tables=tuple(shapes),
        account=(holder[0], holder[2]) if holder[0] else None,
        people=authored.get("people") or {},
        generic=bool(authored.get("generic", False)),
    )


@cache
def presets() -> Mapping[str, Preset]:
    """Return all presets by name."""
    return {path.stem: read_preset(path) for path in sorted(FOLDER.glob("*.yaml"))}
