"""What is made ready before the first posted history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlglot import exp

from tenure.core.times import as_utc
from tenure.engine.small import engine as small
from tenure.run.history import score_history, warm_up
from tenure.score import load_models
from tenure.sources.tables import SOURCES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.conftest import Tiny
    from tenure.score import Model

POSTED = "_raw_"  # a table of rows as they were posted


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """The tables of each statement that is made ready from now on; none is at first."""
    found: list[set[str]] = []
    make = small.query

    def recorded(tree: exp.Expr, *rest: Any) -> Any:
        found.append({table.name for table in tree.find_all(exp.Table)})
        return make(tree, *rest)

    for cache in (small._tree, small._read, small._made):
        cache.cache_clear()
    monkeypatch.setattr(small, "query", recorded)
    return found


def of_features(found: list[set[str]]) -> list[set[str]]:
    """Return those that read no posted rows: what is asked of tables that are checked already."""
    return [names for names in found if not any(name.startswith(POSTED) for name in names)]


def read_by(models: Mapping[str, Model], table: str) -> set[str]:
    """Return the columns of a table that models read, and those that it cannot be without."""
    read = {name for one in models.values() for name in one.bundle.spec["tables"].get(table, ())}
    return read | {column.name for column in SOURCES[table].columns if column.required}


def posted(tiny: Tiny, models: Mapping[str, Model], account: str) -> dict[str, list[Any]]:
    """Return an account's rows with the columns that models read."""
    rows = {
        table: [{name: one[name] for name in one if name in read_by(models, table)} for one in rows]
        for table, rows in tiny.posted(account).items()
    }
    assert all(rows.values())
    return rows


def test_the_first_posted_account_waits_for_no_feature(tiny: Tiny, made: list[set[str]]) -> None:
    models = load_models(tiny.config)
    row = tiny.asked.iloc[0]
    until = as_utc(row["as_of"].to_pydatetime())
    warm_up(models, tiny.config, until)
    assert len(of_features(made)) > 10
    made.clear()
    rows = posted(tiny, models, row["account_id"])
    found = score_history(rows, models, tiny.config, until).rows
    assert found["churn_probability"].notna().all()
    assert of_features(made) == []


def test_another_account_needs_no_statement_of_its_own(tiny: Tiny, made: list[set[str]]) -> None:
    models = load_models(tiny.config)
    until = as_utc(tiny.asked.iloc[0]["as_of"].to_pydatetime())
    for account in tiny.asked["account_id"].iloc[:3]:
        made.clear()
        score_history(posted(tiny, models, account), models, tiny.config, until)
    assert made == []
