"""Counts of staged rows by reason and remarks, for all tables by one GROUP BY each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tenure.core.errors import Problem
from tenure.core.steps import quote
from tenure.engine import Engine
from tenure.sources import coerce, id_hints, time_formats
from tenure.sources.contract import SAYS_BY_EMPTINESS, filling
from tenure.sources.quality import unread
from tenure.sources.staging_sql import Layout
from tenure.sources.wording import WORDINGS

WRONG_TIME_SHARE = 0.05
WRONG_VALUE_SHARE = 0.5


@dataclass
class Counts:
    """Counts of one staged table."""

    rows: int = 0
    used: int = 0
    """Rows without a reason against them."""
    rejected: Counter[str] = field(default_factory=Counter)
    """Rows by reason."""
    unread: Counter[str] = field(default_factory=Counter)
    """Unreadable values by column, over all rows."""
    remarks: Counter[int] = field(default_factory=Counter)
    """Used rows by number of the remark."""
    last: datetime | None = None
    """Latest event time of a used row."""

    def reasons(self) -> dict[str, int]:
        """Return rejected rows by reason, most frequent first."""
        return dict(sorted(self.rejected.items(), key=lambda item: (-item[1], item[0])))

    def emptied(self, layout: Layout) -> dict[str, dict[str, int]]:
        """Return the values that were emptied, by column and reason."""
        values: dict[str, dict[str, int]] = {}
        for place, bit in enumerate(layout.bits):
            if bit.kind in ("unread", "empty") and self.remarks[place]:
                values.setdefault(bit.column, {})[bit.code] = self.remarks[place]
        return values

    def without_values(self, layout: Layout) -> list[str]:
        """Return the optional columns that hold no value in any used row."""
        return [
            bit.column
            for place, bit in enumerate(layout.bits)
            if bit.kind == "present"
            and not self.remarks[place]
            and (layout.source.name, bit.column) not in SAYS_BY_EMPTINESS
        ]


def count(
    layouts: Iterable[Layout], engine: Engine, tallied: Collection[str] = ()
) -> dict[str, Counts]:
    """Return the counts of staged tables, of some from their tally, by one query over all."""
    by_name = {layout.source.name: layout for layout in layouts}
    selects = [
        f"SELECT '{name}' AS name, _reason, _flags, _n AS n, _last AS last "
        f"FROM {quote(layout.tally)}"
        if name in tallied
        else f"SELECT '{name}' AS name, _reason, _flags, count(*) AS n, "
        f"max({layout.event_time()}) AS last FROM {quote(layout.staged)} GROUP BY ALL"
        for name, layout in by_name.items()
    ]
    counted = {name: Counts() for name in by_name}
    for row in engine.fetch(" UNION ALL ".join(selects)).to_pylist():
        _add(counted[row["name"]], by_name[row["name"]], row)
    return counted


def _add(counts: Counts, layout: Layout, row: dict[str, Any]) -> None:
    reason, flags, rows, last = row["_reason"], row["_flags"], row["n"], row["last"]
    counts.rows += rows
    places = [place for place in range(len(layout.bits)) if flags >> place & 1]
    for place in places:
        if layout.bits[place].kind == "unread":
            counts.unread[layout.bits[place].column] += rows
    if reason:
        counts.rejected[layout.every_reason[reason - 1].code] += rows
        return
    counts.used += rows
    counts.remarks.update(dict.fromkeys(places, rows))
    counts.last = max(counts.last or last, last)


def unreadable(
    layout: Layout, counts: Counts, engine: Engine, *, some: bool = False
) -> list[Problem]:
    """Return a problem for each column with so many unreadable values that it is no slip.

    Rows with fewer are rejected or emptied one by one.

    Args:
        layout: The table.
        counts: How many rows have which fault.
        engine: Where it stands.
        some: Whether a column is fine of which some values can be read, however few.
    """
    problems = []
    for name, rows in counts.unread.items():
        kind, sql_type = layout.columns[name], layout.types[name]
        if (layout.source.name, name) in WORDINGS:
            continue
        has_value = layout.has_value(name)
        form = layout.formats.get(name)
        value = coerce.coerce(quote(name), sql_type, kind, form=form, zone=layout.zone)
        row = engine.row(
            f"SELECT count(*) AS filled, min(CAST({quote(name)} AS VARCHAR)) "
            f"FILTER ({value} IS NULL) AS sample FROM {quote(layout.raw)} WHERE {has_value}"
        )
        limit = WRONG_TIME_SHARE if kind == "time" else WRONG_VALUE_SHARE
        share = rows / max(row["filled"], 1)
        if share >= 1 or (share > limit and not some):
            problems.append(_unreadable(layout, name, row["sample"], share, engine))
    return problems


def _unreadable(layout: Layout, name: str, sample: str, share: float, engine: Engine) -> Problem:
    thing = f"{layout.source.name}.{name}"
    many = f"{share:.0%} of its values" if share < 1 else "none of its values"
    if layout.columns[name] != "time":
        kind = coerce.KINDS[layout.columns[name]]
        rule = f"must be {kind}; {many} {'is' if share == 1 else 'are not'} one"
        return Problem(thing, rule, sample, "map an expression that gives one, or another column")
    form = layout.formats.get(name, "iso")
    read = "ISO 8601 dates or times" if form == "iso" else f"times of the format {form}"
    some = f"{share:.0%} of its values are not" if share < 1 else "its values are not"
    return Problem(thing, f"{some} {read}", *time_formats.advice(layout, name, engine))


def unusable(layout: Layout, counts: Counts, engine: Engine) -> list[Problem]:
    """Return why no row of a table can be used; nothing where some can."""
    name = layout.source.name
    if not counts.rows:
        return [Problem(name, "the table is empty", fix=filling(name))]
    if counts.used:
        return []
    code, rows = next(iter(counts.reasons().items()))
    reason = next(item for item in layout.every_reason if item.code == code)
    if code == "unknown_account":
        own = _samples(engine, f"FROM {quote(layout.staged)}", name)
        known = _samples(engine, layout.accounts, "accounts")
        if known.endswith(" "):  # no id at all: the problem is that of accounts alone
            return []
        differ = id_hints.difference(layout, engine)
        fix = differ or "map the column that holds the ids of the accounts table"
        return [
            Problem(
                f"{name}.account_id", "no row belongs to a known account", f"{own}; {known}", fix
            )
        ]
    column = code.removeprefix("missing_")
    if code.startswith("missing_") and rows == counts.rows:
        thing = f"{name}.{column}" if column in layout.columns else name
        fix = f"map another column under data.tables.{name}.columns"
        return [Problem(thing, "a required column has no value in any row", fix=fix)]
    rejected = ", ".join(f"{reason} {rows}" for reason, rows in counts.reasons().items())
    fix = reason.fix or "see the rejected rows' reasons"
    column = code.removeprefix("unread_")
    if code.startswith("unread_") and (name, column) in WORDINGS:
        fix = f"{unread.unknown_words(layout, column, engine)}; {fix}"
    return [Problem(name, f"no row can be used: {reason.rule}", f"rejected: {rejected}", fix)]


def _samples(engine: Engine, select: str | None, name: str) -> str:
    sql = f"SELECT DISTINCT account_id FROM ({select}) ORDER BY 1 LIMIT 2"
    ids = [str(item) for item in engine.fetch(sql).column(0).to_pylist() if item is not None]
    return f"{name} has {', '.join(ids)}"
