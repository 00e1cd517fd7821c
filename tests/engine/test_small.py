"""The small engine gives what DuckDB gives, or asks it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest

from engine.test_same_meaning import ISO, NUMBERS, PERIODS
from tenure.core.errors import DataError
from tenure.core.steps import Step
from tenure.engine import Engine
from tenure.engine.duckdb import DuckDBEngine
from tenure.engine.small import SmallEngine
from tenure.sources import coerce


def asked_nobody() -> DuckDBEngine:
    raise AssertionError("DuckDB was asked")


def both(duck: Engine, small: Engine, values: dict[str, Any], sql: str) -> list[dict[str, Any]]:
    """Return the rows that both engines give, in order of all columns."""
    found = []
    for engine in (duck, small):
        engine.register("given", pa.table(values))
        found.append(engine.fetch(sql))
    assert found[0].schema == found[1].schema, sql
    first, second = (sorted(table.to_pylist(), key=str) for table in found)
    assert first == second, sql
    return second


@pytest.mark.parametrize("text", [*ISO, *NUMBERS, *PERIODS])
def test_texts_are_read_alike(duck: Engine, small: Engine, text: str) -> None:
    reads = {
        "moment": coerce.coerce("x", "VARCHAR", "time"),
        "number": coerce.coerce("x", "VARCHAR", "number"),
        "whole": coerce.coerce("x", "VARCHAR", "integer"),
        "flag": coerce.coerce("x", "VARCHAR", "flag"),
        "name": coerce.identifier("x", "VARCHAR"),
        "given": coerce.given("x", "VARCHAR", "time"),
        "months": coerce.WORDINGS["subscriptions", "billing_period"].choose(
            coerce.WORDINGS["subscriptions", "billing_period"].spell("x")
        ),
    }
    for name, sql in reads.items():
        both(duck, small, {"x": pa.array([text, None])}, f"SELECT {sql} AS {name} FROM given")


NUMBERED = {
    "a": pa.array([1, 2, 2, None, -7, 0, 3]),
    "b": pa.array([0.5, 2.5, -2.5, 1e15 / 3, None, 0.0, 123456.789]),
    "c": pa.array([True, False, None, True, True, False, None]),
    "d": pa.array(["x", "", None, "Über", "x", "y ", "\u00a0z "]),
    "t": pa.array(
        [
            datetime(2024, 1, 31),
            datetime(2024, 2, 29, 23, 59, 59, 999999),
            None,
            datetime(1960, 5, 5, 1, 2, 3),
            datetime(2023, 12, 31, 12),
            datetime(2024, 1, 31),
            datetime(2025, 3, 3, 3),
        ],
        pa.timestamp("us"),
    ),
}
EXPRESSIONS = (
    *("a + 1", "a * a", "a - b", "b / 4", "a / 3.0", "a % 3", "round(b)", "abs(a)", "-a", "a // 2"),
    *("CAST(round(b * 1000) AS BIGINT)", "CAST(a AS DOUBLE)", "CAST(c AS UBIGINT) << 3"),
    *(
        "c AND a > 1",
        "c OR a > 1",
        "NOT c",
        "a IS NULL",
        "c AND d = 'x' OR b < 0",
        "a BETWEEN 0 AND 2",
        "t BETWEEN TIMESTAMP '2023-06-01' AND TIMESTAMP '2024-02-01 12:00:00'",
        "a BETWEEN a AND CAST(b AS BIGINT)",
    ),
    *("a IN (1, 2)", "a NOT IN (1, NULL)", "d IN ('x', 'y')", "d NOT IN ('x')", "nullif(a, 2)"),
    *(
        "coalesce(a, b)",
        "coalesce(d, 'none')",
        "coalesce(c, false)",
        "greatest(a, b)",
        "least(a, 1)",
    ),
    *("CASE WHEN c THEN a WHEN a > 0 THEN 9 ELSE -1 END", "CASE d WHEN 'x' THEN 1 END"),
    *(
        "trim(d)",
        "lower(d)",
        "upper(d)",
        "left(d, -1)",
        "left(d, 2)",
        "d || '!'",
        "replace(d, 'x', 'yy')",
    ),
    *("rtrim(d, 'y ')", "starts_with(d, 'x')", "ends_with(d, ' ')", "contains(d, '')", "length(d)"),
    *(
        "list_position(['y', 'x'], d)",
        "[5, 6][list_position(['y', 'x'], d)]",
        "list_contains(['x'], d)",
    ),
    *(
        "date_trunc('day', t)",
        "date_trunc('week', t)",
        "date_trunc('month', t)",
        "hour(t)",
        "epoch_us(t)",
    ),
    *(
        "date_diff('day', TIMESTAMP '2024-01-01', t)",
        "date_diff('month', t, TIMESTAMP '2024-03-01')",
    ),
    *("date_diff('hour', t, TIMESTAMP '2024-02-01 00:30:00')", "CAST(t AS DATE)", "year(t)"),
    *("t + INTERVAL 86399999999 MICROSECOND", "t + to_months(a)", "t - INTERVAL '3' DAY"),
    *("t < TIMESTAMP '2024-02-01'", "t + (TIMESTAMP '2024-02-01' - t)", "CAST(a AS VARCHAR)"),
    *(
        "regexp_full_match(d, '[a-z]')",
        "CAST(b AS VARCHAR)",
        "sqrt(abs(b))",
        "isfinite(b)",
        "isnan(b)",
    ),
    *("a IN (SELECT a FROM given WHERE c)", "a NOT IN (SELECT a FROM given)", "NULL", "1.5", "'w'"),
)


@pytest.mark.parametrize("sql", EXPRESSIONS)
def test_expressions_mean_the_same(duck: Engine, small: Engine, sql: str) -> None:
    both(duck, small, NUMBERED, f"SELECT {sql} AS x FROM given")
    both(duck, small, NUMBERED, f"SELECT a, {sql} AS x FROM given WHERE ({sql}) IS NOT NULL")
    both(
        duck,
        small,
        NUMBERED,
        f"SELECT max(x) AS m, count(x) AS n FROM (SELECT {sql} AS x FROM given)",
    )
    nothing = {name: column.slice(0, 0) for name, column in NUMBERED.items()}
    both(duck, small, nothing, f"SELECT {sql} AS x FROM given")


STATEMENTS = (
    "SELECT * FROM given ORDER BY a, b LIMIT 3",
    "SELECT * REPLACE (a + 1 AS a), b AS more FROM given",
    "SELECT DISTINCT a, c FROM given",
    "SELECT c, count(*) AS n, count(a) AS m, min(t) AS s, max(d) AS e FROM given GROUP BY c",
    "SELECT a, d, count(*) AS n FROM given GROUP BY ALL HAVING count(*) > 1",
    "SELECT count(*) AS n FROM (SELECT a FROM given WHERE a > 0 GROUP BY ALL HAVING count(*) > 1)",
    "SELECT CAST(sum(CAST(b AS DECIMAL(38, 10))) AS DOUBLE) AS s FROM given",
    "SELECT c, CAST(sum(CAST(a AS DECIMAL(38, 10))) AS DOUBLE) AS s FROM given GROUP BY c",
    "SELECT count(*) FILTER (c AND a > 0) AS n, max(t) FILTER (c) AS t FROM given",
    "SELECT CAST([count(*), count(a)] AS BIGINT[]) AS both FROM given",
    "SELECT count(DISTINCT d) AS n, count(DISTINCT (a, d)) AS m, count((a, d)) AS k FROM given",
    "SELECT c, count(DISTINCT t) AS n, count(DISTINCT (a, c)) AS m FROM given GROUP BY c",
    "SELECT count(DISTINCT b) AS n FROM given",
    "SELECT 'a' AS name, max(a) AS m FROM given UNION ALL SELECT 'b', min(a) AS m FROM given",
    "SELECT g.a, h.b FROM given AS g JOIN given AS h USING (a)",
    "SELECT g.a, h.b FROM given AS g JOIN given AS h ON g.a < h.a AND g.c",
    "SELECT a, w.n FROM given LEFT JOIN (VALUES ('x', 0), ('y', 1)) AS w(v, n) ON given.d = w.v",
    "SELECT g.a, h.d FROM given AS g LEFT JOIN (SELECT a, d FROM given WHERE c) AS h ON g.a = h.a",
    "SELECT a, row_number() OVER (ORDER BY a, b) AS n FROM given",
    "SELECT sum(a) AS s, avg(b) AS m FROM given WHERE a < 3",
    "WITH w AS (SELECT a FROM given) SELECT count(*) AS n FROM w",
)


@pytest.mark.parametrize("sql", STATEMENTS)
def test_statements_mean_the_same(duck: Engine, small: Engine, sql: str) -> None:
    both(duck, small, NUMBERED, sql)
    both(duck, small, {name: column.slice(0, 0) for name, column in NUMBERED.items()}, sql)


RANK = """CASE WHEN t < TIMESTAMP '{1}' THEN CASE WHEN t < TIMESTAMP '{0}' THEN 0 ELSE 1 END
ELSE CASE WHEN t < TIMESTAMP '{2}' THEN 2 ELSE {last} END END"""
EDGES = ("2023-12-31 12:00:00", "2024-01-31 00:00:00", "2024-03-01 00:00:00")


@pytest.mark.parametrize("kind", ["SMALLINT", "UTINYINT", "INTEGER", "BIGINT"])
@pytest.mark.parametrize("last", [3, 7, 1])
@pytest.mark.parametrize("edges", [EDGES, EDGES[::-1], (*EDGES[:2], EDGES[1])])
def test_places_among_times_are_the_same(
    duck: Engine, small: Engine, edges: tuple[str, ...], last: int, kind: str
) -> None:
    rank = RANK.format(*edges, last=last)
    both(duck, small, NUMBERED, f"SELECT a, {rank} AS x, CAST({rank} AS {kind}) AS y FROM given")
    both(duck, small, NUMBERED, f"SELECT a FROM given WHERE {rank} = 1 OR c")


def test_what_it_knows_needs_no_other_engine() -> None:
    engine = SmallEngine(asked_nobody)
    engine.register("given", pa.table(NUMBERED))
    engine.run([Step("seen", "SELECT a, t FROM given WHERE t < TIMESTAMP '2024-02-01'", lazy=True)])
    engine.run([Step("kept", "SELECT max(t) AS t FROM seen")])
    assert engine.fetch("SELECT t FROM kept").to_pylist() == [{"t": datetime(2024, 1, 31)}]
    assert engine.columns("seen") == {"a": "BIGINT", "t": "TIMESTAMP"}
    engine.close()


def test_another_time_is_the_same_statement() -> None:
    engine = SmallEngine(asked_nobody)
    engine.register("given", pa.table(NUMBERED))
    sql = "SELECT count(*) AS n FROM given WHERE t < TIMESTAMP '{}' OR t > TIMESTAMP '{}'"
    found = [
        engine.fetch(sql.format(*times)).column("n")[0].as_py()
        for times in (("2000-01-01", "2025-01-01"), ("2024-01-01", "2024-01-31"))
    ]
    assert found == [2, 4]


def test_tables_go_where_they_are_read(small: Engine) -> None:
    small.register("given", pa.table(NUMBERED))
    small.run([Step("counted", "SELECT a, sum(a) OVER (ORDER BY b) AS s FROM given WHERE a > 1")])
    assert small.fetch("SELECT count(*) AS n FROM counted").to_pylist() == [{"n": 3}]
    small.register("given", pa.table({"a": [5], "b": [1.0]}))
    small.run([Step("counted", "SELECT a, sum(a) OVER (ORDER BY b) AS s FROM given WHERE a > 1")])
    assert small.fetch("SELECT a FROM counted").to_pylist() == [{"a": 5}]
    small.drop("given")
    with pytest.raises(DataError):
        small.fetch("SELECT a FROM given")
