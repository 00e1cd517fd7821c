"""The door to MLflow: runs, parameters, metrics, artifacts, registered models and their aliases.

MLflow keeps a record; ``models/<target>/champion.json`` stays the truth, and `repair` brings the
aliases in line with it.  MLflow is imported when the first of these functions is called.
"""

from tenure.model.tracking.record import Run, Tracked, repair, track
from tenure.model.tracking.store import Store

__all__ = ["Run", "Store", "Tracked", "repair", "track"]
