"""Features by definition: slow, plain Python, no code shared with the engine.

Every value is computed on its own from the rows of one account, as a reader of the contract would
do it by hand.  The fragments of the declarations are read by a small evaluator of their own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from itertools import pairwise
from math import log, sqrt
from typing import Any

from oracle.oracle_labels import months_later, term_end
from tenure.core.spec import Derived, Family, Feature

Row = dict[str, Any]
Read = Callable[[Mapping[str, Any]], Any]

LATE = {
    "subscriptions": {
        "ended_at": "ended_at",
        "end_reason": "ended_at",
        "notice_at": "notice_at",
    },
    "tickets": {
        "first_responded_at": "first_responded_at",
        "resolved_at": "resolved_at",
        "escalated_at": "escalated_at",
        "reopened_at": "reopened_at",
        "csat_score": "csat_at",
        "csat_at": "csat_at",
    },
    "survey_responses": {
        "score": "responded_at",
        "responded_at": "responded_at",
        "comment": "responded_at",
    },
    "invoices": {"paid_at": "paid_at", "failed_at": "failed_at", "disputed_at": "disputed_at"},
}
"""Table → late column → the clock that says when it became known (contract, section 1)."""

MOVING = {"term_end", "term_start"}
"""Columns whose values depend on the prediction time (contract, section 3)."""

ENDS = {"subscriptions": "ended_at", "tickets": "resolved_at", "invoices": "paid_at"}
TOKEN = re.compile(
    r"\s*(?:(\d+\.?\d*)|'((?:[^']|'')*)'|\"([^\"]+)\"|(\w+)|(<=|>=|<>|!=|[-+*/%(),=<>]))"
)
DAY = timedelta(days=1)


class _Parser:
    """Reads the fragment language: arithmetic, comparisons, and / or / not, in, is null, calls."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text.rstrip()):
            match = TOKEN.match(text, at)
            assert match, f"the oracle cannot read: {text[at:]}"
            kinds = ("number", "string", "name", "word", "sign")
            kind, value = next(
                (kind, value)
                for kind, value in zip(kinds, match.groups(), strict=True)
                if value is not None
            )
            self.tokens.append((kind, value))
            at = match.end()
        self.at = 0

    def peek(self) -> str:
        if self.at >= len(self.tokens):
            return ""
        kind, value = self.tokens[self.at]
        return value.lower() if kind in {"word", "sign"} else ""

    def take(self, *expected: str) -> bool:
        if self.peek() in expected:
            self.at += 1
            return True
        return False

    def need(self, expected: str) -> None:
        assert self.take(expected), f"the oracle expected {expected} at {self.tokens[self.at :]}"

    def whole(self) -> Read:
        read = self.either()
        assert self.at == len(self.tokens), f"the oracle cannot read {self.tokens[self.at :]}"
        return read

    def either(self) -> Read:
        read = self.both()
        while self.take("or"):
            read = _or(read, self.both())
        return read

    def both(self) -> Read:
        read = self.negated()
        while self.take("and"):
            read = _and(read, self.negated())
        return read

    def negated(self) -> Read:
        if self.take("not"):
            read = self.negated()
            return lambda row: None if read(row) is None else not read(row)
        return self.compared()

    def compared(self) -> Read:
        left = self.summed()
        if self.take("is"):
            absent = not self.take("not")
            self.need("null")
            return lambda row: (left(row) is None) is absent
        if self.take("in"):
            self.need("(")
            options = [self.summed()]
            while self.take(","):
                options.append(self.summed())
            self.need(")")
            return _strict(lambda value: value in [option({}) for option in options], left)
        for sign, compare in COMPARE.items():
            if self.take(sign):
                return _strict(compare, left, self.summed())
        return left

    def summed(self) -> Read:
        read = self.multiplied()
        while self.peek() in {"+", "-"}:
            read = _strict(ARITHMETIC[self._sign()], read, self.multiplied())
        return read

    def multiplied(self) -> Read:
        read = self.unary()
        while self.peek() in {"*", "/", "%"}:
            read = _strict(ARITHMETIC[self._sign()], read, self.unary())
        return read

    def _sign(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1][1]

    def unary(self) -> Read:
        if self.take("-"):
            return _strict(lambda value: -value, self.unary())
        return self.primary()

    def primary(self) -> Read:
        if self.take("("):
            read = self.either()
            self.need(")")
            return read
        kind, value = self.tokens[self.at]
        self.at += 1
        if kind == "number":
            return lambda row: float(value)
        if kind == "string":
            return lambda row: value.replace("''", "'")
        word = value.lower()
        if kind == "word" and self.take("("):
            return self.call(word)
        assert kind in {"word", "name"}, f"the oracle cannot read {value}"
        return {"null": lambda row: None, "true": lambda row: True}.get(
            word, lambda row: row[value]
        )

    def call(self, word: str) -> Read:
        first = self.either()
        if word == "cast":
            self.need("as")
            kind = self._sign().lower()
            self.need(")")
            assert kind in CASTS, f"the oracle does not know the type {kind}"
            return _strict(CASTS[kind], first)
        parts = [first]
        while self.take(","):
            parts.append(self.either())
        self.need(")")
        if word == "coalesce":
            return lambda row: next((x for x in (p(row) for p in parts) if x is not None), None)
        assert word in FUNCTIONS, f"the oracle does not know {word}()"
        return _strict(FUNCTIONS[word], *parts)


