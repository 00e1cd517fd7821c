"""Latency and throughput of the HTTP service, beside bare FastAPI doing the same work.

    python benchmarks/service.py CONFIG   # a trained and scored project, e.g. demo/config.yaml

Each server runs alone in its own process; the client is this process, on the same machine, so the
figures hold for client and server sharing its cores.  One connection measures latency, eight
measure throughput.  Writes ``benchmarks/results/service.json``.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles
from typing import Any

import pandas as pd
from record import Claim, record

from tenure.core.config import load_config
from tenure.run.score import LAST
from tenure.score.score import load_models

JSON = {"Content-Type": "application/json"}
CONNECTIONS = 8
WARM_UP = 5
TENURE = Path(sys.executable).with_name("tenure")


def main(path: Path) -> bool:
    config = load_config(path)
    accounts = list(pd.read_parquet(config.paths.runs / LAST)["account_id"])
    target, model = next(iter(load_models(config).items()))
    row = {name: "x" if model.specs[name].text else 1.0 for name in model.bundle.columns}
    one = {"account_ids": accounts[:1]}
    many = {"account_ids": accounts[:100]}
    rows = {"target": target, "rows": [row]}
    claims: list[Claim] = []
    with serving([str(TENURE), "serve", str(path), "--port"]) as port:
        claims += measure(port, "/score", one, "one account, live", 60)
        claims += measure(port, "/score", many, f"{len(many['account_ids'])} accounts, live", 20)
        claims += measure(port, "/score_rows", rows, "one feature row", 300)
    ours = claims[-3]
    with serving([sys.executable, __file__, "--peer", str(path)]) as port:
        peer = measure(port, "/score_rows", rows, "one feature row, bare FastAPI", 300)
    claims += peer
    ratio = ours.value / peer[0].value
    claims.append(Claim("p50 of one feature row over that of bare FastAPI", ratio, "times", 1.5))
    return record("service", claims)


def measure(port: int, path: str, body: dict[str, Any], what: str, count: int) -> list[Claim]:
    payload = json.dumps(body).encode()
    timed(port, path, payload, WARM_UP)
    took = timed(port, path, payload, count)
    cuts = quantiles(took, n=100)
    started = time.perf_counter()
    threads = [
        threading.Thread(target=timed, args=(port, path, payload, max(count // CONNECTIONS, 4)))
        for _ in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = CONNECTIONS * max(count // CONNECTIONS, 4)
    return [
        Claim(f"{path}, {what}: p50", 1000 * cuts[49], "ms"),
        Claim(f"{path}, {what}: p99", 1000 * cuts[98], "ms"),
        Claim(
            f"{path}, {what}: throughput at {CONNECTIONS} connections",
            done / (time.perf_counter() - started),
            "requests/s",
        ),
    ]


def timed(port: int, path: str, payload: bytes, count: int) -> list[float]:
    """Return the seconds of each of some requests over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    took = []
    for _ in range(count):
        started = time.perf_counter()
        connection.request("POST", path, payload, JSON)
        response = connection.getresponse()
        text = response.read()
        took.append(time.perf_counter() - started)
        if response.status != 200:
            raise SystemExit(f"{path} answered {response.status}: {text[:300]!r}")
    connection.close()
    return took


@contextlib.contextmanager
def serving(command: list[str]) -> Iterator[int]:
    """Run a server on a free port until the block ends; it is ready when the block starts."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    process = subprocess.Popen([*command, str(port)])
    try:
        while not ready(port):
            if process.poll() is not None:
                raise SystemExit("the server did not start")
            time.sleep(0.2)
        yield port
    finally:
        process.terminate()
        process.wait(60)


def ready(port: int) -> bool:
    with contextlib.suppress(OSError, http.client.HTTPException):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    return False


def serve_peer(path: Path, port: int) -> None:
    """Serve the same work with nothing around it but FastAPI and pydantic."""
    import uvicorn
    from fastapi import FastAPI, Response
    from pydantic import BaseModel

    from tenure.service.api.answers import scored_rows

    models = load_models(load_config(path))
    app = FastAPI()

    class Ask(BaseModel):
        target: str
        rows: list[dict[str, Any]]

    def score_rows(ask: Ask) -> Response:
        body = scored_rows(ask.target, models[ask.target], ask.rows)
        return Response(body, media_type="application/json")

    def ready_at_once() -> dict[str, bool]:
        return {"ready": True}

    score_rows.__annotations__["ask"] = Ask
    app.post("/score_rows")(score_rows)
    app.get("/readyz")(ready_at_once)
    uvicorn.run(app, host="127.0.0.1", port=port, access_log=False, log_level="warning")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peer"]:
        serve_peer(Path(sys.argv[2]), int(sys.argv[3]))
    elif len(sys.argv) == 2:
        sys.exit(0 if main(Path(sys.argv[1])) else 1)
    else:
        sys.exit(__doc__)
