"""Further horizons of a target: each is walked through the past and judged like the main one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from tenure.core.config import Config
from tenure.core.progress import Progress
from tenure.core.records.evaluation import Gains, Horizon
from tenure.labels.splits import distinct_events
from tenure.labels.targets import TARGETS
from tenure.labels.windows import EARLY_DAYS
from tenure.model.backtest.baselines import BASE_RATE
from tenure.model.backtest.walk_forward import walk_forward
from tenure.model.boosting.fit import FittedModel
from tenure.model.evaluation.evaluate import evaluate
from tenure.model.evaluation.verdict import judge, refusal
from tenure.model.settings import EvaluationSettings, FitSettings
from tenure.run.prepare import Prepared

FOLDS = 8
"""Latest prediction times that are replayed for a further horizon."""


@dataclass(frozen=True)
class FurtherHorizons:
    """What became of the further horizons of a target.

    Attributes:
        fitted: Horizon, as text → its model, where it is usable.
        metrics: Horizon, as text → how it did, and its verdict.
    """

    fitted: dict[str, FittedModel] = field(default_factory=dict)
    metrics: dict[str, Horizon] = field(default_factory=dict)


def further_horizons(
    name: str, prepared: Prepared, config: Config, progress: Progress
) -> FurtherHorizons:
    """Fit and measure the further horizons of a target; one without a claim is left out.

    Args:
        name: The target.
        prepared: The training set.
        config: Settings.
        progress: Told of each stage.
    """
    target, further = TARGETS[name], FurtherHorizons()
    settings = FitSettings.of(config, prepared.plan.ranked, target.outcome)
    settings = replace(settings, max_folds=min(settings.max_folds or FOLDS, FOLDS))
    for horizon, rows in prepared.ahead.get(name, {}).items():
        verdict = refusal(
            rows, min_events=config.model.min_events, event=target.event, events=target.events
        )
        measured: dict[str, Any] = {"folds": 0}
        if verdict is None:
            days = int(rows["horizon_days"].median())
            stages = progress.within(f"{name}, horizon {horizon}")
            walk = walk_forward(
                prepared.matrix.values,
                rows,
                replace(settings, horizon_days=days),
                since=prepared.matrix.since,
                early=prepared.early.get(name) if days > EARLY_DAYS else None,
                progress=stages,
            )
            stages.stage("measuring")
            measuring = replace(EvaluationSettings.of(config), horizon_days=days)
            evaluation = evaluate(walk.predictions, walk.baselines, measuring)
            verdict = judge(evaluation, walk.shortage)
            measured = {
                "folds": len(walk.folds),
                "pooled": evaluation.pooled,
                "gain": evaluation.differences.get(BASE_RATE, Gains()),
            }
            if verdict.status == "usable":
                further.fitted[horizon] = walk.final
        further.metrics[horizon] = Horizon(
            distinct_events=distinct_events(rows), verdict=verdict, **measured
        )
    return further
