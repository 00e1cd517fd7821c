"""What is written is read back: every score, its drivers and its contributions, once and whole."""

from __future__ import annotations

import multiprocessing
import random
import time
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import insert, select

from score.small_world import World
from score.store.conftest import stored_in
from tenure.core.config import Config
from tenure.core.errors import DataError, ModelError
from tenure.core.flat_row import FIELDS, TOP
from tenure.core.records.base import Figure
from tenure.core.records.score_drift import BookDrift, InputDrift
from tenure.core.times import days
from tenure.explain.signals import signals
from tenure.score.scored import Scored
from tenure.score.store.database import connect, writing
from tenure.score.store.encoding import packed_contributions
from tenure.score.store.reading import BASE
from tenure.score.store.schema import RUN_ACCOUNTS, RUNS, SCORES
from tenure.score.store.store import ScoreStore, StoredScore
from tenure.score.store.write import ScoringRun

TARGETS = ("churn", "expansion", "churn_voluntary", "renewal")


def flat(scored: Scored, target: str, horizon: str) -> pd.DataFrame:
    """The flat rows behind the kept scores of one target and horizon, by account."""
    places = scored.contributions[target][horizon].rows
    return scored.rows.iloc[places].set_index("account_id")


def frame(scores: list[StoredScore]) -> pd.DataFrame:
    return pd.DataFrame([vars(score) for score in scores])


def drivers_of(flat_rows: pd.DataFrame, prefix: str) -> list[list[dict[str, Any]]]:
    """The drivers of flat rows, None where a field has no value."""
    by_place = []
    for place in range(1, TOP + 1):
        columns = [flat_rows[f"{prefix}driver_{place}_{name}"].astype(object) for name in FIELDS]
        plain = [column.where(column.notna(), None) for column in columns]
        by_place.append([dict(zip(FIELDS, row, strict=True)) for row in zip(*plain, strict=True)])
    return [[one for one in own if one["code"]] for own in zip(*by_place, strict=True)]


def test_an_empty_store_has_nothing(store: ScoreStore) -> None:
    assert store.runs() == []
    assert store.before(datetime(2100, 1, 1)) is None
    with pytest.raises(ModelError, match=r"^export: no run was kept → run `tenure score CONFIG"):
        store.run_up_to(thing="export")
    assert store.history("acc-00001") == []


def test_the_accounts_of_a_run_keep_their_names_and_groups(
    filled: ScoreStore, scored: Scored
) -> None:
    names = ["account_id", "name", "owner", "segment", "plan"]
    with filled.engine.connect() as connection:
        chosen = select(*(RUN_ACCOUNTS.c[name] for name in names))
        rows = pd.DataFrame(connection.execute(chosen).all(), columns=names)
    expected = scored.rows[names].drop_duplicates("account_id")
    stored, flat_rows = (
        table.astype("str").sort_values("account_id", ignore_index=True)
        for table in (rows, expected)
    )
    pd.testing.assert_frame_equal(stored, flat_rows)
    assert expected["plan"].notna().all()


def test_a_run_is_read_back_as_it_was(filled: ScoreStore, run: ScoringRun, scored: Scored) -> None:
    (kept,) = filled.runs()
    assert kept.run_id == run.run_id
    assert (kept.as_of, kept.observed_until) == (run.as_of, run.observed_until)
    assert kept.accounts == scored.rows["account_id"].nunique()
    rows = frame(filled.scores(kept))
    assert len(rows) == sum(
        len(part.rows) for parts in scored.contributions.values() for part in parts.values()
    )
    for target in TARGETS:
        for horizon in scored.contributions[target]:
            part = rows[(rows["target"] == target) & (rows["horizon"] == horizon)]
            part, wanted = part.set_index("account_id"), flat(scored, target, horizon)
            assert part.index.equals(wanted.index)
            names = {"probability": "", "lo": "_lo", "hi": "_hi"}
            pairs = {name: f"{target}_probability{end}" for name, end in names.items()}
            same = ("horizon_days", "mrr", "currency", "renews_at", "data_coverage")
            pairs |= {name: name for name in same}
            pairs["abstain_reason"] = "abstain_reason"
            if target == "churn":
                pairs |= {"rank": "churn_rank", "percentile": "churn_percentile"}
                pairs |= {"band": "risk_band", "amount_at_risk": "mrr_at_risk"}
            if target == "expansion":
                pairs |= {"expected_amount": "expected_expansion_mrr"}
            for name, column in pairs.items():
                expected = wanted[column]
                assert part[name].isna().equals(expected.isna()), name
                known = expected.notna()
                assert (part[name][known].to_numpy() == expected[known].to_numpy()).all(), name
            fitted = scored.models[target].models[horizon]
            assert set(part["base_rate"]) == {fitted.base_rate}
            assert set(part["model_version"]) == {scored.models[target].bundle.version}


