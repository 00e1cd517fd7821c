"""Rows as they are posted become columns of one type, or are refused by their place."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from tenure.core.errors import DataError, Problem
from tenure.score.posted_rows import posted_tables

READ: dict[str, Any] = {"accounts": {"segment": "text", "attr_of_mine": "text"}}


@pytest.mark.parametrize("name", ["account_id", "created_at", "segment", "attr_of_mine"])
@pytest.mark.parametrize("first", ["smb", None, 3])
def test_half_a_surrogate_pair_is_refused_with_its_place(name: str, first: Any) -> None:
    rows = [{"account_id": f"a{place}", "created_at": "2023-01-15"} for place in range(3)]
    for row, value in zip(rows, (first, "so \N{GRINNING FACE}", "half \ud83d"), strict=True):
        row[name] = value
    with pytest.raises(DataError, match="Unicode") as caught:
        posted_tables({"accounts": rows}, READ)
    (problem,) = caught.value.problems
    assert isinstance(problem, Problem)
    assert problem.thing == f"tables.accounts[2].{name}"
    assert problem.value == "half \\ud83d"


def test_text_beyond_ascii_is_kept() -> None:
    rows: list[dict[str, Any]] = [{"account_id": "Ünïcode \N{GRINNING FACE}"}, {"account_id": None}]
    table = posted_tables({"accounts": rows}, {})["accounts"]
    assert table.column("account_id").to_pylist() == [rows[0]["account_id"], None]


def test_a_column_that_nobody_posted_is_there_without_values() -> None:
    rows = [{"account_id": "a", "created_at": "2023-01-15", "of_nobody": 1}]
    table = posted_tables({"accounts": rows}, READ)["accounts"]
    assert table.column_names == ["account_id", "created_at", "segment", "attr_of_mine"]
    assert table.column("segment").to_pylist() == [None]


def test_a_column_without_any_value_has_the_type_of_its_declaration() -> None:
    rows: list[dict[str, Any]] = [
        {"account_id": "a", "created_at": None, "employees": None},
        {"account_id": "b"},
    ]
    table = posted_tables({"accounts": rows}, {})["accounts"]
    assert table.schema.field("created_at").type == pa.timestamp("us")
    assert table.schema.field("employees").type == pa.int64()
    assert table.column("created_at").to_pylist() == [None, None]


@pytest.mark.parametrize("name", ["mrr", "seats", "discount"])
@pytest.mark.parametrize("others", [[], [3]])
def test_a_flag_is_no_number(name: str, others: list[Any]) -> None:
    rows = [{"subscription_id": "s", name: value} for value in (*others, None, True)]
    with pytest.raises(DataError, match="must be a number or null") as caught:
        posted_tables({"subscriptions": rows}, {})
    (problem,) = caught.value.problems
    assert isinstance(problem, Problem)
    assert problem.thing == f"tables.subscriptions[{len(rows) - 1}].{name}"
    assert problem.fix


def test_an_attribute_may_be_a_flag_that_a_model_reads_as_a_number() -> None:
    rows: list[dict[str, Any]] = [{"account_id": "a", "partner": True}]
    table = posted_tables({"accounts": rows}, {"accounts": {"partner": "number"}})["accounts"]
    assert table.column("partner").to_pylist() == [True]
