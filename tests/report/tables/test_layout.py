from __future__ import annotations

from tenure.report.tables.layout import Cell, joined, pairs, table, whole


def test_a_table_without_rows_is_none() -> None:
    assert table("Nothing", ("a",), []) is None
    assert pairs({"a": "", "b": None}) is None


def test_heads_of_numbers_are_set_right() -> None:
    found = table("Rows", ("name", "rows"), [(Cell("x"), whole(1_200))], numeric=(1,))
    assert found is not None
    assert [head.numeric for head in found.columns] == [False, True]
    assert found.rows[0][1] == Cell("1,200", numeric=True)


def test_names_and_values_in_one_line() -> None:
    assert joined({"num_leaves": 15, "seed": 0}) == "num_leaves 15, seed 0"
