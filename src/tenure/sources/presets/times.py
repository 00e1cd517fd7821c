"""How the times of a raw column are written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from tenure.core.steps import quote
from tenure.engine import Engine
from tenure.sources import coerce
from tenure.sources.presets.raw_tables import RawColumn, RawTable
from tenure.sources.time_formats import formats_reading, other_order

Order = Literal["day", "month"]


class TimeForms:
    """Finds out, once per column, in which format its times are.

    Args:
        engine: What reads the values.
        first: Which number of a date stands first where its values leave that open.
    """

    def __init__(self, engine: Engine, first: Order | None = None) -> None:
        self.open: dict[str, tuple[str, str]] = {}
        """Columns that two formats read, and nothing tells which is meant."""
        self._engine = engine
        self._first = first
        self._known: dict[tuple[str, str], str] = {}

    def form(self, raw: RawTable, column: RawColumn) -> str:
        """Return the declared format that a column needs; '' where it needs none."""
        key = (raw.relation, column.name)
        if key not in self._known:
            self._known[key] = self._settled(raw, column)
        return self._known[key]

    def _settled(self, raw: RawTable, column: RawColumn) -> str:
        family = coerce.base_type(column.type)
        if family in ("DATE", "TIMESTAMP", "TIMESTAMPTZ", "BOOLEAN", ""):
            return ""
        forms = self._reading(raw, column)
        if not forms and coerce.is_number(column.type) and self._empty(raw, column):
            return self._epoch(raw)
        if not forms or forms[0] == "iso":
            return ""
        other = other_order(forms[0])
        if other == forms[0] or other not in forms:
            return forms[0]
        return self._ordered(raw, column, (forms[0], other))

    def _empty(self, raw: RawTable, column: RawColumn) -> bool:
        sql = f"SELECT count({column.of()}) FROM {quote(raw.relation)}"
        return bool(self._engine.value(sql) == 0)

    def _epoch(self, raw: RawTable) -> str:
        """Return how numbers of a table that are times count, seconds where none says so."""
        numbers = [column for column in raw.columns if coerce.is_number(column.type)]
        forms = [form for column in numbers for form in self._reading(raw, column)]
        return next((form for form in forms if form in coerce.EPOCHS), "epoch_s")

    def _reading(self, raw: RawTable, column: RawColumn) -> list[str]:
        return formats_reading(quote(raw.relation), column.of(), column.type, self._engine)

    def _ordered(self, raw: RawTable, column: RawColumn, forms: tuple[str, str]) -> str:
        """Return the format whose order other columns of the table have, or the caller's."""
        orders = {_order(form) for form in self._others(raw, column)} - {None}
        first = orders.pop() if len(orders) == 1 else self._first
        fitting = [form for form in forms if _order(form) == first]
        if fitting:
            return fitting[0]
        self.open[f"{raw.label}: {column.name}"] = forms
        return ""

    def _others(self, raw: RawTable, column: RawColumn) -> Iterable[str]:
        """Yield formats of other columns of the table, of which only one order can be meant."""
        for other in raw.columns:
            if other == column or coerce.base_type(other.type) != "VARCHAR":
                continue
            forms = self._reading(raw, other)
            if forms and other_order(forms[0]) not in (forms[0], *forms[1:]):
                yield forms[0]


def _order(form: str) -> Order | None:
    """Return which of day and month a format has first.

    >>> _order("%m/%d/%Y"), _order("%d.%m.%Y"), _order("epoch_s")
    ('month', 'day', None)
    """
    day, month = form.find("%d"), form.find("%m")
    if day < 0 or month < 0:
        return None
    return "day" if day < month else "month"


def read_time(column: RawColumn, alias: str, form: str) -> str:
    """Return SQL of the time in a column: a timestamp in UTC, null where it is none."""
    value, family = column.of(alias), coerce.base_type(column.type)
    if family == "TIMESTAMP":
        return value
    if family == "DATE":
        return f"CAST({value} AS TIMESTAMP)"
    if family == "TIMESTAMPTZ":
        return f"({value} AT TIME ZONE 'UTC')"
    if form in coerce.EPOCHS:
        factor = int(coerce.EPOCHS[form]) or 1
        divided = " // 1000" if form == "epoch_ns" else f" * {factor}" if factor > 1 else ""
        return f"make_timestamp(TRY_CAST({value} AS BIGINT){divided})"
    if form:
        parsed = f"try_strptime({value}, '{form}')"
        return f"({parsed} AT TIME ZONE 'UTC')" if "%z" in form else parsed
    return f"(TRY_CAST({value} AS TIMESTAMPTZ) AT TIME ZONE 'UTC')"
