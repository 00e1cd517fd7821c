"""How the ids of one system meet those of another: by what the exports themselves carry.

The accounts table of one system gives the ids.  A table of another system belongs to it where a
value of its rows, or of its own accounts (an external id, metadata, a domain), stands in a column
of that accounts table, or in one of its people's (an e-mail address).  The pair of columns in
which most values meet is taken, if at least half do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tenure.core.steps import Step, quote
from tenure.engine import Engine
from tenure.sources import coerce
from tenure.sources.presets.raw_tables import RawColumn, RawTable
from tenure.sources.presets.recognise import Match
from tenure.sources.words import NOTHING

ENOUGH = 0.5
"""Share of the values of a column that must meet."""
_CLEAR = 0.9
"""Share of the values on the side of the accounts that must mean one account."""
_ROWS = 200_000
"""Rows of a table that are looked at."""
_ACCOUNTS = "_account_keys"
_COUNTER = 1_000_000
"""Whole numbers below this may be mere counters, which meet by chance."""
_SAYS = re.compile(
    r"account|company|customer|client|organi[sz]ation|external|tenant|workspace|group"
)
_DOMAINS = re.compile(r"domain|website|web site|e-?mail|url")


@dataclass(frozen=True)
class Key:
    """A value that may identify an account."""

    raw: RawTable
    column: RawColumn
    account: RawColumn
    """The column with the account's id of the same row."""
    domain: bool = False
    """Whether the domain in the value counts, not the value."""
    own: bool = False
    """Whether it is the id by which the vendor itself names the account of a row."""

    def sql(self, alias: str = "") -> str:
        """Return SQL of the value."""
        value = self.column.of(alias)
        if not self.domain:
            return value if _is_text(self.column) else f"CAST({value} AS VARCHAR)"
        return domain(value)


@dataclass(frozen=True)
class Link:
    """A pair of columns in which two systems meet."""

    row_key: Key
    """The value on the side of the rows."""
    account_key: Key
    """The value on the side of the accounts."""
    share: float
    """Share of the different values of the rows that meet."""
    values: int
    """How many those are."""
    single: bool
    """Whether each value on the side of the accounts has one row."""


def domain(value: str) -> str:
    """Return SQL of the domain in an e-mail address or a web address."""
    return (
        f"nullif(lower(regexp_extract({value}, "
        r"'^(?:[a-z]+://)?(?:[^@/]*@)?(?:www[.])?([^/:?]+[.][^/:?]+)', 1)), '')"
    )


def keys_of(match: Match, account: str) -> list[Key]:
    """Return the values of an object's rows that may identify the account in one of its columns."""
    holder = match.columns[account]
    return [
        Key(match.raw, column, holder, is_domain)
        for column in match.raw.columns
        for is_domain in _ways(column)
    ]


def _ways(column: RawColumn) -> Iterator[bool]:
    family = coerce.base_type(column.type)
    if family == "VARCHAR" or (coerce.is_number(column.type) and family not in ("FLOAT", "DOUBLE")):
        yield False
    if family == "VARCHAR" and _DOMAINS.search(column.name.lower()):
        yield True


def best_link(row_keys: Sequence[Key], account_keys: Sequence[Key], engine: Engine) -> Link | None:
    """Return the pair of keys in which most values meet, None where too few do.

    The values of accounts are those that `keep_accounts` has made known in the engine.
    """
    if not row_keys:
        return None
    _values("_row_keys", row_keys, engine)
    rows = engine.fetch(
        "WITH h AS (SELECT key, count(*) AS n FROM _row_keys GROUP BY key), "
        "t AS (SELECT key, count(*) FILTER (accounts = 1) / count(*) AS clear, "
        f"bool_and(rows = 1) AS single FROM {_ACCOUNTS} GROUP BY key), "
        "pairs AS (SELECT a.key AS row_key, b.key AS account_key, count(*) AS met, count(*) FILTER "
        f"(coalesce(TRY_CAST(a.value AS BIGINT) < {_COUNTER}, false)) AS counters "
        f"FROM _row_keys AS a JOIN {_ACCOUNTS} AS b ON a.value = b.value GROUP BY 1, 2) "
        "SELECT row_key, account_key, met, counters, h.n AS values, single FROM pairs "
        f"JOIN h ON h.key = row_key JOIN t ON t.key = account_key WHERE clear >= {_CLEAR} "
        "ORDER BY met / h.n DESC, row_key, account_key"
    ).to_pylist()
    engine.drop("_row_keys")
    rows.sort(
        key=lambda row: _rank(row, row_keys[row["row_key"]], account_keys[row["account_key"]])
    )
    for row in rows:
        pair = row_keys[row["row_key"]], account_keys[row["account_key"]]
        chance = row["counters"] == row["met"] and not _meant(*pair)
        if row["met"] >= max(ENOUGH * row["values"], min(2, row["values"])) and not chance:
            return Link(*pair, row["met"] / row["values"], row["values"], row["single"])
    return None


def _rank(row: dict[str, Any], row_key: Key, account_key: Key) -> tuple[float, int]:
    """Return by what pairs are ordered: values that meet, in tenths, then ids before names."""
    kind = row_key.domain + account_key.domain
    if any("name" in key.column.name.lower() and not key.domain for key in (row_key, account_key)):
        kind = 3
    return -round(10 * row["met"] / row["values"]), kind


def _values(name: str, keys: Sequence[Key], engine: Engine) -> None:
    """Make the different values of keys known, with the accounts and the rows that have each."""
    selects = []
    for place, raw in enumerate(dict.fromkeys(key.raw.relation for key in keys)):
        rows = f"{name}_{place}"
        own = {number: key for number, key in enumerate(keys) if key.raw.relation == raw}
        items = ", ".join(
            f"trim({key.sql()}) AS v{number}, CAST({key.account.of()} AS VARCHAR) AS a{number}"
            for number, key in own.items()
        )
        # One pass over the file, however many columns it has.
        engine.run([Step(rows, f"SELECT {items} FROM {quote(raw)} LIMIT {_ROWS}")])
        selects += [
            f"SELECT {number} AS key, v{number} AS value, count(DISTINCT a{number}) AS accounts, "
            f"count(*) AS rows FROM {rows} WHERE lower(v{number}) NOT IN {coerce.listed(NOTHING)} "
            f"AND a{number} IS NOT NULL GROUP BY ALL"
            for number in own
        ]
    engine.run([Step(name, " UNION ALL ".join(selects))])
    engine.drop(*(f"{name}_{place}" for place in range(len({key.raw.relation for key in keys}))))


def keep_accounts(keys: Sequence[Key], engine: Engine) -> None:
    """Make the values known by which accounts are found, for `best_link`."""
    _values(_ACCOUNTS, keys, engine)


def _meant(row_key: Key, account_key: Key) -> bool:
    """Return whether names say that small numbers in two columns are one thing."""
    names = (row_key.column.name.lower(), account_key.column.name.lower())
    alike = names[0] == names[1] and names[0] != "id"
    return alike or any(_SAYS.search(name) for name in names)


def samples(key: Key, engine: Engine) -> str:
    """Return three values of a key, for a sentence."""
    rows = engine.fetch(
        f"SELECT DISTINCT {key.sql()} AS v FROM {quote(key.raw.relation)} "
        f"WHERE {key.sql()} IS NOT NULL ORDER BY v LIMIT 3"
    )
    return ", ".join(str(value) for value in rows.column(0).to_pylist())


def _is_text(column: RawColumn) -> bool:
    return coerce.base_type(column.type) == "VARCHAR"
