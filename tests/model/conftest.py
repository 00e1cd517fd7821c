"""A small bundle, and a store that is made once."""

from __future__ import annotations

import shutil

import pytest

from model.panel import HORIZON, LEVELS, make_panel
from tenure.core.config import LabelConfig, ModelConfig
from tenure.core.records.base import Figure
from tenure.core.records.bundle import BundleMetrics, BundleSpec
from tenure.core.records.evaluation import Metrics
from tenure.model.boosting.fit import fit_model
from tenure.model.bundle.bundle import make_bundle
from tenure.model.settings import FitSettings


@pytest.fixture(scope="session")
def panel():
    return make_panel(120, 14)


def fitted(panel, *, threads=1, **parameters):
    known = panel.rows["label"].notna().to_numpy()
    values, labels = panel.values[known], panel.rows["label"][known].to_numpy()
    chosen = {"rounds": 15, "min_rows_leaf": 20, **parameters}
    settings = FitSettings(ModelConfig(threads=threads, parameters=chosen), ranked=LEVELS)
    horizon = str(HORIZON)
    return make_bundle(
        {horizon: fit_model(values, labels, settings)},
        values,
        spec=BundleSpec(
            name="acme",
            model_name="acme-churn",
            target="churn",
            labels=LabelConfig(horizon_days=HORIZON),
            fingerprint="f00",
            trained_until="2024-01-01",
        ),
        metrics=BundleMetrics(pooled=Metrics(auc=Figure(value=0.7))),
        peers={"smb": {"mrr": 100.0}},
        card="# Churn\n",
        run={"at": "2024-01-01"},
    )


@pytest.fixture(scope="session")
def bundle(panel):
    return fitted(panel)


@pytest.fixture(scope="session")
def second(panel):
    return fitted(panel, depth=1)


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """A new MLflow database takes seconds to make: tests copy this one."""
    from tenure.model.tracking.store import Store, connected

    runs = tmp_path_factory.mktemp("mlflow")
    with connected(Store.local(runs)):
        pass
    return runs / "mlflow.db"


@pytest.fixture
def store(template, tmp_path):
    from tenure.model.tracking import Store

    runs = tmp_path / "runs"
    runs.mkdir()
    shutil.copy(template, runs / "mlflow.db")
    return Store.local(runs)
