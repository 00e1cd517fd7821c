"""What every engine promises, on each of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tenure.core.errors import DataError
from tenure.core.steps import Step
from tenure.engine import Engine

MOMENT = datetime(2024, 3, 31, 2, 30, 0, 123456)


def test_steps_run_in_order_and_are_kept(engine: Engine) -> None:
    engine.register("numbers", pa.table({"x": [1, 2, 3]}))
    steps = [
        Step("twice", "SELECT 2 * x AS x FROM numbers"),
        Step("total", "SELECT CAST(sum(x) AS BIGINT) AS n FROM twice"),
        Step("seen", "SELECT x FROM numbers", lazy=True),
        Step("twice", "SELECT * FROM twice WHERE x > 2"),
    ]
    engine.run(steps)
    engine.register("numbers", pa.table({"x": [5]}))
    assert engine.fetch("SELECT n FROM total").to_pylist() == [{"n": 12}]
    assert engine.fetch("SELECT x FROM twice ORDER BY x").to_pylist() == [{"x": 4}, {"x": 6}]
    assert engine.fetch("SELECT x FROM seen").to_pylist() == [{"x": 5}]
    engine.drop("twice", "total", "never there")
    with pytest.raises(DataError):
        engine.columns("twice")


@pytest.mark.parametrize("rows", [1, 10**9])
def test_clear_leaves_no_table(engine: Engine, rows: int) -> None:
    engine.register("numbers", pa.table({"x": [1, 2, 3]}))
    engine.run([Step("twice", "SELECT 2 * x AS x FROM numbers")])
    engine.run([Step("seen", "SELECT x FROM twice", lazy=True)])
    engine.divide(Step("pairs", "SELECT x, x % 2 AS odd FROM numbers"), "odd", rows)
    engine.clear()
    for name in ("numbers", "twice", "seen", "pairs"):
        with pytest.raises(DataError):
            engine.columns(name)
    engine.register("numbers", pa.table({"x": [4]}))
    assert engine.fetch("SELECT x FROM numbers").to_pylist() == [{"x": 4}]


def test_an_error_shows_the_sql(engine: Engine) -> None:
    for run in (
        lambda: engine.fetch("SELECT nowhere FROM numbers"),
        lambda: engine.run([Step("x", "SELECT nowhere FROM numbers")]),
        lambda: engine.write("SELECT nowhere FROM numbers", "out.parquet"),
    ):
        with pytest.raises(DataError) as caught:
            run()
        assert "numbers" in str(caught.value)
        shown = str(caught.value).split("the SQL was:")[1]
        assert "SELECT nowhere FROM numbers" in shown


def test_types_keep_their_names_and_values(engine: Engine) -> None:
    table = pa.table(
        {
            'an "odd" `name`': pa.array(["é", None]),
            "moment": pa.array([MOMENT, None], pa.timestamp("us")),
            "zoned": pa.array([MOMENT.replace(tzinfo=UTC), None], pa.timestamp("us", "UTC")),
            "word": pa.array(["a", None]).dictionary_encode(),
            "flag": [True, None],
            "real": [0.1, None],
            "whole": [2**53 + 1, None],
            "small": pa.array([7, None], pa.int32()),
        }
    )
    engine.register("typed values", table)
    engine.run([Step("kept", 'SELECT * FROM "typed values"')])
    for name in ("typed values", "kept"):
        assert list(engine.columns(name).values())[-5:] == [
            "VARCHAR"
            if engine.dialect == "spark" or name == "kept"
            else engine.columns(name)["word"],
            *("BOOLEAN", "DOUBLE", "BIGINT", "INTEGER"),
        ]
        assert engine.columns(name)["moment"] == "TIMESTAMP"
        assert engine.columns(name)["zoned"] == "TIMESTAMP WITH TIME ZONE"
    row = engine.fetch("SELECT * FROM kept WHERE flag").to_pylist()[0]
    assert row['an "odd" `name`'] == "é"
    assert (row["moment"], row["whole"], row["real"]) == (MOMENT, 2**53 + 1, 0.1)


def test_files_are_read(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('id;day;note\n007;03/04/2024;\n8;x;"a ""b""; c\nd"\n')
    engine.attach("given", str(tmp_path / "a.csv"))
    assert engine.columns("given") == dict.fromkeys(("id", "day", "note"), "VARCHAR")
    rows = engine.fetch("SELECT * FROM given ORDER BY id").to_pylist()
    assert rows[0] == {"id": "007", "day": "03/04/2024", "note": None}
    assert rows[1]["note"] == 'a "b"; c\nd'
    for month in (1, 2):
        folder = tmp_path / "parts" / f"month={month}"
        folder.mkdir(parents=True)
        pq.write_table(pa.table({"x": [month]}), folder / "p.parquet")
    engine.attach("parts", str(tmp_path / "parts") + "/**/*.parquet")
    found = engine.fetch("SELECT x FROM parts WHERE month = 2").to_pylist()
    assert found == [{"x": 2}]
    sql = "SELECT a.id FROM 'a.csv' AS a JOIN read_csv('a.csv', all_varchar=true) AS b USING (id)"
    engine.run([Step("joined", sql, lazy=True)])
    assert engine.fetch("SELECT count(*) AS n FROM joined").to_pylist() == [{"n": 2}]


def test_rows_are_written_to_one_file(engine: Engine, tmp_path: Path) -> None:
    engine.write("SELECT 1 AS n, 'é' AS word", str(tmp_path / "out.parquet"))
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == [{"n": 1, "word": "é"}]
    engine.write("SELECT 1 AS n, CAST(NULL AS VARCHAR) AS nothing", str(tmp_path / "out.csv"))
    assert (tmp_path / "out.csv").read_text() == "n,nothing\n1,\n"


def test_functions_go_to_the_rows_of_each_key(engine: Engine) -> None:
    engine.register("few", pa.table({"key": [1, 2], "x": [10, 20]}))
    engine.register("many", pa.table({"key": [2, 2, 3], "y": [1, 2, 3]}))
    schema = pa.schema([("key", pa.int64()), ("few", pa.int64()), ("many", pa.int64())])

    def count(few: pa.Table, many: pa.Table) -> pa.Table:
        key = (few if few.num_rows else many).column("key")[0].as_py()
        return pa.table([[key], [few.num_rows], [many.num_rows]], schema=schema)

    found = engine.cogroup("SELECT * FROM few", "SELECT * FROM many", "key", count, schema)
    rows = sorted(tuple(row.values()) for row in found.to_pylist())
    assert rows == [(1, 1, 0), (2, 1, 2), (3, 0, 1)]


def test_tables_of_a_catalogue(engine: Engine, tmp_path: Path) -> None:
    if engine.dialect == "duckdb":
        with pytest.raises(DataError, match="no catalogue"):
            engine.attach("here", "", "shop.accounts")
        return
    session = engine.session  # type: ignore[attr-defined]
    session.sql(f"CREATE DATABASE shop LOCATION '{tmp_path}/shop'")
    session.sql("CREATE TABLE shop.accounts USING parquet AS SELECT 'a' AS account_id")
    engine.attach("here", "", "shop.accounts")
    assert engine.fetch("SELECT * FROM here").to_pylist() == [{"account_id": "a"}]
    with pytest.raises(DataError, match="nothing"):
        engine.attach("here", "", "shop.nothing")
    session.sql("DROP DATABASE shop CASCADE")


@pytest.mark.parametrize("rows", [1, 10**9])
def test_a_step_is_read_share_by_share(engine: Engine, rows: int) -> None:
    engine.register("numbers", pa.table({"x": [1, 2, 3, 4, None], "word": list("abcde")}))
    engine.divide(Step("pairs", "SELECT x, word, x // 2 AS pair FROM numbers"), "pair", rows)
    found = {pair: sorted(engine.share("pairs", pair).to_pylist(), key=str) for pair in (0, 1, 7)}
    assert found == {
        0: [{"x": 1, "word": "a"}],
        1: [{"x": 2, "word": "b"}, {"x": 3, "word": "c"}],
        7: [],
    }
    assert engine.share("pairs", 7).column_names == ["x", "word"]
    engine.divide(Step("pairs", "SELECT x, 0 AS pair FROM numbers WHERE x > 3"), "pair", rows)
    assert engine.share("pairs", 0).to_pylist() == [{"x": 4}]
    engine.divide(Step("pairs", "SELECT x, 0 AS pair FROM numbers WHERE x > 9"), "pair", rows)
    assert engine.share("pairs", 0).to_pylist() == []
    engine.drop("pairs")


def test_files_are_put_together_by_the_names_of_their_columns(
    engine: Engine, tmp_path: Path
) -> None:
    (tmp_path / "a1.CSV").write_text("id,day\n1,x\n")
    (tmp_path / "a2.CSV").write_text('note,id,day\n"p, q",2,y\n')
    pq.write_table(pa.table({"id": ["1"], "day": ["x"]}), tmp_path / "b1.parquet")
    pq.write_table(pa.table({"id": ["2"], "note": ["p, q"], "day": ["y"]}), tmp_path / "b2.parquet")
    for name in ("a*.CSV", "b*.parquet"):
        engine.attach("united", str(tmp_path / name))
        rows = engine.fetch("SELECT id, day, note FROM united ORDER BY id").to_pylist()
        assert rows == [
            {"id": "1", "day": "x", "note": None},
            {"id": "2", "day": "y", "note": "p, q"},
        ]