def _strict(function: Callable[..., Any], *parts: Read) -> Read:
    def read(row: Mapping[str, Any]) -> Any:
        values = [part(row) for part in parts]
        return None if any(value is None for value in values) else function(*values)

    return read


def _and(left: Read, right: Read) -> Read:
    def read(row: Mapping[str, Any]) -> Any:
        values = (left(row), right(row))
        return False if False in values else None if None in values else True

    return read


def _or(left: Read, right: Read) -> Read:
    def read(row: Mapping[str, Any]) -> Any:
        values = (left(row), right(row))
        return True if True in values else None if None in values else False

    return read


COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "<>": lambda a, b: a != b,
    "!=": lambda a, b: a != b,
    "=": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
}
ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: None if b == 0 else a / b,
    "%": lambda a, b: a % b,
}
CASTS: dict[str, Callable[[Any], Any]] = {
    "date": lambda value: value.date() if isinstance(value, datetime) else value,
    "timestamp": datetime.fromisoformat,
}


def _date_diff(unit: str, start: datetime, end: datetime) -> int:
    # SQL counts the boundaries crossed, so both ends lose their fraction first.
    if unit == "day":
        return (end.date() - start.date()).days
    assert unit == "second"
    whole = (moment.replace(microsecond=0) for moment in (start, end))
    began, ended = whole
    return int((ended - began) / timedelta(seconds=1))


def _date_trunc(unit: str, moment: datetime) -> datetime:
    assert unit == "week"
    midnight = datetime(moment.year, moment.month, moment.day)
    return midnight - timedelta(days=midnight.weekday())


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "lower": str.lower,
    "abs": abs,
    "ln": lambda value: log(value) if value > 0 else None,
    "sqrt": lambda value: sqrt(value) if value >= 0 else None,
    "least": min,
    "greatest": max,
    "nullif": lambda a, b: None if a == b else a,
    "date_diff": _date_diff,
    "date_trunc": _date_trunc,
    "hour": lambda moment: moment.hour,
    "month": lambda moment: moment.month,
    "year": lambda moment: moment.year,
}


@cache
def read(text: str) -> Read:
    """Return a function that evaluates a fragment on a row; None is null."""
    return _Parser(text).whole()


@cache
def words(text: str) -> frozenset[str]:
    """Return the names in a fragment."""
    bare = re.sub(r"'(?:[^']|'')*'", "", text)
    return frozenset(re.findall(r"[A-Za-z_]\w*", bare))


Column = tuple[Feature, str | None, int | None]


