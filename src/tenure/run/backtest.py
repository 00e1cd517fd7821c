"""`tenure backtest`: what would have been predicted, and what happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tenure.core.config import Config
from tenure.core.errors import RefusedError
from tenure.core.progress import SILENT, Progress
from tenure.core.records.training import TargetRecord
from tenure.core.tables import write_table
from tenure.features.plan.config_checks import check_features
from tenure.model.boosting.parameter_names import check_parameters
from tenure.run.fit import fit_target, target_record
from tenure.run.prepare import loaded, prepare

if TYPE_CHECKING:
    import pandas as pd

KEYS = ["account_id", "as_of"]
PROBABILITIES = ("probability", "probability_lo", "probability_hi")


@dataclass(frozen=True)
class Tested:
    """What would have been predicted at past prediction times.

    Attributes:
        records: Target → what became of it.
        predictions: One row per account and prediction time: account_id, as_of, fold, mrr, then per
            target ``<target>_probability``, its ``_probability_lo`` and ``_probability_hi`` where
            the walk gives them, and ``<target>_outcome`` (1, 0).  Folds are numbered by prediction
            time, the oldest 0.
    """

    records: Mapping[str, TargetRecord]
    predictions: pd.DataFrame


def backtest(config: Config, progress: Progress = SILENT) -> Tested:
    """Return the out-of-time predictions of every target that can be fitted.

    Raises:
        RefusedError: If no target has a fold.
    """
    check_features(config)
    check_parameters(config.model.parameters)
    with loaded(config, progress) as dataset:
        prepared = prepare(config, dataset, progress)
        results = [fit_target(name, prepared, config, progress) for name in config.targets]
    joined: pd.DataFrame | None = None
    for result in results:
        if result.fit is None or result.fit.walk.predictions.empty:
            continue
        rows = _named(result.target.name, result.fit.walk.predictions)
        joined = rows if joined is None else joined.merge(rows, how="outer", on=[*KEYS, "mrr"])
    if joined is None:
        raise RefusedError(*[result.verdict.sentences[0] for result in results])
    joined = joined.sort_values(["as_of", "account_id"]).reset_index(drop=True)
    joined.insert(2, "fold", joined["as_of"].rank(method="dense").astype("int64") - 1)
    records = {result.target.name: target_record(result, config) for result in results}
    return Tested(records, joined)


def run_backtest(config: Config, out: Path | str, progress: Progress = SILENT) -> dict[str, Any]:
    """Write the out-of-time predictions of every target that can be fitted; see `Tested`.

    Returns:
        ``targets`` (verdicts), ``rows``, ``folds``, ``out`` and ``predictions`` (the rows).

    Raises:
        RefusedError: If no target has a fold.
    """
    tested = backtest(config, progress)
    write_table(tested.predictions, Path(out))
    return {
        "targets": {name: record.verdict.to_json() for name, record in tested.records.items()},
        "rows": len(tested.predictions),
        "folds": int(tested.predictions["fold"].nunique()),
        "out": str(out),
        "predictions": tested.predictions,
    }


def _named(target: str, predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that are written, under the target's name."""
    columns = [name for name in PROBABILITIES if name in predictions.columns]
    names = {name: f"{target}_{name}" for name in columns}
    rows = predictions[[*KEYS, "mrr", *columns, "label"]]
    return rows.rename(columns={**names, "label": f"{target}_outcome"})
