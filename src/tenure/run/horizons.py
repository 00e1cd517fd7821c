"""Further horizons of a target: each is walked through the past and judged like the main one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tenure.core.config import Config
from tenure.core.progress import Progress
from tenure.core.records.evaluation import Gains, Horizon, Verdict
from tenure.core.spec import Target
from tenure.labels.splits import distinct_events
from tenure.labels.targets import TARGETS
from tenure.labels.windows import EARLY_DAYS
from tenure.model.backtest.baselines import BASE_RATE
from tenure.model.backtest.part_walk import part_walk
from tenure.model.backtest.walk_forward import WalkForward, walk_forward
from tenure.model.boosting.part import PartModel, ScoringModel
from tenure.model.evaluation.evaluate import evaluate
from tenure.model.evaluation.verdict import judge, refusal
from tenure.model.settings import EvaluationSettings, FitSettings
from tenure.run.prepare import Prepared

if TYPE_CHECKING:
    import pandas as pd

FOLDS = 8
"""Latest prediction times that are replayed for a further horizon."""


@dataclass(frozen=True)
class FurtherHorizons:
    """What became of the further horizons of a target."""

    fitted: dict[str, ScoringModel] = field(default_factory=dict)
    """Horizon, as text → its model, where it is usable and adds to the best column."""
    metrics: dict[str, Horizon] = field(default_factory=dict)
    """Horizon, as text → how it did, and its verdict."""
    walks: dict[str, WalkForward] = field(default_factory=dict, repr=False)
    """Horizon, as text → its walk."""


def further_horizons(
    name: str,
    prepared: Prepared,
    config: Config,
    progress: Progress,
    near: tuple[WalkForward, FurtherHorizons | None],
) -> FurtherHorizons:
    """Fit and measure the further horizons of a target; one without a claim is left out.

    `near` is the walk of the main horizon and, for a part of an event, what became of the further
    horizons of the event.
    """
    target, further = TARGETS[name], FurtherHorizons()
    for horizon, rows in prepared.ahead.get(name, {}).items():
        verdict = refusal(
            rows, min_events=config.model.min_events, event=target.event, events=target.events
        )
        stages, walk = progress.within(f"{name}, horizon {horizon}"), None
        if verdict is None:
            walk = _walk(name, horizon, prepared, config, stages, near)
        measured: dict[str, Any] = {"folds": 0}
        if walk is not None:
            further.walks[horizon] = walk
            stages.stage("measuring")
            measuring = replace(EvaluationSettings.of(config), horizon_days=_days(rows))
            evaluation = evaluate(walk.predictions, walk.baselines, measuring)
            verdict = judge(evaluation, walk.shortage)
            measured = {
                "folds": len(walk.folds),
                "pooled": evaluation.pooled,
                "gain": evaluation.differences.get(BASE_RATE, Gains()),
            }
            if verdict.promotable:
                further.fitted[horizon] = walk.final
        further.metrics[horizon] = Horizon(
            distinct_events=distinct_events(rows),
            verdict=verdict or _without(target),
            **measured,
        )
    return further


def _walk(
    name: str,
    horizon: str,
    prepared: Prepared,
    config: Config,
    stages: Progress,
    near: tuple[WalkForward, FurtherHorizons | None],
) -> WalkForward | None:
    """Walk a target through the past under a further horizon; None where its event has no walk."""
    target, rows, (main, event) = TARGETS[name], prepared.ahead[name][horizon], near
    if main.share is not None:
        walk = event and event.walks.get(horizon)
        other = isinstance(main.final, PartModel) and main.final.other
        return part_walk(walk, main.share, rows, other=other) if walk else None
    settings = FitSettings.of(config, prepared.plan.ranked, target.outcome)
    most, days = min(settings.max_folds or FOLDS, FOLDS), _days(rows)
    return walk_forward(
        prepared.matrix.values,
        rows,
        replace(settings, max_folds=most, horizon_days=days),
        since=prepared.matrix.since,
        early=prepared.early.get(name) if days > EARLY_DAYS else None,
        progress=stages,
    )


def _days(rows: pd.DataFrame) -> int:
    return int(rows["horizon_days"].median())


def _without(target: Target) -> Verdict:
    """Return the verdict on a part whose event has no model under a horizon."""
    sentence = f"Refused: {target.whole} has no model under this horizon."
    return Verdict(status="refused", sentences=(sentence,))
