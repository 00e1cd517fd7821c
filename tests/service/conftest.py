"""A small trained world, once per session, and its service in this process."""

from __future__ import annotations

import importlib
import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
from starlette.testclient import TestClient

from champions import set_champion
from tenure.core.config import Config, ModelConfig, load_config
from tenure.core.files import write_text
from tenure.core.records.bundle import BundleMetrics
from tenure.core.records.evaluation import Verdict
from tenure.demo import write_world
from tenure.explain.peers import fit_peers
from tenure.model.boosting.fit import fit_model
from tenure.model.bundle.bundle import make_bundle, write_bundle
from tenure.model.settings import FitSettings
from tenure.run.prepare import Prepared, loaded, prepare
from tenure.run.score import run_score
from tenure.run.train import bundle_spec
from tenure.sources.dataset import Dataset

with warnings.catch_warnings():
    # BentoML still calls names that pathspec and pydantic have deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    importlib.import_module("tenure.service.api.app")

CONFIG = """\
name: tiny
data: {{path: data}}
paths: {{models: {root}/models, runs: {root}/runs}}
model: {{threads: 1, min_events: 5}}
service: {{max_accounts: 60, max_body_bytes: 400000, deadline_seconds: 30}}
"""
TABLES = (
    *("accounts", "subscriptions", "usage_events", "tickets"),
    *("survey_responses", "invoices", "touchpoints"),
)


@dataclass(frozen=True)
class Tiny:
    """A world, its champions and its scored book.

    Attributes:
        path: The config file.
        config: The same, resolved.
        book: What `tenure score` wrote for every account.
    """

    path: Path
    config: Config
    book: pd.DataFrame

    @property
    def asked(self) -> pd.DataFrame:
        """Return the rows that have a probability."""
        return self.book[self.book["abstain_reason"].isna()]

    def posted(self, *accounts: str) -> dict[str, list[dict[str, Any]]]:
        """Return accounts' rows of every table as a client would post them."""
        tables = {}
        for name in TABLES:
            frame = pd.read_parquet(Path(self.config.data.path) / f"{name}.parquet")
            rows = frame[frame["account_id"].isin(accounts)]
            text = rows.to_json(orient="records", date_format="iso", date_unit="us")
            tables[name] = json.loads(text)
        return tables


def fit(name: str, prepared: Prepared, dataset: Dataset, config: Config, rounds: int = 20) -> str:
    """Fit and publish a model on every known label; return its version."""
    labels = prepared.labels[name]
    known = np.flatnonzero(labels["label"].notna())
    outcome = labels["label"].to_numpy(dtype=np.float64)[known]
    values = prepared.matrix.values.iloc[known]
    model = ModelConfig(parameters={"num_iterations": rounds}, threads=1)
    settings = FitSettings(model=model, ranked=prepared.plan.ranked)
    fitted = fit_model(values, outcome, settings)
    resolved = prepared.plan.only(fitted.encoder.columns)
    used = fitted.encoder.frame(values)
    spec = bundle_spec(name, resolved, prepared, dataset, config, dataset.observed_until)
    bundle = make_bundle(
        {str(config.labels.horizon_days): fitted},
        values,
        spec=spec,
        metrics=BundleMetrics(verdict=Verdict(status="usable", sentences=("Usable.",))),
        peers=fit_peers(used, outcome).to_json(),
    )
    return write_bundle(bundle, config.paths.models, name).name


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    root = tmp_path_factory.mktemp("tiny")
    write_world(root / "data", accounts=80, months=24, seed=3)
    path = root / "config.yaml"
    write_text(path, CONFIG.format(root=root))
    config = load_config(path)
    with loaded(config) as dataset:
        prepared = prepare(config, dataset)
        for name in config.targets:
            fit(name, prepared, dataset, config, rounds=10)  # stands by as a challenger
            set_champion(
                config.paths.models, name, fit(name, prepared, dataset, config), "test", "test"
            )
    run_score(config, root / "scores.csv")
    return Tiny(path, config, pd.read_parquet(config.paths.runs / "scores.parquet"))


@pytest.fixture(scope="session", autouse=True)
def _bentoml_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    home = tmp_path_factory.mktemp("bentoml")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENTOML_HOME", str(home))
        yield


@pytest.fixture(scope="session")
def client(tiny: Tiny) -> Iterator[TestClient]:
    with opened(tiny.config) as client:
        yield client


@pytest.fixture(scope="session")
def transport(client: TestClient) -> httpx.MockTransport:
    """Return the way to the service for clients of httpx."""

    def answer(request: httpx.Request) -> httpx.Response:
        url, content = str(request.url), request.read()
        answer = client.request(request.method, url, content=content, headers=dict(request.headers))
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    return httpx.MockTransport(answer)


@contextmanager
def opened(config: Config, *, loaded: bool = True) -> Iterator[TestClient]:
    """Yield a client on this machine of a config's service, whose tables are loaded."""
    from tenure.service.api.app import served
    from tenure.service.api.state import State

    state = State(config)
    app = served(config, state)
    with TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 50_000)) as client:
        if loaded:
            state.tables.start().result()
        yield client
