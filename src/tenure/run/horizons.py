"""Further horizons of a target: each is walked through the past and judged like the main one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from tenure.core.config import Config
from tenure.labels.splits import distinct_events
from tenure.labels.targets import TARGETS
from tenure.model.backtest.baselines import BASE_RATE
from tenure.model.backtest.walk_forward import walk_forward
from tenure.model.boosting.fit import FittedModel
from tenure.model.evaluation.evaluate import evaluate
from tenure.model.evaluation.verdict import judge, refusal
from tenure.model.settings import EvaluationSettings, FitSettings
from tenure.run.prepare import Prepared, Progress

FOLDS = 8
"""Latest prediction times that are replayed for a further horizon."""


@dataclass(frozen=True)
class FurtherHorizons:
    """What became of the further horizons of a target.

    Attributes:
        fitted: Horizon, as text → its model, where it is usable.
        metrics: Horizon → verdict, folds, distinct_events and, where it was replayed, the pooled
            figures and ``gain`` (over the base rate, in AUC and log loss); JSON-safe.
    """

    fitted: dict[str, FittedModel] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)


def further_horizons(
    name: str, prepared: Prepared, config: Config, progress: Progress
) -> FurtherHorizons:
    """Fit and measure the further horizons of a target; one without a claim is left out.

    Args:
        name: The target.
        prepared: The training set.
        config: Settings.
        progress: Called with a line for each step.
    """
    target, found = TARGETS[name], FurtherHorizons()
    settings = FitSettings.of(config, prepared.plan.ranked, target.outcome)
    settings = replace(settings, max_folds=min(settings.max_folds or FOLDS, FOLDS))
    for horizon, rows in prepared.ahead.get(name, {}).items():
        verdict = refusal(
            rows, min_events=config.model.min_events, event=target.event, events=target.events
        )
        measured: dict[str, Any] = {"distinct_events": distinct_events(rows), "folds": 0}
        if verdict is None:
            walk = walk_forward(
                prepared.matrix.values,
                rows,
                settings,
                since=prepared.matrix.since,
                progress=_prefixed(progress, f"{name}, horizon {horizon}"),
            )
            figures = evaluate(walk.predictions, walk.baselines, EvaluationSettings.of(config))
            verdict = judge(figures, walk.shortage)
            gain = figures["differences"].get(BASE_RATE, {})
            measured |= {"folds": len(walk.folds), "pooled": figures["pooled"], "gain": gain}
            if verdict.status == "usable":
                found.fitted[horizon] = walk.final
        found.metrics[horizon] = measured | {"verdict": verdict.to_json()}
    return found


def _prefixed(progress: Progress, prefix: str) -> Progress:
    return lambda line: progress(f"{prefix}: {line}")
