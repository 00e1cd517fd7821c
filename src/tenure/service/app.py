"""The service as other servers look for it; `TENURE_CONFIG` names the config.

``bentoml serve tenure.service.app:svc`` and ``uvicorn --factory tenure.service.app:asgi`` answer
the same requests as `tenure serve CONFIG`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tenure.core.config import Config, PathConfig
from tenure.core.errors import ConfigError, Problem
from tenure.features.plan.config_checks import load_config
from tenure.service.api.app import application, make_service
from tenure.service.api.guard import Guard
from tenure.service.api.hosts import check_exposure
from tenure.service.api.logs import log_as_json

ENVIRONMENT = "TENURE_CONFIG"
CONFIG = "tenure.yaml"
"""The config in a Bento."""


def asgi() -> Guard:
    """Return the ASGI application of the config that `TENURE_CONFIG` names."""
    log_as_json()
    return application(_config())


def service_in(folder: Path) -> Any:
    """Return the service of a Bento: the config and the champions that lie in its folder.

    Whether it may listen where others reach it is looked at when it starts, not when it is built.
    """
    config = load_config(folder / CONFIG)
    inside = {name: folder / path for name, path in config.paths}
    return make_service(config.model_copy(update={"paths": PathConfig(**inside)}))


def __getattr__(name: str) -> Any:
    """Return `svc`, the service of the config that `TENURE_CONFIG` names; made at first use."""
    if name != "svc":
        raise AttributeError(name)
    globals()["svc"] = make_service(_config())
    return globals()["svc"]


def _config() -> Config:
    path = os.environ.get(ENVIRONMENT)
    if not path:
        fix = "set it to the path of a YAML config, or use `tenure serve CONFIG`"
        raise ConfigError(Problem(ENVIRONMENT, "is not set in the environment", fix=fix))
    config = load_config(path)
    check_exposure(config)
    return config
