"""Flat rows for several targets and horizons, and why some are empty."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from score.small_world import FURTHER, World
from tenure.core.errors import DataError
from tenure.core.flat_row import COLUMNS, SLIM
from tenure.core.times import as_utc, days, show
from tenure.labels.snapshots import snapshots
from tenure.model.boosting.fit import FittedModel
from tenure.model.boosting.part import PartModel
from tenure.score.abstain import NEW, NOTICE, STALE, THIN
from tenure.score.model import Model
from tenure.score.rows import selected, with_change
from tenure.score.score import Scored, check_tables, learnt_later, score
from tenure.sources.dataset import Dataset

PARTS = ("churn_voluntary", "churn_involuntary")


def days_ahead(rows: pd.DataFrame) -> pd.Series:
    """Return the days from each prediction time to the renewal date."""
    return (rows["renews_at"] - rows["as_of"]).dt.total_seconds() / 86_400


@pytest.fixture(scope="module")
def rows(scored: Scored) -> pd.DataFrame:
    return scored.rows


def test_the_main_rows_come_first_and_are_those_of_the_main_horizon_alone(
    world: World, rows: pd.DataFrame
) -> None:
    main = world.scored("main").rows
    assert list(main["horizon_days"].unique()) == [90]
    assert main["account_id"].is_unique
    pd.testing.assert_frame_equal(
        rows.head(len(main)).drop(columns="scored_at"), main.drop(columns="scored_at")
    )


def test_a_row_is_an_account_and_a_horizon(world: World, rows: pd.DataFrame) -> None:
    assert not rows.duplicated(["account_id", "as_of", "horizon_days"]).any()
    everyone = set(rows.loc[rows["horizon_days"] == 90, "account_id"])
    for number in (30, 180):
        assert set(rows.loc[rows["horizon_days"] == number, "account_id"]) == everyone
    own = rows[~rows["horizon_days"].isin([30, 90, 180])]
    ahead = days_ahead(own)
    assert (own["horizon_days"] - 1 <= ahead).all()
    assert (ahead < own["horizon_days"]).all()
    assert own["horizon_days"].between(1, 180).all()
    assert len(own) > 20


def test_a_longer_horizon_is_never_less_likely(rows: pd.DataFrame) -> None:
    ordered = rows.sort_values(["account_id", "horizon_days"])
    for name, further in FURTHER.items():
        known = ordered[ordered[f"{name}_probability"].notna()]
        steps = known.groupby("account_id")[f"{name}_probability"].diff().dropna()
        assert (len(steps) > 50) == bool(further)
        assert (steps >= 0).all()
        assert (steps > 0).any() or name != "churn"


def test_bounds_hold_the_probability_at_every_horizon(rows: pd.DataFrame) -> None:
    ordered = rows.sort_values(["account_id", "horizon_days"])
    for name in FURTHER:
        lo, middle, hi = (ordered[f"{name}_probability{end}"] for end in ("_lo", "", "_hi"))
        known = middle.notna()
        assert known.any()
        assert (lo[known] < middle[known]).all()
        assert (middle[known] < hi[known]).all()
        assert lo[~known].isna().all()
        assert hi[~known].isna().all()
        for bound in (lo, hi):
            assert not (bound[known].groupby(ordered["account_id"]).diff() < 0).any()


def test_parts_add_up_to_their_whole_at_every_horizon(rows: pd.DataFrame) -> None:
    chances = [rows[f"{name}_probability"] for name in ("churn", *PARTS)]
    whole, voluntary, involuntary = chances
    assert set(rows.loc[whole.notna(), "horizon_days"]) >= {30, 90, 180}
    for part in (voluntary, involuntary):
        assert (part.notna() == whole.notna()).all()
    assert (voluntary + involuntary - whole).abs().max() < 1e-12
    for end in ("_lo", "_hi"):
        bounds = [rows[f"{name}_probability{end}"] for name in ("churn", *PARTS)]
        assert (bounds[1] <= bounds[0]).all() or end == "_lo"


def test_parts_of_other_times_add_up_as_well(world: World, rows: pd.DataFrame) -> None:
    """A champion of voluntary churn may be older than those of churn and of involuntary churn."""
    part = world.models["churn_voluntary"].main
    assert isinstance(part, PartModel)
    less = replace(part.share, calibrator=part.share.calibrator.shifted(0.7))
    other = replace(world.models["churn_voluntary"], models={"90": replace(part, share=less)})
    models = {**world.models, "churn_voluntary": other}
    changed = score(world.dataset, models, world.config, world.dataset.observed_until).rows
    names = [f"{name}_probability" for name in ("churn", *PARTS)]
    main = rows[rows["horizon_days"] == 90].reset_index(drop=True)
    assert (changed[names[1]] - main[names[1]]).abs().max() > 0.001
    assert (changed[names[1]] + changed[names[2]] - changed[names[0]]).abs().max() < 1e-12


def test_a_part_is_a_share_of_the_champion_of_its_whole(world: World, rows: pd.DataFrame) -> None:
    only = {"churn_voluntary": world.models["churn_voluntary"]}
    alone = score(world.dataset, only, world.config, world.dataset.observed_until).rows
    main = rows[rows["horizon_days"] == 90].reset_index(drop=True)
    for name in ("churn_voluntary_probability", "churn_voluntary_probability_lo"):
        pd.testing.assert_series_equal(main[name], alone[name], rtol=1e-12)
    changed = world.models["churn_voluntary"].beside(halved(world.models["churn"]))
    less = score(
        world.dataset, {"churn_voluntary": changed}, world.config, world.dataset.observed_until
    ).rows
    whole = halved(world.models["churn"]).main.probabilities
    expected = whole(world.scored("main").matrix.values)
    known = less["churn_voluntary_probability"].notna().to_numpy()
    assert (less["churn_voluntary_probability"][known] < expected[known]).all()


def halved(model: Model) -> Model:
    """The same model, of another time: its log-odds are lower."""
    main = model.main
    assert isinstance(main, FittedModel)
    return replace(model, models={"90": replace(main, calibrator=main.calibrator.shifted(-1.0))})


def test_amounts_are_not_read_without_the_rates_that_a_model_was_trained_with(world: World) -> None:
    model = world.models["churn"]
    tables = {**model.bundle.spec.tables, "fx_rates": ("currency", "rate")}
    spec = model.bundle.spec.model_copy(update={"tables": tables})
    converted = replace(model, bundle=replace(model.bundle, spec=spec))
    with pytest.raises(DataError, match="fx_rates: the churn model was trained with this table"):
        check_tables(world.dataset, {"churn": converted})


def test_a_target_is_empty_where_its_model_does_not_know_the_horizon(rows: pd.DataFrame) -> None:
    for name, further in FURTHER.items():
        known = {90, *(item for item in further if item != "renewal")}
        there = rows[rows[f"{name}_probability"].notna()]
        fixed = set(there["horizon_days"]) & {30, 90, 180}
        assert fixed == known
        assert ("renewal" in further) == bool(set(there["horizon_days"]) - {30, 90, 180})
    short = rows[rows["horizon_days"] == 30]
    assert short[["expansion_driver_1_code", "expansion_model_version"]].isna().all(axis=None)


def test_rank_refers_to_the_rows_of_the_same_horizon(rows: pd.DataFrame) -> None:
    for number in (30, 90, 180):
        same = rows[(rows["horizon_days"] == number) & rows["churn_probability"].notna()]
        wanted = same["churn_probability"].rank(ascending=False, method="min")
        np.testing.assert_array_equal(same["churn_rank"].astype("int64"), wanted)
    own = rows[~rows["horizon_days"].isin([30, 90, 180])]
    assert own["churn_rank"].isna().all()
    assert own["risk_band"].notna().any()


def test_a_given_book_ranks_by_horizon_too(world: World) -> None:
    book = pd.DataFrame({"horizon_days": [30, 90], "churn_probability": [1.0, 0.0]})
    until = world.dataset.observed_until
    found = score(world.dataset, world.models, world.config, until, book=book, horizons="all").rows
    known = found[found["churn_probability"].notna()]
    ranks = {days: part["churn_rank"] for days, part in known.groupby("horizon_days")}
    assert (ranks[30] == 2).all()
    assert (ranks[90] == 1).all()
    assert ranks[180].isna().all()


def test_a_renewal_has_a_probability_where_a_date_is_due(rows: pd.DataFrame) -> None:
    main = rows[(rows["horizon_days"] == 90) & rows["abstain_reason"].isna()]
    ahead = days_ahead(main)
    due = (ahead >= 0) & (ahead < 90)
    assert (main["renewal_probability"].notna() == due).all()
    assert 0 < due.sum() < len(main)


def test_expected_expansion_is_probability_times_amount(world: World, rows: pd.DataFrame) -> None:
    amounts = world.models["expansion"].amounts
    snaps = snapshots(world.dataset, [world.dataset.observed_until]).set_index("account_id")
    for number in (90, 180):
        part = rows[rows["horizon_days"] == number]
        accounts = snaps.loc[part["account_id"]].reset_index()
        stake = pd.Series(amounts[str(number)].expected(accounts, accounts[[]]), index=part.index)
        expected = part["expansion_probability"] * stake
        column = part["expected_expansion_mrr"]
        pd.testing.assert_series_equal(column, expected, check_names=False)
        assert (expected.dropna() > 0).all()
    assert amounts["180"].share > amounts["90"].share
    others = ~rows["horizon_days"].isin([90, 180])
    assert rows.loc[others, "expected_expansion_mrr"].isna().all()


def test_an_account_alone_has_the_rows_of_the_batch(world: World, rows: pd.DataFrame) -> None:
    account = rows.loc[rows["churn_rank"] == 1, "account_id"].iloc[0]
    until = world.dataset.observed_until
    alone = score(
        world.dataset, world.models, world.config, until, accounts=[account], horizons="all"
    ).rows
    batch = rows[rows["account_id"] == account].reset_index(drop=True)
    same = [name for name in COLUMNS if name not in ("scored_at", "churn_rank", "churn_percentile")]
    pd.testing.assert_frame_equal(alone[same], batch[same], check_dtype=False)


def test_who_pays_for_too_few_days_is_not_scored(world: World) -> None:
    before = world.scored("main").rows
    after = world.scored("main", min_tenure_days=200).rows
    new = after["abstain_reason"] == NEW
    assert 0 < new.sum() < len(after)
    assert after.loc[new, "churn_probability"].isna().all()
    started = world.dataset.engine.fetch(
        "SELECT account_id, min(started_at) AS t FROM subscriptions WHERE paid GROUP BY 1"
    ).to_pandas()
    since = after["account_id"].map(started.set_index("account_id")["t"])
    asked = after["abstain_reason"] != NOTICE
    assert (new == (asked & (after["as_of"] - since < days(200)))).all()
    kept = ~new
    pd.testing.assert_series_equal(
        after.loc[kept, "churn_probability"], before.loc[kept, "churn_probability"]
    )


def test_thin_data_is_a_share_of_the_sources(world: World) -> None:
    rows = world.scored("main", min_coverage=0.5).rows
    thin = rows["abstain_reason"] == THIN
    asked = rows["abstain_reason"] != NOTICE
    assert (thin == (asked & (rows["data_coverage"] <= 0.5))).all()
    assert thin.any()
    assert rows.loc[thin, "driver_1_code"].isna().all()


def test_nobody_is_scored_where_every_source_fell_silent(world: World) -> None:
    late = world.dataset.observed_until + days(60)
    silent = Dataset(world.dataset.engine, world.dataset.columns, late, world.dataset.report)
    rows = score(silent, world.models, world.config, late).rows
    assert set(rows["abstain_reason"]) <= {STALE, NOTICE}
    assert (rows["abstain_reason"] == STALE).any()
    assert rows["churn_probability"].isna().all()
    settings = world.config.score.model_copy(update={"abstain_when_stale": False})
    lenient = world.config.model_copy(update={"score": settings})
    rows = score(silent, world.models, lenient, late).rows
    assert rows["churn_probability"].notna().any()
    assert rows["stale_sources"].notna().all()


def test_twenty_columns_are_what_people_read(rows: pd.DataFrame) -> None:
    assert len(SLIM) == len(set(SLIM)) == 20
    assert list(selected(rows, "slim")) == list(SLIM)
    assert selected(rows, "all") is rows
    parts = [name for name in SLIM if "driver_" in name]
    assert parts
    assert all(name.endswith("_sentence") for name in parts)


def test_the_change_is_that_of_the_same_account_and_horizon(rows: pd.DataFrame) -> None:
    chosen = rows[rows["horizon_days"].isin([30, 90])]
    known = chosen[chosen["churn_probability"].notna()]
    before = known.set_index(["account_id", "horizon_days"])["churn_probability"] / 2
    gone = before.index[::7]
    changed = with_change(rows, before.drop(gone))
    assert rows["probability_change"].isna().all()
    index = pd.MultiIndex.from_frame(rows[["account_id", "horizon_days"]])
    wanted = rows["churn_probability"] - before.drop(gone).reindex(index).to_numpy()
    pd.testing.assert_series_equal(changed["probability_change"], wanted, check_names=False)
    assert changed["probability_change"].notna().sum() == len(before) - len(gone)


def test_one_account_reads_the_history_of_no_other(
    world: World, rows: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, until = world.dataset.engine, world.dataset.observed_until
    sizes: list[int] = []
    fetch = engine.fetch

    def counted(sql: str) -> Any:
        table = fetch(sql)
        sizes.append(table.num_rows)
        if "account_id" in table.column_names:
            assert set(table.column("account_id").to_pylist()) <= wanted
        return table

    monkeypatch.setattr(engine, "fetch", counted)
    wanted = set(rows["account_id"])
    score(world.dataset, world.models, world.config, until)
    everybody = sum(sizes)
    sizes.clear()
    wanted = {rows["account_id"].iloc[0]}
    alone = score(world.dataset, world.models, world.config, until, accounts=wanted)
    assert len(alone.rows) == 1
    assert sum(sizes) < everybody / 20


def test_a_past_date_is_said_where_the_model_learnt_what_came_later(world: World) -> None:
    model = world.models["churn"]
    until = as_utc(model.bundle.spec.trained_until)
    (text,) = learnt_later({"churn": model}, until - days(1))
    assert text.startswith(f"churn: the model learnt outcomes that were known until {show(until)},")
    assert learnt_later({"churn": model}, until) == []
