"""Where outcomes have nothing to do with accounts, models are not called usable."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from e2e.road import Project
from tenure.demo import write_world
from tenure.run.fit import fit_target
from tenure.run.prepare import loaded, prepare

TARGET = "churn"
WORLDS = 20
MOST_CALLED = 2
OUTCOME = ["label", "outcome_at", "outcome_id", "outcome_amount", "churn_type", "drop_reason"]


def shuffled(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return rows whose outcomes belong to other accounts, at the same prediction times.

    Every account gets the whole history of outcomes of another one.  Where the two were not asked
    at the same times, what is left over at a time goes to those left without, in a fixed order.
    """
    rows = rows.reset_index(drop=True)
    dice = np.random.default_rng(seed)
    accounts = np.sort(rows["account_id"].unique())
    other = dict(zip(accounts, dice.permutation(accounts), strict=True))
    rank = dict(zip(accounts, dice.permutation(len(accounts)), strict=True))
    source = np.empty(len(rows), dtype=np.intp)
    for _, part in rows.groupby("as_of", sort=True):
        place = dict(zip(part["account_id"], part.index, strict=True))
        wanted = {name: other[name] for name in place}
        source[[place[name] for name in place if wanted[name] in place]] = [
            place[wanted[name]] for name in place if wanted[name] in place
        ]
        alone = sorted((name for name in place if wanted[name] not in place), key=rank.__getitem__)
        free = sorted(set(place) - set(wanted.values()), key=rank.__getitem__)
        source[[place[name] for name in alone]] = [place[name] for name in free]
    moved = [name for name in OUTCOME if name in rows]
    given = rows[moved].iloc[source].reset_index(drop=True)
    return rows.assign(**{name: given[name] for name in moved})


def test_outcomes_move_whole_and_stay_at_their_time() -> None:
    times = pd.to_datetime(["2024-01-01", "2024-02-01", "2024-03-01"])
    rows = pd.DataFrame(
        [(f"a{n:02d}", time) for n in range(40) for time in times if n % 5 or time > times[0]],
        columns=["account_id", "as_of"],
    )
    rows["label"] = (rows["account_id"] < "a12").astype(float)
    rows["outcome_id"] = rows["account_id"].where(rows["label"] == 1)
    found = shuffled(rows, 3)
    assert found[["account_id", "as_of"]].equals(rows[["account_id", "as_of"]])
    for _, part in rows.groupby("as_of"):
        before = sorted(part["outcome_id"].dropna())
        assert sorted(found.loc[part.index, "outcome_id"].dropna()) == before
    assert (found["label"] != rows["label"]).mean() > 0.2
    held = found.dropna(subset="outcome_id").groupby("outcome_id")["account_id"].nunique()
    assert (held == 1).mean() > 0.5
    assert not shuffled(rows, 4)["label"].equals(found["label"])


@pytest.mark.acceptance
@pytest.mark.timeout(7200)
def test_shuffled_outcomes_give_no_usable_model(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    world = write_world(tmp_path / "data", accounts=600, months=36, seed=11)
    project = Project(tmp_path).set(
        targets=[TARGET],
        data={"observed_until": f"{world.observed_until:%Y-%m-%d}"},
        calendar={"start": None},
        model={"min_events": 30, "min_train_positives": 40, "parameters": {}, "threads": 2},
        evaluation={"max_folds": 12, "bootstrap": 500},
    )
    config = project.config
    with loaded(config) as dataset:
        prepared = prepare(config, dataset)
        rows = prepared.labels[TARGET]
        assert fit_target(TARGET, prepared, config).verdict.status == "usable"
        verdicts = []
        for seed in range(WORLDS):
            labels = {TARGET: shuffled(rows, seed)}
            tried = fit_target(TARGET, replace(prepared, labels=labels), config)
            verdicts.append(tried.verdict.status)
    called = verdicts.count("usable")
    row = {"value": str(called), "limit": f"≤ {MOST_CALLED}", "kept": called <= MOST_CALLED}
    record_property(f"models called usable on {WORLDS} shuffles", json.dumps(row))
    assert set(verdicts) <= {"usable", "no_usable_signal"}
    assert called <= MOST_CALLED
