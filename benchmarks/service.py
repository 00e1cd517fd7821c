"""The HTTP service beside bare applications that read the same store and ask the same model.

    python benchmarks/service.py CONFIG [--seconds 5] [--requests 200000] [--without-mlflow]

CONFIG is a trained and scored project whose tables are Parquet files.  Each server runs alone in
its own process, `wrk` on the same machine, so the figures hold for client and server sharing its
cores; each pair is measured twice, in turns.  The bare reader is Starlette with nothing but the
store's own function; the bare scorer is FastAPI with LightGBM's calibrated prediction and the five
columns that contribute most, no checks, no words; `mlflow models serve` answers with probabilities
alone.  Writes ``benchmarks/results/service.json``.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from record import Claim, record

from tenure.core.config import Config, load_config
from tenure.model.boosting.fit import FittedModel
from tenure.score.score import load_models
from tenure.score.store.lookup import account_ids
from tenure.score.store.store import ScoreStore

CONNECTIONS = (1, 8, 64)
TENURE = Path(sys.executable).with_name("tenure")
JSON = {"Content-Type": "application/json"}


class Load(NamedTuple):
    """What wrk measured: requests a second, and the time (ms) within which 99 % were answered."""

    rate: float
    p99: float


def main(path: Path, seconds: int, requests: int, *, with_mlflow: bool) -> bool:
    config = load_config(path)
    with ScoreStore.open(config) as store:
        run = store.runs()[-1]
        account = account_ids(store, run)[0]
    target, model = next(iter(load_models(config).items()))
    row = {name: "x" if model.specs[name].text else 1.0 for name in model.bundle.columns}
    rows = json.dumps({"target": target, "rows": [row]})
    read, score = f"/v1/accounts/{account}", "/v1/score-rows"
    body = history(config, run.as_of, account)
    claims: list[Claim] = []
    with serving([str(TENURE), "serve", str(path), "--port"]) as (port, process):
        settle(port, read)
        first = resident(process.pid)
        with serving([sys.executable, __file__, "--peer", str(path)]) as (peer, _):
            claims += compared("one kept score with drivers", (port, peer), read, "", seconds)
            claims += compared("one feature row with drivers", (port, peer), score, rows, seconds)
        if with_mlflow:
            folder = config.paths.models / target / model.bundle.version
            claims.append(beside_mlflow(folder, port, row, rows, seconds))
        claims.append(beside_live(port, read, body, seconds))
        settled = resident(process.pid)
        kinds = [(read, ""), ("/v1/accounts?limit=20", ""), ("/nope", ""), (score, rows)]
        mixed(port, kinds, requests)
        grown = resident(process.pid) / settled - 1
    claims.append(Claim("memory of one worker after start", first, "MiB", 600))
    claims.append(Claim(f"growth over {requests:,} mixed requests", 100 * grown, "%", 5))
    return record("service", claims)


def history(config: Config, as_of: datetime, account: str) -> str:
    """Return the rows of an account in every table, as a client posts them."""
    tables = {}
    for file in sorted(Path(config.data.path).glob("*.parquet")):
        frame = pd.read_parquet(file)
        own = frame[frame["account_id"] == account]
        text = own.to_json(orient="records", date_format="iso", date_unit="us")
        tables[file.stem] = json.loads(text)
    return json.dumps({"tables": tables, "as_of": as_of.isoformat()})


def beside_live(port: int, read: str, body: str, seconds: int) -> Claim:
    """Return how much slower reads are while posted history is scored at full load."""
    alone = wrk(port, read, "", 8, seconds)
    with ThreadPoolExecutor(1) as threads:
        live = threads.submit(wrk, port, "/v1/score", body, 4, 2 * seconds, refused=True)
        time.sleep(seconds / 2)
        loaded = wrk(port, read, "", 8, seconds)
        live.result()
    ratio = loaded.p99 / alone.p99
    return Claim("p99 of reads while posted history is scored, over alone", ratio, "times", 2)


def beside_mlflow(folder: Path, port: int, row: dict[str, Any], rows: str, seconds: int) -> Claim:
    """Return the throughput of one feature row over that of `mlflow models serve`."""
    import mlflow.pyfunc

    from tenure.model.tracking import record as tracking

    code = Path(str(tracking.__file__)).with_name("pyfunc_model.py")
    with tempfile.TemporaryDirectory() as temporary:
        place = f"{temporary}/model"
        mlflow.pyfunc.save_model(
            place, python_model=str(code), artifacts={"bundle": str(folder)}, pip_requirements=[]
        )
        program = [sys.executable, "-m", "mlflow", "models", "serve", "--env-manager", "local"]
        with serving([*program, "-m", place, "--port"], "/ping") as (peer, _):
            body = json.dumps({"dataframe_records": [row]})
            ours = wrk(port, "/v1/score-rows", rows, 8, seconds)
            theirs = wrk(peer, "/invocations", body, 8, seconds)
    ratio = ours.rate / theirs.rate
    return Claim("one feature row, over `mlflow models serve`", ratio, "times", 5, at_most=False)


def compared(what: str, ports: tuple[int, int], path: str, body: str, seconds: int) -> list[Claim]:
    """Return how two servers compare at each number of connections."""
    claims = []
    for connections in CONNECTIONS:
        loads: dict[int, list[Load]] = {port: [] for port in ports}
        for port in (*ports, *reversed(ports)):
            loads[port].append(wrk(port, path, body, connections, seconds))
        ours, bare = (
            Load(*(median(values) for values in zip(*loads[port], strict=True))) for port in ports
        )
        name = f"{what}, {connections} connections"
        claims += [
            Claim(f"{name}: throughput", ours.rate, "requests/s"),
            Claim(f"{name}: over bare", ours.rate / bare.rate, "times", 0.8, at_most=False),
            Claim(f"{name}: p99", ours.p99, "ms"),
        ]
        limit = 1.5 if connections == 8 else None
        claims.append(Claim(f"{name}: p99 over bare", ours.p99 / bare.p99, "times", limit))
    return claims


def wrk(
    port: int, path: str, body: str, connections: int, seconds: int, *, refused: bool = False
) -> Load:
    """Return what a server does under load; whatever is not 2xx ends it but where some may be."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        if body:
            quoted = json.dumps(body)
            script.write(f'wrk.method="POST"; wrk.body={quoted}; ')
            script.write('wrk.headers["Content-Type"]="application/json"')
            script.flush()
            command += ["-s", script.name]
        text = subprocess.run(
            [*command, f"http://127.0.0.1:{port}{path}"], check=True, capture_output=True, text=True
        ).stdout
    if "Non-2xx" in text and not refused:
        raise SystemExit(f"{path}: {text}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    late = re.search(r"99%\s+([\d.]+)(us|ms|s)", text)
    assert rate is not None
    assert late is not None
    scale = {"us": 0.001, "ms": 1.0, "s": 1000.0}[late[2]]
    return Load(float(rate[1]), float(late[1]) * scale)


def mixed(port: int, requests: list[tuple[str, str]], times: int) -> None:
    """Send requests of several kinds in turns."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for place in range(times):
        path, body = requests[place % len(requests)]
        connection.request("POST" if body else "GET", path, body or None, JSON if body else {})
        connection.getresponse().read()
    connection.close()


def settle(port: int, path: str) -> None:
    """Wait until the tables are loaded in the background, so that memory is at rest."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    status = 503
    while status == 503:
        time.sleep(0.5)
        connection.request("GET", "/v1/metrics?only=mrr")
        answer = connection.getresponse()
        answer.read()
        status = answer.status
    connection.request("GET", path)
    connection.getresponse().read()
    connection.close()


def resident(pid: int) -> float:
    """Return the resident memory of a process in MiB."""
    text = Path(f"/proc/{pid}/status").read_text()
    size = re.search(r"VmRSS:\s+(\d+) kB", text)
    assert size is not None
    return int(size[1]) / 1024


@contextlib.contextmanager
def serving(
    command: list[str], probe_path: str = "/readyz"
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Run a server on a free port until the block ends; it is ready when the block starts."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    # MLflow calls its server's program by name.
    path = f"{TENURE.parent}{os.pathsep}{os.environ['PATH']}"
    process = subprocess.Popen([*command, str(port)], env=os.environ | {"PATH": path})
    try:
        while not ready(port, probe_path):
            if process.poll() is not None:
                raise SystemExit("the server did not start")
            time.sleep(0.2)
        yield port, process
    finally:
        process.terminate()
        process.wait(60)


def ready(port: int, path: str) -> bool:
    with contextlib.suppress(OSError, http.client.HTTPException):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", path)
        return connection.getresponse().status == 200
    return False


def serve_peer(config: Config, port: int) -> None:
    """Serve the same row and the same prediction with as little around them as there can be."""
    import uvicorn
    from fastapi import FastAPI
    from pydantic import BaseModel
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import Request  # noqa: TC002 - FastAPI reads annotations
    from starlette.responses import JSONResponse

    from tenure.score.store.database import connect, store_url

    store = ScoreStore(connect(store_url(config)), config.name)
    run, models = store.runs()[-1], load_models(config)

    codes_of = {
        target: {
            name: {word: place for place, word in enumerate(known)}
            for name, known in model.main.encoder.categories.items()
        }
        for target, model in models.items()
    }

    class Ask(BaseModel):
        target: str
        rows: list[dict[str, Any]]

    async def account(request: Request) -> JSONResponse:
        scores = await run_in_threadpool(store.scores, run, [request.path_params["account"]])
        rows = [
            {
                name: str(value) if "_at" in name or name == "as_of" else value
                for name, value in vars(score).items()
            }
            for score in scores
        ]
        return JSONResponse(rows)

    async def ready_at_once(_: Request) -> JSONResponse:
        return JSONResponse({})

    def score(ask: Ask) -> dict[str, Any]:
        main = models[ask.target].main
        assert isinstance(main, FittedModel)
        codes = codes_of[ask.target]
        values = [
            [codes[name].get(row[name]) if name in codes else row[name] for name in main.columns]
            for row in ask.rows
        ]
        matrix = np.array(values, dtype=np.float32)
        margins: Any = main.booster.predict(matrix, raw_score=True, num_threads=1)
        parts: Any = main.booster.predict(matrix, pred_contrib=True, num_threads=1)
        order = np.argsort(-np.abs(parts[:, :-1]), axis=1)[:, :5]
        drivers = [
            [{"feature": main.columns[at], "contribution": float(own[at])} for at in places]
            for own, places in zip(parts, order.tolist(), strict=True)
        ]
        return {"probability": main.calibrator.probability(margins).tolist(), "drivers": drivers}

    app = FastAPI()
    score.__annotations__["ask"] = Ask
    app.post("/v1/score-rows")(score)
    app.add_route("/v1/accounts/{account}", account)
    app.add_route("/readyz", ready_at_once)
    uvicorn.run(app, host="127.0.0.1", port=port, access_log=False, log_level="warning")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peer"]:
        serve_peer(load_config(Path(sys.argv[2])), int(sys.argv[3]))
    else:
        parser = argparse.ArgumentParser(description=__doc__)
        parser.add_argument("config", type=Path)
        parser.add_argument("--seconds", type=int, default=5, help="of each load")
        parser.add_argument("--requests", type=int, default=200_000, help="of several kinds")
        parser.add_argument("--without-mlflow", action="store_true")
        options = parser.parse_args()
        mlflow_too = not options.without_mlflow
        kept = main(options.config, options.seconds, options.requests, with_mlflow=mlflow_too)
        sys.exit(0 if kept else 1)
