"""The book of a run: its accounts, filtered, sorted and paged by the database, and their totals."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields, replace
from datetime import timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
)

from tenure.core.flat_row import MAIN
from tenure.score.abstain import NOTICE
from tenure.score.store.book_records import (
    DUE_DAYS,
    FIRST_PAGE,
    BookFilter,
    BookQuery,
    BookRow,
    BookTotals,
    Choices,
)
from tenure.score.store.reading import COLUMNS, EARLIER, EXPANSION, select_scores
from tenure.score.store.schema import BLOCKS, RUN_ACCOUNTS, RUN_MODELS, SCORES, WORDINGS
from tenure.score.store.store import ScoreStore, StoredRun

MOST_OWNERS, MOST_NAMED = 500, 1_000
ALIKE, MOST_ALIKE = 1.5, 5
"""Times an account's MRR that one like it may pay at most, or at least as its inverse; how many."""
REMEMBERED = 256
"""Totals that are remembered: those of a complete run never change."""

_S, _A, _W, _E, _P = SCORES, RUN_ACCOUNTS, WORDINGS, EXPANSION, EARLIER
_NAME = func.coalesce(_A.c.name, _S.c.account_id)
_CHANGE = _S.c.probability - _P.c.probability
_BAND = case({"high": 3, "medium": 2, "low": 1}, value=_S.c.band)
_SORTED: Mapping[str, tuple[ColumnElement[Any], tuple[Any, ...]]] = {
    "account": (func.lower(_NAME), (_A,)),
    "account_id": (_S.c.account_id, ()),
    "owner": (func.lower(_A.c.owner), (_A,)),
    "segment": (func.lower(_A.c.segment), (_A,)),
    "plan": (func.lower(_A.c.plan), (_A,)),
    "mrr": (_S.c.mrr, ()),
    "probability": (_S.c.probability, ()),
    "change": (_CHANGE, (_P,)),
    "move": (func.abs(_CHANGE), (_P,)),
    "band": (_BAND, ()),
    "amount_at_risk": (_S.c.amount_at_risk, ()),
    "reason": (_W.c.label, (_W,)),
    "renews_at": (_S.c.renews_at, ()),
    "notice_by": (_A.c.notice_by, (_A,)),
    "expansion_probability": (_E.c.probability, (_E,)),
    "expected_amount": (_E.c.expected_amount, (_E,)),
}
"""What a book may be sorted by → the column, and the tables that it needs beside the scores."""
SORTS = tuple(_SORTED)


