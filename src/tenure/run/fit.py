"""One target: refuse, or walk forward, measure, judge and explain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from tenure.core.config import Config
from tenure.core.progress import SILENT, Progress
from tenure.core.records.evaluation import AmountCheck, Contrast, Evaluation, Verdict
from tenure.core.records.training import (
    CutoffLabels,
    DriverSummary,
    FoldRow,
    LabelSummary,
    SearchRecord,
    TargetRecord,
)
from tenure.core.spec import Target
from tenure.core.times import show
from tenure.explain.drivers import summarise
from tenure.explain.peers import Peers, fit_peers
from tenure.labels.targets import TARGETS
from tenure.model.backtest.walk_forward import WalkForward, walk_forward
from tenure.model.boosting.fit import FittedModel
from tenure.model.evaluation.evaluate import evaluate
from tenure.model.evaluation.expected_amount import BY, Amounts, check_amounts, fit_amounts
from tenure.model.evaluation.other_splits import OtherSplits
from tenure.model.evaluation.prediction_detail import with_detail
from tenure.model.evaluation.verdict import judge, refusal
from tenure.model.settings import EvaluationSettings, FitSettings
from tenure.run.horizons import further_horizons
from tenure.run.prepare import Prepared

SUMMARY_ROWS = 4_000
PEER_GROUP = "segment"
RETENTION = "churn"
GROWTH = "expansion"


@dataclass(frozen=True)
class FittedTarget:
    """A fitted target.

    Attributes:
        walk: The walk through the past, and the final model.
        peers: Typical values of retained accounts.
        drivers: Output of `summarise` over the latest training rows.
        amounts: Expected amounts given the event, where they were learnt.
        further: Further horizon, as text → its model.
    """

    walk: WalkForward
    peers: Peers
    drivers: pd.DataFrame
    amounts: Amounts | None = None
    further: Mapping[str, FittedModel] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """Feature columns that the models of all horizons read."""
        models = (self.walk.final, *self.further.values())
        return tuple(dict.fromkeys(name for model in models for name in model.encoder.columns))


@dataclass(frozen=True)
class TargetResult:
    """A target that was refused, or fitted and measured.

    Attributes:
        target: What is predicted.
        rows: All snapshots with their labels, in the matrix's order.
        verdict: What may be claimed of the model.
        evaluation: The backtest, measured; empty where refused.
        fit: What was fitted; None where refused.
    """

    target: Target
    rows: pd.DataFrame
    verdict: Verdict
    evaluation: Evaluation = field(default_factory=Evaluation)
    fit: FittedTarget | None = None


def fit_target(
    name: str, prepared: Prepared, config: Config, progress: Progress = SILENT
) -> TargetResult:
    """Fit and measure one target, or say why it is refused."""
    target = TARGETS[name]
    rows = prepared.labels[name]
    refused = target_refusal(name, prepared, config)
    if refused is not None:
        return TargetResult(target, rows, refused)
    walk = walk_target(name, prepared, config, progress)
    stages = progress.within(name)
    stages.stage("measuring")
    measured = _measured(target, walk, prepared, config)
    further: dict[str, Any] = {}
    if config.evaluation.contrast:
        stages.stage("what other ways of testing would have said")
        further["contrast"] = Contrast.from_json(_contrast(name, walk, prepared, config))
    ahead = further_horizons(name, prepared, config, progress)
    further["horizons"] = ahead.metrics
    stages.stage("what moves the scores")
    fit = replace(_explained(name, walk, prepared), further=ahead.fitted)
    if fit.amounts is not None:
        further["amount"] = _amounts_checked(walk, rows, prepared, config)
    evaluation = measured.model_copy(update=further)
    return TargetResult(target, rows, judge(evaluation, walk.shortage), evaluation, fit)


def target_refusal(name: str, prepared: Prepared, config: Config) -> Verdict | None:
    """Return why no model of a target can be fitted, or None where one can."""
    target, fewest = TARGETS[name], config.model.min_events
    rows = prepared.labels[name]
    return refusal(rows, min_events=fewest, event=target.event, events=target.events)


def walk_target(name: str, prepared: Prepared, config: Config, progress: Progress) -> WalkForward:
    """Walk one target through the past, as the config fits it."""
    return walk_forward(
        prepared.matrix.values,
        prepared.labels[name],
        FitSettings.of(config, prepared.plan.ranked, TARGETS[name].outcome),
        since=prepared.matrix.since,
        early=prepared.early.get(name),
        progress=progress.within(name),
    )


def _measured(target: Target, walk: WalkForward, prepared: Prepared, config: Config) -> Evaluation:
    """Measure the walk's predictions, with what their rows say of money, time and groups."""
    detailed = with_detail(
        walk.predictions,
        prepared.labels[target.name],
        prepared.matrix.values,
        config.evaluation.groups,
        change=target.outcome == "change",
    )
    settings = EvaluationSettings.of(
        config, profit=target.outcome == "churn", lowest=target.outcome == "renewal"
    )
    return evaluate(detailed, walk.baselines, settings)


