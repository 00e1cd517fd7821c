"""Kept scores beside what happened: outcomes are written once they are known, and read with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import event

from score.small_world import World
from score.store.conftest import Databases, Files, copied_store
from tenure.core.config import Config
from tenure.core.flat_row import BANDS
from tenure.core.times import days
from tenure.labels.snapshots import snapshots
from tenure.labels.targets import TARGETS, label
from tenure.report.overrides import override_view
from tenure.score.score import score
from tenure.score.scored import Scored
from tenure.score.store.feedback import Override, add_override
from tenure.score.store.outcomes import Unsettled, write_outcomes
from tenure.score.store.override_outcomes import override_outcomes
from tenure.score.store.store import ScoreStore
from tenure.score.store.write import ScoringRun
from tenure.sources.dataset import Dataset
from tenure.success.scores.relation import scored_table, with_scores
from tenure.success.scores.settle import settle

BACK = 130
"""Days before the end of observation: the outcomes of 90 days are known, those of 180 are not."""


@pytest.fixture(scope="module")
def past(world: World) -> Scored:
    as_of = world.dataset.observed_until - days(BACK)
    return score(world.dataset, world.models, world.config, as_of, horizons="all")


def at(run: ScoringRun, scored: Scored) -> ScoringRun:
    """The run of other scores."""
    return replace(run, as_of=scored.rows["as_of"].iloc[0].to_pydatetime())


@pytest.fixture(scope="module")
def settled(
    databases: Files | Databases, filled_url: str, world: World, run: ScoringRun, past: Scored
) -> Iterator[ScoreStore]:
    """A store whose earlier run has its outcomes."""
    with copied_store(databases, filled_url, world.config) as store:
        store.add(at(run, past), past)
        assert settle(store, world.dataset, world.config.labels) > 0
        yield store


def test_outcomes_are_the_labels_that_are_known(settled: ScoreStore, world: World) -> None:
    dataset, labels = world.dataset, world.config.labels
    as_of = dataset.observed_until - days(BACK)
    for target in ("churn", "expansion", "churn_voluntary"):
        rows = settled.matured(target, "90").set_index("account_id")
        expected = label(dataset, snapshots(dataset, [as_of]), TARGETS[target], labels)
        expected = expected[expected["label"].notna()].set_index("account_id")
        assert set(rows["as_of"]) == {as_of}
        assert set(rows.index) == set(expected.index)
        expected = expected.loc[rows.index]
        assert (rows["outcome"].astype(bool) == (expected["label"] == 1)).all()
        assert (rows["label_known_at"] == expected["label_known_at"]).all()
        assert (rows["label_known_at"] <= dataset.observed_until).all()
    assert settled.matured("churn", "90")["outcome"].sum() > 0
    assert settled.matured("churn", "180").empty
    assert not settled.matured("churn", "30").empty


def test_an_outcome_is_written_once(settled: ScoreStore, world: World) -> None:
    labels, until = world.config.labels, world.dataset.observed_until
    assert settle(settled, world.dataset, labels) == 0
    horizons = {(one.target, one.horizon) for one in settled.unsettled(labels, until)}
    assert all(horizon == "renewal" for _, horizon in horizons)
    later = {one.horizon for one in settled.unsettled(labels, until + days(90))}
    assert {"30", "180"} <= later


def test_what_is_open_is_read_without_the_scores_of_all_runs(
    settled: ScoreStore, world: World
) -> None:
    statements: list[tuple[str, Any]] = []

    def run(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        statements.append((statement, parameters))

    event.listen(settled.engine, "before_cursor_execute", run)
    settled.unsettled(world.config.labels, world.dataset.observed_until)
    event.remove(settled.engine, "before_cursor_execute", run)
    statement, parameters = statements[-1]  # SQLite begins its transactions by one
    explain = "EXPLAIN QUERY PLAN " if settled.engine.name == "sqlite" else "EXPLAIN "
    with settled.engine.connect() as connection:
        if settled.engine.name == "postgresql":  # it would read tables as small as these whole
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        rows = connection.exec_driver_sql(explain + statement, parameters).all()
    plan = "\n".join(str(row[-1]) for row in rows)
    assert "outcomes_by_run" in plan
    assert not re.search(r"SCAN (scores|outcomes)|Seq Scan on (scores|outcomes)", plan), plan


def test_accounts_of_a_prediction_time_are_read_once(
    filled: ScoreStore,
    world: World,
    run: ScoringRun,
    past: Scored,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    filled.add(at(run, past), past)
    times: list[datetime] = []

    def counted(dataset: Dataset, cutoffs: list[datetime]) -> pd.DataFrame:
        times.extend(cutoffs)
        return snapshots(dataset, cutoffs)

    monkeypatch.setattr("tenure.success.scores.settle.snapshots", counted)
    assert settle(filled, world.dataset, world.config.labels) > 0
    assert times == [world.dataset.observed_until - days(BACK)]


def test_what_was_written_is_counted_beside_other_writers(filled: ScoreStore, world: World) -> None:
    run, until = filled.runs()[0], world.dataset.observed_until
    book = filled.book(run)
    accounts = book.loc[(book["target"] == "churn") & book["probability"].notna(), "account_id"]
    known = pd.DataFrame({"account_id": accounts.unique()[:5], "outcome": True, "treated": None})
    known = known.assign(label_known_at=until)
    one = Unsettled(run.number, run.as_of, "churn", "90")
    # SQLite has one writer at a time.
    others = [replace(one, target="expansion")] if filled.engine.name == "postgresql" else []

    def beside(_: Any, __: Any, statement: str, *___: Any) -> None:
        if statement.startswith("INSERT INTO outcomes") and others:
            assert write_outcomes(filled.engine, others.pop(), known[:1]) == 1

    event.listen(filled.engine, "before_cursor_execute", beside)
    assert write_outcomes(filled.engine, one, known[:2]) == 2
    assert write_outcomes(filled.engine, one, known) == 3
    assert write_outcomes(filled.engine, one, known) == 0


def test_treated_is_who_had_a_touchpoint_before_the_outcome(
    settled: ScoreStore, world: World
) -> None:
    rows = settled.matured("churn", "90")
    seen = world.dataset.engine.fetch("SELECT account_id, occurred_at FROM touchpoints").to_pandas()
    as_of = rows["as_of"].iloc[0]
    labels = label(
        world.dataset, snapshots(world.dataset, [as_of]), TARGETS["churn"], world.config.labels
    ).set_index("account_id")
    for row in rows.itertuples():
        outcome = labels["outcome_at"].to_dict()[row.account_id]
        until: Any = as_of + days(90) if pd.isna(outcome) else outcome
        own = seen[(seen["account_id"] == row.account_id)]["occurred_at"]
        assert bool(row.treated) == bool(((own >= as_of) & (own < until)).any())
    assert 0 < rows["treated"].astype(bool).sum() < len(rows)


def test_scores_are_read_with_their_band_at_the_end(
    settled: ScoreStore, world: World, past: Scored, scored: Scored
) -> None:
    config = world.config
    rows = scored_table(config, settled).to_pandas().set_index("account_id")
    main = past.rows[past.rows["horizon_days"] == 90].drop_duplicates("account_id")
    before = main.set_index("account_id")["risk_band"]
    now = scored.rows.drop_duplicates("account_id").set_index("account_id")["risk_band"]
    assert len(rows) > 20
    for account, row in rows.iterrows():
        assert BANDS[int(row["band_rank"])] == before[account]
        band = now.get(account)
        if row["outcome"] or band not in BANDS:
            assert pd.isna(row["after_rank"])
        else:
            assert BANDS[int(row["after_rank"])] == band
    assert rows["after_rank"].notna().sum() > 20
    assert rows["paired"].all()


def test_without_a_known_outcome_there_is_no_table(filled: ScoreStore, world: World) -> None:
    assert settle(filled, world.dataset, world.config.labels) == 0
    assert not with_scores(world.dataset, world.config, filled).has("scores")


def test_of_an_empty_store_there_is_no_table(world: World, tmp_path: Path) -> None:
    paths = world.config.paths.model_copy(update={"runs": tmp_path})
    config = world.config.model_copy(update={"paths": paths})
    with ScoreStore.open(config) as empty:
        assert not with_scores(world.dataset, config, empty).has("scores")


def test_a_book_is_read_with_its_groups(
    filled: ScoreStore, run: ScoringRun, scored: Scored, filled_config: Config
) -> None:
    book = filled.book(filled.runs()[0])
    churn = book[(book["target"] == "churn") & (book["horizon"] == "90")].set_index("account_id")
    rows = scored.rows.drop_duplicates("account_id").set_index("account_id").loc[churn.index]
    for name, column in {"probability": "churn_probability", "mrr": "mrr"}.items():
        pd.testing.assert_series_equal(
            churn[name], rows[column].astype("float64"), check_names=False
        )
    assert list(churn["segment"]) == list(rows["segment"])
    assert list(churn["plan"]) == list(rows["plan"])
    assert (churn["band"].dropna() == rows["risk_band"].dropna()).all()
    assert isinstance(filled.runs()[0].as_of, datetime)
    assert filled_config.name == run.project


def test_overrides_are_held_against_what_happened(
    settled: ScoreStore, world: World, past: Scored
) -> None:
    """Made before the outcome was known, the last of each score."""
    run = settled.runs()[0]
    matured = settled.matured("churn", "90").set_index("account_id")
    left = matured.index[matured["outcome"].astype(bool)][0]
    stayed, late = matured.index[~matured["outcome"].astype(bool)][:2]
    calm = Override(
        left, "churn", run.run_id, "low", "calm", run.as_of + days(400), "Ada", run.as_of
    )
    for item in (
        calm,
        replace(calm, band="high", at=run.as_of + days(2)),
        replace(calm, account_id=stayed),
        replace(calm, account_id=late, at=world.dataset.observed_until),
    ):
        add_override(settled, item)
    rows = override_outcomes(settled, "churn", "90").set_index("account_id")
    assert set(rows.index) == {left, stayed}, "one was made when the outcome was known"
    assert (rows.loc[left, "band"], bool(rows.loc[left, "outcome"])) == ("high", True)
    assert (rows.loc[stayed, "band"], bool(rows.loc[stayed, "outcome"])) == ("low", False)
    assert rows.loc[left, "probability"] == matured.loc[left, "probability"]
    view = override_view(rows.reset_index())
    assert view is not None
    assert view.sentence.startswith("The outcome of 2 overrides is known: ")
    assert override_view(override_outcomes(settled, "expansion", "90")) is None
