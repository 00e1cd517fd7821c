"""Where MLflow keeps its records, and how to reach it quietly."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tenure.core.config import Config
from tenure.core.errors import ModelError, Problem, TenureError, first_line

if TYPE_CHECKING:
    from mlflow import MlflowClient

# Values that are set already win; nothing is sent anywhere and a dead server is given up soon.
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_UV_AUTO_DETECT": "false",  # else a model takes along whatever project it is run from
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


@dataclass(frozen=True)
class Store:
    """An MLflow tracking store and model registry."""

    uri: str
    artifacts: str | None = None
    """Where new experiments keep artifacts; None leaves it to the server."""

    @classmethod
    def local(cls, runs: Path) -> Self:
        """Return the SQLite store ``mlflow.db`` under a folder, artifacts beside it."""
        runs = Path(runs).resolve()
        return cls(f"sqlite:///{runs / 'mlflow.db'}", (runs / "mlartifacts").as_uri())

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Return the store of a run: ``tracking.uri``, else the local one under ``paths.runs``."""
        return cls(config.tracking.uri) if config.tracking.uri else cls.local(config.paths.runs)

    @property
    def file(self) -> Path | None:
        """The database file of a SQLite store."""
        prefix = "sqlite:///"
        return Path(self.uri.removeprefix(prefix)) if self.uri.startswith(prefix) else None


@contextmanager
def connected(store: Store) -> Iterator[MlflowClient]:
    """Point MLflow at a store for the length of the block.

    Raises:
        ModelError: If the store cannot be reached.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if store.file is not None:
        store.file.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own use of what its dependencies deprecate
        yield from _connected(store)


def _connected(store: Store) -> Iterator[MlflowClient]:
    import mlflow

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    before = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None
    mlflow.set_tracking_uri(store.uri)
    try:
        yield _client(store)
    finally:
        mlflow.set_tracking_uri(before)  # type: ignore[arg-type]  # None forgets it


def _client(store: Store) -> MlflowClient:
    from mlflow import MlflowClient

    with reached(store):
        client = MlflowClient(tracking_uri=store.uri, registry_uri=store.uri)
        client.search_experiments(max_results=1)
    return client


@contextmanager
def reached(store: Store) -> Iterator[None]:
    """Turn whatever goes wrong with a store in the block into one error that names the store.

    Raises:
        ModelError: If anything but a known error is raised.
    """
    try:
        yield
    except TenureError:
        raise
    except Exception as error:  # MLflow lets through whatever its back ends raise
        raise ModelError(
            Problem(
                f"MLflow store {store.uri}",
                "cannot be reached",
                first_line(error, 120),
                "start the server, or set tracking.uri (leave it out for a local file)",
            )
        ) from error
