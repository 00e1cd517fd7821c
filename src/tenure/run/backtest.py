"""`tenure backtest`: what would have been predicted, and what happened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tenure.core.config import Config
from tenure.core.errors import RefusedError
from tenure.core.files import write_table
from tenure.core.flat_row import MAIN
from tenure.core.progress import SILENT, Progress
from tenure.features.plan.config_checks import check_features
from tenure.model.boosting.parameter_names import check_parameters
from tenure.run.fit import fit_targets, target_record
from tenure.run.prepare import loaded, prepare
from tenure.run.results import Backtest
from tenure.success.scorecards.comparison import compared_health

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from tenure.core.records.scorecards import HealthComparison
    from tenure.run.fit import TargetResult
    from tenure.sources.dataset import Dataset

KEYS = ["account_id", "as_of"]
PROBABILITIES = ("probability", "probability_lo", "probability_hi")


def backtest(config: Config, progress: Progress = SILENT) -> Backtest:
    """Return the out-of-time predictions of every target that can be fitted.

    Raises:
        RefusedError: If no target has a fold.
    """
    check_features(config)
    check_parameters(config.model.parameters)
    with loaded(config, progress) as dataset:
        prepared = prepare(config, dataset, progress)
        results = list(fit_targets(prepared, config, progress))
        health = _health(config, dataset, results)
    frames = [
        _named(result.target.name, result.fit.walk.predictions)
        for result in results
        if result.fit is not None and not result.fit.walk.predictions.empty
    ]
    if not frames:
        raise RefusedError(*[result.verdict.sentences[0] for result in results])
    joined = frames[0]
    for frame in frames[1:]:
        joined = joined.merge(frame, how="outer", on=[*KEYS, "mrr"])
    joined = joined.sort_values(["as_of", "account_id"]).reset_index(drop=True)
    joined.insert(2, "fold", joined["as_of"].rank(method="dense").astype("int64") - 1)
    records = {result.target.name: target_record(result, config) for result in results}
    return Backtest(records, joined, health)


def _health(
    config: Config, dataset: Dataset, results: Sequence[TargetResult]
) -> HealthComparison | None:
    """Return the weighted health of the config beside the model of churn; None without either."""
    fits = [result.fit for result in results if result.target.name == MAIN and result.fit]
    return compared_health(config, dataset, fits[0].walk.predictions) if fits else None


def run_backtest(config: Config, out: Path | str, progress: Progress = SILENT) -> dict[str, Any]:
    """Write the out-of-time predictions of every target that can be fitted; see `Backtest`.

    Returns:
        ``targets`` (verdicts), ``records`` (a `TargetRecord` each), ``health`` (a
        `HealthComparison` or None), ``rows``, ``folds``, ``out`` and ``predictions`` (the rows).

    Raises:
        RefusedError: If no target has a fold.
    """
    tested = backtest(config, progress)
    write_table(tested.predictions, Path(out))
    return {
        "targets": {name: record.verdict.to_json() for name, record in tested.targets.items()},
        "records": tested.targets,
        "health": tested.health and tested.health.to_json(),
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
