"""The book of a run: its accounts, filtered, sorted and paged by the database, and their totals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, literal, or_, select

from tenure.score.abstain import NOTICE
from tenure.score.rows import MAIN
from tenure.score.store.book_records import (
    DUE_DAYS,
    FIRST_PAGE,
    BookFilter,
    BookQuery,
    BookRow,
    BookTotals,
    Choices,
)
from tenure.score.store.encoding import BLOCK
from tenure.score.store.schema import BLOCKS, RUN_ACCOUNTS, RUN_MODELS, SCORES, WORDINGS
from tenure.score.store.store import ScoreStore, StoredRun

EXPANSION = "expansion"
MOST_OWNERS, MOST_NAMED = 500, 1_000
ALIKE = 1.5
"""Times an account's MRR that another one may pay at most, or at least as its inverse."""
REMEMBERED = 256
"""Totals that are remembered: those of a complete run never change."""

_S, _A, _W = SCORES.alias("score"), RUN_ACCOUNTS.alias("account"), WORDINGS.alias("wording")
_E, _P, _B = SCORES.alias("expansion"), SCORES.alias("earlier"), BLOCKS.alias("block")
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
        since = query.since.number if query.since else -1
        sort, tables = _SORTED[query.sort]
        tables = (*tables, _P) if query.moved else tables
        inner = self._narrowed(select(_S.c.account_id), run, query.where, tables, since)
        if query.moved:
            inner = inner.where(func.abs(_CHANGE) >= query.moved)
        directed = sort.desc() if query.descending else sort.asc()
        order = (directed.nulls_last(), _S.c.account_id)
        inner = inner.order_by(*order).offset(query.offset).limit(query.limit)
        statement = self._from(select(*_READ, _S.c.place, _B.c.drivers), run, _BESIDE, since)
        with self.store.engine.connect() as connection:
            if query.limit is not None and query.limit <= MOST_NAMED:
                # Named one by one, they are looked up by key and the rest of the run is not read.
                page: Any = list(connection.scalars(inner))
            else:
                page = select(inner.subquery("page").c.account_id)
            statement = statement.where(_S.c.account_id.in_(page)).order_by(*order)
            rows = connection.execute(statement).all()
        drivers = self.store.unpacked([(place, data) for *_, place, data in rows])
        return [
            BookRow(*(*values[:-2], own[0] if own else None))
            for values, own in zip(map(tuple, rows), drivers, strict=True)
        ]

    def comparable(self, run: StoredRun, row: BookRow, most: int) -> list[BookRow]:
        """Return accounts of the same segment and currency whose MRR is nearest to a row's."""
        mrr = row.mrr or 0.0
        distance, near_by = func.abs(_S.c.mrr - mrr), _S.c.mrr.between(mrr / ALIKE, mrr * ALIKE)
        where = BookFilter(segment=row.segment or "")
        near = self._narrowed(select(_S.c.account_id), run, where, (), -1)
        near = near.where(_S.c.currency == row.currency, near_by).order_by(
            distance, _S.c.account_id
        )
        with self.store.engine.connect() as connection:
            accounts = tuple(connection.scalars(near.limit(most)))
        rows = {item.account_id: item for item in self.rows(run, _of(accounts))}
        return [rows[name] for name in accounts]

    def _totals(self, run: StoredRun, where: BookFilter) -> tuple[BookTotals, ...]:
        """Return what the accounts of a run add up to, by currency: the largest MRR first."""
        statement = self._narrowed(select(_S.c.currency, *_sums(run)), run, where, (), -1)
        with self.store.engine.connect() as connection:
            rows = connection.execute(statement.group_by(_S.c.currency)).all()
        totals = [BookTotals(row[0], *(value or 0 for value in row[1:])) for row in rows]
        return tuple(sorted(totals, key=lambda item: (-item.mrr, item.currency or "")))

    def _choices(self, run: StoredRun) -> Choices:
        """Return what the book of a run can be filtered by."""
        reasons = select(_W.c.code, func.min(_W.c.label), func.count())
        reasons = self._from(reasons, run, (_W,), -1).where(_W.c.code.is_not(None))
        with self.store.engine.connect() as connection:
            owners, segments = (
                _counted(connection, run, column) for column in (_A.c.owner, _A.c.segment)
            )
            rows = connection.execute(
                reasons.group_by(_W.c.code).order_by(func.count().desc(), _W.c.code)
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

    def _narrowed(
        self,
        statement: Select[Any],
        run: StoredRun,
        where: BookFilter,
        tables: Sequence[Any],
        since: int,
    ) -> Select[Any]:
        """Return a statement over the accounts that meet a filter, with the tables it needs."""
        needed, conditions = set(tables), []
        for name in ("owner", "segment", "plan"):
            if value := getattr(where, name):
                needed.add(_A)
                conditions.append(_A.c[name] == value)
        if where.band:
            conditions.append(_S.c.band == where.band)
        if where.search:
            needed.add(_A)
            columns = (_S.c.account_id, _A.c.name)
            within = (column.icontains(where.search, autoescape=True) for column in columns)
            conditions.append(or_(*within))
        if where.reason:
            needed.add(_W)
            conditions.append(_W.c.code == where.reason)
        if where.due_days is not None:
            conditions.append(_due(run, where.due_days))
        if where.accounts:
            conditions.append(_S.c.account_id.in_(where.accounts))
        ordered = [table for table in _BESIDE if table in needed]
        return self._from(statement, run, ordered, since).where(*conditions)

    def _from(
        self, statement: Select[Any], run: StoredRun, tables: Sequence[Any], since: int
    ) -> Select[Any]:
        """Return a statement on the scores of a run, each with what stands in further tables."""
        source: Any = _S
        for table in tables:
            source = source.outerjoin(table, self._beside(table, since))
        mine = (_S.c.run_no == run.number, _S.c.target == MAIN, _S.c.horizon == self.horizon)
        return statement.select_from(source).where(*mine)

    def _beside(self, table: Any, since: int) -> ColumnElement[bool]:
        """Return the condition under which a row of a further table belongs to a score."""
        if table is _W:
            return and_(_W.c.wording_no == _S.c.wording_no)
        if table is _B:
            same = (_B.c[name] == _S.c[name] for name in ("run_no", "target", "horizon"))
            return and_(*same, _B.c.block == _S.c.place // BLOCK)
        same_account: ColumnElement[bool] = table.c.account_id == _S.c.account_id
        if table is _A:
            return and_(same_account, _A.c.run_no == _S.c.run_no)
        run_no, target = (_S.c.run_no, EXPANSION) if table is _E else (since, MAIN)
        of_run = (table.c.run_no == run_no, table.c.target == target)
        return and_(same_account, *of_run, table.c.horizon == self.horizon)


def _counted(connection: Connection, run: StoredRun, column: ColumnElement[Any]) -> dict[str, int]:
    """Return how many accounts of a run have each value of a column."""
    mine = select(column, func.count()).where(_A.c.run_no == run.number, column.is_not(None))
    rows = connection.execute(mine.group_by(column).order_by(column).limit(MOST_OWNERS)).all()
    return {str(value): count for value, count in rows}


def _of(accounts: tuple[str, ...]) -> BookQuery:
    return BookQuery(BookFilter(accounts=accounts), limit=len(accounts))


_BESIDE = (_A, _E, _P, _W, _B)
_ELSEWHERE = {
    **{name: _A.c[name] for name in ("name", "owner", "segment", "plan", "notice_by")},
    "change": _CHANGE.label("change"),
    "expansion_probability": _E.c.probability.label("expansion_probability"),
    "expected_amount": _E.c.expected_amount,
}
_READ = [
    _ELSEWHERE[item.name] if item.name in _ELSEWHERE else _S.c[item.name]
    for item in fields(BookRow)
    if item.name != "driver"
]


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