def _contrast(name: str, walk: WalkForward, prepared: Prepared, config: Config) -> dict[str, Any]:
    """Measure the same recipe on accounts never seen and on rows split at random."""
    settings = FitSettings.of(config, prepared.plan.ranked)
    matrix = prepared.matrix
    compared = OtherSplits(matrix.values, prepared.labels[name], walk, settings, matrix.since)
    return compared.measure(EvaluationSettings.of(config))


def _amounts_checked(
    walk: WalkForward, rows: pd.DataFrame, prepared: Prepared, config: Config
) -> AmountCheck | None:
    """Compare the expected amounts of the walk's predictions with what came of them."""
    if walk.predictions.empty:
        return None
    settings = config.evaluation
    check = check_amounts(
        walk.predictions,
        rows,
        prepared.matrix.values,
        resamples=settings.bootstrap,
        level=settings.level,
        seed=config.model.seed,
    )
    return AmountCheck.from_json(check) if check else None


def _explained(name: str, walk: WalkForward, prepared: Prepared) -> FittedTarget:
    """Fit the peers and summarise the drivers on the training rows of the final model."""
    used = walk.final.encoder.frame(prepared.matrix.values)
    left = prepared.labels.get(RETENTION, prepared.labels[name])["label"]
    if RETENTION not in prepared.labels and TARGETS[name].outcome == "renewal":
        left = 1 - left
    gone = left.to_numpy(dtype=np.float64)[walk.train]
    peers = fit_peers(used.iloc[walk.train], gone, PEER_GROUP)
    recent = used.iloc[np.sort(walk.train)].tail(SUMMARY_ROWS)
    drivers = summarise(walk.final.contributions(recent)[:, :-1], recent, prepared.matrix.specs)
    amounts = None
    if name == GROWTH:
        known = [column for column in BY if column in used]
        rows = prepared.labels[name].iloc[walk.train]
        amounts = fit_amounts(rows, used.iloc[walk.train], by=known)
    return FittedTarget(walk, peers, drivers, amounts)


def target_record(result: TargetResult, config: Config) -> TargetRecord:
    """Return what became of a target; its model is not exported yet, so the status is refused."""
    target, fit = result.target, result.fit
    return TargetRecord(
        event=target.event,
        events=target.events,
        bad=target.bad,
        horizon_days=config.labels.horizon_days,
        gap_days=config.labels.gap_days,
        status="refused",
        verdict=result.verdict,
        labels=label_summary(result.rows),
        evaluation=result.evaluation,
        folds=_folds(fit) if fit else (),
        tuning=tuple(map(SearchRecord.from_json, fit.walk.tuned)) if fit else (),
        drivers=_drivers(fit) if fit else (),
    )


def _folds(fit: FittedTarget) -> tuple[FoldRow, ...]:
    return tuple(FoldRow.from_json(fold) for fold in fit.walk.folds.to_dict(orient="records"))


def _drivers(fit: FittedTarget) -> tuple[DriverSummary, ...]:
    drivers = fit.drivers.astype(object)
    rows = drivers.where(drivers.notna(), None).to_dict(orient="records")
    return tuple(map(DriverSummary.from_json, rows))


def label_summary(rows: pd.DataFrame) -> LabelSummary:
    """Return counts of snapshots, labels and outcomes, over all and by prediction time."""
    known = rows[rows["label"].notna()]
    dropped = rows.loc[rows["label"].isna(), "drop_reason"].value_counts().sort_index()
    by_cutoff = rows.groupby("as_of", sort=True)["label"].agg(["size", "count", "sum"])
    positives = known[known["label"] == 1]
    return LabelSummary(
        snapshots=len(rows),
        labelled=len(known),
        positives=len(positives),
        distinct_events=int(positives["outcome_id"].nunique()),
        base_rate=float(known["label"].mean()) if len(known) else None,
        dropped={str(reason): int(count) for reason, count in dropped.items()},
        by_cutoff=tuple(
            CutoffLabels(
                as_of=show(pd.Timestamp(str(moment)).to_pydatetime()),
                snapshots=int(counts["size"]),
                labelled=int(counts["count"]),
                positives=int(counts["sum"]),
            )
            for moment, counts in by_cutoff.iterrows()
        ),
    )
