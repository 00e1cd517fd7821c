"""Tenure: who stays, who leaves, who grows, and why.

Point-in-time churn and expansion models for subscription businesses.  The stages are sub-packages
in the order the data takes: `sources`, `labels`, `features`, `model`, `explain`, `score`, `report`,
`run`, `service`.  Importing the package loads none of the heavy libraries: the functions below are
imported when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tenure.core.errors import ConfigError, DataError, ModelError, RefusedError, TenureError

if TYPE_CHECKING:
    from tenure.features.plan.config_checks import load_config
    from tenure.run.backtest import run_backtest
    from tenure.run.check import run_check
    from tenure.run.demo import run_demo
    from tenure.run.explanations import run_explanations
    from tenure.run.promote import run_promote
    from tenure.run.report import run_report
    from tenure.run.score import run_explain, run_score
    from tenure.run.train import run_train

__version__ = "0.1.0"

__all__ = [
    "ConfigError",
    "DataError",
    "ModelError",
    "RefusedError",
    "TenureError",
    "__version__",
    "load_config",
    "run_backtest",
    "run_check",
    "run_demo",
    "run_explain",
    "run_explanations",
    "run_promote",
    "run_report",
    "run_score",
    "run_train",
]

_HOMES = {
    "load_config": "tenure.features.plan.config_checks",
    "run_backtest": "tenure.run.backtest",
    "run_check": "tenure.run.check",
    "run_demo": "tenure.run.demo",
    "run_explain": "tenure.run.score",
    "run_explanations": "tenure.run.explanations",
    "run_promote": "tenure.run.promote",
    "run_report": "tenure.run.report",
    "run_score": "tenure.run.score",
    "run_train": "tenure.run.train",
}


def __getattr__(name: str) -> Any:
    """Import a function of the public API when it is first asked for."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'tenure' has no attribute {name!r}")