def columns_of(
    families: Iterable[Family], members: Mapping[str, Iterable[str]]
) -> dict[str, Column | Derived]:
    """Return every column: feature, member and window, or a derived feature of columns."""
    found: dict[str, Column | Derived] = {}
    shared: dict[str, dict[str, str]] = {}
    items = [item for family in families for item in family.features]
    for item in items:
        if not isinstance(item, Feature):
            continue
        for member in members.get(item.name, ()) if item.each else (None,):
            for window in item.windows or (None,):
                suffix = "" if window is None else f"_{window}d"
                stem = item.name if member is None else f"{item.name}_{member}"
                found[f"{stem}{suffix}"] = (item, member, window)
                if member is not None:
                    shared.setdefault(f"{item.name}{suffix}", {})[member] = f"{stem}{suffix}"
    for item in items:
        if isinstance(item, Derived):
            found |= _per_member(item, shared)
    return found


def _per_member(item: Derived, shared: Mapping[str, Mapping[str, str]]) -> dict[str, Derived]:
    """Return a derived feature, once for each member that all its shared parts have."""
    parts = sorted(words(item.formula) & set(shared))
    if not parts:
        return {item.name: item}
    common = set.intersection(*(set(shared[part]) for part in parts))
    found = {}
    for member in common:
        formula = item.formula
        for part in parts:
            formula = re.sub(rf"\b{part}\b", shared[part][member], formula)
        found[f"{item.name}_{member}"] = replace(item, formula=formula)
    return found


