"""Leaks of shape in a training run: what the backtest and the model look like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tenure.audit.directions import against_declared, declared
from tenure.audit.skill import skill
from tenure.core.arrays import Floats
from tenure.core.config import Config
from tenure.core.records.base import UNMEASURED
from tenure.core.records.shape import DirectionRecord, LifetimeRecord, ShapeRecord
from tenure.labels.targets import TARGETS

if TYPE_CHECKING:
    import pandas as pd

    from tenure.core.records.evaluation import Evaluation
    from tenure.features.plan.plan import Plan


def learnt_directions(
    name: str,
    moved: Floats,
    recent: pd.DataFrame,
    learnt: pd.DataFrame,
    rows: pd.DataFrame,
    plan: Plan,
) -> DirectionRecord | None:
    """Return which drivers contradict their declared direction.

    Args:
        name: Target; of changes of revenue nothing is declared.
        moved: Contributions, shape (n, p).
        recent: The rows that these are of, shape (n, p).
        learnt: The model's features of all rows that it learnt from.
        rows: account_id and label of these.
        plan: Declares the directions.
    """
    outcome = TARGETS[name].outcome
    if outcome == "change":
        return None
    left = rows[["account_id", "label"]]
    if outcome == "renewal":
        moved, left = -moved, left.assign(label=1 - left["label"])
    return against_declared(moved, recent, learnt, left, declared(plan))


def shape_of(
    predictions: pd.DataFrame,
    evaluation: Evaluation,
    config: Config,
    directions: DirectionRecord | None,
    lifetimes: Sequence[LifetimeRecord],
) -> ShapeRecord:
    """Return what the shape of a backtest says of leaks.

    The predictions are empty where the walk is too short; `lifetimes` are tables whose rows look
    made for whole lives, as far as they did not stop the run.
    """
    over_time = evaluation.over_time
    trend = over_time.gap_trend if over_time else UNMEASURED
    days, seed = config.labels.horizon_days, config.model.seed
    return ShapeRecord(
        lifetimes=tuple(lifetimes),
        skill=None if predictions.empty else skill(predictions, trend, days, seed),
        directions=directions,
    )