def test_drivers_are_read_back_to_the_last_bit(filled: ScoreStore, scored: Scored) -> None:
    rows = frame(filled.scores(filled.runs()[0]))
    count = 0
    for target in TARGETS:
        prefix = "" if target == "churn" else f"{target}_"
        for horizon in scored.contributions[target]:
            wanted = flat(scored, target, horizon)
            part = rows[(rows["target"] == target) & (rows["horizon"] == horizon)]
            specs = scored.models[target].specs
            expected = drivers_of(wanted.loc[part["account_id"]], prefix)
            for drivers, own in zip(part["drivers"], expected, strict=True):
                telling = [specs[driver.pop("feature")].group for driver in drivers]
                assert drivers == own
                assert telling == [driver["code"] for driver in drivers]
                count += len(drivers)
    assert count > 1_000


def test_contributions_are_those_of_the_signals(filled: ScoreStore, scored: Scored) -> None:
    (kept,) = filled.runs()
    rows = frame(filled.scores(kept))
    for target in TARGETS:
        for horizon, part in scored.contributions[target].items():
            model = scored.models[target]
            groups = signals(model.models[horizon].columns, model.specs)
            found = filled.contributions(kept, target, horizon)
            assert list(found) == [*groups, BASE]
            wanted = flat(scored, target, horizon)
            assert found.index.equals(wanted.index)
            known = wanted[f"{target}_probability"].notna().to_numpy()
            assert found[~known].isna().all(axis=None)
            for name, places in groups.items():
                sums = part.values[known][:, places].sum(axis=1).astype(np.float32)
                assert (found[name].to_numpy()[known] == sums).all()
            base = part.values[known, -1].astype(np.float32)
            assert (found[BASE].to_numpy()[known] == base).all()
            scores = rows[(rows["target"] == target) & (rows["horizon"] == horizon)]
            total = found.astype(np.float64).sum(axis=1).to_numpy()[known]
            np.testing.assert_allclose(scores["log_odds"].to_numpy()[known], total, atol=1e-5)
    few = sorted(scored.rows["account_id"].unique())[40:43]
    found = filled.contributions(kept, "churn", "90", few)
    whole = filled.contributions(kept, "churn", "90")
    pd.testing.assert_frame_equal(found, whole.loc[few])
    assert filled.contributions(kept, "churn", "90", []).shape == (0, whole.shape[1])
    with pytest.raises(DataError, match="holds no scores of `expansion` for the horizon `30`"):
        filled.contributions(kept, "expansion", "30")


def test_the_same_run_again_adds_nothing(
    filled: ScoreStore, run: ScoringRun, scored: Scored
) -> None:
    before = filled.scores(filled.runs()[0])
    assert not filled.add(replace(run, scored_at=datetime(2031, 1, 1)), scored)
    (kept,) = filled.runs()
    assert kept.scored_at == run.scored_at
    assert filled.scores(kept) == before


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "shadow"},
        {"as_of": datetime(2020, 1, 1)},
        {"observed_until": datetime(2030, 1, 1)},
        {"config_digest": "other"},
        {"data_fingerprint": "other"},
        {"models": {"churn": "other"}},
        {"project": "other"},
    ],
)
def test_another_run_has_another_name(run: ScoringRun, change: dict[str, Any]) -> None:
    assert replace(run, **change).run_id != run.run_id


def test_a_history_is_in_order_of_time(store: ScoreStore, run: ScoringRun, slim: Scored) -> None:
    months = [run.as_of - days(30 * n) for n in (0, 2, 1)]
    for month in months:
        store.add(replace(run, as_of=month), slim)
    account = slim.rows["account_id"].iloc[5]
    history = frame(store.history(account, "churn"))
    assert list(history["as_of"].unique()) == sorted(months)
    assert set(history["account_id"]) == {account}
    assert set(history["target"]) == {"churn"}
    whole = frame(store.scores(store.runs()[0]))
    same = whole[(whole["account_id"] == account) & (whole["target"] == "churn")]
    names = ["horizon", "probability", "drivers"]
    for month in months:
        part = history.loc[history["as_of"] == month, names].reset_index(drop=True)
        pd.testing.assert_frame_equal(part, same[names].reset_index(drop=True))
    assert len(store.history(account)) > len(history)
    last = frame(store.history(account, "churn", runs=2))
    kept = history[history["as_of"].isin(sorted(months)[-2:])].reset_index(drop=True)
    pd.testing.assert_frame_equal(last, kept)


