"""Tables of a program are read by the rules of files, whatever library holds them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

from tenure.core.config import make_config
from tenure.core.errors import DataError
from tenure.core.records.training import TrainingRecord
from tenure.engine.duckdb import DuckDBEngine
from tenure.sources.dataset import Dataset
from tenure.sources.frames import arrow_table
from tenure.sources.load import load

START = datetime(2024, 1, 3, 8, 30)
ACCOUNTS: dict[str, list[Any]] = {
    "account_id": [2**63 + 1, 7, 8],
    "created_at": [START, START, START],
    "segment": ["small", "large", None],
}
SUBSCRIPTIONS: dict[str, list[Any]] = {
    "account_id": [2**63 + 1, 7, 8, 9],
    "started_at": [START, START, START, START],
    "mrr": [50.5, 20.0, None, 1.0],
    "seats": [3, None, 5, 1],
}

Frame = Callable[[dict[str, list[Any]]], Any]


def rows(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """Return rows in which a value that is absent has no key."""
    listed = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return [{key: value for key, value in row.items() if value is not None} for row in listed]


def objects(columns: dict[str, list[Any]]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(list_, dtype=object) for name, list_ in columns.items()})


FRAMES: dict[str, Frame] = {
    "rows": rows,
    "pandas": pd.DataFrame,
    "pandas objects": objects,
    "pandas nullable": lambda columns: pd.DataFrame(columns).convert_dtypes(),
    "pandas arrow": lambda columns: pd.DataFrame(columns).convert_dtypes(dtype_backend="pyarrow"),
    "pandas indexed": lambda columns: pd.DataFrame(columns).set_index("account_id"),
    "polars": pl.DataFrame,
    "polars lazy": pl.LazyFrame,
    "arrow": lambda columns: pl.DataFrame(columns).to_arrow(),
}


@pytest.fixture
def engine() -> Any:
    opened = DuckDBEngine(threads=1)
    yield opened
    opened.close()


def loaded(engine: DuckDBEngine, tmp_path: Path, tables: dict[str, Any], **more: Any) -> Dataset:
    listed = {name: {"frame": frame, **more.get(name, {})} for name, frame in tables.items()}
    paths = {"runs": str(tmp_path / "runs")}
    return load(make_config({"data": {"tables": listed}, "paths": paths}, base=tmp_path), engine)


@pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES)
def test_every_kind_of_frame_is_read_alike(
    make: Frame, engine: DuckDBEngine, tmp_path: Path
) -> None:
    tables = {"accounts": make(ACCOUNTS), "subscriptions": make(SUBSCRIPTIONS)}
    dataset = loaded(engine, tmp_path, tables)
    assert engine.fetch(
        "SELECT account_id, started_at, mrr, seats FROM subscriptions ORDER BY account_id"
    ).to_pylist() == [
        {"account_id": "7", "started_at": START, "mrr": 20.0, "seats": None},
        {"account_id": "9223372036854775809", "started_at": START, "mrr": 50.5, "seats": 3},
    ]
    segments = engine.fetch("SELECT segment FROM accounts ORDER BY account_id").column(0)
    assert segments.to_pylist() == ["large", None, "small"]
    report = dataset.report.tables["subscriptions"]
    assert report.rejected == {"missing_mrr": 1, "unknown_account": 1}


def test_values_of_every_kind_are_those_of_a_file(engine: DuckDBEngine, tmp_path: Path) -> None:
    berlin = pd.Timestamp("2024-01-03 09:30", tz="Europe/Berlin").as_unit("ns")
    accounts = pd.DataFrame(
        {
            "account_id": pd.Categorical([1, 2]),
            "created_at": [berlin, pd.NaT],
            "segment": pd.Categorical(["a", None]),
            "employees": pd.array([5, None], dtype="Int64"),
            "quarter": pd.PeriodIndex(["2024Q1", "2024Q2"], freq="Q"),
            "mixed": pd.Series([1, "b"], dtype=object),
            "vip": pd.array([True, None], dtype="boolean"),
            "spend": pd.Series([Decimal("1.50"), Decimal("2E+2")], dtype=object),
            "nested": [{"a": 1}, None],
            7: ["x", "y"],
        }
    )
    subscriptions = pl.DataFrame(
        {
            "account_id": ["1", "2"],
            "started_at": [date(2024, 1, 3), date(2024, 1, 4)],
            "ended_at": [datetime(2024, 5, 1, 2, tzinfo=UTC), None],
            "mrr": [Decimal("10.25"), Decimal("3")],
            "plan": pl.Series(["gold", "gold"], dtype=pl.Categorical),
        }
    )
    before = accounts.copy(deep=True)
    dataset = loaded(engine, tmp_path, {"accounts": accounts, "subscriptions": subscriptions})
    pd.testing.assert_frame_equal(accounts, before)
    account = engine.fetch("SELECT * EXCLUDE (event_time, known_at) FROM accounts").to_pylist()
    assert account[0] == {
        "account_id": "1",
        "created_at": START,
        "segment": "a",
        "employees": 5,
        "quarter": "2024Q1",
        "mixed": "1",
        "vip": True,
        "spend": 1.5,
        "7": "x",
    }
    assert [row["account_id"] for row in account] == ["1"]  # the other was created at no time
    assert "nested (STRUCT" in str(dataset.report.tables["accounts"].remarks)
    row = engine.fetch("SELECT * FROM subscriptions").to_pylist()[0]
    assert (row["mrr"], row["plan"]) == (10.25, "gold")
    assert row["started_at"] == datetime(2024, 1, 3)
    assert row["renews_at"] == datetime(2024, 5, 1, 2)  # an end yet to come


def test_a_frame_takes_the_place_of_a_file_and_keeps_its_mapping(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    frame = pd.DataFrame({"id": [7], "seen": ["03.01.2024"]})
    mapping = {
        "path": "crm.csv",
        "columns": {"account_id": "id", "created_at": "seen"},
        "formats": {"created_at": "%d.%m.%Y"},
    }
    bought = [{"account_id": 7, "started_at": "2024-01-03", "mrr": "5"}]
    tables = {"accounts": frame, "subscriptions": bought}
    loaded(engine, tmp_path, tables, accounts=mapping)
    assert engine.fetch("SELECT created_at FROM accounts").to_pylist() == [
        {"created_at": datetime(2024, 1, 3)}
    ]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (3, "frame accounts: is no table (found: int) → give a pandas, Polars or Arrow table"),
        ("x.csv", "frame accounts: is no table (found: str)"),
        ([1], "frame accounts: is no table (found: int)"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "frame accounts: has two columns of one name"),
        ([], "frame accounts: has no columns"),
        ([{"account": 1, "created_at": "x"}], "did you mean `account`?"),
    ],
)
def test_what_is_no_table_is_named(
    frame: Any, message: str, engine: DuckDBEngine, tmp_path: Path
) -> None:
    bought = [{"account_id": 7, "started_at": "2024-01-03", "mrr": "5"}]
    with pytest.raises(DataError, match=re.escape(message)):
        loaded(engine, tmp_path, {"accounts": frame, "subscriptions": bought})


def test_what_is_wrong_with_all_rows_names_the_frame(engine: DuckDBEngine, tmp_path: Path) -> None:
    accounts = [{"account_id": 7, "created_at": "2024-01-03"}]
    bought = [{"account_id": 7, "started_at": "2024-01-03", "mrr": "5"}]
    with pytest.raises(DataError, match="subscriptions: is required and was not found"):
        loaded(engine, tmp_path, {"accounts": accounts})
    with pytest.raises(DataError, match="table account: is not a table"):
        loaded(engine, tmp_path, {"account": accounts, "subscriptions": bought})
    table = loaded(engine, tmp_path, {"accounts": accounts, "subscriptions": bought})
    assert table.report.tables["accounts"].origin == "frame accounts"


def test_what_two_columns_hold_is_not_lost() -> None:
    table = arrow_table("accounts", [{"a": 1}, {"a": 2**70, "b": None}, {"b": date(2024, 1, 2)}])
    assert table.column("a").to_pylist() == ["1", str(2**70), None]
    assert table.column("b").to_pylist() == [None, None, date(2024, 1, 2)]


def test_a_record_names_no_rows() -> None:
    config = make_config({"data": {"tables": {"accounts": {"frame": [{"a": 1}]}}}}, base=Path())
    written = config.model_dump(mode="json")
    assert written["data"]["tables"]["accounts"]["frame"] == "in memory"
    field = TrainingRecord.model_fields["config"].annotation
    assert field is not None
    assert field.model_validate(written).data.tables["accounts"].frame == "in memory"
