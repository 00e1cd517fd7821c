"""What once stopped or blocked the service, against a real server: it answers, and goes on."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from service.processes import TENURE, Server, free_port, running
from tenure.core.config import Config, load_config
from tenure.model.registry.champion import FILE, champion
from tenure.score.score import load_models

if TYPE_CHECKING:
    from service.conftest import Tiny

pytestmark = [pytest.mark.server, pytest.mark.slow]
BODY_BYTES = 20_000_000
JSON = {"Content-Type": "application/json"}
ENOUGH = 30.0
"""Seconds within which everything is answered; what is tested here once took minutes."""


@pytest.fixture(scope="module")
def own(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Return a config whose models may be damaged."""
    folder = tmp_path_factory.mktemp("attacked")
    shutil.copytree(tiny.config.paths.models, folder / "models")
    path = folder / "config.yaml"
    path.write_text(
        f"name: tiny\ndata: {{path: {Path(tiny.config.data.path).resolve()}}}\n"
        f"paths: {{models: {folder}/models, runs: {folder}/runs}}\nmodel: {{threads: 1}}\n"
        f"service: {{max_body_bytes: {BODY_BYTES}}}\n"
    )
    return load_config(path)


@pytest.fixture(scope="module")
def server(own: Config) -> Iterator[Server]:
    folder, port = Path(own.paths.models).parent, free_port()
    command = [str(TENURE), "serve", str(folder / "config.yaml"), "--port", str(port)]
    with running(command, port, folder, {}) as started:
        while requests.post(f"{started.url}/score", json={"account_ids": ["x"]}).status_code == 503:
            time.sleep(0.2)
        yield started


def post(server: Server, path: str, body: Any) -> requests.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return requests.post(f"{server.url}{path}", data=content, headers=JSON, timeout=ENOUGH)


def goes_on(server: Server, tiny: Tiny) -> None:
    account, expected = tiny.asked[["account_id", "churn_probability"]].iloc[0]
    answer = post(server, "/score", {"account_ids": [account]})
    assert answer.status_code == 200, answer.text
    assert answer.json()["rows"][0]["churn_probability"] == expected
    assert server.process.poll() is None


@pytest.mark.parametrize(
    "moment", ["2023-06-31T09:12:00", "2023-02-29T09:12:00", "2023-06-30T24:12:00", "2023-13-01"]
)
def test_a_date_that_does_not_exist_is_a_reject(server: Server, tiny: Tiny, moment: str) -> None:
    account = tiny.asked["account_id"].iloc[0]
    event = {"account_id": account, "user_id": "u", "event": "login"}
    tables = tiny.posted(account)
    tables["usage_events"] = [{**event, "occurred_at": "2023-06-01T09:12:00"}] * 500
    tables["usage_events"].append({**event, "occurred_at": moment})
    answer = post(server, "/score_history", {"tables": tables, "as_of": "2023-10-01"})
    assert answer.status_code == 200, answer.text
    rejects = [item for item in answer.json()["rejects"] if moment in item["row"]]
    assert [item["table"] for item in rejects] == ["usage_events"]
    goes_on(server, tiny)


def test_unknown_names_are_refused_before_suggestions_are_looked_for(
    server: Server, tiny: Tiny, own: Config
) -> None:
    many = {f"name_{place}": 1 for place in range(150_000)}
    columns = load_models(own)["churn"].bundle.columns
    wide = dict.fromkeys(columns) | {f"foreign_{place}": 1 for place in range(2_000)}
    attacks: list[tuple[str, Any]] = [
        ("/score", {"account_ids": ["x"], **many}),
        ("/score_rows", {"target": "churn", "rows": [many]}),
        ("/score_rows", {"target": "churn", "rows": [wide] * 100}),
        ("/score_history", {"tables": many, "as_of": "2023-10-01"}),
        ("/score_history", {"tables": {key: [] for key in many}, "as_of": "2023-10-01"}),
    ]
    with ThreadPoolExecutor(len(attacks)) as pool:
        answers = list(pool.map(lambda attack: post(server, *attack), attacks))
    assert [answer.status_code for answer in answers] == [400] * len(attacks)
    for answer in answers[:3]:
        assert len(answer.json()["problems"]) == 20
    goes_on(server, tiny)


def test_attributes_that_no_model_reads_cost_nothing(server: Server, tiny: Tiny) -> None:
    account = tiny.asked["account_id"].iloc[0]
    tables = tiny.posted(account)
    tables["accounts"][0] |= {f"foreign_{place}": place for place in range(20_000)}
    answer = post(server, "/score_history", {"tables": tables, "as_of": "2024-01-01"})
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["ignored"]) >= 20_000
    (row,) = answer.json()["rows"]
    assert row["churn_probability"] == tiny.asked["churn_probability"].iloc[0]


