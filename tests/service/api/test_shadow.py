"""A challenger beside the champion: it is asked about everything, and changes nothing."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from sqlalchemy import select

from service.conftest import opened
from tenure.core.config import Config
from tenure.core.progress import Progress
from tenure.model.bundle.bundle import read_bundle, write_bundle
from tenure.model.registry.champion import champion, versions
from tenure.run.score import run_score
from tenure.score.store.schema import SHADOW_ANSWERS, SHADOW_MODELS, SHADOW_SCORES
from tenure.score.store.store import ScoreStore
from tenure.service.api import shadow
from tenure.service.api.state import State

if TYPE_CHECKING:
    from service.conftest import Tiny


@pytest.fixture
def own(tiny: Tiny, tmp_path: Path) -> Config:
    """A config with models and runs of its own; a challenger of churn waits."""
    for name in ("models", "runs"):
        shutil.copytree(getattr(tiny.config.paths, name), tmp_path / name)
    paths = tiny.config.paths.model_copy(
        update={"models": tmp_path / "models", "runs": tmp_path / "runs"}
    )
    return tiny.config.model_copy(update={"paths": paths})


def publish(config: Config) -> Path:
    """Publish a challenger of churn that was trained last; return its folder."""
    root = config.paths.models
    standing = champion(root, "churn")
    assert standing is not None
    other = next(name for name in versions(root, "churn") if name != standing.version)
    bundle = read_bundle(root / "churn" / other)
    later = replace(bundle, run={"created_at": "2030-01-01T00:00:00Z"}, card="# waits\n")
    return write_bundle(later, root, "churn")


class Notes(Progress):
    """Remembers what was noted."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        self.texts.append(text)


def rows(config: Config, table: Any) -> list[Any]:
    with ScoreStore.open(config) as store, store.engine.connect() as connection:
        return list(connection.execute(select(table)).all())


def test_a_batch_is_the_same_with_a_challenger_and_with_a_damaged_one(
    own: Config, tiny: Tiny, tmp_path: Path
) -> None:
    folder, notes = publish(own), Notes()
    whole = (folder / "models.json").read_bytes()
    (folder / "models.json").write_bytes(whole[:-1])
    record = run_score(own, tmp_path / "damaged.parquet", progress=notes)
    assert any("the challenger was not asked" in text for text in notes.texts)
    assert rows(own, SHADOW_MODELS) == []
    (folder / "models.json").write_bytes(whole)
    assert run_score(own, tmp_path / "scores.parquet").models == record.models
    for name in ("damaged", "scores"):
        book = pd.read_parquet(tmp_path / f"{name}.parquet").drop(columns="scored_at")
        pd.testing.assert_frame_equal(book, tiny.book.drop(columns="scored_at"))
    (model,) = rows(own, SHADOW_MODELS)
    assert (model.target, model.horizon, model.model_version) == ("churn", "90", folder.name)
    assert len(rows(own, SHADOW_SCORES)) == int(tiny.book["churn_probability"].notna().sum())
    with ScoreStore.open(own) as store:
        assert len(store.runs()) == 1
        models = {score.model_version for score in store.scores(store.runs()[0])}
        assert folder.name not in models


def until(met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not met():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What came of each answer that the challenger was to be asked about."""
    results: list[str] = []
    monkeypatch.setattr(
        "tenure.service.api.metrics.Metrics.shadow", lambda _, result: results.append(result)
    )
    monkeypatch.setattr(shadow, "LOOK_SECONDS", 0.0)
    return results


def test_live_answers_are_compared_afterwards(
    own: Config, tiny: Tiny, counted: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    with opened(own, loaded=False) as client:
        state: State = client.app.instead.state  # type: ignore[attr-defined]
        columns = state.champions.models["churn"].main.columns
        features = {"target": "churn", "rows": [dict.fromkeys(columns)] * 2}
        account = tiny.asked["account_id"].iloc[0]
        history = {"tables": tiny.posted(account), "as_of": "2024-01-01"}

        def answers() -> list[list[float]]:
            posted = client.post("/v1/score-rows", json=features).json()["rows"]
            scored = client.post("/v1/score", json=history).json()["rows"]
            columns = ("probability", "churn_probability")
            return [
                [row[name] for row in part]
                for name, part in zip(columns, (posted, scored), strict=True)
            ]

        alone = answers()
        assert counted == []
        folder = publish(own)
        until(lambda: bool(state.shadow._targets))
        assert answers() == alone
        until(lambda: len(counted) == 2)
        assert counted == ["written", "written"]
        written = rows(own, SHADOW_ANSWERS)
        paths = ["POST /v1/score-rows"] * 2 + ["POST /v1/score"]
        assert [row.path for row in written] == paths
        assert [row.champion_probability for row in written] == [*alone[0], *alone[1]]
        assert {row.model_version for row in written} == {folder.name}
        assert [row.account_id for row in written] == [None, None, account]
        other = read_bundle(folder).main
        frame = other.encoder.frame(pd.DataFrame([dict.fromkeys(columns)], dtype=object))
        chance = other.scores(frame).probability[0]
        assert written[0].probability == pytest.approx(chance)
        assert all(row.probability != row.champion_probability for row in written)

        # A damaged one, and one whose turn does not come.
        text = (folder / "models.json").read_bytes()
        (folder / "models.json").write_bytes(text[:-1])
        state.shadow._challengers.clear()
        assert answers() == alone
        until(lambda: len(counted) == 4)
        assert counted[2:] == ["failed", "failed"]
        assert "a challenger could not be asked" in caplog.text
        assert client.get("/readyz").json()["ready"]
        state.under_way["somebody"] = 1
        for _ in range(shadow.MOST_WAITING + 3):
            assert client.post("/v1/score-rows", json=features).status_code == 200
        until(lambda: "dropped" in counted)
        del state.under_way["somebody"]