class Books:
    """The books of a project's runs, under one horizon.

    Args:
        store: The store.
        horizon: A number of days, as text, or ``renewal``.
    """

    def __init__(self, store: ScoreStore, horizon: str) -> None:
        self.store, self.horizon = store, horizon
        self.totals = lru_cache(REMEMBERED)(self._totals)
        self.choices = lru_cache(8)(self._choices)

    def rows(self, run: StoredRun, query: BookQuery = FIRST_PAGE) -> list[BookRow]:
        """Return a page of the book of a run."""
        values = self._of(run) | {"since": query.since.number if query.since else -1}
        named: Sequence[str] = query.where.accounts
        with self.store.engine.connect() as connection:
            if query.limit is None or query.limit > MOST_NAMED:
                statement = _sorted(_READ, run, query, _BESIDE)
            else:
                if not 0 < len(named) <= query.limit or query != _of_named(named, query.since):
                    page = _sorted((_S.c.account_id,), run, query)
                    named = connection.scalars(page, values).all()
                values |= {"accounts": named}
                statement = _OF_NAMED
            rows = connection.execute(statement, values).all()
        if statement is _OF_NAMED:
            order = {account: place for place, account in enumerate(named)}
            rows = sorted(rows, key=lambda row: order[row.account_id])
        drivers = self.store.unpacked([(place, data) for *_, place, data in rows])
        return [
            BookRow(*(*values[: -len(_BEHIND)], self._reason(values[-len(_BEHIND)], own)))
            for values, own in zip(map(tuple, rows), drivers, strict=True)
        ]

    def _reason(self, wording: int | None, drivers: list[dict[str, Any]]) -> dict[str, Any] | None:
        """Return the driver that a row is sorted and filtered by; older runs name none."""
        code = self.store.code(wording) if wording is not None else None
        return next(
            (one for one in drivers if one["code"] == code), drivers[0] if drivers else None
        )

    def alike(self, run: StoredRun, row: BookRow, among: BookFilter) -> list[BookRow]:
        """Return other accounts of the segment and currency of a row, of the nearest MRR first."""
        mrr = row.mrr or 0.0
        where = replace(among, segment=row.segment or among.segment)
        near = _narrowed((_S.c.account_id,), run, where).where(
            _S.c.account_id != row.account_id,
            _S.c.currency == row.currency,
            _S.c.mrr.between(mrr / ALIKE, mrr * ALIKE),
        )
        near = near.order_by(func.abs(_S.c.mrr - mrr), _S.c.account_id).limit(MOST_ALIKE)
        with self.store.engine.connect() as connection:
            accounts = connection.scalars(near, self._of(run)).all()
        return self.rows(run, _of_named(accounts)) if accounts else []

    def _totals(self, run: StoredRun, where: BookFilter) -> tuple[BookTotals, ...]:
        """Return what the accounts of a run add up to, by currency: the largest MRR first."""
        statement = _narrowed((_S.c.currency, *_sums(run)), run, where)
        with self.store.engine.connect() as connection:
            rows = connection.execute(statement.group_by(_S.c.currency), self._of(run)).all()
        totals = [BookTotals(row[0], *(value or 0 for value in row[1:])) for row in rows]
        return tuple(sorted(totals, key=lambda item: (-item.mrr, item.currency or "")))

    def _choices(self, run: StoredRun) -> Choices:
        """Return what the book of a run can be filtered by."""
        named = (_W.c.code, func.min(_W.c.label), func.count())
        reasons = _mine(named, (_W,)).where(_W.c.code.is_not(None))
        with self.store.engine.connect() as connection:
            owners, segments = (
                _counted(connection, run, column) for column in (_A.c.owner, _A.c.segment)
            )
            rows = connection.execute(
                reasons.group_by(_W.c.code).order_by(func.count().desc(), _W.c.code),
                self._of(run),
            ).all()
        return Choices(owners, segments, {(code, label): n for code, label, n in rows})

    def base_rate(self, run: StoredRun) -> float | None:
        """Return the base rate of churn that a run was scored with, None where it was not."""
        mine = (RUN_MODELS.c.run_no == run.number, RUN_MODELS.c.target == MAIN)
        rate = select(RUN_MODELS.c.base_rate).where(*mine, RUN_MODELS.c.horizon == self.horizon)
        with self.store.engine.connect() as connection:
            return connection.scalar(rate)

    def count(self, run: StoredRun, where: BookFilter) -> int:
        """Return how many accounts of a run meet a filter."""
        return sum(item.accounts for item in self.totals(run, where))

    def _of(self, run: StoredRun) -> dict[str, Any]:
        return {"run_no": run.number, "horizon": self.horizon}


def _mine(columns: Sequence[Any], tables: Collection[Any]) -> Select[Any]:
    """Return a statement on the scores of churn of a run, each with what further tables hold."""
    names = ("run_no", "horizon")
    mine = (_S.c[name] == bindparam(name) for name in names)
    return select_scores(columns, tables).where(_S.c.target == MAIN, *mine)


def _narrowed(
    columns: Sequence[Any], run: StoredRun, where: BookFilter, tables: Collection[Any] = ()
) -> Select[Any]:
    """Return a statement over the accounts that meet a filter, with the tables it needs."""
    needed = set(tables)
    conditions: list[ColumnElement[bool]] = []
    if groups := [
        _A.c[name] == value
        for name in ("owner", "segment", "plan")
        if (value := getattr(where, name))
    ]:
        # Not a join: databases would walk through the whole run and look each account up.
        mine = select(_A.c.account_id).where(_A.c.run_no == run.number, *groups)
        conditions.append(_S.c.account_id.in_(mine.correlate(None)))
    if where.band:
        conditions.append(_S.c.band == where.band)
    if where.search:
        needed.add(_A)
        texts = (_S.c.account_id, _A.c.name)
        within = (column.icontains(where.search, autoescape=True) for column in texts)
        conditions.append(or_(*within))
    if where.reason:
        needed.add(_W)
        conditions.append(_W.c.code == where.reason)
    if where.due_days is not None:
        conditions.append(_due(run, where.due_days))
    if where.accounts:
        conditions.append(_S.c.account_id.in_(where.accounts))
    return _mine(columns, needed).where(*conditions)