def test_the_run_before_is_the_latest_earlier_one(
    store: ScoreStore, run: ScoringRun, slim: Scored
) -> None:
    early, late = run.as_of - days(60), run.as_of - days(10)
    store.add(replace(run, as_of=late), slim)
    store.add(replace(run, as_of=early), slim)
    again = replace(run, as_of=early, data_fingerprint="newer")
    store.add(again, slim)
    store.add(replace(run, as_of=run.as_of - days(1), kind="live"), slim)
    store.add(replace(run, as_of=run.as_of - days(1), project="other"), slim)

    def name(moment: datetime) -> str | None:
        kept = store.before(moment)
        return kept.run_id if kept else None

    assert name(run.as_of) == replace(run, as_of=late).run_id
    assert store.run_up_to(early).run_id == again.run_id
    later = rf"since: no run .*--as-of 2\d\d\d.*or choose {early:%Y-%m-%d} or later"
    with pytest.raises(ModelError, match=later):
        store.run_up_to(early - days(1), "since")
    assert name(late) == again.run_id, "of two runs of one time, the one that was written last"
    assert name(early) is None


def test_earlier_probabilities_leave_the_renewal_horizon_out(
    filled: ScoreStore, scored: Scored
) -> None:
    found = filled.probabilities(filled.runs()[0], "churn")
    assert found.index.is_unique
    rows = scored.rows[scored.rows["horizon_days"].isin([30, 90, 180])]
    rows = rows[rows["churn_probability"].notna()]
    wanted = rows.set_index(["account_id", "horizon_days"])["churn_probability"]
    fixed = scored.contributions["churn"]["renewal"].rows
    assert not set(scored.rows["horizon_days"].iloc[fixed]) & {30, 90, 180}
    pd.testing.assert_series_equal(
        found.sort_index(), wanted.sort_index(), check_names=False, check_index_type=False
    )


def test_only_so_many_runs_are_kept(store: ScoreStore, run: ScoringRun, slim: Scored) -> None:
    store.add(replace(run, as_of=run.as_of - days(500), kind="live"), slim)
    for n in (3, 1, 2):
        store.add(replace(run, as_of=run.as_of - days(n)), slim, keep=2)
    assert [kept.as_of for kept in store.runs()] == [run.as_of - days(2), run.as_of - days(1)]
    with store.engine.connect() as connection:
        live = select(RUNS.c.as_of).where(RUNS.c.kind == "live")
        assert connection.scalars(live).all() == [run.as_of - days(500)]
        assert len(set(connection.scalars(select(SCORES.c.run_no)))) == 3


def test_what_is_not_complete_is_never_seen(
    filled: ScoreStore, run: ScoringRun, scored: Scored
) -> None:
    kept = filled.runs()[0]
    row = {name: value for name, value in vars(kept).items() if name in RUNS.c}
    half = row | {"run_id": "half", "complete": False, "as_of": run.as_of + days(30)}
    account = scored.rows["account_id"].iloc[0]
    with writing(filled.engine) as connection:
        key = connection.execute(insert(RUNS).values(**half)).inserted_primary_key
        assert key is not None
        number = key[0]
        score = {"account_id": account, "run_no": number, "target": "churn", "horizon": "90"}
        score |= {"horizon_days": 90, "probability": 0.5, "place": 0}
        connection.execute(insert(SCORES), [score])
    assert [one.run_id for one in filled.runs()] == [run.run_id]
    assert {score.run_id for score in filled.history(account)} == {run.run_id}
    latest = filled.before(run.as_of + days(60))
    assert latest is not None
    assert latest.run_id == run.run_id


class BrokenError(Exception):
    pass


