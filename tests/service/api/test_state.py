"""What changes under a running service: champions, the book, and tables that cannot be loaded."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from champions import set_champion
from service.conftest import opened
from tenure.core.config import Config
from tenure.core.errors import ModelError
from tenure.model.bundle.bundle import read_bundle, write_bundle
from tenure.model.registry.champion import FILE, champion, versions, withdraw
from tenure.run.promote import PromotionRequest, run_promote
from tenure.score.posted import EMPTY_BOOK
from tenure.score.score import Model, load_models
from tenure.service.api import champions
from tenure.service.api import state as state_module
from tenure.service.api import tables as tables_module
from tenure.service.api.problems import Refusal
from tenure.service.api.state import State
from tenure.service.pages.state import PageState

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from service.conftest import Tiny
    from tenure.sources.dataset import Dataset


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
    with opened(own) as client:
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
    further = replace(bundle, models=dict.fromkeys(["30", "90", "180", "renewal"], bundle.main))
    version = write_bundle(further, own.paths.models, "churn").name
    set_champion(own.paths.models, "churn", version, "knows more", "test")

    def horizons(account: str, **asked: Any) -> list[int]:
        body = {"account_ids": [account], **asked}
        answer = served.post("/score", json=body).json()
        return [row["horizon_days"] for row in answer["rows"]]

    for account in tiny.asked["account_id"][:2]:
        assert horizons(account) == horizons(account, horizon_days=90) == [90]
        assert horizons(account, horizon_days=30) == [30]
        every = horizons(account, horizon_days="all")
        assert every[:3] == [90, 30, 180]
        assert len(every) <= 4
    refused = served.post("/score", json={"account_ids": ["x"], "horizon_days": 31}).json()
    assert refused["error"]["fix"] == "one of 30, 90, 180, or all"


def spoil(config: Config, damage: str) -> None:
    """Make churn's champion one that cannot be served."""
    home = config.paths.models / "churn"
    challenger = other(config, "churn")
    if damage == "bundle":
        set_champion(config.paths.models, "churn", challenger, "better", "test")
        text = (home / challenger / "models.json").read_text()
        (home / challenger / "models.json").write_text(text[: len(text) // 2])
    elif damage == "file":
        (home / FILE).write_text("{")
    elif damage == "removed":
        (home / FILE).unlink()
    else:
        assert withdraw(config.paths.models, "churn", "no usable model", "test") is not None


def test_a_damaged_champion_leaves_the_old_one(served: TestClient, own: Config, tiny: Tiny) -> None:
    account = tiny.asked["account_id"].iloc[0]
    before = one(served, account)
    home = own.paths.models / "churn"
    for damage in ("bundle", "file", "removed", "withdrawn"):
        spoil(own, damage)
        after = one(served, account)
        assert after["models"] == before["models"]
        assert after["rows"][0]["churn_probability"] == before["rows"][0]["churn_probability"]
        readiness = served.get("/readyz")
        assert readiness.status_code == 200
        (warning,) = readiness.json()["warnings"]
        gone = damage in ("removed", "withdrawn")
        said = "there is no champion any more" if gone else "the new"
        assert warning.startswith(f"churn: {said}"), damage
        shutil.rmtree(home)
        shutil.copytree(tiny.config.paths.models / "churn", home)
        one(served, account)
        assert served.get("/readyz").json()["warnings"] == []


def test_a_probe_does_not_wait_for_a_new_champion(
    served: TestClient, own: Config, tiny: Tiny
) -> None:
    state: State = served.app.instead.state  # type: ignore[attr-defined]
    before, free = state.champions.models["churn"], threading.Event()
    busy = state.tables.threads.submit(free.wait, 60)
    challenger = other(own, "churn")
    set_champion(own.paths.models, "churn", challenger, "better", "test")
    assert served.get("/readyz").status_code == 200
    assert not busy.done()
    assert state.champions.models["churn"] is before
    free.set()
    assert one(served, tiny.asked["account_id"].iloc[0])["models"]["churn"] == challenger


def test_a_refused_champion_is_read_again(
    served: TestClient, own: Config, tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(champions, "RETRY_SECONDS", 0.0)
    account = tiny.asked["account_id"].iloc[0]
    challenger = other(own, "churn")
    file = own.paths.models / "churn" / challenger / "models.json"
    whole = file.read_text()
    set_champion(own.paths.models, "churn", challenger, "better", "test")
    file.write_text(whole[: len(whole) // 2])  # copied after champion.json, and not yet whole
    assert one(served, account)["models"]["churn"] != challenger
    file.write_text(whole)
    assert one(served, account)["models"]["churn"] == challenger
    assert served.get("/readyz").json()["warnings"] == []


def test_a_flipped_bit_in_any_file_keeps_a_bundle_from_serving(
    own: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(champions, "RETRY_SECONDS", 0.0)
    serving = champions.Champions(own)
    standing = serving.models["churn"].bundle.version
    challenger = other(own, "churn")
    set_champion(own.paths.models, "churn", challenger, "better", "test")
    files = sorted((own.paths.models / "churn" / challenger).iterdir())
    assert len(files) >= 8
    for file in files:
        whole, place = file.read_bytes(), file.stat().st_size // 2
        flipped = bytes([whole[place] ^ 1]) if whole else b"x"
        file.write_bytes(whole[:place] + flipped + whole[place + 1 :])
        serving.refresh(lambda _: None)
        assert serving.models["churn"].bundle.version == standing, file.name
        assert "is not served" in serving.warnings["churn"], file.name
        file.write_bytes(whole)
    serving.refresh(lambda _: None)
    assert serving.models["churn"].bundle.version == challenger
    assert serving.warnings == {}


def test_a_champion_that_lacks_what_this_version_reads_leaves_the_old_one(own: Config) -> None:
    serving = champions.Champions(own)
    standing = serving.models["churn"].bundle
    older = write_bundle(replace(standing, reference={}), own.paths.models, "churn").name
    set_champion(own.paths.models, "churn", older, "better", "test")
    serving.refresh(lambda _: None)
    assert serving.models["churn"].bundle.version == standing.version
    assert serving.warnings["churn"].startswith("churn: the new champion is not served")


def test_a_champion_whose_version_is_none_is_damaged(own: Config) -> None:
    serving = champions.Champions(own)
    standing = serving.models["churn"].bundle.version
    path = own.paths.models / "churn" / FILE
    (foreign, *_) = versions(own.paths.models, "expansion")
    wrong: list[Any] = [5, None, [], "", "latest", f"../expansion/{foreign}"]
    for version in wrong:
        path.write_text(json.dumps(json.loads(path.read_text()) | {"version": version}))
        serving.refresh(lambda _: None)
        assert serving.models["churn"].bundle.version == standing
        assert "is damaged" in serving.warnings["churn"], version
        with pytest.raises(ModelError, match="is damaged"):
            load_models(own)


def test_a_model_of_another_target_is_never_champion(
    served: TestClient, own: Config, tiny: Tiny
) -> None:
    home = own.paths.models / "churn"
    (foreign, *_) = versions(own.paths.models, "expansion")
    shutil.copytree(own.paths.models / "expansion" / foreign, home / foreign)
    with pytest.raises(ModelError, match="of another target"):
        run_promote(own, PromotionRequest("churn", to=foreign, force=True))
    before = one(served, tiny.asked["account_id"].iloc[0])
    set_champion(own.paths.models, "churn", foreign, "by mistake", "test")
    after = one(served, tiny.asked["account_id"].iloc[0])
    assert after["models"] == before["models"]
    assert after["rows"][0]["churn_probability"] == before["rows"][0]["churn_probability"]
    (warning,) = served.get("/readyz").json()["warnings"]
    assert "of another target" in warning
    with pytest.raises(ModelError, match="of another target"):
        load_models(own)
    started = champions.Champions(own)
    assert started.models["churn"].bundle.version == before["models"]["churn"]
    assert "of another target" in started.warnings["churn"]


@pytest.mark.parametrize("damage", ["bundle", "file"])
def test_a_service_starts_with_the_last_good_champion(
    own: Config, tiny: Tiny, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(champions, "RETRY_SECONDS", 600.0)
    standing = champion(own.paths.models, "churn")
    assert standing is not None
    spoil(own, damage)
    account, expected = tiny.asked[["account_id", "churn_probability"]].iloc[0]
    with opened(own) as client:
        answer = one(client, account)
        assert answer["models"]["churn"] == standing.version
        assert answer["rows"][0]["churn_probability"] == expected
        (warning,) = client.get("/readyz").json()["warnings"]
        assert warning.startswith("churn: the new champion is not served: ")
        shutil.rmtree(own.paths.models / "churn")
        shutil.copytree(tiny.config.paths.models / "churn", own.paths.models / "churn")
        set_champion(own.paths.models, "churn", other(own, "churn"), "better", "test")
        assert one(client, account)["models"]["churn"] != standing.version
        assert client.get("/readyz").json()["warnings"] == []


def test_a_target_without_a_model_that_can_be_read_leaves_the_others(
    own: Config, tiny: Tiny
) -> None:
    for file in (own.paths.models / "churn").glob("*/models.json"):
        file.write_text("{")
    account, expected = tiny.asked[["account_id", "churn_probability"]].iloc[0]
    with opened(own) as client:
        (warning,) = client.get("/readyz").json()["warnings"]
        assert warning.startswith("churn: the new champion is not served: ")
        assert set(client.get("/v1/models").json()["targets"]) == {"expansion"}
        scores = client.get(f"/v1/accounts/{account}?target=churn").json()["scores"]
        assert scores[0]["probability"] == expected
    for file in (own.paths.models / "expansion").glob("*/models.json"):
        file.write_text("{")
    with pytest.raises(ModelError, match="expansion: the new champion is not served: "):
        State(own)


def test_scores_that_nobody_waits_for_are_not_computed(
    own: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One group runs; of those behind it only that with a client left is scored."""
    free, scored = threading.Event(), []

    def score(dataset: object, *args: Any, accounts: list[str], **named: Any) -> list[str]:
        free.wait(60)
        scored.append(accounts)
        return accounts

    async def ask() -> tuple[list[Any], list[Any]]:
        wanted = [("a", 1), ("b", 2), ("c", 2), ("d", 3), ("e", 3)]
        asked = [
            asyncio.ensure_future(tables.scores(models, EMPTY_BOOK, datetime(2023, 1, day), {name}))
            for name, day in wanted
        ]
        await asyncio.sleep(0.1)
        for gone in (asked[0], asked[1], asked[3], asked[4]):
            gone.cancel()
        more = [
            tables.scores(models, EMPTY_BOOK, datetime(2023, 2, day), {"f"}) for day in range(1, 12)
        ]
        late = [asyncio.ensure_future(each) for each in more]
        await asyncio.sleep(0.1)
        free.set()
        return await asyncio.gather(*asked, return_exceptions=True), await asyncio.gather(
            *late, return_exceptions=True
        )

    monkeypatch.setattr(tables_module, "score", score)
    tables = tables_module.Tables(own)
    models: dict[str, Model] = {}
    monkeypatch.setattr(tables, "_fresh", lambda: SimpleNamespace(dataset=0))
    asked, late = asyncio.run(ask())
    tables.close()
    assert asked[2] == ["b", "c"]
    assert all(isinstance(asked[place], asyncio.CancelledError) for place in (0, 1, 3, 4))
    assert scored[:2] == [["a"], ["b", "c"]]
    refused = [item for item in late if isinstance(item, Refusal)]
    assert scored[2:] == [["f"]] * (tables_module.MOST_GROUPS - 1)
    assert len(refused) == len(late) - (tables_module.MOST_GROUPS - 1)
    assert {item.status for item in refused} == {503}
    assert all("Retry-After" in item.headers for item in refused)


def test_ranks_are_those_of_the_last_run_of_the_same_time_and_model(
    served: TestClient, own: Config, tiny: Tiny
) -> None:
    last = tiny.asked.sort_values("churn_probability").iloc[-1]
    account = last["account_id"]
    row = one(served, account)["rows"][0]
    assert (row["churn_rank"], row["churn_percentile"]) == (1, 100)
    body = {"account_ids": [account], "as_of": "2023-10-01"}
    assert served.post("/score", json=body).json()["rows"][0]["churn_rank"] is None
    set_champion(own.paths.models, "churn", other(own, "churn"), "better", "test")
    assert one(served, account)["rows"][0]["churn_rank"] is None


def test_what_is_in_the_store_is_answered_without_tables(tiny: Tiny, tmp_path: Path) -> None:
    config = moved(tiny.config, tmp_path, path=str(tmp_path / "nowhere"))
    account, expected = tiny.asked[["account_id", "churn_probability"]].iloc[0]
    with opened(config, loaded=False) as client:
        client.app.instead.state.tables.loading.exception()  # type: ignore[attr-defined]
        (warning,) = client.get("/readyz").json()["warnings"]
        assert "nowhere" in warning
        scores = client.get(f"/v1/accounts/{account}?target=churn").json()["scores"]
        assert scores[0]["probability"] == expected
        posted = {"tables": tiny.posted(account), "as_of": "2024-01-01"}
        (row,) = client.post("/v1/score", json=posted).json()["rows"]
        assert row["churn_probability"] == expected
        for refused in (
            client.post("/score", json={"account_ids": [account]}),
            client.post("/v1/explain", json={"account_id": account}),
            client.get("/v1/metrics"),
        ):
            assert refused.status_code == 503
            assert refused.json()["errors"][0]["rule"] == "cannot load its tables"


def test_tables_are_read_again_where_a_file_has_changed(tiny: Tiny, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(tiny.config.data.path, data)
    config = moved(tiny.config, tmp_path, path=str(data))
    with opened(config) as client:
        state: State = client.app.instead.state  # type: ignore[attr-defined]

        def accounts() -> int:
            def counted(dataset: Dataset) -> int:
                counts = dataset.engine.fetch("SELECT count(*) FROM accounts")
                return int(counts.column(0)[0].as_py())

            return state.tables.ask("accounts", counted).result()

        before = accounts()
        file = data / "accounts.parquet"
        rows = pd.read_parquet(file)
        new = rows.iloc[[0]].assign(account_id="a-new-one")
        pd.concat([rows, new]).to_parquet(file, index=False)
        assert accounts() == before + 1
        answer = client.post("/score", json={"account_ids": ["a-new-one"]}).json()
        assert [item["account_id"] for item in answer["not_asked"]] == ["a-new-one"]
        file.write_bytes(b"on its way")
        assert accounts() == before + 1, "the former tables stay"
        assert one(client, "a-new-one")["not_asked"]
        assert "accounts" in client.get("/readyz").json()["warnings"][0]


def test_a_part_below_a_folder_is_a_change_and_what_is_written_beside_is_none(
    tiny: Tiny, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    (data / "tickets" / "date=2024-01-01").mkdir(parents=True)
    tables = tables_module.Tables(moved(tiny.config, tmp_path, path=str(data), base=str(tmp_path)))
    try:
        (tmp_path / "config.yaml").touch()
        (tmp_path / "scores.csv").touch()
        assert not tables.present
        (data / "tickets" / "date=2024-01-01" / "a.parquet").touch()
        assert tables.present
    finally:
        tables.close()


def test_metrics_go_on_without_the_store(own: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_module, "STORE_SECONDS", 0.2)
    monkeypatch.setattr(state_module, "FRESH_SECONDS", 0.0)
    with opened(own, loaded=False) as client:
        state: State = client.app.instead.state  # type: ignore[attr-defined]
        before = client.get("/metrics").text
        assert "tenure_store_up 1.0" in before
        hung = threading.Event()

        def lost() -> None:
            hung.wait(60)
            raise state_module.unreachable()

        monkeypatch.setattr(state.store, "latest", lost)
        for _ in ("slow", "away"):
            answer = client.get("/metrics")
            assert answer.status_code == 200
            assert "tenure_store_up 0.0" in answer.text
            ages = re.findall(r"^tenure_(?:scores|data)_age_seconds (\S+)$", answer.text, re.M)
            assert len(ages) == 2
            assert all(float(age) > 0 for age in ages)
            hung.set()


def test_live_scores_wait_for_the_tables(own: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables_module.Tables, "_fresh", lambda *_: None)
    with opened(own) as client:
        assert client.get("/readyz").status_code == 200
        response = client.post("/v1/explain", json={"account_id": "a"})
        assert response.status_code == 503
        assert response.headers["retry-after"] == "2"
        assert "still loading" in response.json()["detail"]


def test_pages_go_on_without_a_champion_that_cannot_be_read(own: Config) -> None:
    (own.paths.models / "churn" / FILE).write_text("{")
    state = PageState(own)
    assert set(state.models()) == {"expansion"}
    state.close()


def test_without_a_champion_nothing_is_served(tiny: Tiny, tmp_path: Path) -> None:
    paths = tiny.config.paths.model_copy(update={"models": tmp_path / "none"})
    with pytest.raises(ModelError, match="tenure train"):
        State(tiny.config.model_copy(update={"paths": paths}))