class Oracle:
    """Features of the accounts whose canonical rows are given.

    Args:
        rows: Canonical table → rows with ``event_time``, ``known_at`` and ``<clock>__known``.
        families: Declarations.
        members: Feature with `each` → values.
        first_days: Table → the first day of its history, where that is fixed.
    """

    def __init__(
        self,
        rows: Mapping[str, Iterable[Row]],
        families: Iterable[Family],
        members: Mapping[str, Iterable[str]],
        first_days: Mapping[str, date] | None = None,
    ) -> None:
        rows = {table: list(items) for table, items in rows.items()}
        self.tables = rows
        self.first_days = first_days
        self.rows: dict[tuple[str, str], list[Row]] = {}
        for table, items in rows.items():
            for row in items:
                self.rows.setdefault((table, row["account_id"]), []).append(row)
        self.columns = columns_of(families, members)
        self.prepared: dict[tuple[str, str], list[tuple[Row, Any]]] = {}

    def values(self, account: str, as_of: datetime) -> dict[str, Any]:
        """Return every visible feature of an account at a prediction time; None is missing."""
        quarter = date(as_of.year + as_of.month // 10, (as_of.month + 2) // 3 * 3 % 12 + 1, 1)
        found: dict[str, Any] = {
            "as_of_month": as_of.month,
            "as_of_quarter_day": (quarter - as_of.date()).days,
        }
        for name, column in self.columns.items():
            if not isinstance(column, Derived):
                found[name] = self._measured(name, column, account, as_of)
        for name, column in self.columns.items():
            if isinstance(column, Derived):
                found[name] = read(column.formula)(found)
        return {name: found[name] for name in self.visible}

    @property
    def visible(self) -> list[str]:
        """Return the names of the columns that are not hidden."""
        return [
            name
            for name, column in self.columns.items()
            if not (column if isinstance(column, Derived) else column[0]).hidden
        ]

    def _measured(
        self,
        name: str,
        column: tuple[Feature, str | None, int | None],
        account: str,
        as_of: datetime,
    ) -> Any:
        feature, member, window = column
        if window is not None and self._too_short(feature.source, as_of - window * DAY, as_of):
            return None
        if (name, account) not in self.prepared:
            self.prepared[name, account] = self._candidates(feature, member, account)
        clocks = self._clocks(feature)
        happened = feature.at or "event_time"
        start = None if window is None else as_of - window * DAY
        end = as_of - feature.lag * DAY
        visible = []
        for row, operand in self.prepared[name, account]:
            if not (row["event_time"] < as_of and row["known_at"] < as_of):
                continue
            if any(row[clock] is None or row[clock] >= as_of for clock in clocks):
                continue
            if start is not None and not start <= row[happened] < end:
                continue
            if feature.running:
                ended = row[f"{ENDS[feature.source]}__known"]
                if ended is not None and ended < as_of:
                    continue
            if MOVING & words(feature.aggregate):
                moved = read(_operand(feature.aggregate))(row | terms_at(row, as_of))
                visible.append((row, moved))
                continue
            visible.append((row, operand))
        return _aggregate(feature, visible, as_of)

    def _candidates(
        self, feature: Feature, member: str | None, account: str
    ) -> list[tuple[Row, Any]]:
        operand = _operand(feature.aggregate)
        found = []
        for row in self.rows.get((feature.source, account), ()):
            if feature.where and read(feature.where)(row) is not True:
                continue
            if member is not None and row[str(feature.each)] != member:
                continue
            later = operand == "*" or MOVING & words(operand)
            found.append((row, True if later else read(operand)(row)))
        return found

    def _too_short(self, table: str, start: datetime, as_of: datetime) -> bool:
        """Return whether the history of a table begins after a window does."""
        if self.first_days is not None:
            first = self.first_days.get(table)
        else:
            days = [
                row["event_time"].date()
                for row in self.tables.get(table, ())
                if row["event_time"] < as_of and row["known_at"] < as_of
            ]
            first = min(days, default=None)
        return first is None or datetime(first.year, first.month, first.day) > start

    @staticmethod
    def _clocks(feature: Feature) -> list[str]:
        late = LATE.get(feature.source, {})
        texts = (feature.aggregate, feature.where, feature.each, feature.at)
        names = {word for text in texts if text for word in words(text)}
        return [f"{late[name]}__known" for name in sorted(names & set(late))]


def terms_at(row: Row, as_of: datetime) -> Row:
    """Return when the term of a running row ends, and when it began."""
    anchor, months, began = row["term_anchor"], row["term_months"], row["started_at"]
    end = term_end(row, as_of)
    if end is None or months is None:
        past = anchor if end is None and anchor is not None else began
        return {"term_end": end, "term_start": past}
    periods = next(n for n in range(2000) if months_later(anchor, n * months) == end)
    start = months_later(anchor, (periods - 1) * months)
    return {"term_end": end, "term_start": min(start, began) if periods == 0 else start}


def _shape(aggregate: str) -> tuple[str, str, str]:
    outer = re.fullmatch(r"(days_since|days_until)\((.*)\)", aggregate)
    inner = re.fullmatch(r"(\w+)\((distinct )?(.*)\)", outer[2] if outer else aggregate)
    assert inner, f"the oracle cannot read {aggregate}"
    return outer[1] if outer else "", "distinct" if inner[2] else inner[1], inner[3]


def _operand(aggregate: str) -> str:
    return _shape(aggregate)[2]


def _aggregate(feature: Feature, visible: list[tuple[Row, Any]], as_of: datetime) -> Any:
    relative, kind, _ = _shape(feature.aggregate)
    there = [(row, value) for row, value in visible if value is not None]
    values = [value for _, value in there]
    if not values or (kind == "longest_gap" and len({value.date() for value in values}) < 2):
        counting = kind in {"count", "distinct", "most"} or (kind == "sum" and not feature.running)
        return feature.default if feature.default is not None else 0 if counting else None
    if kind == "last":
        found = max((row["event_time"], value) for row, value in there)[1]
    elif kind == "top":
        found = _top(feature, there)
    else:
        found = FOLD[kind](values)
    if relative:
        distance = as_of - found if relative == "days_since" else found - as_of
        return distance / DAY
    return found


def _top(feature: Feature, there: list[tuple[Row, Any]]) -> datetime:
    """Return when the member with most rows was last seen; of equals, the one seen last."""
    rows = Counter(value for _, value in there)
    most = max(rows.values())
    happened = feature.at or "event_time"
    return max(row[happened] for row, value in there if rows[value] == most)


def _longest_gap(values: list[datetime]) -> int:
    days = sorted({value.date() for value in values})
    return max((later - day).days for day, later in pairwise(days))


FOLD: dict[str, Callable[[list[Any]], Any]] = {
    "count": len,
    "distinct": lambda items: len(set(items)),
    "most": lambda items: max(Counter(items).values()),
    "longest_gap": _longest_gap,
    "sum": sum,
    "avg": lambda items: sum(items) / len(items),
    "min": min,
    "max": max,
}
