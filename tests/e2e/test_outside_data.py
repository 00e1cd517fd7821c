"""Public data sets of other people, where they are at hand, through the configs that ship."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from e2e.road import Said, command
from tenure.core.errors import DataError

CONFIGS = Path(__file__).parents[2] / "configs"
DATA = CONFIGS / os.environ.get("TENURE_TESTDATA", "../../shared/data")
SETS = {
    "ravenstack": "ravenstack",
    "ravenstack_subscriptions": "ravenstack",
    "saas_growth": "saas_growth",
    "churnsim": "churnsim_crm6",
}
pytestmark = pytest.mark.slow


def check(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Said:
    needed = DATA / SETS[name]
    if not needed.is_dir():
        pytest.skip(f"no data at {needed}: set TENURE_TESTDATA")
    monkeypatch.chdir(folder)
    return command("check", CONFIGS / f"{name}.yaml", "--json")


LARGE = pytest.param("churnsim", marks=pytest.mark.acceptance)


@pytest.mark.parametrize("name", [LARGE if name == "churnsim" else name for name in SETS])
def test_configs_load(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = check(name, tmp_path, monkeypatch)
    assert (said.code, said.error) == (0, ""), said
    found = json.loads(said.out)
    assert found["data"]["usable"]
    assert found["features"]["count"] > 10
    assert all(item["reason"] for item in found["features"]["absent"])
    for name, path in found["rejects"].items():
        assert found["data"]["tables"][name]["rows_rejected"] > 0
        assert Path(path).is_file()


def test_ravenstack_is_red(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = check("ravenstack", tmp_path, monkeypatch)
    found = json.loads(said.out)["data"]
    assert found["red"]
    assert all(sentence.split(":")[0] in found["tables"] for sentence in found["red"])
    assert said.code == (0 if found["usable"] else 1)


def test_a_leak_of_shape_is_named_by_its_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = check("saas_growth", tmp_path, monkeypatch)
    audit = json.loads(said.out)["audit"]
    assert audit["status"] == "doubts"
    named = {item["table"]: item["kind"] for item in audit["lifetimes"]}
    assert named == {"usage_events": "spread", "tickets": "spread"}
    training = command("train", CONFIGS / "saas_growth.yaml")
    assert training.code == DataError.exit_code
    assert "usage_events: its rows tell how long an account will live" in training.error
    assert not list((tmp_path / "models").rglob("champion.json"))


def test_every_config_is_named_here() -> None:
    shipped = {path.stem for path in CONFIGS.glob("*.yaml")} - {"demo"}
    assert shipped == set(SETS)


@pytest.mark.acceptance
@pytest.mark.parametrize(
    ("name", "ends"),
    [
        ("ravenstack", {"churn": "refused", "expansion": "not_promoted"}),
        ("ravenstack_subscriptions", {"churn": "not_promoted", "expansion": "refused"}),
    ],
)
def test_labels_without_a_signal_put_nothing_live(
    name: str, ends: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not (DATA / SETS[name]).is_dir():
        pytest.skip(f"no data at {DATA}: set TENURE_TESTDATA")
    monkeypatch.chdir(tmp_path)
    said = command("train", CONFIGS / f"{name}.yaml", "--json")
    assert said.code == 0, said.error
    found = json.loads(said.out)["targets"]
    assert {target: entry["status"] for target, entry in found.items()} == ends
    assert not list((tmp_path / "models").rglob("champion.json"))
