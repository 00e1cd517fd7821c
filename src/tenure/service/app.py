"""The service as BentoML's own tools look for it: ``tenure.service.app:svc``.

The environment variable `TENURE_CONFIG` says which config to serve; `tenure serve CONFIG` needs
neither.
"""

from __future__ import annotations

import logging
import os
from typing import Any

from tenure.core.errors import ConfigError, Problem
from tenure.features.plan.config_checks import load_config
from tenure.service.api.app import make_service
from tenure.service.api.hosts import exposure

ENVIRONMENT = "TENURE_CONFIG"


def __getattr__(name: str) -> Any:
    """Return `svc`, the service of the config that `TENURE_CONFIG` names; made at first use."""
    if name != "svc":
        raise AttributeError(name)
    path = os.environ.get(ENVIRONMENT)
    if not path:
        fix = "set it to the path of a YAML config, or use `tenure serve CONFIG`"
        raise ConfigError(Problem(ENVIRONMENT, "is not set in the environment", fix=fix))
    config = load_config(path)
    if warning := exposure(config.service.host):
        logging.getLogger("tenure.service").warning(warning)
    globals()["svc"] = make_service(config)
    return globals()["svc"]
