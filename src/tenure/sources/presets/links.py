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
from typing import TYPE_CHECKING, Any

from tenure.core.steps import Step, quote
from tenure.sources import coerce
from tenure.sources.presets.raw_tables import RawColumn, RawTable
from tenure.sources.presets.recognise import Match
from tenure.sources.words import NOTHING

if TYPE_CHECKING:
    from tenure.engine import Engine

ENOUGH = 0.5
"""Share of the values of a column that must meet."""
_CLEAR = 0.9
"""Share of the values on the side of the accounts that must mean one account."""
_ROWS = 200_000
"""Rows of a table that are looked at."""
_COUNTER = 1_000_000
"""Whole numbers below this may be mere counters, which meet by chance."""
_SAYS = re.compile(
    r"account|company|customer|client|organi[sz]ation|external|tenant|workspace|group"
)
_DOMAINS = re.compile(r"domain|website|web site|e-?mail|url")


@dataclass(frozen=True)
class Key:
    """A value that may identify an account.

    Attributes:
        raw: The table.
        column: The column.
        account: The column with the account's id of the same row.
        domain: Whether the domain in the value counts, not the value.
    """

    raw: RawTable
    column: RawColumn
    account: RawColumn
    domain: bool = False

    def sql(self, alias: str = "") -> str:
        """Return SQL of the value."""
        value = self.column.of(alias)
        if not self.domain:
            return value if _is_text(self.column) else f"CAST({value} AS VARCHAR)"
        return domain(value)


@dataclass(frozen=True)
class Link:
    """A pair of columns in which two systems meet.

    Attributes:
        here: The value on the side of the rows.
        there: The value on the side of the accounts.
        share: Share of the different values of the rows that meet.
        values: How many those are.
        single: Whether each value on the side of the accounts has one row.
    """

    here: Key
    there: Key
    share: float
    values: int
    single: bool


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


def best_link(here: Sequence[Key], there: Sequence[Key], engine: Engine) -> Link | None:
    """Return the pair of keys in which most values meet, None where too few do."""
    if not here or not there:
        return None
    _values("_here", here, engine)
    _values("_there", there, engine)
    rows = engine.fetch(
        "WITH h AS (SELECT key, count(*) AS n FROM _here GROUP BY key), "
        "t AS (SELECT key, count(*) FILTER (accounts = 1) / count(*) AS clear, "
        "bool_and(rows = 1) AS single FROM _there GROUP BY key), "
        "pairs AS (SELECT a.key AS here, b.key AS there, count(*) AS met, count(*) FILTER "
        f"(coalesce(TRY_CAST(a.value AS BIGINT) < {_COUNTER}, false)) AS counters "
        "FROM _here AS a JOIN _there AS b ON a.value = b.value GROUP BY 1, 2) "
        "SELECT here, there, met, counters, h.n AS values, single FROM pairs "
        f"JOIN h ON h.key = here JOIN t ON t.key = there WHERE clear >= {_CLEAR} "
        "ORDER BY met / h.n DESC, here, there"
    ).to_pylist()
    engine.drop("_here", "_there")
    rows.sort(key=lambda row: _rank(row, here[row["here"]], there[row["there"]]))
    for row in rows:
        pair = here[row["here"]], there[row["there"]]
        chance = row["counters"] == row["met"] and not _meant(*pair)
        if row["met"] >= max(ENOUGH * row["values"], min(2, row["values"])) and not chance:
            return Link(*pair, row["met"] / row["values"], row["values"], row["single"])
    return None


def _rank(row: dict[str, Any], here: Key, there: Key) -> tuple[float, int]:
    """Return by what pairs are ordered: values that meet, in tenths, then ids before names."""
    kind = here.domain + there.domain
    if any("name" in key.column.name.lower() and not key.domain for key in (here, there)):
        kind = 3
    return -round(10 * row["met"] / row["values"]), kind


def _values(name: str, keys: Sequence[Key], engine: Engine) -> None:
    """Make the different values of keys known, with the accounts and the rows that have each."""
    selects = []
    for number, key in enumerate(keys):
        inner = f"SELECT * FROM {quote(key.raw.relation)} LIMIT {_ROWS}"
        account = f"CAST({key.account.of()} AS VARCHAR)"
        selects.append(
            f"SELECT {number} AS key, value, count(DISTINCT account) AS accounts, "
            f"count(*) AS rows FROM (SELECT trim({key.sql()}) AS value, {account} AS account "
            f"FROM ({inner})) WHERE lower(value) NOT IN {coerce.listed(NOTHING)} "
            "AND account IS NOT NULL GROUP BY value"
        )
    engine.run([Step(name, " UNION ALL ".join(selects))])


def _meant(here: Key, there: Key) -> bool:
    """Return whether names say that small numbers in two columns are one thing."""
    names = (here.column.name.lower(), there.column.name.lower())
    alike = names[0] == names[1] and names[0] != "id"
    return alike or any(_SAYS.search(name) for name in names)


def samples(key: Key, engine: Engine, number: int = 3) -> str:
    """Return some values of a key, for a sentence."""
    rows = engine.fetch(
        f"SELECT DISTINCT {key.sql()} AS v FROM {quote(key.raw.relation)} "
        f"WHERE {key.sql()} IS NOT NULL ORDER BY v LIMIT {number}"
    )
    return ", ".join(str(value) for value in rows.column(0).to_pylist())


def _is_text(column: RawColumn) -> bool:
    return coerce.base_type(column.type) == "VARCHAR"
