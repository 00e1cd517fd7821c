"""The declared differences between DuckDB and Spark, as text."""

from __future__ import annotations

import pytest

from tenure.core.errors import DataError
from tenure.engine.spark.dialect import REFUSED, REWRITES, to_spark
from tenure.engine.spark.files import attached
from tenure.engine.spark.strptime import DIRECTIVES, pattern

TEXTS = {
    "epoch_us(t)": "UNIX_MICROS(t)",
    "TIMESTAMP '2024-01-01'": "CAST('2024-01-01' AS TIMESTAMP_NTZ)",
    "date_trunc('day', t)": "CAST(DATE_TRUNC('DAY', t) AS TIMESTAMP_NTZ)",
    "date_diff('day', a, b)": "DATEDIFF(CAST(b AS DATE), CAST(a AS DATE))",
    "a / b": "TRY_DIVIDE(CAST(a AS DOUBLE), CAST(b AS DOUBLE))",
    "least(a)": "a",
    "hash(a, b)": "XXHASH64(a, a IS NULL, b, b IS NULL)",
    "CAST(x AS UBIGINT)": "CAST(x AS BIGINT)",
    "left(x, -2)": "SUBSTRING(x, 1, LENGTH(x) - 2)",
    "t + to_months(3)": "t + MAKE_YM_INTERVAL(0, 3)",
    "to_json(r)": "TO_JSON(STRUCT(r.*), MAP('ignoreNullFields', 'false'))",
    "(t AT TIME ZONE 'UTC')": "(CAST(t AS TIMESTAMP_NTZ))",
}


@pytest.mark.parametrize("text", TEXTS)
def test_an_expression_reads_so_on_spark(text: str) -> None:
    assert to_spark(f"SELECT {text} FROM r") == f"SELECT {TEXTS[text]} FROM r"


def test_statements_are_put_into_another_form() -> None:
    assert to_spark("SELECT * REPLACE (x + 1 AS x) FROM t") == (
        "SELECT * EXCEPT (`x`), x + 1 AS x FROM t"
    )
    by_name = "SELECT 1 AS a, 2 AS b UNION ALL BY NAME SELECT 3 AS b, 4 AS a"
    assert to_spark(by_name) == "SELECT 1 AS a, 2 AS b UNION ALL SELECT 4 AS a, 3 AS b"
    assert "EXISTS(SELECT 1" in to_spark("SELECT a IN (SELECT b FROM u) AS c FROM t")
    assert "a IN (SELECT" in to_spark("SELECT a FROM t WHERE a IN (SELECT b FROM u)")


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT * FROM a ASOF JOIN b ON a.t >= b.t", "asof join"),
        ("SELECT t AT TIME ZONE 'Europe/Berlin' FROM a", "at time zone"),
        ("SELECT date_diff('week', a, b) FROM t", "date_diff"),
        ("SELECT * FROM a UNION ALL BY NAME SELECT * FROM b", "positional reference"),
        ("SELECT try_strptime(x, '%j') FROM t", "%j cannot be read on Spark"),
        ("SELECT (", "cannot be read"),
    ],
)
def test_what_spark_cannot_do_is_refused(sql: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        to_spark(sql)


def test_every_refusal_says_what_to_write_instead() -> None:
    assert all(REFUSED.values())
    assert all(callable(rewrite) for rewrite in REWRITES.values())


def test_a_format_may_name_a_part_once() -> None:
    assert set(pattern("%Y-%m-%d")[1]) == {"year", "month", "day"}
    for form in ("%d %d", "%b %m %B", "%Q"):
        if form == "%b %m %B" or form == "%d %d" or form[1] not in DIRECTIVES:
            with pytest.raises(DataError, match="cannot be read on Spark"):
                pattern(form)


def test_files_in_a_query_become_views() -> None:
    seen: list[str] = []

    def attach(path: str) -> str:
        seen.append(path)
        return f"view{len(seen)}"

    sql = "SELECT e.x FROM 'a.csv' AS e JOIN read_parquet('b/*.parquet') USING (x)"
    text = attached(sql, attach)
    assert sorted(seen) == ["a.csv", "b/*.parquet"]
    assert ".csv" not in text
    assert attached("SELECT 'a.csv' AS name", attach) == "SELECT 'a.csv' AS name"
    with pytest.raises(DataError, match="read of a file"):
        attached("SELECT * FROM read_csv('a.csv', skip=1)", attach)
