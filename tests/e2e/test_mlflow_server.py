"""A real MLflow server with SQLite and a folder for artifacts: registered, promoted, gone, back."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from e2e.road import Project, command
from tenure.core.errors import ModelError
from tenure.core.progress import Progress
from tenure.model.bundle.bundle import read_bundle
from tenure.model.bundle.reference_stats import from_records
from tenure.model.registry.champion import champion
from tenure.model.tracking import Store
from tenure.model.tracking.store import connected
from tenure.run.mlflow_sync import catch_up
from tenure.run.train import run_train

pytestmark = [pytest.mark.slow, pytest.mark.server]
TARGET, NAME = "churn", "small-churn"
SMALL = {"targets": [TARGET], "evaluation": {"max_folds": 1, "contrast": False}}
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


@dataclass
class Server:
    """An MLflow server that can be stopped and started again.

    Attributes:
        folder: Its database and artifacts.
        port: Where it listens.
        process: The running server.
    """

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        words = ["server", "--backend-store-uri", f"sqlite:///{self.folder / 'server.db'}"]
        words += ["--artifacts-destination", str(self.folder / "artifacts"), "--serve-artifacts"]
        words += ["--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"]
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *words],
            env=os.environ | {"PATH": path, **QUIET},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._wait()

    def _wait(self) -> None:
        for _ in range(240):
            try:
                with urllib.request.urlopen(f"{self.uri}/health", timeout=5):
                    return
            except OSError:
                time.sleep(0.5)
        raise TimeoutError(self.uri)

    def stop(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


@contextmanager
def served(folder: Path) -> Iterator[Server]:
    folder.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Server(folder, port)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def bundle_behind(store: Store, alias: str) -> str:
    with connected(store) as client:
        tags = client.get_model_version_by_alias(NAME, alias).tags
    return str(tags["tenure.bundle"])


def aliases(store: Store) -> set[str]:
    with connected(store) as client:
        return set(client.get_registered_model(NAME).aliases)


@pytest.mark.timeout(900)
def test_registered_promoted_gone_and_back(project: Project, tmp_path: Path) -> None:
    own = project.copied(tmp_path / "own")
    with served(tmp_path / "server") as server:
        store = Store(server.uri)
        own.set(**SMALL, tracking={"uri": server.uri}, model={"seed": 1})
        second = registered(own, store)
        promoted(own, store, second)
        loaded_back(own, store, second)
        third = gone_while_training(own, server)
        unreachable(own)
        server.start()
        back_again(own, store, third)


class Lines(Progress):
    """Keeps the stages and notes, and calls something at each."""

    def __init__(self, at_each: Callable[[str], object] = len) -> None:
        self.lines: list[str] = []
        self.at_each = at_each

    def stage(self, name: str) -> None:
        self.lines.append(name)
        self.at_each(name)

    def note(self, text: str) -> None:
        self.stage(text)


def registered(own: Project, store: Store) -> str:
    """Train against the server; return the version it registered."""
    model = run_train(own.config).targets[TARGET].model
    assert model is not None
    assert model.mlflow is not None
    assert (model.mlflow.store, model.mlflow.name) == (store.uri, NAME)
    with connected(store) as client:
        (version,) = client.search_model_versions(f"name = '{NAME}'")
        assert version.tags["tenure.bundle"] == model.version
        assert client.get_run(version.run_id or "").data.tags["tenure.bundle"] == model.version
    return str(model.version)


def promoted(own: Project, store: Store, version: str) -> None:
    assert "champion" not in aliases(store)
    said = command("promote", own.root / "config.yaml", "--to", version, "--force")
    assert said.code == 0, said.error
    standing = champion(own.root / "models", TARGET)
    assert standing is not None
    assert standing.version == version
    assert bundle_behind(store, "champion") == version
    assert "challenger" not in aliases(store)


def loaded_back(own: Project, store: Store, version: str) -> None:
    """The model that the server hands out scores as the bundle does."""
    import mlflow

    bundle = read_bundle(own.root / "models" / TARGET / version)
    rows = from_records(dict(bundle.examples))
    with connected(store):
        model = mlflow.pyfunc.load_model(f"models:/{NAME}@champion")
    scored = model.predict(rows)["probability"]
    pd.testing.assert_series_equal(
        scored, pd.Series(bundle.examples["probabilities"]), check_names=False, rtol=1e-12
    )


def gone_while_training(own: Project, server: Server) -> str:
    """The server goes away in the middle; nothing of the work is lost."""
    own.set(**SMALL, tracking={"uri": server.uri}, model={"seed": 2})

    def stop(line: str) -> None:
        if line.endswith("measuring"):
            server.stop()

    said = Lines(stop)
    model = run_train(own.config, said).targets[TARGET].model
    assert model is not None
    assert any("not recorded in MLflow" in line for line in said.lines)
    kept = json.loads((own.root / "runs" / "training.json").read_text(encoding="utf-8"))
    assert kept["targets"][TARGET]["model"] == model.to_json()
    assert model.mlflow is not None
    assert model.mlflow.uri is None
    assert "cannot be reached" in (model.mlflow.error or "")
    assert read_bundle(Path(model.path)).version == model.version
    assert (own.root / "runs" / "report.html").is_file()
    return str(model.version)


def unreachable(own: Project) -> None:
    """A server that is away from the start is said before anything is loaded."""
    said = Lines()
    with pytest.raises(ModelError, match=r"MLflow store http.*cannot be reached"):
        run_train(own.config, said)
    assert not [line for line in said.lines if "snapshots" in line]
    standing = champion(own.root / "models", TARGET)
    assert standing is not None
    back = command("promote", own.root / "config.yaml", "--to", str(standing.previous))
    assert back.code == 0
    assert "the aliases are set at the next start" in back.out


def back_again(own: Project, store: Store, version: str) -> None:
    said = Lines()
    catch_up(own.config, said)
    kept = json.loads((own.root / "runs" / "training.json").read_text(encoding="utf-8"))
    found = kept["targets"][TARGET]["model"]["mlflow"]
    assert "error" not in found
    with connected(store) as client:
        assert client.get_model_version(NAME, found["version"]).tags["tenure.bundle"] == version
    # The champion that was put back was registered elsewhere only.
    assert any("was never registered" in line for line in said.lines)
    said.lines.clear()
    catch_up(own.config, said)
    assert not [line for line in said.lines if "recording" in line]
