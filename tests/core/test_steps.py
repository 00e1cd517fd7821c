from __future__ import annotations

import sqlglot
from hypothesis import given
from hypothesis import strategies as st

from tenure.core.steps import quote, text_literal


@given(st.text(st.characters(exclude_characters="\x00", codec="utf-8"), min_size=1))
def test_names_and_texts_are_quoted_so_that_they_come_back(text: str) -> None:
    select = sqlglot.parse_one(f"SELECT {quote(text)}, {text_literal(text)}", read="duckdb")
    assert [item.name for item in select.expressions] == [text, text]
