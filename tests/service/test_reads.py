"""What is read from the store: the numbers of the run, whole, whatever is written meanwhile."""

from __future__ import annotations

import asyncio
import io
import json
import math
import shutil
from collections.abc import Iterator
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pytest
from sqlalchemy import func, select

from champions import set_champion
from service.conftest import opened
from tenure.core.config import Config
from tenure.core.times import days
from tenure.model.bundle.bundle import read_bundle
from tenure.model.registry.champion import champion, versions
from tenure.run.score import run_score
from tenure.score.score import Model, score
from tenure.score.store.schema import FEEDBACK, RUNS
from tenure.score.store.store import ScoreStore, StoredRun
from tenure.service.api import export
from tenure.service.api.responses import moment

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.testclient import TestClient

    from service.conftest import Tiny


RUN_FIELDS = {item.name for item in fields(StoredRun)} - {"number"}


@pytest.fixture(scope="module")
def own(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Return a config whose store holds an earlier run too, with another model of expansion."""
    folder = tmp_path_factory.mktemp("read")
    shutil.copytree(tiny.config.paths.runs, folder / "runs")
    shutil.copytree(tiny.config.paths.models, folder / "models")
    changed = {"runs": folder / "runs", "models": folder / "models"}
    paths = tiny.config.paths.model_copy(update=changed)
    config = tiny.config.model_copy(update={"paths": paths})
    until = tiny.book["as_of"].iloc[0].to_pydatetime()
    standing = champion(paths.models, "expansion")
    assert standing is not None
    older = next(one for one in versions(paths.models, "expansion") if one != standing.version)
    set_champion(paths.models, "expansion", older, "test", "test")
    run_score(config, folder / "before.csv", until - days(31))
    set_champion(paths.models, "expansion", standing.version, "test", "test")
    return config


@pytest.fixture(scope="module")
def reader(own: Config) -> Iterator[TestClient]:
    with opened(own, loaded=False) as client:
        yield client


def get(client: TestClient, path: str, **params: Any) -> Any:
    response = client.get(path, params=params)
    assert response.status_code == 200, response.text
    return response.json()


def test_scores_in_the_store_are_those_of_the_batch(reader: TestClient, tiny: Tiny) -> None:
    ids = list(tiny.book["account_id"])
    answer = reader.post("/v1/scores:lookup", json={"account_ids": [*ids, "nobody"]}).json()
    assert [one["account_id"] for one in answer["accounts"]] == ids
    assert [one["account_id"] for one in answer["missing"]] == ["nobody"]
    assert answer["run"]["as_of"] == f"{tiny.book['as_of'].iloc[0].isoformat()}Z"
    for account, (_, row) in zip(answer["accounts"], tiny.book.iterrows(), strict=True):
        assert (account["owner"], account["segment"]) == (row["owner"], row["segment"])
        churn, expansion = account["scores"]
        assert (churn["target"], churn["direction"]) == ("churn", "high_is_bad")
        assert (expansion["target"], expansion["direction"]) == ("expansion", "high_is_good")
        if row["abstain_reason"] is None or pd.isna(row["abstain_reason"]):
            assert churn["probability"] == row["churn_probability"]
            assert churn["rank"] == row["churn_rank"]
            assert churn["drivers"][0]["sentence"] == row["driver_1_sentence"]
            assert expansion["probability"] == row["expansion_probability"]
        else:
            assert churn["probability"] is None
            assert churn["abstain_reason"] == row["abstain_reason"]
        assert churn["model_version"] == tiny.asked["model_version"].iloc[0]
    only = reader.post("/v1/scores:lookup", json={"account_ids": ids[:1], "targets": ["churn"]})
    assert [one["target"] for one in only.json()["accounts"][0]["scores"]] == ["churn"]


def test_an_earlier_time_gives_the_run_of_then(reader: TestClient, tiny: Tiny) -> None:
    last = tiny.book["as_of"].iloc[0]
    then = last - pd.Timedelta(days=2)
    body = {"account_ids": list(tiny.book["account_id"][:3]), "as_of": then.isoformat()}
    answer = reader.post("/v1/scores:lookup", json=body).json()
    assert answer["run"]["as_of"] == f"{(last - pd.Timedelta(days=31)).isoformat()}Z"
    body["as_of"] = "2001-01-01"
    refused = reader.post("/v1/scores:lookup", json=body)
    assert (refused.status_code, refused.json()["field"]) == (404, "as_of")


def test_accounts_are_filtered_sorted_and_paged(reader: TestClient, tiny: Tiny) -> None:
    every, cursor = [], ""
    while cursor is not None:
        page = get(reader, "/v1/accounts", limit=7, sort="mrr", cursor=cursor)
        assert len(page["items"]) <= 7
        every += page["items"]
        cursor = page["next_cursor"]
    assert sorted(one["account_id"] for one in every) == list(tiny.book["account_id"])
    assert [one["mrr"] for one in every] == sorted(tiny.book["mrr"], reverse=True)
    band = get(reader, "/v1/accounts", band="high", limit=1000)["items"]
    high = tiny.book[tiny.book["risk_band"] == "high"]
    assert {one["account_id"] for one in band} == set(high["account_id"])
    owner = tiny.book["owner"].iloc[0]
    mine = get(reader, "/v1/accounts", owner=owner, limit=1000)["items"]
    expected = tiny.book[tiny.book["owner"] == owner]
    assert {one["account_id"] for one in mine} == set(expected["account_id"])


def test_a_page_stays_with_its_run(reader: TestClient, own: Config, tiny: Tiny) -> None:
    first = get(reader, "/v1/accounts", limit=20, sort="account_id", order="asc")
    with ScoreStore.open(own) as store, store.engine.begin() as connection:
        newest = RUNS.update().where(RUNS.c.run_id == first["run"]["run_id"])
        connection.execute(newest.values(kind="live"))
    try:
        state = reader.app.instead.state  # type: ignore[attr-defined]
        state._latest = (-10.0, None)
        other = get(reader, "/v1/accounts", limit=20)["run"]
        assert other["run_id"] != first["run"]["run_id"]
        wish = {"limit": 20, "sort": "account_id", "order": "asc", "cursor": first["next_cursor"]}
        gone = reader.get("/v1/accounts", params=wish)
        assert (gone.status_code, gone.json()["field"]) == (410, "cursor")
    finally:
        with ScoreStore.open(own) as store, store.engine.begin() as connection:
            connection.execute(newest.values(kind="batch"))
        state._latest = (-10.0, None)
    second = get(reader, "/v1/accounts", **wish)
    ids = [one["account_id"] for one in [*first["items"], *second["items"]]]
    assert ids == list(tiny.book["account_id"])[:40]
    for wrong in ("x", "W10=", first["next_cursor"][:-3], "é"):
        refused = reader.get("/v1/accounts", params={**wish, "cursor": wrong})
        assert (refused.status_code, refused.json()["field"]) == (400, "cursor")
    wish["sort"] = "mrr"
    assert reader.get("/v1/accounts", params=wish).status_code == 400


def test_changes_are_split_by_signal_exactly(reader: TestClient, tiny: Tiny) -> None:
    moved = get(
        reader, "/v1/accounts", changed_since="2023-12-15", min_change=0.001, sort="move", limit=5
    )
    assert moved["changed_since"]["as_of"] == "2023-12-01T00:00:00Z"
    sizes = [abs(one["change"]) for one in moved["items"]]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] >= 0.001
    for item in moved["items"]:
        account = item["account_id"]
        now, past = (
            one["scores"][0] for one in get(reader, f"/v1/accounts/{account}/history")["items"]
        )
        change = get(reader, f"/v1/accounts/{account}/changes")["changes"][0]
        assert change["change"] == item["change"]
        assert (change["before"], change["after"]) == (past["probability"], now["probability"])
        assert {one["kind"] for one in change["parts"]} == {"data"}
        sums = (sum(one[name] for one in change["parts"]) for name in ("log_odds", "points"))
        move = now["log_odds"] - past["log_odds"]
        for total, expected in zip(sums, (move, change["change"]), strict=True):
            assert math.isclose(total, expected, abs_tol=1e-12)
        sizes = [abs(one["log_odds"]) for one in change["parts"]]
        assert sizes == sorted(sizes, reverse=True)
        strongest = now["drivers"][0]
        said = {one["code"]: one["after"] for one in change["parts"]}
        assert said.get(strongest["code"], strongest["sentence"]) == strongest["sentence"]
    nothing = reader.get("/v1/accounts", params={"min_change": 0.1})
    assert (nothing.status_code, nothing.json()["field"]) == (400, "min_change")


@pytest.mark.parametrize(
    ("path", "status", "field", "words"),
    [
        ("/v1/accounts?sort=move", 400, "sort", "give changed_since"),
        ("/v1/accounts?changed_since=2020-01-01", 400, "changed_since", "a later one"),
        ("/v1/accounts?band=High", 400, "band", "'high', 'medium' or 'low'"),
        ("/v1/accounts?limit=0", 400, "limit", "choose a larger number"),
        ("/v1/accounts/acc-00001?target=chrun", 404, "target", "`churn`"),
        ("/v1/accounts/acc-00001/history?target=chrun", 404, "target", "`churn`"),
        ("/v1/accounts/acc-00001/changes?target=chrun", 404, "target", "`churn`"),
    ],
)
def test_a_filter_that_names_nothing_is_refused(
    reader: TestClient, path: str, status: int, field: str, words: str
) -> None:
    answer = reader.get(path)
    assert answer.status_code == status
    assert answer.json()["field"] == field
    assert words in answer.json()["fix"]


def test_another_model_is_set_apart_from_the_data(
    reader: TestClient, own: Config, tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = reader.app.instead.state  # type: ignore[attr-defined]
    dataset = state.tables.start().result().dataset
    account = str(tiny.asked["account_id"].iloc[0])
    path = f"/v1/accounts/{account}/changes"
    (change,) = get(reader, path, target="expansion")["changes"]
    older = change["model_version_before"]
    assert older != change["model_version"]
    model = Model.of(read_bundle(own.paths.models / "expansion" / older))
    as_of = tiny.book["as_of"].iloc[0].to_pydatetime()
    models = {"expansion": model}
    call = partial(score, dataset, models, own, as_of, accounts=[account])
    scored = state.tables.threads.submit(call).result()
    now, past = (
        one["scores"][0]
        for one in get(reader, f"/v1/accounts/{account}/history", target="expansion")["items"]
    )
    bridge = scored.main("expansion").values[0].sum()
    parts: dict[str, float] = {}
    for one in change["parts"]:
        parts[one["kind"]] = parts.get(one["kind"], 0.0) + one["log_odds"]
    assert math.isclose(parts["data"], bridge - past["log_odds"], abs_tol=1e-9)
    by_model = parts["model"] + parts["base_rate"]
    assert math.isclose(by_model, now["log_odds"] - bridge, abs_tol=1e-9)
    points = sum(one["points"] for one in change["parts"])
    assert math.isclose(points, now["probability"] - past["probability"], abs_tol=1e-12)
    monkeypatch.setattr(state.tables, "_loaded", None)
    (whole,) = get(reader, path, target="expansion")["changes"]
    (part,) = whole["parts"]
    assert (part["kind"], part["points"]) == ("all", change["change"])


def test_feedback_is_written_once(reader: TestClient, own: Config, tiny: Tiny) -> None:
    body = {"account_id": tiny.book["account_id"].iloc[0], "verdict": "note", "note": "so it is"}
    headers = {"Idempotency-Key": "one"}
    first = reader.post("/v1/feedback", json=body, headers=headers)
    again = reader.post("/v1/feedback", json=body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    other = reader.post("/v1/feedback", json=body | {"note": "no"}, headers=headers)
    assert (other.status_code, other.json()["field"]) == (422, "Idempotency-Key")
    with ScoreStore.open(own) as store, store.engine.connect() as connection:
        count = select(func.count()).select_from(FEEDBACK).where(FEEDBACK.c.note == "so it is")
        assert connection.scalar(count) == 1
    for change, field, status in (
        ({"account_id": "nobody"}, "account_id", 404),
        ({"target": "chrn"}, "target", 404),
        ({"run_id": "none"}, "run_id", 404),
        ({"verdict": "good"}, "verdict", 400),
        ({"verdict": "useful"}, "verdict", 400),
        ({"note": ""}, "note", 400),
    ):
        refused = reader.post("/v1/feedback", json=body | change)
        assert (refused.status_code, refused.json()["field"]) == (status, field), change


def test_an_export_has_every_score_of_the_run(reader: TestClient, tiny: Tiny) -> None:
    lines = reader.get("/v1/export").text.splitlines()
    rows = [json.loads(line) for line in lines]
    churn = {row["account_id"]: row["probability"] for row in rows if row["target"] == "churn"}
    expected = dict(zip(tiny.asked["account_id"], tiny.asked["churn_probability"], strict=True))
    assert {name: value for name, value in churn.items() if value is not None} == expected
    assert len(rows) == 2 * len(tiny.book)
    stream = reader.get("/v1/export?format=arrow").content
    table = pa.ipc.open_stream(io.BytesIO(stream)).read_all()
    times = ("as_of", "scored_at", "renews_at", "notice_by")
    assert {table.schema.field(name).type for name in times} == {pa.timestamp("us", "UTC")}
    arrow = [
        row | {name: row[name] and moment(row[name].replace(tzinfo=None)) for name in times}
        for row in table.to_pylist()
    ]
    assert arrow == rows


@pytest.mark.parametrize("part", ["http.response.start", "http.response.body"])
def test_who_does_not_read_an_export_is_dropped(
    reader: TestClient, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    monkeypatch.setattr(export, "SECONDS", 0.05)
    guard: Any = reader.app.instead  # type: ignore[attr-defined]
    scope = {"type": "http", "method": "GET", "path": "/v1/export", "query_string": b""}
    scope |= {"headers": [(b"host", b"127.0.0.1")], "client": ("127.0.0.1", 5)}

    async def asked() -> BaseException | None:
        free = asyncio.Event()

        async def send(message: Any) -> None:
            if message["type"] == part:
                await free.wait()

        asking = asyncio.ensure_future(guard(scope, free.wait, send))
        await asyncio.wait({asking}, timeout=10)
        return asking.exception() if asking.done() else pytest.fail("it waits for ever")

    assert reader.portal is not None
    assert isinstance(reader.portal.call(asked), TimeoutError)
    assert guard.state.under_way.total() == 0


def test_a_store_without_a_run_says_what_to_do(tiny: Tiny, tmp_path: Path) -> None:
    paths = tiny.config.paths.model_copy(update={"runs": tmp_path})
    config = tiny.config.model_copy(update={"paths": paths})
    with opened(config, loaded=False) as client:
        assert client.get("/readyz").status_code == 200
        refused = client.get("/v1/accounts")
        assert refused.status_code == 404
        assert "tenure score" in refused.json()["fix"]


def test_a_run_that_is_being_written_is_not_seen(own: Config, reader: TestClient) -> None:
    before = get(reader, "/v1/accounts", limit=1)["run"]
    with ScoreStore.open(own) as store:
        last = store.runs()[-1]
        with store.engine.begin() as connection:
            values = {name: getattr(last, name) for name in RUN_FIELDS}
            values |= {"run_id": "half", "as_of": last.as_of + days(1), "complete": False}
            key = connection.execute(RUNS.insert().values(values)).inserted_primary_key
    assert key is not None
    reader.app.instead.state._latest = (-10.0, None)  # type: ignore[attr-defined]
    assert get(reader, "/v1/accounts", limit=1)["run"] == before
    assert last.run_id == before["run_id"]
