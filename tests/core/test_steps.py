from __future__ import annotations

import sqlglot
from hypothesis import given
from hypothesis import strategies as st

from tenure.core.steps import Step, quote, render, text_literal

SQL = "SELECT date_trunc('month', t) AS m, count(*) AS n FROM e GROUP BY date_trunc('month', t)"


def test_duckdb_text_is_left_as_it_was_written() -> None:
    assert Step("x", SQL).text("duckdb") == SQL


def test_other_dialects_are_translated() -> None:
    text = Step("x", SQL).text("spark")
    assert "TRUNC" in text.upper()
    sqlglot.parse_one(text, read="spark")
    assert render(SQL, "spark") == text


@given(st.text(st.characters(exclude_characters="\x00", codec="utf-8"), min_size=1))
def test_names_and_texts_are_quoted_so_that_they_come_back(text: str) -> None:
    select = sqlglot.parse_one(f"SELECT {quote(text)}, {text_literal(text)}", read="duckdb")
    assert [item.name for item in select.expressions] == [text, text]