def test_unknown_paths_leave_nothing_behind(server: Server, tiny: Tiny) -> None:
    session = requests.Session()
    for place in range(500):
        answer = session.get(f"{server.url}/unknown/{place}/{'x' * 1_000}", timeout=ENOUGH)
        assert answer.status_code == 404
    text = session.get(f"{server.url}/metrics", timeout=ENOUGH).text
    assert 'tenure_requests_total{path="other",status="404"} 500.0' in text
    assert "unknown" not in text
    assert len(text) < 20_000
    runs = Path(server.process.args[2]).parent / "runs"  # type: ignore[index,arg-type]
    assert [path.name for path in runs.rglob("*.db")] == ["tenure.db"]
    goes_on(server, tiny)


def test_wrong_items_do_not_hold_up_others(server: Server) -> None:
    ones = ",".join(["1"] * 6_000_000)
    attacks = [
        ("/score", f'{{"account_ids":[{ones}]}}'),
        ("/score", f'{{"account_ids":["x"],"targets":[{ones}]}}'),
        ("/score_rows", f'{{"target":"churn","rows":[{ones}]}}'),
        ("/score_history", f'{{"as_of":"2023-10-01","tables":{{"accounts":[{ones}]}}}}'),
    ]
    with ThreadPoolExecutor(len(attacks)) as pool:
        posted = [pool.submit(post, server, path, text.encode()) for path, text in attacks]
        while not all(future.done() for future in posted):
            assert requests.get(f"{server.url}/livez", timeout=ENOUGH / 3).status_code == 200
    for future in posted:
        assert future.result().status_code == 400


def test_beyond_what_can_be_answered_a_request_is_refused_at_once(
    server: Server, tiny: Tiny
) -> None:
    goes_on(server, tiny)
    account = tiny.asked["account_id"].iloc[0]
    posted = tiny.posted(account)
    days = [str(date(2023, 6, 1) + timedelta(days=place)) for place in range(24)]
    attacks: list[tuple[str, Any]] = [
        ("/score", {"account_ids": [account], "as_of": day}) for day in days
    ]
    attacks += [("/explain", {"account_id": account, "as_of": day}) for day in days]
    attacks += [("/score_history", {"tables": posted, "as_of": day}) for day in days]
    with ThreadPoolExecutor(len(attacks)) as pool:
        answers = list(pool.map(lambda attack: post(server, *attack), attacks))
    by_path: dict[str, set[int]] = {}
    for (path, _), answer in zip(attacks, answers, strict=True):
        by_path.setdefault(path, set()).add(answer.status_code)
        if answer.status_code == 503:
            assert int(answer.headers["Retry-After"]) > 0
            assert answer.json()["field"] == "service"
    for statuses in (by_path["/score"] | by_path["/explain"], by_path["/score_history"]):
        assert {200, 503} <= statuses <= {200, 503, 504}
    goes_on(server, tiny)


def test_what_nobody_waits_for_is_not_worked_on(server: Server, tiny: Tiny) -> None:
    account = tiny.asked["account_id"].iloc[0]
    posted = tiny.posted(account)
    for place in range(60):
        day = str(date(2023, 3, 1) + timedelta(days=place))
        leave(server, "/score", {"account_ids": [account], "as_of": day})
        leave(server, "/score_history", {"tables": posted, "as_of": day})
    goes_on(server, tiny)
    assert post(server, "/score_history", {"tables": posted, "as_of": "2024-01-01"}).ok
    text = requests.get(f"{server.url}/metrics", timeout=ENOUGH).text
    assert 'tenure_requests_total{path="/score",status="499"}' in text


def leave(server: Server, path: str, body: Any) -> None:
    """Send a request, and do not wait for its answer."""
    content = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    head += f"Content-Length: {len(content)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=ENOUGH) as connection:
        connection.sendall(head.encode() + content)


@pytest.mark.parametrize("damage", ["{}", None])
def test_the_model_of_another_target_is_not_served(
    server: Server, tiny: Tiny, own: Config, damage: Any
) -> None:
    with other_version(own, damage):
        goes_on(server, tiny)
        (warning,) = requests.get(f"{server.url}/readyz", timeout=ENOUGH).json()["warnings"]
        assert warning.startswith("churn: the new champion is not served")
    goes_on(server, tiny)
    assert requests.get(f"{server.url}/readyz", timeout=ENOUGH).json()["warnings"] == []


@contextlib.contextmanager
def other_version(config: Config, version: Any) -> Iterator[None]:
    """Let the churn champion point elsewhere; ``{}`` stands for expansion's, copied beside it."""
    home = Path(config.paths.models) / "churn"
    before = (home / FILE).read_text()
    standing = champion(config.paths.models, "expansion")
    assert standing is not None
    copied = home / standing.version
    shutil.copytree(home.parent / "expansion" / standing.version, copied)
    text = version.format(standing.version) if isinstance(version, str) else version
    (home / FILE).write_text(json.dumps(json.loads(before) | {"version": text}))
    try:
        yield
    finally:
        (home / FILE).write_text(before)
        shutil.rmtree(copied)
