"""The SQL and the reading of aggregates: one statement per relation, for all of its metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from tenure.core.config import Config
from tenure.engine import Engine
from tenure.success.declarations import Method, MetricDeclaration, Relation
from tenure.success.relations import GROUPS, name_of

DIMENSIONS = ("segment", "plan", "owner", "currency", "cohort")
PARTS = ("numerator", "denominator", "n", "detail", "mixed")
"""What is aggregated of a metric; None what its method lacks."""
NO_VALUE = "(none)"
"""Value of a group of accounts that lack what splits them."""

Key = tuple[int, tuple[str, ...], str | None]
"""Period, values of the groups, currency."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A metric and the method that it is computed by."""

    metric: MetricDeclaration
    method: Method

    @property
    def relation(self) -> Relation:
        """Return what it is aggregated from."""
        return self.method.relation or self.metric.relation


@dataclass(frozen=True, slots=True)
class Measured:
    """The aggregates of one metric."""

    rows: Mapping[Key, Mapping[str, Any]]
    """Period, groups and currency → the parts of the metric, of `PARTS`."""
    empty: Mapping[str, Any]
    """The same of no row."""


def measure(
    wanted: Sequence[Wanted], by: Sequence[str], engine: Engine, settings: Mapping[str, float]
) -> dict[Wanted, Measured]:
    """Return the aggregates of metrics, by one statement for those that are grouped alike.

    The relations of the metrics stand in the engine; `by` names what splits the accounts, of
    `DIMENSIONS`, and the settings are those of `constants`.
    """
    result: dict[Wanted, Measured] = {}
    for _, items in groupby(sorted(wanted, key=_alike), _alike):
        result |= _measure_alike(list(items), by, engine, settings)
    return result


def _alike(item: Wanted) -> tuple[str, bool, bool]:
    return item.relation, item.metric.at_end, item.metric.money


def _measure_alike(
    wanted: Sequence[Wanted], by: Sequence[str], engine: Engine, settings: Mapping[str, float]
) -> dict[Wanted, Measured]:
    first = wanted[0]
    columns = ", ".join(
        f"{sql} AS {part}_{number}"
        for number, item in enumerate(wanted)
        for part, sql in _parts(item.method, settings).items()
    )
    table = name_of(first.relation)
    end, money = first.metric.at_end, first.metric.money
    splits = [group_column(name, money=money, at_end=end) for name in by]
    groups = [f"{column} AS group_{place}" for place, column in enumerate(splits)]
    currency = ["r.currency AS currency"] if money else []
    join = f" JOIN {GROUPS} AS g USING (period_id, account_id)" if by else ""
    keys = ", ".join(["period_id", *groups, *currency])
    sql = f"SELECT {keys}, {columns} FROM {table} AS r{join} GROUP BY ALL"
    rows: dict[Key, Mapping[str, Any]] = {}
    for row in engine.fetch(sql).to_pylist():
        values = tuple(row[f"group_{place}"] or NO_VALUE for place in range(len(by)))
        rows[row["period_id"], values, row.get("currency")] = row
    (empty,) = engine.fetch(f"SELECT {columns} FROM {table} WHERE false").to_pylist()
    return {
        item: Measured({key: _own(row, number) for key, row in rows.items()}, _own(empty, number))
        for number, item in enumerate(wanted)
    }


def _own(row: Mapping[str, Any], number: int) -> dict[str, Any]:
    return {part: row.get(f"{part}_{number}") for part in PARTS}


def group_column(name: str, *, money: bool, at_end: bool) -> str:
    """Return the column that splits accounts: of the groups `g`, or of the relation `r` itself.

    `name` is one of `DIMENSIONS`.  Where rows of the relation are of one currency, `money` says so;
    the plan may be that of the period's end.
    """
    if name == "currency" and money:
        return "r.currency"
    return "g.plan_end" if name == "plan" and at_end else f"g.{name}"


def constants(config: Config) -> dict[str, float]:
    """Return the settings that the SQL of methods names in braces."""
    return {"margin": config.evaluation.profit_margin, "discount": config.metrics.discount_rate}


def with_constants(sql: str, settings: Mapping[str, float]) -> str:
    """Return the SQL of a method with the values of the settings that it names."""
    for name, value in settings.items():
        sql = sql.replace(f"{{{name}}}", repr(value))
    return sql


def _parts(method: Method, settings: Mapping[str, float]) -> dict[str, str]:
    numerator = with_constants(method.numerator, settings)
    parts = {"numerator": f"CAST({numerator} AS DOUBLE)", "n": f"CAST({method.n} AS BIGINT)"}
    for name, sql in (("denominator", method.denominator), ("detail", method.detail)):
        if sql is not None:
            parts[name] = f"CAST({with_constants(sql, settings)} AS DOUBLE)"
    return parts | ({"mixed": method.mixed} if method.mixed else {})
