"""A small world and models of it for several targets and horizons, made once per test run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tenure.core.config import Config, ModelConfig
from tenure.explain.peers import fit_peers
from tenure.labels.targets import TARGETS
from tenure.model.backtest.part_walk import type_rows
from tenure.model.boosting.fit import FittedModel, fit_model
from tenure.model.boosting.part import PartModel, ScoringModel
from tenure.model.bundle.bundle import Bundle, make_bundle
from tenure.model.calibration.interval import Interval
from tenure.model.calibration.usual import UsualValues
from tenure.model.evaluation.expected_amount import fit_amounts
from tenure.model.settings import FitSettings
from tenure.run.prepare import Prepared
from tenure.run.train import bundle_spec
from tenure.score.score import Model, Scored, score
from tenure.sources.dataset import Dataset

if TYPE_CHECKING:
    import pandas as pd

SETTINGS = {
    "name": "tiny",
    "data": {"path": "data"},
    "labels": {"horizon_days": 90, "horizons": [30, 180, "renewal"]},
    "targets": ["churn", "expansion", "churn_voluntary", "churn_involuntary", "renewal"],
    "model": {"threads": 1},
}
FURTHER: dict[str, list[Any]] = {
    "churn": [30, 180, "renewal"],
    "churn_voluntary": [30, 180, "renewal"],
    "churn_involuntary": [30, 180, "renewal"],
    "expansion": [180],
    "renewal": [],
}


@dataclass(frozen=True)
class World:
    """A loaded world and models of it."""

    config: Config
    dataset: Dataset
    models: Mapping[str, Model]

    def scored(self, horizons: Any = "all", **settings: Any) -> Scored:
        """Return the scores where observation stopped."""
        changed = self.config.score.model_copy(update=settings)
        config = self.config.model_copy(update={"score": changed})
        until = self.dataset.observed_until
        return score(self.dataset, self.models, config, until, horizons=horizons)


def fitted(name: str, prepared: Prepared, dataset: Dataset, config: Config) -> Bundle:
    """Fit a model for the main horizon and one for each of `FURTHER`."""
    labels = prepared.labels[name]
    known = labels["label"].notna().to_numpy()
    values = prepared.matrix.values
    outcome = labels["label"].to_numpy(dtype=np.float64)[known]
    main = str(config.labels.horizon_days)
    models: dict[str, ScoringModel] = {main: quick(values, labels, prepared)}
    for item in FURTHER[name]:
        models[str(item)] = quick(values, prepared.ahead[name][str(item)], prepared)
    if TARGETS[name].whole:
        share = quick(values, type_rows(prepared.labels["churn"], "involuntary"), prepared)
        of_churn = quick(values, prepared.labels["churn"], prepared)
        models = {main: PartModel(of_churn, share, TARGETS[name].churn_type == "voluntary")}
    columns = [column for model in models.values() for column in model.columns]
    resolved = prepared.plan.only(columns)
    spec = bundle_spec(name, resolved, prepared, dataset, config, dataset.observed_until)
    used = models[main].encoder.frame(values[known])
    peers = fit_peers(used, outcome).to_json()
    amounts = {}
    if name == "expansion":
        for horizon, rows in {main: labels, **prepared.ahead[name]}.items():
            known_rows = rows["label"].notna().to_numpy()
            fitted_amounts = fit_amounts(rows[known_rows], values[known_rows], by=())
            assert fitted_amounts is not None
            amounts[horizon] = fitted_amounts.to_json()
    return make_bundle(
        models,
        values[known],
        spec=spec,
        peers=peers,
        amounts=amounts,
    )


def quick(values: pd.DataFrame, labels: pd.DataFrame, prepared: Prepared) -> FittedModel:
    """Fit a small model, with bounds of its probabilities."""
    known = labels["label"].notna().to_numpy()
    how = ModelConfig(threads=1, parameters={"num_iterations": 20, "min_data_in_leaf": 20})
    settings = FitSettings(how, ranked=prepared.plan.ranked)
    outcome = labels["label"].to_numpy(dtype=np.float64)[known]
    fitted = fit_model(values[known], outcome, settings)
    matrix = fitted.encoder.transform(values[known])
    usual = UsualValues.fit(matrix, np.full(matrix.shape[1], 0.1))
    return replace(fitted, interval=Interval(0.8, 0.6, 0.05, 0.01, usual))
