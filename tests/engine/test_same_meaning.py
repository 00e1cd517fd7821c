"""The same text means the same on both engines, value by value."""

from __future__ import annotations

import itertools
from typing import Any

import pyarrow as pa
import pytest

from tenure.core.errors import DataError
from tenure.core.steps import Step
from tenure.engine import Engine
from tenure.sources import coerce
from tenure.sources.wording import WORDINGS
from tenure.sources.words import NO_TIME, NOTHING, VOCABULARIES

ISO = (
    *("2024-03-01", "2024-03-01T10:00", "2024-03-01 10:00:00", "2024-03-01T10:00:00.5"),
    *("2024-03-01T10:00:00.123456789Z", "2024-03-01 10:00:00 UTC", "2024-03-01T10:00:00+0130"),
    *("2024-03-01T10:00:00-05", "2024-03-01T23:59:59.999999+01:30", "2024-03-01T24:00:00"),
    *("2024-03-01T24:00Z", "2024-03-01T10:00+05", "2024-02-30", "2024-3-1", "01/02/2024", ""),
    *("2024-03-31T02:30:00", "2024-10-27 02:30:00", "9999-12-31", "1899-01-01", "2024-03-01 10"),
    *("  2024-03-01 ", "2024-03-01T10:60", "2024-03-01T10:00Z", "2024-03-01T10:00:00.0000009"),
)
NUMBERS = (
    *("1", "1.5", " 2 ", "1_000", "1e3", "12d", "12f", "0x1A", "1,5", "nan", "inf", "-.5", "5."),
    *("+5", "", "_1", "1__0", "null", "9.3e18", "300", "true", "Yes", "0.0", "n", "12.0", "a.0"),
)
PERIODS = (
    *("monthly", "Month", "per-month", "P1M", "1 month", "12 months", "annual", "2 years", "1y"),
    *("quarterly", "p3m", "semi_annual", "36m", "0", "weekly", "300y", "1.5", "12.0", ""),
)
FORMATS = {
    "%d/%m/%Y": (
        "3/4/2024",
        "03/04/2024",
        "31/02/2024",
        "3-4-2024",
        "03/04/24",
        "003/04/2024",
        "x",
    ),
    "%Y%m%d": ("20240301", "2024031", "20241301", "202403011"),
    "%d.%m.%y %H:%M": (
        "5.3.24 7:05",
        "5.3.70 23:59",
        "5.3.24 24:00",
        "5.3.68 07:60",
        "5.3.24\t7:05",
    ),
    "%b %d, %Y": ("mar 5, 2024", "Mar 05, 2024", "March 5, 2024", "foo 5, 2024"),
    "%B %d, %Y": ("March 5, 2024", "may 1, 2023", "Mar 5, 2024"),
    "%Y-%m-%d %I:%M %p": ("2024-03-01 12:05 am", "2024-03-01 1:05 PM", "2024-03-01 13:05 PM"),
    "%Y-%m-%d %H:%M:%S.%f": ("2024-03-01 01:02:03.5", "2024-03-01 01:02:03.123456", "2024-03-01"),
    "%Y-%m-%dT%H:%M:%S%z": ("2024-03-01T01:02:03+0130", "2024-03-01T01:02:03-05:00", "2024-03-01"),
    "%A %d %m %Y": ("Monday 03 04 2024", "friday 3 4 2024", "someday 03 04 2024"),
}


def both(duck: Engine, spark: Engine, values: dict[str, Any], sql: str) -> None:
    """Compare the rows of a SELECT over a table `given` on both engines."""
    table = pa.table(values)
    rows = []
    for engine in (duck, spark):
        engine.register("given", table)
        rows.append(engine.fetch(f"SELECT {sql} FROM given ORDER BY i").to_pylist())
    for row, (one, other) in enumerate(zip(*rows, strict=True)):
        shown = {
            name: (one[name], other[name]) for name in one if not _same(one[name], other[name])
        }
        assert not shown, [column[row] for column in values.values()]


def _same(one: Any, other: Any) -> bool:
    return bool(one == other or (one != one and other != other))


def texts(values: tuple[str, ...]) -> dict[str, Any]:
    found = [None, *values]
    return {"i": list(range(len(found))), "x": pa.array(found, pa.string())}


