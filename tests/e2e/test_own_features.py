"""Features and families of a user's own, by config alone and by a module, go all the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from champions import set_champion
from e2e.road import CONFIG, Project, command, without_mlflow
from tenure.model.bundle.bundle import read_bundle
from tenure.model.registry.champion import champion

SETTINGS: dict[str, Any] = {
    "targets": ["churn"],
    "model": {"parameters": {"num_iterations": 20}},
    "evaluation": {"max_folds": 1, "bootstrap": 50, "contrast": False},
}
USERS = "{value} people at work in the last {window}"
PACE = "people of four weeks at {value} of those of twelve"
LEVEL = "people at work above {value} of accounts of like segment"
TICKETS = "{value} calls for help in the last {window}"
ENTRIES: list[dict[str, Any]] = [
    {
        "name": "helpdesk",
        "source": "tickets",
        "aggregate": "count(*)",
        "where": "priority is not null",
        "windows": [56],
        "lever": True,
        "sentence": TICKETS,
    },
    {
        "family": "working",
        "name": "workers",
        "source": "usage_events",
        "aggregate": "count(distinct user_id)",
        "windows": [28, 84],
        "lever": True,
        "sentence": USERS,
    },
    {
        "family": "working",
        "name": "workers_pace",
        "formula": "workers_28d / workers_84d",
        "sentence": PACE,
    },
    {
        "family": "working",
        "name": "workers_level",
        "of": "workers_28d",
        "band": None,
        "sentence": LEVEL,
    },
]
MODULE = f"""
from tenure.core.spec import Derived, Family, Feature, Ranked

FAMILIES = (
    Family(
        "custom",
        "Your own features",
        (
            Feature("helpdesk", "tickets", "count(*)", "{TICKETS}",
                    where="priority is not null", windows=(56,), lever=True),
        ),
    ),
    Family(
        "working",
        "Working",
        (
            Feature("workers", "usage_events", "count(distinct user_id)", "{USERS}",
                    windows=(28, 84), lever=True),
            Derived("workers_pace", "workers_28d / workers_84d", "{PACE}"),
            Ranked("workers_level", "workers_28d", "{LEVEL}", band=None),
        ),
    ),
)
"""
COLUMNS = {"helpdesk_56d", "workers_28d", "workers_84d", "workers_pace", "workers_level"}
LABELS = {
    "helpdesk_56d": "Calls for help in the last 56 days",
    "workers_28d": "People at work in the last 28 days",
    "workers_84d": "People at work in the last 84 days",
    "workers_pace": "People of four weeks against those of twelve",
    "workers_level": "People at work among accounts of like segment",
}


SIGNALS = {
    "helpdesk": ("helpdesk_56d",),
    "workers": ("workers_28d", "workers_84d"),
    "workers_pace": ("workers_pace",),
    "workers_level": ("workers_level",),
}
"""What each signal is measured by: all windows of one feature are one signal."""


@pytest.fixture(scope="module", params=["config", "module"])
def own(
    request: pytest.FixtureRequest, project: Project, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """A project that was trained on its own features and the segment, and then scored."""
    root = tmp_path_factory.mktemp("own")
    features: dict[str, Any] = {"families": ["account"]}
    if request.param == "config":
        features["custom"] = ENTRIES
    else:
        (root / "mine.py").write_text(MODULE)
        features["modules"] = ["mine.py"]
    data = {"path": str(project.root / "data")}
    made = Project(root).set(features=features, data=data, **SETTINGS)
    with without_mlflow():
        for word in ("check", "train"):
            said = command(word, root / CONFIG)
            assert said.code == 0, said.error
    models = made.config.paths.models
    if champion(models, "churn") is None:
        version = record(made)["targets"]["churn"]["model"]["version"]
        set_champion(models, "churn", version, "test", "test")
    # Scoring reads declarations from the bundle: it runs no module.
    (root / "mine.py").unlink(missing_ok=True)
    said = command("score", root / CONFIG, "--out", root / "scores.csv")
    assert said.code == 0, said.error
    return made


def record(project: Project) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((project.config.paths.runs / "training.json").read_text())
    return found


def text(project: Project, name: str) -> str:
    return (Path(project.config.paths.runs) / name).read_text(encoding="utf-8")


def test_they_are_counted_and_drawn_in_the_report(own: Project) -> None:
    families = record(own)["features"]["families"]
    assert families["custom"] == 1
    assert families["working"] == 4
    drivers = record(own)["targets"]["churn"]["drivers"]
    told = {name for driver in drivers for name in driver["features"].split(", ")}
    assert len(told & COLUMNS) >= 3
    page = text(own, "report.html")
    for driver in drivers[:5]:
        assert driver["label"] in page


def test_they_are_audited(own: Project) -> None:
    audit = text(own, "audit.json")
    for name in COLUMNS - {"workers_level"}:
        assert f'"{name}"' in audit
    page = text(own, "audit.html")
    assert "helpdesk_56d" in page or LABELS["helpdesk_56d"] in page


def test_they_stand_on_the_reference_page(own: Project) -> None:
    page = text(own, "features.md")
    assert "## Working (`working`)" in page
    assert "## Your own features (`custom`)" in page
    for line in (
        f"| `workers` | {USERS} | `count(distinct user_id)` | `usage_events` | 28, 84 | – | yes |",
        f"| `workers_pace` | {PACE} | `workers_28d / workers_84d` | – | – | – | no |",
        f"| `workers_level` | {LEVEL} | `percentile of workers_28d` within segment |",
        f"| `helpdesk` | {TICKETS} | `count(*) where priority is not null` | `tickets` | 56 |",
    ):
        assert line in page


def test_they_are_drivers_with_their_sentences(own: Project) -> None:
    rows = pd.read_parquet(own.config.paths.runs / "scores.parquet")
    codes = {code for place in range(1, 6) for code in rows[f"driver_{place}_code"].dropna()}
    assert len(codes & SIGNALS.keys()) >= 3
    for place in range(1, 6):
        mine = rows[rows[f"driver_{place}_code"].isin(SIGNALS)]
        for code, said in zip(
            mine[f"driver_{place}_code"], mine[f"driver_{place}_label"], strict=True
        ):
            assert said in {LABELS[column] for column in SIGNALS[code]}


def test_the_bundle_keeps_the_declarations_and_the_hash_of_the_module(own: Project) -> None:
    models = own.config.paths.models
    found = champion(models, "churn")
    assert found is not None
    bundle = read_bundle(models / "churn" / found.version)
    kinds = {item["name"]: item["declared"] for item in bundle.spec.declarations}
    used = set(bundle.columns) & COLUMNS
    assert len(used) >= 3
    if "workers_level" in used:
        assert kinds["workers_level"] == "Ranked"
        assert bundle.main.encoder.peer_spread["workers_level"]["of"] == "workers_28d"
    assert sorted(bundle.spec.modules) == (["mine.py"] if own.config.features.modules else [])
