"""`tenure serve` as a process of its own, on the loopback address."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from service.guide import ACCOUNT, ADDRESS, curls
from service.processes import PATIENCE, TENURE, free_port, running, workers
from tenure.core.errors import ConfigError
from tenure.service.api.logs import Seldom
from tenure.service.api.serve import address, announce, greeting, listen

if TYPE_CHECKING:
    from service.conftest import Tiny


OTHERS = {"/v1/score-rows": 400, "/v1/feedback": 201}
"""Paths of the guide's commands that are answered with another status than 200, as it says."""


def status_of(command: str) -> int:
    """Return the HTTP status of a command of the guide."""
    shown = 'curl() { command curl -sS -o /dev/null -w "%{http_code}" "$@"; }'
    run = subprocess.run(
        ["bash", "-c", f"{shown}\n{command}"], check=True, capture_output=True, text=True
    )
    return int(run.stdout)


def churn(answer: Any) -> list[float]:
    """Return the probabilities of churn in an answer of the store."""
    scores = [score for account in answer["accounts"] for score in account["scores"]]
    return [score["probability"] for score in scores if score["target"] == "churn"]


@pytest.mark.server
@pytest.mark.slow
def test_a_served_score_is_the_batch_score(tiny: Tiny, tmp_path: Path) -> None:
    port = free_port()
    command = [str(TENURE), "serve", str(tiny.path), "--port", str(port)]
    with running(command, port, tmp_path, {}) as server:
        assert requests.get(f"{server.url}/livez", timeout=30).status_code == 200
        book = tiny.asked.head(3)
        body = {"account_ids": list(book["account_id"])}
        answer = requests.post(f"{server.url}/v1/scores:lookup", json=body, timeout=60).json()
        assert churn(answer) == list(book["churn_probability"])

        until = time.monotonic() + PATIENCE
        while requests.get(f"{server.url}/v1/metrics?only=mrr", timeout=60).status_code == 503:
            assert time.monotonic() < until, "the tables are not loaded"
            time.sleep(0.2)
        for example in curls():
            here = example.replace(ADDRESS, server.url).replace(ACCOUNT, body["account_ids"][0])
            expected = next((OTHERS[path] for path in OTHERS if path in example), 200)
            assert status_of(here) == expected, example

        whole, json = b"x" * 50_000_000, {"Content-Type": "application/json"}
        refused = requests.post(f"{server.url}/score", data=whole, headers=json, timeout=60)
        assert refused.status_code == 413
        chunks = (whole[:1_000_000] for _ in range(50))
        refused = requests.post(f"{server.url}/score", data=chunks, headers=json, timeout=60)
        assert refused.status_code == 413
        assert refused.json()["error"]["field"] == "body"

        taken = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert taken.returncode == ConfigError.exit_code
        assert f"cannot listen on 127.0.0.1:{port}" in taken.stderr

        metrics = requests.get(f"{server.url}/metrics", timeout=30).text
        assert 'tenure_requests_total{path="/v1/scores:lookup",status="200"} 2.0' in metrics
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(60) == 0
    log = (tmp_path / "server.log").read_text()
    assert f"{server.url} is ready" in log
    assert "curl" in log
    assert log.endswith("stopped\n")
    assert "Traceback" not in log
    assert [path.name for path in tmp_path.iterdir()] == ["server.log"]


@pytest.mark.server
@pytest.mark.slow
def test_a_process_that_is_killed_is_replaced(tiny: Tiny, tmp_path: Path) -> None:
    port = free_port()
    command = [str(TENURE), "serve", str(tiny.path), "--port", str(port), "--workers", "2"]
    expected = dict(zip(tiny.asked["account_id"], tiny.asked["churn_probability"], strict=True))
    body = {"account_ids": list(expected)[:5]}
    over = threading.Event()
    statuses: set[int | str] = set()

    def read() -> None:
        while not over.is_set():
            try:
                answer = requests.post(url, json=body, timeout=60)
            except requests.ConnectionError:
                statuses.add("cut")  # it was on its way to the process that was killed
                continue
            statuses.add(answer.status_code)
            if answer.status_code == 200:
                assert churn(answer.json()) == [expected[name] for name in body["account_ids"]]

    with running(command, port, tmp_path, {}) as server, ThreadPoolExecutor(4) as pool:
        url = f"{server.url}/v1/scores:lookup"
        readers = [pool.submit(read) for _ in range(4)]
        try:
            for _ in range(2):
                first = workers(server.process.pid)[0]
                os.kill(first, signal.SIGKILL)
                until = time.monotonic() + 120
                while len(new := workers(server.process.pid)) < 2 or first in new:
                    assert time.monotonic() < until
                    time.sleep(0.2)
        finally:
            over.set()
        for reader in readers:
            reader.result()
        assert 200 in statuses
        assert statuses <= {200, 429, 503, "cut"}
        metrics = requests.get(f"{server.url}/metrics", timeout=30).text
        assert 'tenure_requests_total{path="/v1/scores:lookup",status="200"}' in metrics


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_without_a_champion_it_says_what_to_do(tiny: Tiny, tmp_path: Path, processes: int) -> None:
    config = tmp_path / "empty.yaml"
    config.write_text(f"name: tiny\ndata: {{path: {tiny.config.data.path}}}\n")
    command = [str(TENURE), "serve", str(config), "--port", str(free_port())]
    command += ["--workers", str(processes)]
    found = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert found.returncode == 4
    assert "tenure train" in found.stderr
    assert "is ready" not in found.stderr
    assert "Traceback" not in found.stderr


def test_a_taken_port_is_named_with_another_to_try() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"127\.0\.0\.1:{port} .*--port {port + 1}"):
            listen("127.0.0.1", port)


def test_several_processes_are_announced_once_one_answers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with listen("127.0.0.1", 0) as listening:
        asks = threading.Thread(target=announce, args=(listening, address(listening)), daemon=True)
        asks.start()
        for status in (b"503 No", b"200 OK"):
            client, _ = listening.accept()
            with client:
                assert client.recv(100).startswith(b"GET /livez ")
                assert "is ready" not in capsys.readouterr().err
                client.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")
        asks.join(60)
        assert "is ready" in capsys.readouterr().err


def test_the_greeting_is_a_command_to_copy() -> None:
    assert "curl 'http://127.0.0.1:3000/v1/accounts" in greeting("http://127.0.0.1:3000")


def test_what_anybody_can_cause_is_logged_once_a_minute() -> None:
    seldom = Seldom()

    def passes(text: str, level: int, at: float) -> bool:
        record = logging.makeLogRecord({"msg": text, "levelno": level, "created": at})
        return seldom.filter(record)

    times = (0.0, 1.0, 59.0, 60.0, 61.0)
    assert [passes("x", logging.WARNING, at) for at in times] == [True, False, False, True, False]
    assert passes("y", logging.WARNING, 1.0)
    assert all(passes("x", logging.ERROR, at) for at in times)
