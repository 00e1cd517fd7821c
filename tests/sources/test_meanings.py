"""Every column of the contract says what it is, and the page shows all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenure.sources.contract import CONSTANT, SOURCES
from tenure.sources.meanings import MEANINGS
from tenure.sources.words import PERIODS, VOCABULARIES

COLUMNS = [(source.name, column) for source in SOURCES.values() for column in source.columns]
PAGE = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")


def section(table: str) -> str:
    return PAGE.split(f"\n## {table}\n")[1].split("\n## ")[0]


def test_meanings_and_columns_are_the_same() -> None:
    declared = {name: [column.name for column in item.columns] for name, item in SOURCES.items()}
    assert {name: list(columns) for name, columns in MEANINGS.items()} == declared


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=lambda item: getattr(item, "name", item))
def test_a_column_has_all_of_it(table: str, column) -> None:
    meaning = MEANINGS[table][column.name]
    assert len(meaning.text) > 8
    assert len(meaning.absent) > 8
    assert len(meaning.origin) > 3
    assert meaning.unit or column.kind not in ("number", "integer")
    derived = ("created_at", "subscription_id")
    assert meaning.absent.startswith("required") is (column.required and column.name not in derived)
    (line,) = [
        line for line in section(table).splitlines() if line.startswith(f"| `{column.name}`")
    ]
    for part in (meaning.text, meaning.unit, meaning.absent, meaning.origin):
        assert part in line
    known = f"at `{column.clock}`" if column.clock else "with the row"
    assert f"| {known} |" in line


def test_the_page_lists_every_word() -> None:
    for (table, column), words in VOCABULARIES.items():
        listed = section(table).split(f"Words of `{column}`:")[1]
        for word, spellings in words.words.items():
            assert f"- `{word}`: {', '.join(spellings)}\n" in listed
    periods = section("subscriptions").split("Words of `billing_period`:")[1]
    for spellings in PERIODS.values():
        assert ", ".join(spellings) in periods


def test_what_is_taken_as_constant_says_so() -> None:
    for name in CONSTANT - {"employees"}:
        assert "taken as constant" in MEANINGS["accounts"][name].absent