@pytest.mark.slow
def test_text_is_coerced_alike(duck: Engine, spark: Engine) -> None:
    zones = ("UTC", "Europe/Berlin")
    times = [
        f"{coerce.coerce('x', 'VARCHAR', 'time', zone=zone)} AS t{place}"
        for place, zone in enumerate(zones)
    ]
    both(duck, spark, texts(ISO), ", ".join(["i", *times, f"{coerce.known('t0')} AS k"][:-1]))
    kinds = [f"{coerce.coerce('x', 'VARCHAR', kind)} AS {kind}" for kind in ("number", "integer")]
    kinds += [f"{coerce.coerce('x', 'VARCHAR', 'flag')} AS flag"]
    kinds += [f"{coerce.has_value('x', 'VARCHAR', 'number')} AS present"]
    kinds += [f"{coerce.identifier('x', 'VARCHAR')} AS id"]
    both(duck, spark, texts(NUMBERS), ", ".join(["i", *kinds]))
    words = WORDINGS["subscriptions", "billing_period"]
    period = words.choose(words.spell("nullif(trim(x), '')"))
    both(duck, spark, texts(PERIODS), f"i, {period} AS period")


@pytest.mark.slow
def test_words_mean_the_same(duck: Engine, spark: Engine) -> None:
    vendors = [
        spelling
        for words in VOCABULARIES.values()
        for spellings in words.words.values()
        for spelling in spellings
    ]
    odd = ("P1 - Critical", " Sev-1 ", "NPS Survey", "x", "", "---", "Überfällig", "1", "2 - High")
    every = tuple(dict.fromkeys((*vendors, *odd)))
    items = [
        f"{wording.choose(wording.spell('x'))} AS w{place}"
        for place, wording in enumerate(WORDINGS.values())
    ]
    both(duck, spark, texts(every), ", ".join(["i", *items]))
    nothing = [word.upper() for word in (*NOTHING, *NO_TIME)]
    blanks = ("\u00a0acme ", "\tacme", "acme\r\n", "acme 1", "17.0 ")
    days = ("0000-00-00", "31/12/2999", "1970-01-01", "2099-01-01 10:00", "99991231", "2024-01-31")
    words = (*dict.fromkeys((*nothing, *blanks, *days)),)
    kinds = [f"{coerce.is_nothing('x', 'VARCHAR', kind)} AS n_{kind}" for kind in ("id", "time")]
    kinds += [f"{coerce.has_value('x', 'VARCHAR', 'time', optional=True)} AS filled"]
    kinds += [f"{coerce.coerce('x', 'VARCHAR', 'time', optional=True)} AS moment"]
    kinds += [f"{coerce.identifier('x', 'VARCHAR')} AS id", f"{coerce.text('x', 'VARCHAR')} AS t"]
    both(duck, spark, texts(words), ", ".join(["i", *kinds]))


@pytest.mark.slow
def test_declared_formats_are_read_alike(duck: Engine, spark: Engine) -> None:
    every = tuple(dict.fromkeys(itertools.chain(*FORMATS.values())))
    read = [
        f"{coerce.coerce('x', 'VARCHAR', 'time', form=form)} AS f{place}"
        for place, form in enumerate(FORMATS)
    ]
    both(duck, spark, texts(every), ", ".join(["i", *read]))


