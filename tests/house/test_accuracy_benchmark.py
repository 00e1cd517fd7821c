"""What the accuracy benchmark says follows from the rows and the probabilities it is given."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from house.tree import ROOT

SIDES = ("tenure", "forest", "logistic")


@pytest.fixture
def peers(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    chance = rng.beta(1, 6, 600)
    keys = pd.DataFrame(
        {
            "account_id": [f"a{number % 200:03d}" for number in range(600)],
            "as_of": np.repeat(pd.to_datetime(["2024-01-01", "2024-02-01", "2024-03-01"]), 200),
        }
    )
    place = tmp_path / "world" / "churn"
    (place / "sides").mkdir(parents=True)
    labels = (rng.random(600) < chance).astype(float)
    keys.assign(label=labels).to_parquet(place / "truth.parquet")
    noise = {"tenure": 0.0, "forest": 0.0, "logistic": 3.0}
    for side in SIDES:
        logit = np.log(chance / (1 - chance)) + noise[side] * rng.normal(size=600)
        given = keys.assign(probability=1 / (1 + np.exp(-logit)))
        given.sample(frac=1, random_state=1).to_parquet(place / "sides" / f"{side}.parquet")
    return place


def test_measures_are_those_of_scikit_learn(peers: Any, folder: Path) -> None:
    measures = peers("peers.accuracy_measures")
    found = measures.summary(measures.draws_of(folder))
    truth = pd.read_parquet(folder / "truth.parquet")
    for side in SIDES:
        given = pd.read_parquet(folder / "sides" / f"{side}.parquet")
        rows = truth.merge(given, on=["account_id", "as_of"])
        p = rows["probability"].clip(measures.CLIP, 1 - measures.CLIP)
        assert found[side]["auc"]["value"] == pytest.approx(roc_auc_score(rows["label"], p))
        assert found[side]["log_loss"]["value"] == pytest.approx(log_loss(rows["label"], p))
        assert found[side]["brier"]["value"] == pytest.approx(brier_score_loss(rows["label"], p))
        precision = average_precision_score(rows["label"], p)
        assert found[side]["average_precision"]["value"] == pytest.approx(precision)


def test_a_noisy_side_is_beaten_and_an_equal_one_is_not(peers: Any, folder: Path) -> None:
    measures = peers("peers.accuracy_measures")
    found = measures.summary(measures.draws_of(folder))
    assert "tenure_minus" not in found["tenure"]
    for name in measures.COMPARED:
        assert measures.verdict(found["forest"], name) == "equal"
        assert measures.verdict(found["logistic"], name) == "better"


def test_a_better_side_is_said_to_be_better(peers: Any, folder: Path) -> None:
    measures, page = peers("peers.accuracy_measures"), peers("peers.accuracy_page")
    (folder / "sides" / "logistic.parquet").replace(folder / "sides" / "tenure.parquet")
    found = measures.summary(measures.draws_of(folder))
    for name in measures.COMPARED:
        assert measures.verdict(found["forest"], name) == "worse"
    assert all("**favours random forest by" in text for text in page.sentences(found))


def test_rows_that_lack_a_probability_are_refused(peers: Any, folder: Path) -> None:
    measures = peers("peers.accuracy_measures")
    path = folder / "sides" / "forest.parquet"
    pd.read_parquet(path).iloc[1:].to_parquet(path)
    with pytest.raises(SystemExit, match="forest lacks rows"):
        measures.draws_of(folder)


def test_the_share_of_the_oracle_is_of_its_gain(peers: Any, folder: Path) -> None:
    measures = peers("peers.accuracy_measures")
    truth = pd.read_parquet(folder / "sides" / "forest.parquet")
    truth.assign(target="churn").to_parquet(folder.parent / "oracle.parquet")
    found = measures.summary(measures.draws_of(folder))
    assert found["forest"]["oracle_share"]["value"] == pytest.approx(1)
    assert found["logistic"]["oracle_share"]["hi"] < 1


def test_worlds_count_alike_together(peers: Any, folder: Path) -> None:
    measures = peers("peers.accuracy_measures")
    draws = measures.draws_of(folder)
    half = {side: {name: values / 2 for name, values in own.items()} for side, own in draws.items()}
    del half["forest"]
    found = measures.together([draws, half])
    assert set(found) == {"tenure", "logistic"}
    assert found["tenure"]["auc"] == pytest.approx(0.75 * draws["tenure"]["auc"])


def test_training_rows_were_known_at_the_first_test_time(peers: Any) -> None:
    split_of = peers("peers.accuracy_rows").split_of
    moments = pd.date_range("2023-01-01", periods=10, freq="MS")
    rows = pd.DataFrame({"as_of": moments, "label": [0.0] * 8 + [np.nan] * 2})
    assert split_of(rows) == moments[5]
    assert split_of(rows.iloc[:6]) == moments[3]


def test_every_side_is_calibrated_on_rows_that_were_future_to_it(
    peers: Any, tmp_path: Path
) -> None:
    side = peers("peers.accuracy_side")
    rng, moments = np.random.default_rng(3), pd.date_range("2023-01-01", periods=16, freq="MS")
    train = pd.DataFrame({"as_of": np.repeat(moments, 200), "account_id": np.tile(range(200), 16)})
    train["label_known_at"] = train["as_of"] + pd.Timedelta(120, "D")
    odds = rng.normal(-2, 1, len(train))
    train["odds"], train["label"] = odds, rng.random(len(train)) < 1 / (1 + np.exp(-odds))
    rows = side.Rows(tmp_path, {}, train, train.iloc[:0])
    forward = rows.forward()
    assert set(forward.test["as_of"]) == set(moments[-4:])
    assert forward.train["label_known_at"].max() <= moments[-4]
    learnt = []

    def twice_too_sure(some: Any) -> Any:
        learnt.append(len(some.train))
        return lambda frame: 1 / (1 + np.exp(-2 * frame["odds"]))

    slope, height = side.forward_line(forward, twice_too_sure)
    assert learnt == [len(forward.train)]
    assert slope == pytest.approx(0.5, abs=0.1)
    assert height == pytest.approx(0, abs=0.3)
