"""Tenure: who stays, who leaves, who grows, and why.

Point-in-time churn and expansion models for subscription businesses.  The stages are sub-packages
in the order the data takes: `sources`, `labels`, `features`, `model`, `explain`, `score`, `report`,
`run`, `service`.  Importing the package loads none of the heavy libraries.
"""

from tenure.core.errors import ConfigError, DataError, ModelError, RefusedError, TenureError

__version__ = "0.1.0"

__all__ = [
    "ConfigError",
    "DataError",
    "ModelError",
    "RefusedError",
    "TenureError",
    "__version__",
]
