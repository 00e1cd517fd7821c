"""MLflow keeps the record, loads the same model back, and follows the champion file."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from champions import set_champion
from tenure.core.errors import ModelError
from tenure.model.bundle.bundle import write_bundle
from tenure.model.tracking import Run, Store, repair, track
from tenure.model.tracking.store import connected


@pytest.fixture
def root(bundle, tmp_path):
    write_bundle(bundle, tmp_path / "models", "churn")
    return tmp_path / "models"


def run(**parts):
    return Run(
        experiment="acme",
        model="acme",
        target="churn",
        params={"model.seed": 0, "labels.horizon_days": 90},
        metrics={"auc": 0.71, "lift_at_10": None},
        fingerprint="f00ba4",
        source="/data",
        **parts,
    )


def test_everything_is_recorded(bundle, root, store, tmp_path):
    report = tmp_path / "report.html"
    report.write_text("<html>")
    parts = {"artifacts": (report,), "texts": {"charts/a.svg": "<svg/>"}, "tags": {"by": "test"}}
    found = track(root / "churn" / bundle.version, run(**parts), store)
    assert (found.name, found.version, found.alias) == ("acme-churn", "1", "challenger")
    with connected(store) as client:
        logged = client.get_run(found.run_id)
        assert client.get_experiment(logged.info.experiment_id).name == "acme"
        assert logged.data.params == {"model.seed": "0", "labels.horizon_days": "90"}
        assert logged.data.metrics == {"auc": 0.71}
        assert logged.data.tags["tenure.bundle"] == bundle.version
        assert logged.data.tags["by"] == "test"
        assert logged.inputs is not None
        assert logged.inputs.dataset_inputs[0].dataset.digest == "f00ba4"
        names = {item.path for item in client.list_artifacts(found.run_id)}
        assert {"report.html", "bundle", "charts"} <= names
        charts = client.list_artifacts(found.run_id, "charts")
        assert [item.path for item in charts] == ["charts/a.svg"]
        files = client.list_artifacts(found.run_id, f"bundle/{bundle.version}")
        assert {item.path.rsplit("/", 1)[1] for item in files} >= {"spec.json", "MANIFEST.json"}
        version = client.get_model_version_by_alias("acme-churn", "challenger")
        assert version.tags["tenure.bundle"] == bundle.version


def test_loads_back_by_alias_and_scores_the_same(bundle, root, store, panel):
    import mlflow

    found = track(root / "churn" / bundle.version, run(), store, alias="champion")
    assert found.uri == "models:/acme-churn@champion"
    with connected(store):
        model = mlflow.pyfunc.load_model(found.uri)
    given = panel.values.head(50)
    scored = model.predict(given)["probability"]
    np.testing.assert_array_equal(scored, bundle.main.probabilities(given))
    assert model.metadata.get_input_schema().input_names() == list(bundle.columns)
    one = given.head(1).astype({"nps": "float64"}).assign(nps=np.nan)
    np.testing.assert_array_equal(model.predict(one)["probability"], bundle.main.probabilities(one))


def test_the_model_is_code_and_text_not_a_pickle(bundle, root, store):
    track(root / "churn" / bundle.version, run(), store)
    files = [path for path in store.file.parent.rglob("*") if path.is_file()]
    assert any(path.name == "pyfunc_model.py" for path in files)
    assert not [path for path in files if path.suffix in {".pkl", ".pickle", ".joblib"}]
    assert not [path for path in files if path.name in {"uv.lock", "pyproject.toml"}]


def test_repair_brings_the_alias_to_the_champion_file(bundle, second, root, store):
    write_bundle(second, root, "churn")
    first = track(root / "churn" / bundle.version, run(), store, alias="champion")
    then = track(root / "churn" / second.version, run(), store)
    set_champion(root, "churn", second.version, "better", "ann")
    assert repair(root, "acme", ["churn", "expansion"], store) == (
        f"acme-churn: alias champion set to version {then.version} ({second.version})",
        f"acme-churn: alias challenger removed; there is no challenger under {root}",
    )
    with connected(store) as client:
        found = client.get_model_version_by_alias("acme-churn", "champion")
        assert str(found.version) == then.version != first.version
    assert repair(root, "acme", ["churn"], store) == ()


def test_repair_removes_an_alias_without_a_champion(bundle, root, store):
    track(root / "churn" / bundle.version, run(), store, alias="champion")
    notes = repair(root, "acme", ["churn"], store)
    assert notes == (f"acme-churn: alias champion removed; there is no champion under {root}",)


def test_repair_says_what_was_never_registered(bundle, second, root, store):
    write_bundle(second, root, "churn")
    track(root / "churn" / bundle.version, run(), store, alias=None)
    set_champion(root, "churn", second.version, "better", "ann")
    (note,) = repair(root, "acme", ["churn"], store)
    assert "was never registered; train again" in note


def test_repair_makes_no_store(root, tmp_path):
    assert repair(root, "acme", ["churn"], Store.local(tmp_path / "none")) == ()
    assert not (tmp_path / "none").exists()


def test_a_store_that_is_down_is_named(bundle, root):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(ModelError, match=f"MLflow store {uri}: cannot be reached") as error:
        track(root / "churn" / bundle.version, run(), Store(uri))
    assert "leave it out for a local file" in str(error.value)


def test_the_tracking_uri_is_put_back(store):
    import mlflow

    before = mlflow.is_tracking_uri_set(), mlflow.get_tracking_uri()
    with connected(store):
        assert mlflow.get_tracking_uri() == store.uri
    assert (mlflow.is_tracking_uri_set(), mlflow.get_tracking_uri()) == before


@pytest.mark.slow
def test_telemetry_is_off_before_mlflow_is_imported():
    code = (
        "import sys, tenure.model.tracking as t; assert 'mlflow' not in sys.modules\n"
        "import tempfile, os, pathlib\n"
        "from tenure.model.tracking.store import Store, connected\n"
        "try:\n"
        "    with connected(Store('http://127.0.0.1:9')): pass\n"
        "except Exception: pass\n"
        "from mlflow.telemetry.utils import is_telemetry_disabled\n"
        "assert is_telemetry_disabled() and os.environ['DO_NOT_TRACK'] == 'true'\n"
    )
    environment = {
        k: v for k, v in os.environ.items() if k not in ("MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK")
    }
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def test_store_of_a_config(tmp_path):
    from tenure.core.config import make_config

    own = make_config({"data": {"path": "x"}, "tracking": {"uri": "http://h:5000"}}, base=tmp_path)
    assert Store.from_config(own) == Store("http://h:5000")
    local = make_config({"data": {"path": "x"}, "paths": {"runs": str(tmp_path)}}, base=tmp_path)
    assert Store.from_config(local).uri == f"sqlite:///{tmp_path}/mlflow.db"
    assert Store.from_config(local).file == tmp_path / "mlflow.db"


@pytest.mark.slow
@pytest.mark.server
def test_mlflow_serves_the_model(panel, root, store, bundle):
    folder = root / "churn" / bundle.version
    found = track(folder, run(), store, alias="champion")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # uvicorn stands there
    environment = dict(os.environ, PATH=path, MLFLOW_TRACKING_URI=store.uri)
    environment["MLFLOW_DISABLE_TELEMETRY"] = "true"
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", found.uri]
    command += ["--env-manager", "local", "--port", str(port), "--host", "127.0.0.1"]
    with subprocess.Popen(
        command, env=environment, stderr=subprocess.DEVNULL, start_new_session=True
    ) as server:
        try:
            given = panel.values.head(5).astype(object).where(panel.values.head(5).notna(), None)
            body = {"dataframe_split": {"columns": list(given), "data": given.to_numpy().tolist()}}
            answer = post(f"http://127.0.0.1:{port}/invocations", body)
        finally:
            os.killpg(server.pid, signal.SIGTERM)
    scored = [row["probability"] for row in answer["predictions"]]
    np.testing.assert_array_equal(scored, bundle.main.probabilities(panel.values.head(5)))


def post(url, body, patience=120):
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    for _ in range(patience):
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return json.load(response)
        except ConnectionError:
            time.sleep(1)
        except OSError as error:
            if not isinstance(getattr(error, "reason", None), ConnectionError):
                raise
            time.sleep(1)
    raise TimeoutError(url)
