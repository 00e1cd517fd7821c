"""The reference pages say what the declarations say."""

from pathlib import Path

import generate
import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", generate.pages())
def test_page_is_current(name):
    text = generate.pages()[name]
    assert (DOCS / name).read_text(encoding="utf-8") == text, "run `make docs`"


def test_no_schema_is_left_over():
    named = {name.removeprefix("schemas/") for name in generate.pages() if "/" in name}
    assert {path.name for path in (DOCS / "schemas").iterdir()} == named


def test_every_declaration_is_described():
    pages = generate.pages()
    from tenure.features.families import FAMILIES
    from tenure.sources.contract import SOURCES

    for source in SOURCES.values():
        assert f"## {source.name}\n" in pages["data.md"]
    for family in FAMILIES.values():
        for item in family.features:
            assert f"| `{item.name}` |" in pages["features.md"]
