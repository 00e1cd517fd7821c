"""Walks of targets through the past: of an event, and of its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenure.core.config import Config
from tenure.core.progress import SILENT, Progress
from tenure.core.records.evaluation import Verdict
from tenure.core.sections import TuningConfig
from tenure.labels.splits import distinct_events, distinct_others
from tenure.labels.targets import TARGETS
from tenure.model.backtest.part_walk import part_walk, type_rows
from tenure.model.backtest.walk_forward import WalkForward, walk_forward
from tenure.model.evaluation.verdict import refusal
from tenure.model.settings import FitSettings
from tenure.run.prepare import Prepared

if TYPE_CHECKING:
    import pandas as pd

TYPE = "involuntary"
"""The type of an event that a model learns; what is not of it is of the other."""
FEWEST_TYPED = 10
"""Distinct outcomes of either type, below which their share is not learnt."""


def target_refusal(name: str, prepared: Prepared, config: Config) -> Verdict | None:
    """Return why no model of a target can be fitted, or None where one can."""
    target, fewest = TARGETS[name], config.model.min_events
    rows = prepared.labels[name]
    refused = refusal(rows, min_events=fewest, event=target.event, events=target.events)
    if refused is not None:
        first, *advice = refused.sentences
        shortfall = prepared.shortfall.get(name)
        sentences = (first, *([shortfall] if shortfall else advice))
        return refused.model_copy(update={"sentences": sentences})
    if target.whole is None:
        return None
    whole = TARGETS[target.whole]
    typed = type_rows(prepared.labels[whole.name], TYPE)
    types = min(distinct_events(typed), distinct_others(typed))
    if types >= FEWEST_TYPED:
        return None
    reason = (
        f"Refused: of the {whole.events} in the past that have a reason, fewer than {FEWEST_TYPED} "
        f"are not {target.events} ({types}): {target.event} cannot be told from {whole.event}."
    )
    return Verdict(status="refused", sentences=(reason, f"Use the target `{whole.name}`."))


def walk_target(
    name: str,
    prepared: Prepared,
    config: Config,
    progress: Progress = SILENT,
    whole: WalkForward | None = None,
) -> WalkForward:
    """Walk one target through the past, as the config fits it.

    Of a part, the labels of the target that it is a part of are prepared too; `whole` is that
    target's walk, if it was walked already.
    """
    target = TARGETS[name]
    if target.whole is not None:
        event = whole or walk_target(target.whole, prepared, config, progress)
        share = _walk_type(prepared.labels[target.whole], prepared, config, progress)
        return part_walk(event, share, prepared.labels[name], other=target.churn_type != TYPE)
    return walk_forward(
        prepared.matrix.values,
        prepared.labels[name],
        FitSettings.of(config, prepared.plan.ranked, target.outcome),
        since=prepared.matrix.since,
        early=prepared.early.get(name),
        progress=progress.within(name),
    )


def _walk_type(
    rows: pd.DataFrame, prepared: Prepared, config: Config, progress: Progress
) -> WalkForward:
    """Walk the type of an event through the past, among the rows that had it."""
    fewest = min(FEWEST_TYPED, config.model.min_train_positives)
    return walk_forward(
        prepared.matrix.values,
        type_rows(rows, TYPE),
        FitSettings.of(config, prepared.plan.ranked).with_model(
            tuning=TuningConfig(), min_train_positives=fewest
        ),
        since=prepared.matrix.since,
        progress=progress.within(f"share of {TYPE}"),
    )
