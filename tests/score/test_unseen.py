"""Words that no model learnt from are told of each account and of the book."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd

from features.audited import COLUMNS, engine, ticket, tickets
from tenure.core.spec import Family, Feature
from tenure.features.plan.plan import resolve_plan
from tenure.score.unseen import MOST, RECENT_DAYS, known_words, unseen_texts, unseen_words
from tenure.sources.dataset import Dataset

AS_OF = datetime(2024, 3, 1)
DAY = timedelta(days=1)
FEATURES = (
    Feature("urgent", "tickets", "count(*)", "{value}", where="priority = 'urgent'"),
    Feature("late", "tickets", "avg(csat_score)", "{value}"),
)
PLAN = resolve_plan([Family("audited", "Audited", FEATURES)], COLUMNS)


def data(where: Any) -> Dataset:
    return Dataset(where, COLUMNS, AS_OF, report=cast("Any", None))


def learnt(rows: list[dict[str, Any]]) -> dict[str, list[str]]:
    with engine(tickets=tickets(rows)) as where:
        return known_words(data(where), PLAN)


def model(words: dict[str, list[str]] | None, plans: list[str] | None = None) -> Any:
    """Return what is read of a model: its words and its inputs."""
    latest = {"words": words, "inputs": {"plan": {"seen": plans}}}
    reference = {} if words is None else {"latest": latest}
    return SimpleNamespace(bundle=SimpleNamespace(reference=reference))


def unseen(
    rows: list[dict[str, Any]], *models: Any, plans: tuple[str, ...] = ("pro", "pro")
) -> Any:
    accounts = pd.Series(["a", "b"])
    matrix = SimpleNamespace(
        rows=pd.DataFrame({"account_id": accounts}),
        values=pd.DataFrame({"plan": pd.Series(plans, dtype=object)}),
    )
    named = {f"t{number}": one for number, one in enumerate(models)}
    with engine(tickets=tickets(rows)) as where:
        words = unseen_words(data(where), named, cast("Any", matrix), AS_OF)
    return words, list(unseen_texts(words, accounts))


KNOWN = {"tickets.priority": ["low", "urgent"]}


def test_the_words_of_columns_that_features_read_are_remembered() -> None:
    rows = [ticket("a", AS_OF - DAY, priority=word) for word in ("urgent", "low", "urgent")]
    assert learnt(rows) == KNOWN


def test_free_text_is_not_remembered() -> None:
    many = [ticket("a", AS_OF - DAY, priority=f"p{number}") for number in range(MOST + 1)]
    assert learnt(many) == {}
    assert list(learnt(many[:-1])) == ["tickets.priority"]


def test_a_word_nobody_used_before_is_told_with_its_share() -> None:
    rows = [ticket("a", AS_OF - n * DAY, priority="low") for n in (1, 2, 3)]
    rows += [ticket("a", AS_OF - DAY, priority="odd"), ticket("b", AS_OF - DAY)]
    words, texts = unseen(rows, model(KNOWN, ["pro"]))
    assert texts == ["tickets.priority 'odd' (25% of its rows in 28 days)", None]
    assert words.loc[words["word"] == "odd", "n"].tolist() == [1]


def test_only_recent_rows_that_were_known_before_as_of_count() -> None:
    old = ticket("a", AS_OF - (RECENT_DAYS + 1) * DAY, priority="old")
    late = ticket("a", AS_OF - DAY, known=AS_OF, priority="late")
    future = ticket("a", AS_OF, priority="future")
    assert unseen([old, late, future], model(KNOWN, ["pro"]))[1] == [None, None]


def test_a_word_is_told_where_any_model_that_reads_it_does_not_know_it() -> None:
    rows = [ticket("a", AS_OF - DAY, priority="odd")]
    other = model({"tickets.priority": ["low", "odd"]}, ["pro"])
    assert unseen(rows, other)[1] == [None, None]
    assert unseen(rows, other, model(KNOWN, ["pro"]))[1] == [
        "tickets.priority 'odd' (100% of its rows in 28 days)",
        None,
    ]


def test_a_plan_that_is_new_is_told_with_the_account() -> None:
    assert unseen([], model(KNOWN, ["pro"]), plans=("pro", "gold"))[1] == [None, "plan 'gold'"]
    assert unseen([], model(KNOWN, None), plans=("pro", "gold"))[1] == [None, None]


def test_an_account_that_is_not_scored_is_not_told_of() -> None:
    rows = [ticket("c", AS_OF - DAY, priority="odd")]
    words, texts = unseen(rows, model(KNOWN, ["pro"]))
    assert words.empty
    assert texts == [None, None]


def test_a_model_that_remembers_no_words_tells_nothing() -> None:
    rows = [ticket("a", AS_OF - DAY, priority="odd")]
    assert unseen(rows, model(None))[1] == [None, None]
