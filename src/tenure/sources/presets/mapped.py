"""From recognised tables to the mapping of each table of the contract."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import sqlglot

from tenure.engine import Engine
from tenure.sources.contract import SOURCES
from tenure.sources.layout import NO_OWNER
from tenure.sources.mapping import FORBIDDEN
from tenure.sources.presets import links
from tenure.sources.presets.candidates import Candidate, candidates, chosen
from tenure.sources.presets.declared import Preset
from tenure.sources.presets.queries import AccountSql, Query, account_sql, queries
from tenure.sources.presets.raw_tables import RawColumn
from tenure.sources.presets.recognise import Match
from tenure.sources.presets.times import TimeForms


@dataclass(frozen=True)
class MappedTable:
    """A table of the contract, and how the config maps it."""

    name: str
    presets: tuple[Preset, ...]
    """Where it comes from."""
    provided: tuple[str, ...] = ()
    """Columns of the contract that it has."""
    path: str | None = None
    """The file, where a table is mapped column by column."""
    connection: str | None = None
    """The connection in its place."""
    table: str | None = None
    """The table in a DuckDB file or of a connection."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Column of the contract → column or SQL."""
    formats: Mapping[str, str] = field(default_factory=dict)
    """Column → format of its times."""
    sql: str | None = None
    """The query, where it is one."""
    notes: tuple[str, ...] = ()
    """What to know about it, a sentence each."""
    left_out: str = ""
    """Why it cannot be used; empty where it can."""


@dataclass(frozen=True)
class Accounts:
    """The table that gives the accounts' ids."""

    match: Match
    preset: Preset
    keys: tuple[links.Key, ...]
    """Values that may identify an account, its own id first."""


@dataclass(frozen=True)
class Piece:
    """The rows that one vendor's table gives."""

    candidate: Candidate
    """The way they are made."""
    account: AccountSql | None = None
    """How they find their account; None for accounts themselves."""
    link: links.Link | None = None
    """The columns in which their system meets that of the accounts, where it is another."""
    own_id: links.Key | None = None
    """The accounts' own id."""
    note: str = ""
    """How two systems meet in it."""
    problem: str = ""
    """Why they cannot be used."""


def map_tables(
    matches: Sequence[Match], forms: TimeForms, engine: Engine
) -> tuple[list[MappedTable], list[str]]:
    """Return how each table of the contract is mapped, and what is not used of the rest.

    `matches` say what the tables of the folder are, `forms` how their times are written.
    """
    every = list(candidates(matches, forms))
    tables = chosen(every)
    used = {id(item) for items in tables.values() for item in items}
    rest = [
        f"{item.start.raw.label} gives {item.shape.table} too: "
        f"those of {tables[item.shape.table][0].preset.vendor} are used"
        for item in every
        if id(item) not in used
        and item.start.raw not in [other.start.raw for other in tables[item.shape.table]]
    ]
    accounts = _accounts(tables)
    if accounts:
        links.keep_accounts(accounts.keys, engine)
    mapped = []
    for name in SOURCES:
        if name in tables:
            pieces = [_piece(item, accounts, engine) for item in tables[name]]
            mapped.append(_mapped(name, pieces))
    if "accounts" not in tables and "subscriptions" in tables:
        mapped.insert(0, _payers(tables["subscriptions"][0]))
    return mapped, list(dict.fromkeys(rest))


def _accounts(tables: Mapping[str, list[Candidate]]) -> Accounts | None:
    """Return what identifies accounts: the accounts table, else that of the subscriptions."""
    if "accounts" not in tables:
        return _paying(tables["subscriptions"][0]) if "subscriptions" in tables else None
    candidate = tables["accounts"][0]
    start, sql = candidate.start, candidate.columns["account_id"]
    name = next((name for name, column in start.columns.items() if column == sql.column), None)
    if name is None:
        return None
    keys = links.keys_of(start, name)
    keys.sort(key=lambda key: (key.column != sql.column, key.domain))
    for person, holder in candidate.preset.people.items():
        match = candidate.scope.objects.get(person)
        if match and holder in match.columns:
            keys += links.keys_of(match, holder)
    return Accounts(start, candidate.preset, tuple(keys))


def _paying(candidate: Candidate) -> Accounts | None:
    column = candidate.account.column if candidate.account else None
    if column is None:
        return None
    key = links.Key(candidate.start.raw, column, column)
    return Accounts(candidate.start, candidate.preset, (key,))


def _piece(candidate: Candidate, accounts: Accounts | None, engine: Engine) -> Piece:
    if candidate.shape.table in NO_OWNER:
        return Piece(candidate)
    own = candidate.account
    direct = AccountSql(own.text, own.objects) if own else AccountSql("NULL")
    if accounts is None:
        return Piece(candidate, direct, problem="" if own else "it has no column with an account")
    for keys in _tried(candidate):
        if link := links.best_link(keys, accounts.keys, engine):
            sql = account_sql(candidate, link, accounts.keys[0])
            same = candidate.preset is accounts.preset and link.row_key.own
            note = "" if same else _met(link, accounts)
            return Piece(candidate, sql, link, accounts.keys[0], note)
    if candidate.preset is accounts.preset and own:
        return Piece(candidate, direct)
    return Piece(candidate, problem=_unmet(candidate, accounts, engine))


def _tried(candidate: Candidate) -> Iterator[list[links.Key]]:
    """Yield what may identify the account of a row: its id, its system's accounts, the row."""
    start = candidate.start
    if key := _own_key(candidate):
        yield [key]
        holder = candidate.preset.account
        match = candidate.scope.objects.get(holder[0]) if holder else None
        if holder and match and holder[1] in match.columns:
            yield links.keys_of(match, holder[1])
    keys = links.keys_of(start, next(iter(start.columns)))
    yield [replace(key, account=key.column) for key in keys]


