"""Books and work lists in the store, on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from score.store.conftest import earlier
from tenure.core.config import Config
from tenure.score.scored import Scored
from tenure.score.store.lists import Listing, ListStore
from tenure.score.store.store import ScoreStore
from tenure.score.store.write import ScoringRun

WEEK = timedelta(days=7)


@pytest.fixture
def empty(config: Config) -> Iterator[ListStore]:
    with ListStore.open(config) as opened:
        yield opened


@pytest.fixture
def lists(empty: ListStore, store: ScoreStore, run: ScoringRun, slim: Scored) -> ListStore:
    """A store with two runs, a week apart."""
    store.add(earlier(run, as_of=run.as_of - WEEK), slim)
    store.add(run, slim)
    return empty


def test_a_book_is_the_flat_rows_of_a_run(
    lists: ListStore, run: ScoringRun, scored: Scored
) -> None:
    latest = lists.latest(run.as_of)
    assert latest is not None
    assert latest.as_of == run.as_of
    flat = scored.rows[scored.rows["horizon_days"] == 90].set_index("account_id").sort_index()
    flat = flat[~flat.index.duplicated()]
    book = lists.book(latest, "90")
    assert list(book.index) == list(flat.index)
    same = ("churn_probability", "expansion_probability", "expected_expansion_mrr", "mrr_at_risk")
    for name in same:
        expected = flat[name].to_numpy(dtype=np.float64)
        np.testing.assert_allclose(book[name].to_numpy(), expected, rtol=1e-12)
    for name in ("owner", "segment", "plan", "risk_band", "abstain_reason", "currency"):
        assert book[name].fillna("").tolist() == flat[name].fillna("").tolist()
    assert pd.to_datetime(book["renews_at"]).tolist() == flat["renews_at"].tolist()
    lift = flat["expansion_probability"] / flat["expansion_base_rate"]
    np.testing.assert_allclose(book["expansion_lift"], lift.to_numpy(dtype=np.float64))
    some = list(flat.index[:3])
    assert list(lists.book(latest, "90", some).index) == some


def test_drivers_are_those_of_the_score(lists: ListStore, store: ScoreStore) -> None:
    latest = store.runs()[-1]
    expected = {
        (one.account_id, one.target): one.drivers
        for one in store.scores(latest)
        if one.horizon == "90"
    }
    names = sorted({account for account, _ in expected})[:5]
    drivers = lists.drivers(latest, "90", names)
    assert {account for account, _ in drivers} == set(names)
    assert all(expected[key] == own for key, own in drivers.items())
    (account, *_) = names
    scores = lists.account_scores(account, latest)
    assert {one.run_id for one in scores} == {latest.run_id}


def test_levels_are_of_the_last_run_of_each_time(
    lists: ListStore, store: ScoreStore, run: ScoringRun, slim: Scored
) -> None:
    store.add(earlier(run, data_fingerprint="again"), slim)
    span = (run.as_of - WEEK, run.as_of)
    levels = lists.levels("churn", "90", span)
    assert levels["as_of"].nunique() == 2
    assert not levels.duplicated(["as_of", "account_id"]).any()
    assert lists.levels("churn", "90", span, most=1)["as_of"].unique().tolist() == [run.as_of]
    account = levels["account_id"].iloc[0]
    assert len(lists.levels("churn", "90", span, [account])) == 2
    assert lists.levels("churn", "90", (run.as_of, run.as_of))["as_of"].nunique() == 1


def test_a_list_is_remembered_and_replaced(empty: ListStore, run: ScoringRun) -> None:
    before = run.as_of - WEEK
    first = [("a", "ann", {"band": "high"}), ("b", None, {})]
    empty.hand_out("risk", before, first, {"a": "listed"})
    arms = {"a": "held_out", "c": "listed"}
    empty.hand_out("risk", before, [("a", "ann", {"band": "medium"})], arms)
    empty.hand_out("expansion", before, [("z", "ann", {})], {})
    assert empty.last_listings("risk", run.as_of) == {"a": Listing(before, {"band": "medium"})}
    assert empty.last_listings("risk", before) == {}
    assert empty.arms("risk") == {"a": "listed", "c": "listed"}, "an arm is for good"
    assert empty.arms("expansion") == {}
