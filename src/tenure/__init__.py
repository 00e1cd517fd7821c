"""Tenure: who stays, who leaves, who grows, and why.

Point-in-time churn and expansion models for subscription businesses.

>>> import tenure
>>> project = tenure.Project({"data": {"path": "exports"}})
>>> [name for name in dir(project) if not name.startswith("_")]
['account', 'backtest', 'changes', 'check', 'config', 'explain', 'forecast', 'health_map',
 'metrics', 'portfolio', 'report', 'score', 'scorecards', 'train', 'training_set', 'what_if',
 'worklist']

The ``run_…`` functions are the commands; `Project` has them as methods.  The stages are
sub-packages in the order the data takes: `sources`, `labels`, `features`, `model`, `explain`,
`score`, `success`, `report`, `run`, `service`.  Importing the package loads none of the heavy
libraries: what is named below is imported when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tenure.core.errors import ConfigError, DataError, ModelError, RefusedError, TenureError

if TYPE_CHECKING:
    from tenure.features.plan.config_checks import load_config
    from tenure.features.reference_page import feature_table as features
    from tenure.model.boosting.estimator import TenureClassifier
    from tenure.run.backtest import run_backtest
    from tenure.run.check import run_check
    from tenure.run.demo import run_demo
    from tenure.run.explain import run_explain
    from tenure.run.metrics import run_metrics
    from tenure.run.project import Project
    from tenure.run.promote import run_promote
    from tenure.run.report import run_report
    from tenure.run.score import run_score
    from tenure.run.scores import run_explanations
    from tenure.run.train import run_train

__version__ = "0.1.0"

__all__ = [
    "ConfigError",
    "DataError",
    "ModelError",
    "Project",
    "RefusedError",
    "TenureClassifier",
    "TenureError",
    "__version__",
    "features",
    "load_config",
    "run_backtest",
    "run_check",
    "run_demo",
    "run_explain",
    "run_explanations",
    "run_metrics",
    "run_promote",
    "run_report",
    "run_score",
    "run_train",
]

_HOMES = {
    "Project": "tenure.run.project",
    "TenureClassifier": "tenure.model.boosting.estimator",
    "load_config": "tenure.features.plan.config_checks",
    "run_backtest": "tenure.run.backtest",
    "run_check": "tenure.run.check",
    "run_demo": "tenure.run.demo",
    "run_explain": "tenure.run.explain",
    "run_explanations": "tenure.run.scores",
    "run_metrics": "tenure.run.metrics",
    "run_promote": "tenure.run.promote",
    "run_report": "tenure.run.report",
    "run_score": "tenure.run.score",
    "run_train": "tenure.run.train",
}


def __getattr__(name: str) -> Any:
    """Return a name of the public API, imported when it is first used."""
    if name == "features":  # the sub-package, which can be called
        return importlib.import_module("tenure.features")
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'tenure' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the names of the public API, for completion."""
    return sorted(__all__)
