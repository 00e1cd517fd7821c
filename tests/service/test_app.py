"""The name under which BentoML's own tools look for the service."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tenure.core.errors import ConfigError

if TYPE_CHECKING:
    from service.conftest import Tiny


def test_bentoml_finds_the_service_by_name(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("tenure.service.app")
    monkeypatch.delenv("TENURE_CONFIG", raising=False)
    with pytest.raises(ConfigError, match="TENURE_CONFIG"):
        _ = module.svc
    monkeypatch.setenv("TENURE_CONFIG", str(tiny.path))
    service = module.svc
    try:
        assert service is module.svc
        assert service.name == "tenure"
        assert service.config["http"] == {"host": "127.0.0.1", "port": 3000}
    finally:
        del module.__dict__["svc"]
    with pytest.raises(AttributeError):
        _ = module.nothing


@pytest.mark.parametrize("name", ["svc", "asgi"])
def test_without_a_key_it_does_not_start_where_others_reach_it(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    module = importlib.import_module("tenure.service.app")
    path = tmp_path / "open.yaml"
    text = tiny.path.read_text().replace("service: {", "service: {host: 0.0.0.0, ")
    text = text.replace(f"runs: {tiny.config.paths.runs}", f"runs: {tmp_path}/runs")
    path.write_text(text.replace("path: data", f"path: {tiny.config.data.path}"))
    monkeypatch.setenv("TENURE_CONFIG", str(path))
    with pytest.raises(ConfigError, match="tenure keys create"):
        getattr(module, name)()