def _sorted(
    columns: Sequence[Any], run: StoredRun, query: BookQuery, tables: Collection[Any] = ()
) -> Select[Any]:
    """Return a statement over the page of a query."""
    needed = {*tables, *_SORTED[query.sort][1], *((_P,) if query.moved else ())}
    statement = _narrowed(columns, run, query.where, needed)
    if query.moved:
        statement = statement.where(func.abs(_CHANGE) >= query.moved)
    order = _order(query.sort, query.descending)
    return statement.order_by(*order).offset(query.offset).limit(query.limit)


def _order(sort: str, descending: bool) -> tuple[ColumnElement[Any], ...]:
    column = _SORTED[sort][0]
    directed = column.desc() if descending else column.asc()
    return directed.nulls_last(), _S.c.account_id


def _of_named(accounts: Sequence[str], since: StoredRun | None = None) -> BookQuery:
    return BookQuery(BookFilter(accounts=tuple(accounts)), since=since)


def _counted(connection: Connection, run: StoredRun, column: ColumnElement[Any]) -> dict[str, int]:
    """Return how many accounts of a run have each value of a column."""
    mine = select(column, func.count()).where(_A.c.run_no == run.number, column.is_not(None))
    rows = connection.execute(mine.group_by(column).order_by(column).limit(MOST_OWNERS)).all()
    return {str(value): count for value, count in rows}


_BESIDE = (_A, _E, _P, BLOCKS)
_ELSEWHERE: dict[str, Any] = {
    "change": _CHANGE.label("change"),
    "expansion_probability": _E.c.probability.label("expansion_probability"),
    "expected_amount": _E.c.expected_amount,
}
_READ = [
    COLUMNS[item.name] if item.name not in _ELSEWHERE else _ELSEWHERE[item.name]
    for item in fields(BookRow)
    if item.name != "driver"
]
_BEHIND = (_S.c.wording_no, _S.c.place, BLOCKS.c.drivers)
"""What a reason is read from, the last columns of a row."""
_READ += _BEHIND
_OF_NAMED = _mine(_READ, _BESIDE).where(_S.c.account_id.in_(bindparam("accounts", expanding=True)))
"""Accounts that are named, looked up by key; in an order, SQLite would read the whole run by it."""


def _due(run: StoredRun, days: int) -> ColumnElement[bool]:
    """Return the condition that a contract renews within some days, notice not given."""
    until = run.as_of + timedelta(days=days)
    reason = _S.c.abstain_reason
    open_ended = or_(reason.is_(None), reason != NOTICE)
    return and_(_S.c.renews_at >= run.as_of, _S.c.renews_at < until, open_ended)


def _sums(run: StoredRun) -> list[ColumnElement[Any]]:
    """Return the columns of `BookTotals` after the first."""
    high, due = _S.c.band == "high", _due(run, DUE_DAYS)
    sets = {"": None, "high": high, "due": due, "high_due": and_(high, due)}
    measures = {"mrr": _S.c.mrr, "amount": _S.c.amount_at_risk}
    whole = {"accounts": ("", ""), "mrr": ("", "mrr"), "amount_at_risk": ("", "amount")}
    columns: list[ColumnElement[Any]] = []
    for item in fields(BookTotals)[1:]:
        among, measure = item.name, ""
        if item.name in whole:
            among, measure = whole[item.name]
        elif item.name not in sets:
            among, _, measure = item.name.rpartition("_")
        value: Any = measures.get(measure, literal(1))
        condition = sets[among]
        counted = value if condition is None else case((condition, value))
        columns.append(func.sum(counted).label(item.name))
    return columns