def _own_key(candidate: Candidate) -> links.Key | None:
    """Return the vendor's own id of the account: a column, or an expression over one table."""
    own, scope = candidate.account, candidate.scope
    if own is None:
        return None
    if own.column is not None:
        (name,) = own.objects
        return links.Key(scope.objects[name].raw, own.column, own.column, own=True)
    bare = candidate.bare().account
    if len(own.objects) == 1 and bare is not None:
        (name,) = own.objects
        column = RawColumn(bare.text, bare.text, "VARCHAR")
        return links.Key(scope.objects[name].raw, column, column, own=True)
    columns = re.findall(rf"\b{candidate.shape.start}\.(\w+)", " ".join(candidate.shape.account))
    known = candidate.start.columns
    first = next((known[name] for name in columns if name in known), None)
    return links.Key(candidate.start.raw, first, first, own=True) if first else None


def _met(link: links.Link, accounts: Accounts) -> str:
    row_key, account_key = link.row_key, link.account_key
    what = "the domain in " if row_key.domain else ""
    return (
        f"{link.share:.0%} of its {link.values:,} ids meet those of {accounts.preset.vendor}: "
        f"{what}`{row_key.column.name}` of {row_key.raw.label} is `{account_key.column.name}` of "
        f"{account_key.raw.label}"
    )


def _unmet(candidate: Candidate, accounts: Accounts, engine: Engine) -> str:
    own, account_key = _own_key(candidate), accounts.keys[0]
    sides = [key for key in (own, account_key) if key]
    shown = [
        f"`{key.column.name}` of {key.raw.label} is {links.samples(key, engine)}" for key in sides
    ]
    if own is None:
        shown.insert(0, f"{candidate.start.raw.label} has no column with an account")
    return (
        f"its ids do not meet those of the accounts: {'; '.join(shown)}. Export a column with the "
        "id of the other system, or write the join"
    )


def _mapped(name: str, pieces: Sequence[Piece]) -> MappedTable:
    """Return the mapping of a table that is made of some pieces."""
    usable = [piece for piece in pieces if not piece.problem]
    presets = tuple(dict.fromkeys(piece.candidate.preset for piece in usable or pieces))
    problems = [f"{p.candidate.start.raw.label}: {p.problem}" for p in pieces if p.problem]
    if not usable:
        return MappedTable(name, presets, left_out="; ".join(problems))
    notes = [piece.note for piece in usable if piece.note]
    notes += [text for piece in usable for text in piece.candidate.shape.lacks]
    notes += [f"left out: {problem}" for problem in problems]
    selects = [query for p in usable for query in queries(p.candidate, p.account)]
    provided = tuple(dict.fromkeys(column for query in selects for column in query.columns))
    table = MappedTable(name, presets, provided, notes=tuple(dict.fromkeys(notes)))
    raw = usable[0].candidate.start.raw
    if len(selects) == 1 and _simple(selects[0]) and not raw.json:
        return _by_column(table, usable[0])
    sql = "\nUNION ALL BY NAME\n".join(query.text() for query in selects)
    return replace(table, sql=sql)


def _simple(query: Query) -> bool:
    """Return whether a table can be mapped column by column, without a query."""
    if query.joins or query.where or query.pieces or query.source.startswith("("):
        return False
    trees = [sqlglot.parse_one(sql, read="duckdb") for sql in query.columns.values()]
    return not any(tree.find(*kinds) for tree in trees for kinds, _ in FORBIDDEN)


def _by_column(table: MappedTable, piece: Piece) -> MappedTable:
    """Return a mapping column by column; what has the contract's name already is not listed."""
    bare, raw = piece.candidate.bare(), piece.candidate.start.raw
    source = SOURCES[table.name]
    texts: dict[str, str] = {}
    formats: dict[str, str] = {}
    columns = {name: (sql.column, sql.text) for name, sql in bare.columns.items()}
    if piece.account:
        sql, column = _bare_account(bare, piece)
        columns = {"account_id": (column, sql.text)} | columns
    for name, (column, text) in columns.items():
        plain = column is not None and column.of() == text and "." not in text
        texts[name] = column.name if plain and column and column in raw.columns else text
        kind = source.column(name)
        is_time = name == "known_at" or (kind is not None and kind.kind == "time")
        if column and is_time and (form := bare.scope.forms.form(raw, column)):
            formats[name] = form
    if raw.connection:
        mapped = replace(table, connection=raw.place, table=raw.in_database)
    else:
        mapped = replace(table, path=raw.place, table=raw.table)
    return replace(mapped, columns=texts, formats=formats)


def _bare_account(bare: Candidate, piece: Piece) -> tuple[AccountSql, RawColumn | None]:
    """Return SQL of the account's id without the name of the table, and its column, if one."""
    own, link = bare.account, piece.link
    if link is not None and piece.own_id is not None:
        sql = account_sql(bare, link, piece.own_id)
        column = None if link.row_key.domain else link.row_key.column
        return sql, column
    return AccountSql(own.text if own else "NULL"), own.column if own else None


def _payers(candidate: Candidate) -> MappedTable:
    """Return accounts made of who has subscriptions, where nothing else lists them."""
    raw, own = candidate.start.raw, candidate.account
    if own is None or own.objects != {candidate.shape.start}:
        return MappedTable(
            "accounts", (candidate.preset,), left_out="no file lists the accounts: add one"
        )
    sql = f"SELECT DISTINCT {own.text} AS account_id\nFROM {raw.source} AS {candidate.shape.start}"
    note = "no file lists the accounts: they are those with a subscription"
    return MappedTable("accounts", (candidate.preset,), ("account_id",), sql=sql, notes=(note,))
