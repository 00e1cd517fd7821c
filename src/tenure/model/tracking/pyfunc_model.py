"""A bundle as an MLflow model: MLflow runs this file as a script when the model is loaded.

Input: a frame with the bundle's feature columns.  Output: one column, ``probability``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

from tenure.model.bundle.bundle import Bundle, read_bundle


class BundleModel(PythonModel):
    """Calibrated probabilities of feature rows."""

    bundle: Bundle

    def load_context(self, context: Any) -> None:
        """Read and verify the bundle that was logged with the model."""
        self.bundle = read_bundle(Path(context.artifacts["bundle"]))

    def predict(  # type: ignore[override]  # MLflow allows leaving out the context
        self, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Return the probability of each row."""
        del params
        probabilities = self.bundle.main.probabilities(model_input)
        return pd.DataFrame({"probability": probabilities}, index=model_input.index)


set_model(BundleModel())