@pytest.mark.slow
def test_times_and_numbers_are_reckoned_alike(duck: Engine, spark: Engine) -> None:
    moments = pa.array(
        [
            None,
            0,
            1,
            -1,
            86_399_999_999,
            1_709_251_200_000_000,
            1_711_852_200_123_456,
            -86_400_000_001,
        ],
        pa.timestamp("us"),
    )
    values = {
        "i": list(range(8)),
        "t": moments,
        "u": pa.array([None, *([1_709_251_199_999_999] * 7)], pa.timestamp("us")),
        "x": [None, 1.5, -1.5, 2.5, float("nan"), float("inf"), 0.1, 1e15],
        "n": [None, 1, 2, 3, 4, 5, -7, 0],
    }
    shown = (
        *("epoch_us(t)", "date_trunc('day', t)", "date_trunc('month', t)", coerce.known("t")),
        *("date_diff('second', t, u)", "date_diff('hour', t, u)", "date_diff('day', t, u)"),
        *("date_diff('month', t, u)", "date_diff('minute', u, t)", "extract(dow FROM t)"),
        *("isodow(t)", "dayofweek(t)", "hour(t)", "year(t)", "extract(second FROM t)"),
        *("t + to_months(13)", "t + INTERVAL 30 DAY", "t + (u - t)", "greatest(t, u)", "least(t)"),
        *("CAST(round(x * 1000000) AS BIGINT)", "isfinite(x)", "x > 1", "round(x)", "abs(x)"),
        *("n / nullif(n - 3, 0)", "n // 2", "n % 3", "sign(n)", "n IN (1, 2)"),
        *("[10, 20, 30][n]", "coalesce(x, 0)", "n IS NOT DISTINCT FROM 3", "left('abc', -1)"),
        *(
            "(CAST(n > 2 AS UBIGINT) << 3) | 1",
            "regexp_full_match('a1', 'a\\d')",
            "CAST(t AS DATE)",
        ),
        *("TRY_CAST(CAST(n AS VARCHAR) AS UTINYINT)", "trim('pmx12', 'pm')", "rtrim('12m', 'm')"),
        *("ends_with('abc', 'c')", "contains('abc', 'b')", "CAST(t AS VARCHAR)"),
    )
    chosen = [
        f"CASE WHEN x < 1e9 THEN {sql} END" if sql.startswith("CAST(round") else sql
        for sql in shown
    ]
    both(duck, spark, values, ", ".join(["i", *(f"{sql} AS c{n}" for n, sql in enumerate(chosen))]))


@pytest.mark.slow
def test_rows_are_gathered_alike(duck: Engine, spark: Engine) -> None:
    values = {
        "i": [1, 2, 3, 4, 5],
        "a": ["x", "x", "y", None, "y"],
        "m": [1.5, None, 2.5, 4.0, 0.25],
        "t": pa.array([5, 4, 3, 2, 1], pa.timestamp("us")),
    }
    table = pa.table(values)
    statements = (
        "SELECT a, count(*) AS n, count(DISTINCT (a, i)) AS d, median(m) AS m FROM given "
        "GROUP BY ALL",
        "SELECT i, row_number() OVER (PARTITION BY a ORDER BY m DESC, t) AS p FROM given",
        "SELECT * REPLACE (upper(a) AS a) FROM given",
        "SELECT i, a FROM given WHERE i < 3 UNION ALL BY NAME SELECT a, i FROM given WHERE i > 3",
        "SELECT i, CASE WHEN a NOT IN (SELECT a FROM given WHERE a = 'x') THEN 1 ELSE 0 END AS c "
        "FROM given WHERE a IS NOT NULL",
        "WITH w AS MATERIALIZED (SELECT a FROM given) SELECT count(*) FILTER (a = 'x') AS n FROM w",
        "SELECT max(CASE WHEN m > 0 THEN struct_pack(t := t, v := m) END).v AS v FROM given",
        "SELECT why.word FROM (VALUES (1, 'one')) AS why(number, word)",
        "SELECT CAST(SUM(CAST(m AS DECIMAL(38, 10))) AS DOUBLE) AS s FROM given",
    )
    for sql in statements:
        found = []
        for engine in (duck, spark):
            engine.register("given", table)
            rows = engine.fetch(sql).to_pylist()
            found.append(sorted((sorted(row.items()) for row in rows), key=repr))
        assert found[0] == found[1], sql


@pytest.mark.slow
def test_what_spark_cannot_do_is_refused_by_name(spark: Engine) -> None:
    for sql, said in (
        ("SELECT * FROM a ASOF JOIN b ON a.t >= b.t", "asof join"),
        ("SELECT t AT TIME ZONE 'Europe/Berlin' FROM a", "at time zone"),
        ("SELECT try_strptime(x, '%j') FROM a", "%j cannot be read on Spark"),
        ("SELECT * FROM read_csv('a.csv', skip=1)", "read of a file"),
    ):
        with pytest.raises(DataError, match=said):
            spark.run([Step("refused", sql)])
    with pytest.raises(DataError, match="DuckDB file"):
        spark.tables("x.duckdb")
    with pytest.raises(DataError, match="export its tables"):
        spark.attach("x", "x.duckdb")
