"""`tenure demo` again, on another world in the same folder: what is live is what was just made."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from tenure.core.records.evaluation import Verdict
from tenure.demo import write_world
from tenure.features.plan.config_checks import load_config
from tenure.model.registry.champion import champion, history
from tenure.model.tracking import Store
from tenure.model.tracking.store import connected
from tenure.run import demo, fit
from tenure.run.demo import DemoResult, run_demo
from tenure.run.score import LAST
from tenure.score.store.store import ScoreStore

pytestmark = pytest.mark.slow

TARGETS = ("churn", "expansion")
QUICK = """\
features: {families: [usage, subscription]}
model: {threads: 1, min_events: 1, min_train_positives: 5, parameters: {num_iterations: 10}}
evaluation: {max_folds: 3, bootstrap: 50, contrast: false}
engine: {threads: 1}
"""
USABLE = Verdict(status="usable", sentences=("Usable, for the test.",))
USELESS = Verdict(status="no_usable_signal", sentences=("No usable signal, for the test.",))


class Judge:
    """Says what it is told about one target after the other."""

    def __init__(self) -> None:
        self.verdicts: list[Verdict] = []

    def __call__(self, *_: object) -> Verdict:
        return self.verdicts.pop(0)


@pytest.fixture
def judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Judge:
    """A folder of its own, a small world, and who decides which models pass."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "CONFIG", demo.CONFIG + QUICK)
    monkeypatch.setattr(demo, "write_world", partial(write_world, months=18))
    found = Judge()
    monkeypatch.setattr(fit, "judge", found)
    return found


def ran(judge: Judge, seed: int, *verdicts: Verdict) -> DemoResult:
    judge.verdicts = list(verdicts)
    return run_demo(Path("demo"), accounts=100, seed=seed)


def made(result: DemoResult) -> dict[str, str]:
    """Return the bundle that a demo exported, by target."""
    models = {name: target.model for name, target in result.record.targets.items()}
    return {name: model.version for name, model in models.items() if model}


def live() -> dict[str, str | None]:
    """Return the bundle that is champion, by target, once MLflow's aliases say the same."""
    config = load_config(Path("demo/config.yaml"))
    found: dict[str, str | None] = {}
    with connected(Store.from_config(config)) as client:
        for name in TARGETS:
            standing = champion(Path("models"), name)
            model = f"{config.name}-{name}"
            alias = client.get_registered_model(model).aliases.get("champion")
            found[name] = standing.version if standing else None
            if alias is None:
                assert standing is None
            else:
                tags = client.get_model_version(model, str(alias)).tags
                assert tags["tenure.bundle"] == found[name]
    return found


def months() -> int:
    """Return how many scored prediction times the demo left."""
    with ScoreStore.open(load_config(Path("demo/config.yaml"))) as store:
        return len({run.as_of for run in store.runs()})


def test_what_is_live_is_of_the_world_that_was_made_last(judge: Judge) -> None:
    first = made(ran(judge, 1, USABLE, USABLE))
    assert live() == first
    assert pd.read_csv("demo/scores.csv")["probability_change"].notna().any()
    assert months() == 2

    second = ran(judge, 2, USELESS, USABLE)
    assert made(second)["churn"] != first["churn"]
    assert live() == {"churn": None, "expansion": made(second)["expansion"]}
    gone, taken = (history(Path("models"), name)[-1] for name in TARGETS)
    assert (gone.action, gone.version, gone.reason) == ("withdrawn", first["churn"], "demo run")
    assert (taken.action, taken.previous) == ("set", first["expansion"])
    assert f"churn: {first['churn']}, champion of an earlier demo, was withdrawn." in second.lines()
    rows = pd.read_parquet(Path("runs") / LAST)
    assert rows["churn_probability"].isna().all()
    assert rows["expansion_probability"].notna().any()
    assert months() == 2, "those of the earlier world are gone"


def test_where_nothing_is_usable_no_scores_are_left(judge: Judge) -> None:
    stale = (Path("demo/scores.csv"), Path("runs") / LAST)
    for path in stale:
        path.parent.mkdir(parents=True)
        path.write_text("of another world")
    found = ran(judge, 2, USELESS, USELESS)
    assert live() == dict.fromkeys(TARGETS)
    assert not any(path.exists() for path in stale)
    assert (found.account, found.reasons) == (None, [demo.NOTHING])
    assert Path(found.files["report"]).is_file()
    assert "scores" not in found.files
    assert not any("tenure serve" in line for line in found.lines())
