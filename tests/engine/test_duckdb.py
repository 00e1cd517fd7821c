from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from tenure.core.config import make_config
from tenure.core.errors import DataError
from tenure.core.steps import Step
from tenure.engine import open_engine
from tenure.engine.duckdb import DuckDBEngine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[DuckDBEngine]:
    found = DuckDBEngine(threads=1, memory_limit="500MB", search_path=(tmp_path,))
    yield found
    found.close()


def test_steps_run_in_order_and_replace_one_another(engine: DuckDBEngine) -> None:
    engine.register("numbers", pa.table({"x": [1, 2, 3]}))
    steps = [
        Step("twice", "SELECT 2 * x AS x FROM numbers"),
        Step("total", "SELECT sum(x) AS n FROM twice"),
    ]
    engine.run(steps)
    assert engine.fetch("SELECT n FROM total").to_pylist() == [{"n": 12}]
    engine.register("numbers", pa.table({"x": [5]}))
    assert engine.fetch("SELECT n FROM total").to_pylist() == [{"n": 12}], (
        "kept, not computed again"
    )
    engine.run(steps)
    assert engine.fetch("SELECT n FROM total").to_pylist() == [{"n": 10}]


def test_a_lazy_step_follows_its_source(engine: DuckDBEngine) -> None:
    engine.register("numbers", pa.table({"x": [1]}))
    engine.run([Step("seen", "SELECT x FROM numbers", lazy=True)])
    engine.register("numbers", pa.table({"x": [7]}))
    assert engine.fetch("SELECT x FROM seen").to_pylist() == [{"x": 7}]


def test_an_error_while_rows_flow_shows_the_sql(engine: DuckDBEngine) -> None:
    engine.register("words", pa.table({"x": ["1", "two"]}))
    with pytest.raises(DataError, match="CAST\\(x AS INTEGER\\)"):
        engine.fetch("SELECT CAST(x AS INTEGER) AS n FROM words")


def test_a_view_and_a_table_of_one_name_replace_one_another(engine: DuckDBEngine) -> None:
    for lazy in (True, False, True):
        engine.run([Step("one", f"SELECT {lazy} AS lazy", lazy=lazy)])
        assert engine.fetch("SELECT lazy FROM one").to_pylist() == [{"lazy": lazy}]
    engine.clear()
    with pytest.raises(DataError):
        engine.columns("one")


def test_an_engine_that_plans_nothing_gives_the_same_tables(engine: DuckDBEngine) -> None:
    sql = "SELECT range AS n, 'x' || range AS word, NULL::TIMESTAMP AS t FROM range(3) ORDER BY n"
    small = DuckDBEngine(threads=1, optimize=False)
    for _ in range(2):
        assert small.fetch(sql).equals(engine.fetch(sql))
        with pytest.raises(DataError):
            small.fetch("SELECT CAST(range || 'x' AS INTEGER) FROM range(3)")
    small.close()


def test_text_files_stay_text(engine: DuckDBEngine, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,day,note\n007,03/04/2024,\n8,04/03/2024,x\n")
    engine.attach("given", str(tmp_path / "a.csv"))
    assert engine.columns("given") == {"id": "VARCHAR", "day": "VARCHAR", "note": "VARCHAR"}
    rows = engine.fetch("SELECT * FROM given ORDER BY id").to_pylist()
    assert rows[0] == {"id": "007", "day": "03/04/2024", "note": None}


def test_databases_and_parquet_are_read(engine: DuckDBEngine, tmp_path: Path) -> None:
    path = tmp_path / "it's.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE tickets AS SELECT 1 AS n")
        connection.execute("CREATE VIEW others AS SELECT 2 AS n")
    assert engine.tables(str(path)) == ["others", "tickets"]
    engine.attach("tickets", str(path))
    engine.attach("mine", str(path), "others")
    assert engine.fetch("SELECT n FROM tickets UNION ALL SELECT n FROM mine").num_rows == 2
    out = tmp_path / "out.parquet"
    engine.write("SELECT n, 'é' AS word FROM mine", str(out))
    engine.attach("again", str(out))
    assert engine.fetch("SELECT * FROM again").to_pylist() == [{"n": 2, "word": "é"}]


def test_rows_are_written_as_csv_by_suffix(engine: DuckDBEngine, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    engine.write("SELECT 1 AS n, NULL AS nothing", str(out))
    assert out.read_text() == "n,nothing\n1,\n"


def test_names_are_quoted(engine: DuckDBEngine) -> None:
    odd = 'a "quoted" select'
    engine.register(odd, pa.table({'x "y"': [1]}))
    assert engine.columns(odd) == {'x "y"': "BIGINT"}
    engine.drop(odd, "never there")
    with pytest.raises(DataError):
        engine.columns(odd)


def test_times_come_back_to_the_microsecond(engine: DuckDBEngine) -> None:
    moment = datetime(2024, 3, 31, 2, 30, 0, 123456)
    engine.register("times", pa.table({"t": pa.array([moment], pa.timestamp("us"))}))
    assert engine.fetch("SELECT t FROM times").column("t").to_pylist() == [moment]
    (zone,) = engine.fetch("SELECT current_setting('TimeZone') AS z").column("z").to_pylist()
    assert zone == "UTC"


def test_nothing_is_fetched_from_the_network(engine: DuckDBEngine) -> None:
    settings = engine.fetch(
        "SELECT name, value FROM duckdb_settings() WHERE name LIKE 'auto%_known_extensions'"
    ).to_pylist()
    assert len(settings) == 2
    assert {row["value"] for row in settings} == {"false"}


def test_close_leaves_no_files() -> None:
    engine = DuckDBEngine(threads=1)
    folder = Path(engine._spill.name)
    assert folder.is_dir()
    engine.close()
    assert not folder.exists()


def test_an_engine_is_opened_from_the_config(tmp_path: Path) -> None:
    (tmp_path / "near.csv").write_text("x\n1\n")
    engine = open_engine(
        make_config({"data": {"path": "."}, "engine": {"threads": 1}}, base=tmp_path)
    )
    try:
        found = engine.fetch("SELECT x FROM read_csv('near.csv')").to_pylist()
        assert [row["x"] for row in found] == [1]
    finally:
        engine.close()
