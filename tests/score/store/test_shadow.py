"""What challengers answer stands beside the champions' scores, and nowhere among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import func, select

from score.small_world import World
from tenure.core.config import Config
from tenure.core.times import days
from tenure.score.model import Model
from tenure.score.score import score
from tenure.score.scored import Scored
from tenure.score.store.schema import SHADOW_ANSWERS, SHADOW_MODELS, SHADOW_SCORES
from tenure.score.store.shadow import (
    ShadowAnswer,
    ShadowPair,
    add_answers,
    add_shadow,
    forget_answers,
    read_pair,
    shadow_versions,
)
from tenure.score.store.store import ScoreStore
from tenure.score.store.write import ScoringRun
from tenure.success.scores.settle import settle
from tenure.success.scores.shadow import shadow_records

BACK = 130
"""Days before the end of observation: the outcomes of 90 days are known."""


@pytest.fixture(scope="module")
def past(world: World) -> Scored:
    as_of = world.dataset.observed_until - days(BACK)
    return score(world.dataset, world.models, world.config, as_of, horizons="all")


@pytest.fixture(scope="module")
def challenged(past: Scored) -> Scored:
    """The scores of a challenger of churn: nearer to the outcomes, under another version."""
    rows = past.rows.copy()
    rows["churn_probability"] = rows["churn_probability"] * 0.5
    model = past.models["churn"]
    models: Mapping[str, Model] = {"churn": replace(model, bundle=_other(model))}
    return replace(past, rows=rows, models=models)


def _other(model: Model) -> Any:
    return replace(model.bundle, card="# a challenger\n")


@pytest.fixture
def kept_run(store: ScoreStore, run: ScoringRun, past: Scored) -> ScoringRun:
    run = replace(run, as_of=past.rows["as_of"].iloc[0].to_pydatetime())
    store.add(run, past)
    return run


def _count(store: ScoreStore, table: Any) -> int:
    with store.engine.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(table)) or 0)


def test_a_challenger_is_written_once_beside_the_run(
    store: ScoreStore, kept_run: ScoringRun, past: Scored, challenged: Scored
) -> None:
    before = store.book(store.runs()[0]), store.history(past.rows["account_id"].iloc[0])
    assert add_shadow(store.engine, kept_run.run_id, challenged)
    version = challenged.models["churn"].bundle.version
    assert version != past.models["churn"].bundle.version
    assert shadow_versions(store.engine, kept_run.run_id) == {("churn", version)}
    written = _count(store, SHADOW_SCORES)
    assert written == int(challenged.rows["churn_probability"].notna().sum())
    assert not add_shadow(store.engine, kept_run.run_id, challenged)
    assert not add_shadow(store.engine, "no such run", challenged)
    assert _count(store, SHADOW_SCORES) == written
    assert len(store.runs()) == 1
    after = store.book(store.runs()[0]), store.history(past.rows["account_id"].iloc[0])
    pd.testing.assert_frame_equal(after[0], before[0])
    assert after[1] == before[1]


def test_the_pair_is_compared_on_the_same_rows(
    store: ScoreStore, world: World, kept_run: ScoringRun, past: Scored, challenged: Scored
) -> None:
    config: Config = world.config
    assert shadow_records(config, store) == {}
    add_shadow(store.engine, kept_run.run_id, challenged)
    early = shadow_records(config, store)["churn"]
    assert early.comparison is None
    main = past.rows[past.rows["horizon_days"] == config.labels.horizon_days]
    chances = main.drop_duplicates("account_id")["churn_probability"].dropna()
    assert early.rows == len(chances)
    assert early.mean_champion == pytest.approx(chances.mean())
    assert early.apart == pytest.approx(chances.mean() / 2)
    assert settle(store, world.dataset, config.labels) > 0
    record = shadow_records(config, store)["churn"]
    compared = record.comparison
    assert compared is not None
    assert compared.basis == "unseen"
    assert compared.rows <= record.rows
    pair = ShadowPair("churn", record.champion, record.challenger)
    rows = read_pair(store.engine, store.project, pair, str(config.labels.horizon_days))
    known = rows[rows["outcome"].notna()]
    assert compared.positives == int(known["outcome"].sum())
    assert compared.champion.mean_probability == pytest.approx(known["champion"].mean())
    assert compared.challenger.mean_probability == pytest.approx(known["challenger"].mean())
    lost = compared.champion.log_loss.value, compared.challenger.log_loss.value
    assert compared.gain.log_loss.value == pytest.approx((lost[0] or 0) - (lost[1] or 0))
    assert record.model_validate(record.to_json()) == record


def test_what_is_forgotten_goes_with_its_run(
    store: ScoreStore, kept_run: ScoringRun, past: Scored, challenged: Scored
) -> None:
    add_shadow(store.engine, kept_run.run_id, challenged)
    store.add(replace(kept_run, as_of=kept_run.as_of + days(1)), past, keep=1)
    assert len(store.runs()) == 1
    assert _count(store, SHADOW_SCORES) == _count(store, SHADOW_MODELS) == 0


def test_answers_to_requests_are_held_for_a_while(store: ScoreStore) -> None:
    one = ShadowAnswer(
        at=datetime(2025, 1, 1),
        request_id="a",
        path="POST /v1/score-rows",
        target="churn",
        horizon_days=90,
        account_id=None,
        as_of=None,
        place=0,
        champion_version="c",
        model_version="d",
        champion_probability=0.25,
        probability=0.5,
    )
    later = replace(one, at=datetime(2025, 6, 1), account_id="x", as_of=datetime(2025, 5, 1))
    add_answers(store.engine, store.project, [])
    add_answers(store.engine, store.project, [one, later])
    forget_answers(store.engine, datetime(2025, 3, 1))
    with store.engine.connect() as connection:
        (row,) = connection.execute(select(SHADOW_ANSWERS)).all()
    assert (row.account_id, row.at, row.probability) == ("x", datetime(2025, 6, 1), 0.5)
