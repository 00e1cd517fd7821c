"""What changes under a running service: champions, the book, and tables that cannot be loaded."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from starlette.testclient import TestClient

from tenure.core.config import Config
from tenure.core.errors import DataError, ModelError
from tenure.model.bundle.bundle import read_bundle, write_bundle
from tenure.model.registry.champion import FILE, champion, set_champion, versions, withdraw
from tenure.run.score import LAST
from tenure.score.horizons import Ahead
from tenure.service.api.app import make_service
from tenure.service.api.state import State

if TYPE_CHECKING:
    from service.conftest import Tiny


def moved(config: Config, folder: Path, **data: Any) -> Config:
    """Return a config with models and runs of its own, copied."""
    shutil.copytree(config.paths.models, folder / "models")
    shutil.copytree(config.paths.runs, folder / "runs")
    paths = config.paths.model_copy(update={"models": folder / "models", "runs": folder / "runs"})
    changed = config.data.model_copy(update=data)
    return config.model_copy(update={"paths": paths, "data": changed})


@pytest.fixture
def own(tiny: Tiny, tmp_path: Path) -> Config:
    return moved(tiny.config, tmp_path)


@pytest.fixture
def served(own: Config) -> Iterator[TestClient]:
    state = State(own)
    with TestClient(make_service(own, state, metrics=False).to_asgi()) as client:
        state.start().result()
        yield client


def one(client: TestClient, account: str) -> dict[str, Any]:
    answer: dict[str, Any] = client.post("/score", json={"account_ids": [account]}).json()
    return answer


def other(config: Config, target: str) -> str:
    standing = champion(config.paths.models, target)
    assert standing is not None
    return next(name for name in versions(config.paths.models, target) if name != standing.version)


def test_a_new_champion_is_served_without_a_restart(
    served: TestClient, own: Config, tiny: Tiny
) -> None:
    account = tiny.asked["account_id"].iloc[0]
    before = one(served, account)
    challenger = other(own, "churn")
    set_champion(own.paths.models, "churn", challenger, "better", "test")
    after = one(served, account)
    assert after["models"]["churn"] == challenger
    assert after["rows"][0]["model_version"] == challenger
    assert after["rows"][0]["churn_probability"] != before["rows"][0]["churn_probability"]
    assert after["models"]["expansion"] == before["models"]["expansion"]
    assert served.get("/readyz").json() == {"ready": True, "warnings": []}


def test_rows_of_further_horizons_are_given_where_they_are_asked_for(
    served: TestClient, own: Config, tiny: Tiny
) -> None:
    standing = champion(own.paths.models, "churn")
    assert standing is not None
    bundle = read_bundle(own.paths.models / "churn" / standing.version)
    same = Ahead(bundle.model_text, bundle.encoder, bundle.calibrator, base_rate=0.1)
    further = replace(bundle, ahead=dict.fromkeys(["30", "180", "renewal"], same))
    version = write_bundle(further, own.paths.models, "churn").name
    set_champion(own.paths.models, "churn", version, "knows more", "test")

    def horizons(account: str, **asked: Any) -> list[int]:
        body = {"account_ids": [account], **asked}
        answer = served.post("/score", json=body).json()
        return [row["horizon_days"] for row in answer["rows"]]

    for account in tiny.asked["account_id"][:5]:
        assert horizons(account) == horizons(account, horizon_days=90) == [90]
        assert horizons(account, horizon_days=30) == [30]
        every = horizons(account, horizon_days="all")
        assert every[:3] == [90, 30, 180]
        assert len(every) <= 4
    refused = served.post("/score", json={"account_ids": ["x"], "horizon_days": 31}).json()
    assert refused["error"]["fix"] == "one of 30, 90, 180, or all"


@pytest.mark.parametrize("damage", ["bundle", "file", "removed", "withdrawn"])
def test_a_damaged_champion_leaves_the_old_one(
    served: TestClient, own: Config, tiny: Tiny, damage: str
) -> None:
    account = tiny.asked["account_id"].iloc[0]
    before = one(served, account)
    home = own.paths.models / "churn"
    challenger = other(own, "churn")
    if damage == "bundle":
        set_champion(own.paths.models, "churn", challenger, "better", "test")
        text = (home / challenger / "model.txt").read_text()
        (home / challenger / "model.txt").write_text(text[: len(text) // 2])
    elif damage == "file":
        (home / FILE).write_text("{")
    elif damage == "removed":
        (home / FILE).unlink()
    else:
        assert withdraw(own.paths.models, "churn", "no usable model", "test") is not None
    after = one(served, account)
    assert after["models"] == before["models"]
    assert after["rows"][0]["churn_probability"] == before["rows"][0]["churn_probability"]
    found = served.get("/readyz")
    assert found.status_code == 200
    (warning,) = found.json()["warnings"]
    said = "there is no champion any more" if damage in ("removed", "withdrawn") else "the new"
    assert warning.startswith(f"churn: {said}")
    shutil.rmtree(home)
    shutil.copytree(tiny.config.paths.models / "churn", home)
    one(served, account)
    assert served.get("/readyz").json()["warnings"] == []


def test_ranks_follow_the_last_scored_book(served: TestClient, own: Config, tiny: Tiny) -> None:
    account = tiny.asked.sort_values("churn_probability")["account_id"].iloc[-1]
    assert one(served, account)["rows"][0]["churn_rank"] == 1
    book = own.paths.runs / LAST
    pd.DataFrame({"churn_probability": [0.99, 0.999]}).to_parquet(book)
    row = one(served, account)["rows"][0]
    assert (row["churn_rank"], row["churn_percentile"]) == (3, 0)
    book.write_bytes(b"PAR1")
    row = one(served, account)["rows"][0]
    assert (row["churn_rank"], row["churn_percentile"]) == (None, None)
    assert "ranks are empty" in served.get("/readyz").json()["warnings"][0]
    book.unlink()
    assert one(served, account)["rows"][0]["churn_rank"] is None
    assert served.get("/readyz").json()["warnings"] == []


def test_requests_wait_for_the_tables(own: Config) -> None:
    state = State(own)
    state.start = lambda: None  # type: ignore[assignment,method-assign,return-value]
    with TestClient(make_service(own, state, metrics=False).to_asgi()) as client:
        assert client.get("/livez").status_code == 200
        assert client.get("/readyz").status_code == 503
        for path in ("/score", "/explain", "/model"):
            body: dict[str, Any] = {"account_ids": ["a"]} if path == "/score" else {}
            body = {"account_id": "a"} if path == "/explain" else body
            response = client.post(path, json=body)
            assert response.status_code == 503
            assert response.headers["retry-after"] == "2"
            assert "still loading" in response.json()["error"]["rule"]


def test_tables_that_cannot_be_loaded_end_the_service(tiny: Tiny, tmp_path: Path) -> None:
    config = moved(tiny.config, tmp_path, path=str(tmp_path / "nowhere"))
    state = State(config)
    with TestClient(make_service(config, state, metrics=False).to_asgi()) as client:
        with pytest.raises(DataError, match="nowhere"):
            state.start().result()
        assert client.get("/livez").status_code == 503
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert "nowhere" in ready.json()["warnings"][0]


def test_a_model_that_the_tables_cannot_feed_ends_the_service(tiny: Tiny, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(tiny.config.data.path, data)
    (data / "usage_events.parquet").unlink()
    state = State(moved(tiny.config, tmp_path, path=str(data)))
    with pytest.raises(DataError, match="usage_events"):
        state.start().result()
    state.close()


def test_without_a_champion_nothing_is_served(tiny: Tiny, tmp_path: Path) -> None:
    paths = tiny.config.paths.model_copy(update={"models": tmp_path / "none"})
    with pytest.raises(ModelError, match="tenure train"):
        State(tiny.config.model_copy(update={"paths": paths}))