def test_a_run_that_fails_half_way_leaves_nothing(
    store: ScoreStore, run: ScoringRun, slim: Scored, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tenure.score.store import write

    calls = []

    def fails(values: np.ndarray) -> list[bytes]:
        calls.append(values)
        if len(calls) == 2:
            raise BrokenError
        return packed_contributions(values)

    monkeypatch.setattr(write, "packed_contributions", fails)
    with pytest.raises(BrokenError):
        store.add(run, slim)
    assert store.runs() == []
    with store.engine.connect() as connection:
        assert connection.scalar(select(SCORES.c.account_id)) is None
    monkeypatch.undo()
    assert store.add(run, slim)


def add_some(config: Config, runs: list[ScoringRun], scored: Scored, gate: Any) -> None:
    with ScoreStore.open(config) as store:
        gate.wait()
        for run in runs:
            store.add(run, scored)


def test_two_writers_at_once(world: World, bare_url: str, run: ScoringRun, slim: Scored) -> None:
    """Some runs are the same in both, and so are all wordings; the store does not exist before."""
    config = stored_in(world.config, bare_url)
    fork = multiprocessing.get_context("fork")
    gate = fork.Barrier(2)
    own = [[replace(run, config_digest=f"{name}{n}") for n in range(3)] for name in "ab"]
    common = [replace(run, config_digest=f"both{n}") for n in range(3)]
    writers = [
        fork.Process(target=add_some, args=(config, [*common, *mine], slim, gate)) for mine in own
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert [writer.exitcode for writer in writers] == [0, 0]
    with ScoreStore.open(config) as store:
        kept = store.runs()
        wanted = {one.run_id for runs in (common, *own) for one in runs}
        assert len(kept) == len(wanted)
        assert {one.run_id for one in kept} == wanted
        sizes = {len(store.scores(one)) for one in kept}
    assert len(sizes) == 1


@pytest.mark.parametrize("kills", [6, pytest.param(20, marks=pytest.mark.acceptance)])
def test_killed_at_random_moments(
    config: Config,
    store: ScoreStore,
    run: ScoringRun,
    slim: Scored,
    scored: Scored,
    kills: int,
) -> None:
    """Whatever the moment: complete runs are whole, the last one is readable, and nothing waits."""
    scored = scored if kills > 6 else slim
    assert store.add(run, scored)
    size, fork = len(store.scores(store.runs()[0])), multiprocessing.get_context("fork")
    dice, killed, longest = random.Random(20), 0, 60.0
    for n in range(kills + 1):  # the first writer is left alone, and tells how long one takes
        later = replace(run, as_of=run.as_of + days(n + 1))
        gate = fork.Barrier(2)
        writer = fork.Process(target=add_some, args=(config, [later], scored, gate))
        writer.start()
        gate.wait()
        started = time.monotonic()
        if n:
            time.sleep(dice.uniform(0, longest))
            writer.kill()
        writer.join()
        longest = longest if n else time.monotonic() - started
        killed += writer.exitcode != 0
        runs = store.runs()
        assert len(store.scores(runs[-1])) == size
        assert not store.contributions(runs[-1], "churn", "90").empty
    assert killed > kills // 7
    assert all(len(store.scores(one)) == size for one in store.runs())
    with store.engine.connect() as connection:
        numbers = set(connection.scalars(select(SCORES.c.run_no).distinct()))
        assert numbers == {one.number for one in store.runs()}
    assert store.add(replace(run, as_of=run.as_of + days(99)), scored)


def test_a_reader_is_not_held_up_by_a_writer(
    config: Config, store: ScoreStore, run: ScoringRun, slim: Scored
) -> None:
    store.add(run, slim)
    engine = connect(str(config.store.url))
    with writing(engine) as connection:
        connection.execute(insert(RUNS), [_bare(run)])
        with ScoreStore.open(config) as reader:
            assert [one.run_id for one in reader.runs()] == [run.run_id]
    engine.dispose()


def _bare(run: ScoringRun) -> dict[str, Any]:
    fields = ("project", "kind", "as_of", "scored_at", "observed_until", "config_digest")
    row = {name: getattr(run, name) for name in fields}
    return row | {"data_fingerprint": "", "accounts": 0, "complete": True, "run_id": "open"}


def test_a_world_without_accounts_for_a_horizon(
    store: ScoreStore, world: World, run: ScoringRun
) -> None:
    """A part without rows is kept as a model without scores."""
    from tenure.score.score import score

    nobody = score(
        world.dataset, world.models, world.config, world.dataset.observed_until, accounts=[]
    )
    assert store.add(run, nobody)
    assert store.scores(store.runs()[0]) == []


def test_how_a_book_differed_is_kept_with_its_run(
    store: ScoreStore, run: ScoringRun, slim: Scored
) -> None:
    drift = BookDrift(
        since="2024-02-01",
        until="2024-04-01",
        accounts=100,
        mean_probability=0.2,
        observed_rate=0.1,
        predicted_rate=0.11,
        gap=Figure(value=0.1, lo=0.05, hi=0.15),
        off=True,
        inputs=(InputDrift(column="usage", psi=0.4, limit=0.1),),
        compared=3,
    )
    store.add(run, replace(slim, drift={"churn": drift}))
    assert store.drift(store.runs()[0]) == {"churn": drift}
