from __future__ import annotations

from tenure.report.tables.layout import Cell, pairs, table


def test_a_table_without_rows_is_none() -> None:
    assert table("Nothing", [], ("a", str)) is None
    assert pairs({"a": "", "b": None}) is None


def test_heads_of_numbers_are_set_right() -> None:
    found = table("Rows", [1_200], ("name", lambda n: "x"), (">rows", lambda n: f"{n:,}"))
    assert found is not None
    assert [head.numeric for head in found.columns] == [False, True]
    assert found.rows[0][1] == Cell("1,200", numeric=True)
