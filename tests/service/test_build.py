"""`tenure build`: a Bento that serves what was scored, with the champions inside."""

from __future__ import annotations

import hashlib
import re
import shutil
import socket
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
import yaml

from report.forecast_record import forecast_fit
from report.record import changed, record
from service.processes import free_port, running
from tenure.core.files import sha256, write_json
from tenure.model.registry.champion import champion
from tenure.service.build import TRAINING, build_bento, write_wheel
from tenure.service.pages.answers import PAGES

if TYPE_CHECKING:
    from service.conftest import Tiny

NOT_SERVING = {*TRAINING, "matplotlib", "pyspark"}
LACKING = {"/lately": 404, "/metrics": 404, "/evidence": 404}
"""Pages of the raw tables, which a Bento does not hold; and of a driver, which no link names."""


def test_the_wheel_is_this_package_without_the_training_road(tmp_path: Path) -> None:
    wheel, again = write_wheel(tmp_path / "one"), write_wheel(tmp_path / "other")
    assert sha256(wheel) == sha256(again)
    with zipfile.ZipFile(wheel) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    info = f"tenure-{version('tenure')}.dist-info"
    for line in files[f"{info}/RECORD"].decode().splitlines():
        name, digest, size = line.rsplit(",", 2)
        if digest:
            assert len(files[name]) == int(size)
            assert len(digest) == len("sha256=") + 43
    assert {"tenure/__init__.py", "tenure/report/templates/report.html.j2"} <= files.keys()
    required = re.findall(r"Requires-Dist: ([\w-]+)", files[f"{info}/METADATA"].decode())
    assert {"duckdb", "lightgbm", "bentoml", "sqlalchemy", "altair"} <= set(required)
    assert not {*TRAINING, "pyspark", "mcp"} & set(required)
    assert f"lightgbm=={version('lightgbm')}" in files[f"{info}/METADATA"].decode()


@pytest.mark.server
@pytest.mark.slow
def test_a_built_bento_serves_what_was_scored(tiny: Tiny, tmp_path: Path) -> None:
    config = tmp_path / "tiny.yaml"
    secret = "exports: {crm: {adapter: hubspot, token: '${CRM_TOKEN:-hidden}'}}\n"
    limit = "store: {keep: '${TENURE_KEEP:-7}'}\n"
    config.write_text(f"{tiny.path.read_text()}{secret}{limit}")
    result = build_bento(config, tiny.config)
    path = Path(result["path"])
    files = {str(file.relative_to(path)) for file in path.rglob("*") if file.is_file()}
    standing = {name: champion(tiny.config.paths.models, name) for name in tiny.config.targets}
    assert result["models"] == {name: one.version for name, one in standing.items() if one}
    bundles = {tuple(name.split("/")[2:4]) for name in files if name.startswith("src/models/")}
    assert {(name, version) for name, version in result["models"].items()} < bundles
    assert len(bundles) == 2 * len(result["models"])  # each with its champion.json
    rest = {name for name in files if name.startswith("src/") and "/models/" not in name}
    assert rest == {"src/tenure.yaml", "src/tenure_bento.py", "src/bentofile.yaml"}
    text = (path / "src" / "tenure.yaml").read_text()
    assert "hidden" not in text
    assert "${TENURE_KEEP:-7}" in text
    assert yaml.safe_load(text)["name"] == "tiny"
    (wheel,) = (path / "env" / "python" / "wheels").glob("*.whl")
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() == result["wheel_sha256"]
    assert result["wheel_sha256"] in (path / "bento.yaml").read_text()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "wheel")

    runs = tmp_path / "runs"
    shutil.copytree(tiny.config.paths.runs, runs, ignore=shutil.ignore_patterns("bentoml"))
    trained = changed(record(), {"name": "tiny"}).model_copy(update={"forecast": forecast_fit()})
    write_json(runs / "training.json", trained.to_json())
    port = free_port()
    bentoml = str(Path(sys.executable).with_name("bentoml"))
    command = [bentoml, "serve", str(path), "--port", str(port)]
    env = {
        "BENTOML_HOME": str(tmp_path / "home"),
        "PYTHONPATH": str(tmp_path / "wheel"),
        "TENURE_RUNS": str(runs),
        "PYTHONPROFILEIMPORTTIME": "1",
        "PYTHONDONTWRITEBYTECODE": "",
    }
    with running(command, port, tmp_path, env) as server:
        account, expected = tiny.asked[["account_id", "churn_probability"]].iloc[0]
        body = {"account_ids": [account]}
        answer = requests.post(f"{server.url}/v1/scores:lookup", json=body, timeout=60).json()
        scores = answer["accounts"][0]["scores"]
        assert [one["probability"] for one in scores if one["target"] == "churn"] == [expected]
        assert _refused(f"{server.url}/app", account) == LACKING
        # Who listens on every address is reached under this one too.
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", port), timeout=10)
        requests.get(f"{server.url}/nothing", timeout=30)
        metrics = requests.get(f"{server.url}/metrics", timeout=30).text
        assert 'tenure_requests_total{path="other",status="404"} 1.0' in metrics
    imported = set(re.findall(r"^import time:.*\| +([\w.]+)$", _log(tmp_path), re.MULTILINE))
    assert {"lightgbm", "tenure.service.app"} <= imported
    assert not {name.split(".")[0] for name in imported} & NOT_SERVING
    assert not {name for name in imported if name.startswith(("tenure.audit", "tenure.run.train"))}
    assert (tmp_path / "wheel" / "tenure" / "service" / "__pycache__").is_dir()


def _refused(place: str, account: str) -> dict[str, int]:
    """Return the pages that do not open for an account, and their status."""
    answers = {
        page.path: requests.get(f"{place}{page.path}", {"id": account}, timeout=120)
        for page in PAGES
    }
    return {path: one.status_code for path, one in answers.items() if one.status_code != 200}


def _log(folder: Path) -> str:
    return (folder / "server.log").read_text()
