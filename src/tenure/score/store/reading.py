"""The one way in which scores are read: some columns of those that meet conditions, in an order."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy import ColumnElement, Engine, Select, and_, bindparam, select

from tenure.score.store.encoding import BLOCK, unpacked_contributions
from tenure.score.store.schema import (
    BLOCKS,
    OUTCOMES,
    RUN_ACCOUNTS,
    RUN_MODELS,
    RUNS,
    SCORES,
    WORDINGS,
    of_same_model,
    of_same_score,
)

Row = tuple[Any, ...]
BASE = "base value"
"""What the contributions of a row start from, in log-odds."""
BY_PLACE = ("target", "horizon", "place")
"""The order of the scores of one run."""
MOST_NAMED = 5_000
"""Accounts that one statement names; of more, the others are left out after reading."""
EXPANSION, EARLIER = SCORES.alias("expansion"), SCORES.alias("earlier")
"""The score of expansion beside one of churn; that of the same account in the run `since`."""


def _of_account(table: Any) -> ColumnElement[bool]:
    names = ("account_id", "run_no")
    return and_(*(table.c[name] == SCORES.c[name] for name in names))


_BESIDE: dict[Any, ColumnElement[bool]] = {
    RUNS: RUNS.c.run_no == SCORES.c.run_no,
    RUN_MODELS: of_same_model(RUN_MODELS),
    RUN_ACCOUNTS: _of_account(RUN_ACCOUNTS),
    EXPANSION: and_(
        _of_account(EXPANSION),
        EXPANSION.c.target == "expansion",
        EXPANSION.c.horizon == SCORES.c.horizon,
    ),
    EARLIER: and_(
        EARLIER.c.account_id == SCORES.c.account_id,
        EARLIER.c.run_no == bindparam("since"),
        EARLIER.c.target == SCORES.c.target,
        EARLIER.c.horizon == SCORES.c.horizon,
    ),
    WORDINGS: WORDINGS.c.wording_no == SCORES.c.wording_no,
    BLOCKS: and_(of_same_model(BLOCKS), BLOCKS.c.block == SCORES.c.place // BLOCK),
    OUTCOMES: of_same_score(OUTCOMES),
}
"""Tables that say more of a score → the condition under which their row belongs to it."""
_TABLES = (OUTCOMES, BLOCKS, RUN_ACCOUNTS, RUN_MODELS, RUNS, SCORES)
COLUMNS: dict[str, Any] = {column.name: column for table in _TABLES for column in table.c}
"""What can be read of a score, by name."""
_TYPES: dict[type, Any] = {sa.Double: "float64", sa.DateTime: "datetime64[us]"}


def select_scores(columns: Sequence[ColumnElement[Any]], tables: Collection[Any]) -> Select[Any]:
    """Return a statement on scores, each with what stands in further tables.

    Only scores whose outcome is known have one; whatever else is missing is null.
    """
    source: Any = SCORES
    for table, condition in _BESIDE.items():
        if table in tables:
            source = source.join(table, condition, isouter=table is not OUTCOMES)
    return select(*columns).select_from(source)


@lru_cache(maxsize=256)
def _statement(
    names: tuple[str, ...], equal: tuple[str, ...], among: tuple[str, ...], order: tuple[str, ...]
) -> Select[Any]:
    tables = {COLUMNS[name].table for name in (*names, *equal, *among, *order)}
    statement = select_scores([COLUMNS[name] for name in names], tables)
    one = (COLUMNS[name] == bindparam(name) for name in equal)
    several = (COLUMNS[name].in_(bindparam(name, expanding=True)) for name in among)
    return statement.where(*one, *several).order_by(*(COLUMNS[name] for name in order))


def read(
    engine: Engine, names: Sequence[str], order: Sequence[str] = BY_PLACE, **where: Any
) -> list[Row]:
    """Return columns of scores.

    `names` are of `COLUMNS`, and so are those in `order`, which sort the rows; `where` is column →
    its value, or a collection of values, None where any will do.
    """
    one = {name: value for name, value in where.items() if value is not None}
    several = {name: list(one.pop(name)) for name in [*one] if not isinstance(one[name], _SINGLE)}
    wanted: set[str] = set()
    if len(several.get("account_id", ())) > MOST_NAMED:
        wanted = set(several.pop("account_id"))
    statement = _statement(tuple(names), tuple(one), tuple(several), tuple(order))
    with engine.connect() as connection:
        rows = list(map(tuple, connection.execute(statement, one | several).all()))
    if wanted:
        place = list(names).index("account_id")
        rows = [row for row in rows if row[place] in wanted]
    return rows


_SINGLE = (str, int)


def frame(rows: Sequence[Row], names: Sequence[str]) -> pd.DataFrame:
    """Return what was read as a table; by columns, for pandas looks long at rows of SQLAlchemy."""
    columns = zip(*rows, strict=True) if rows else ((),) * len(names)
    return pd.DataFrame(
        {
            name: pd.Series(list(values), dtype=_TYPES.get(type(COLUMNS[name].type)))
            for name, values in zip(names, columns, strict=True)
        }
    )


def read_contributions(
    engine: Engine, key: tuple[int, str, str], accounts: Iterable[str] | None
) -> pd.DataFrame | None:
    """Return contributions, see `ScoreStore.contributions`; None where there are no scores.

    `key` is the number of the run, target and horizon; `accounts` limits the rows.
    """
    with engine.connect() as connection:
        signals = connection.scalar(select(RUN_MODELS.c.signals).where(*_is(RUN_MODELS, key)))
        if signals is None:
            return None
        chosen = select(SCORES.c.place, SCORES.c.account_id).where(*_is(SCORES, key))
        if accounts is not None:
            chosen = chosen.where(SCORES.c.account_id.in_(list(accounts)))
        places = dict(connection.execute(chosen.order_by(SCORES.c.place)).all())
        numbers = sorted({place // BLOCK for place in places})
        blocks = select(BLOCKS.c.block, BLOCKS.c.contributions).where(*_is(BLOCKS, key))
        if accounts is not None:
            blocks = blocks.where(BLOCKS.c.block.in_(numbers))
        packed = dict(connection.execute(blocks).all())
    names = [*signals, BASE]
    values = {number: unpacked_contributions(packed[number], len(names)) for number in numbers}
    rows = [values[place // BLOCK][place % BLOCK] for place in places]
    index = pd.Index(places.values(), name="account_id", dtype="str")
    empty = np.empty((0, len(names)), dtype=np.float32)
    return pd.DataFrame(np.stack(rows) if rows else empty, index=index, columns=names)


def _is(table: Any, key: tuple[int, str, str]) -> list[ColumnElement[bool]]:
    """Return the conditions that hold for the rows of one run, target and horizon."""
    names = ("run_no", "target", "horizon")
    return [table.c[name] == value for name, value in zip(names, key, strict=True)]
