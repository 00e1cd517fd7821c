"""Explanations of a whole book, for notebooks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenure.core.errors import ModelError, Problem, suggestion
from tenure.core.progress import SILENT, Progress
from tenure.run.prepare import loaded
from tenure.score.score import load_models, score

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from tenure.core.config import Config
    from tenure.explain.contributions import Explanation


@dataclass(frozen=True)
class Explanations:
    """Why the accounts of a book have their scores.

    Attributes:
        scores: One flat row per account, as `tenure score` writes them.
        summary: What moves the scores of the book, strongest first (see `summarise`).
        shap: The same contributions, in log-odds, as a `shap.Explanation`.
    """

    scores: pd.DataFrame
    summary: pd.DataFrame
    shap: Explanation


def run_explanations(
    config: Config,
    target: str = "churn",
    as_of: datetime | None = None,
    progress: Progress = SILENT,
) -> Explanations:
    """Explain the champion's scores of every account.

    Args:
        config: Settings.
        target: Whose champion.
        as_of: Prediction time; when observation stopped by default.
        progress: Told of each stage.

    Raises:
        ModelError: If the target has no champion.
    """
    models = load_models(config)
    if target not in models:
        raise ModelError(
            Problem(f"target `{target}`", "has no champion", fix=suggestion(target, models))
        )
    with loaded(config, progress) as dataset:
        moment = as_of or dataset.observed_until
        scored = score(dataset, models, config, moment, progress=progress)
    return Explanations(scored.rows, scored.summary(target), scored.shap(target))
