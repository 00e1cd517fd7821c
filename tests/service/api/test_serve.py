"""`tenure serve` as a process of its own, on the loopback address."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from tenure.core.errors import ConfigError
from tenure.service.api.serve import greeting, listen

if TYPE_CHECKING:
    from service.conftest import Tiny

TENURE = Path(sys.executable).with_name("tenure")
PATIENCE = 240.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


@dataclass(frozen=True)
class Server:
    url: str
    port: int
    process: subprocess.Popen[str]


@contextlib.contextmanager
def running(
    command: list[str], port: int, folder: Path, env: Mapping[str, str]
) -> Iterator[Server]:
    """Run a server until the block ends; it is ready when the block starts."""
    log = folder / "server.log"
    with log.open("w") as sink:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **env}, stdout=sink, stderr=sink, text=True
        )
    server = Server(f"http://127.0.0.1:{port}", port, process)
    try:
        until = time.monotonic() + PATIENCE
        while not ready(server.url):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.2)
        yield server
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(60)


def ready(url: str) -> bool:
    with contextlib.suppress(requests.RequestException):
        return requests.get(f"{url}/readyz", timeout=5).status_code == 200
    return False


@pytest.mark.server
@pytest.mark.slow
def test_a_served_score_is_the_batch_score(tiny: Tiny, tmp_path: Path) -> None:
    port = free_port()
    command = [str(TENURE), "serve", str(tiny.path), "--port", str(port)]
    with running(command, port, tmp_path, {}) as server:
        assert requests.get(f"{server.url}/livez", timeout=30).status_code == 200
        book = tiny.asked.head(3)
        body = {"account_ids": list(book["account_id"])}
        answer = requests.post(f"{server.url}/score", json=body, timeout=60).json()
        served = [row["churn_probability"] for row in answer["rows"]]
        assert served == list(book["churn_probability"])
        unknown = {"account_ids": ["nobody"]}
        assert requests.post(f"{server.url}/score", json=unknown, timeout=60).status_code == 404

        whole = b"x" * 50_000_000
        refused = requests.post(f"{server.url}/score", data=whole, timeout=60)
        assert refused.status_code == 413
        chunks = (whole[:1_000_000] for _ in range(50))
        refused = requests.post(f"{server.url}/score", data=chunks, timeout=60)
        assert refused.status_code == 413
        assert refused.json()["error"]["field"] == "body"

        taken = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert taken.returncode == ConfigError.exit_code
        assert f"cannot listen on 127.0.0.1:{port}" in taken.stderr

        metrics = requests.get(f"{server.url}/metrics", timeout=30).text
        assert 'endpoint="/score",http_response_code="200"' in metrics
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
def test_bentoml_serves_it_too(tiny: Tiny, tmp_path: Path) -> None:
    port = free_port()
    bentoml = str(Path(sys.executable).with_name("bentoml"))
    command = [bentoml, "serve", "tenure.service.api.app:svc"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    env = {"TENURE_CONFIG": str(tiny.path), "BENTOML_HOME": str(tmp_path / "home")}
    with running(command, port, tmp_path, env) as server:
        account, expected = tiny.asked[["account_id", "churn_probability"]].iloc[0]
        body = {"account_ids": [account]}
        answer = requests.post(f"{server.url}/score", json=body, timeout=60).json()
        assert answer["rows"][0]["churn_probability"] == expected


@pytest.mark.server
@pytest.mark.slow
def test_without_a_champion_it_says_what_to_do(tiny: Tiny, tmp_path: Path) -> None:
    config = tmp_path / "empty.yaml"
    config.write_text(f"name: tiny\ndata: {{path: {tiny.config.data.path}}}\n")
    command = [str(TENURE), "serve", str(config), "--port", str(free_port())]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert found.returncode == 4
    assert "tenure train" in found.stderr
    assert "Traceback" not in found.stderr


@pytest.mark.server
@pytest.mark.slow
def test_tables_that_cannot_be_loaded_end_it_with_the_reason(tiny: Tiny, tmp_path: Path) -> None:
    paths = tiny.config.paths
    config = tmp_path / "moved.yaml"
    config.write_text(f"name: tiny\ndata: {{path: nowhere}}\npaths: {{models: {paths.models}}}\n")
    command = [str(TENURE), "serve", str(config), "--port", str(free_port())]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert found.returncode == 3
    assert "nowhere" in found.stderr
    assert "Traceback" not in found.stderr


def test_a_taken_port_is_named_with_another_to_try() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"127\.0\.0\.1:{port} .*--port {port + 1}"):
            listen("127.0.0.1", port)


def test_the_greeting_is_a_command_to_copy() -> None:
    said = greeting("http://127.0.0.1:3000", "a 'quoted' id")
    assert """'{"account_ids": ["a '"'"'quoted'"'"' id"]}'""" in said
