"""`tenure backtest`: what would have been predicted, and what happened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tenure.core.config import Config
from tenure.core.errors import RefusedError
from tenure.core.tables import write_table
from tenure.features.plan.config_checks import check_features
from tenure.run.fit import fit_target
from tenure.run.prepare import Progress, loaded, prepare, silent

if TYPE_CHECKING:
    import pandas as pd

KEYS = ["account_id", "as_of"]
PROBABILITIES = ("probability", "probability_lo", "probability_hi")


def run_backtest(config: Config, out: Path | str, progress: Progress = silent) -> dict[str, Any]:
    """Write the out-of-time predictions of every target that can be fitted.

    Columns: account_id, as_of, fold, mrr, then per target ``<target>_probability``, its
    ``_probability_lo`` and ``_probability_hi`` where the walk gives them, and ``<target>_outcome``
    (1, 0).  Folds are numbered by prediction time, the oldest 0.

    Returns:
        ``targets`` (verdicts), ``rows``, ``folds``, ``out`` and ``predictions`` (the rows).

    Raises:
        RefusedError: If no target has a fold.
    """
    check_features(config)
    with loaded(config, progress) as dataset:
        prepared = prepare(config, dataset, progress)
        attempts = [fit_target(name, prepared, config, progress) for name in config.targets]
    joined: pd.DataFrame | None = None
    result: dict[str, Any] = {"targets": {}}
    for tried in attempts:
        result["targets"][tried.target.name] = tried.verdict.to_json()
        if tried.fit is None or tried.fit.walk.predictions.empty:
            continue
        found = _named(tried.target.name, tried.fit.walk.predictions)
        joined = found if joined is None else joined.merge(found, how="outer", on=[*KEYS, "mrr"])
    if joined is None:
        raise RefusedError(*[tried.verdict.sentences[0] for tried in attempts])
    joined = joined.sort_values(["as_of", "account_id"]).reset_index(drop=True)
    joined.insert(2, "fold", joined["as_of"].rank(method="dense").astype("int64") - 1)
    write_table(joined, Path(out))
    counts = {"rows": len(joined), "folds": int(joined["fold"].nunique()), "out": str(out)}
    return result | counts | {"predictions": joined}


def _named(target: str, predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that are written, under the target's name."""
    given = [name for name in PROBABILITIES if name in predictions.columns]
    found = predictions[[*KEYS, "mrr", *given, "label"]]
    names = {name: f"{target}_{name}" for name in given}
    return found.rename(columns={**names, "label": f"{target}_outcome"})
