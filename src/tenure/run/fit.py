"""One target: refuse, or walk forward, measure, judge and explain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from tenure.core.config import Config
from tenure.core.flat_row import GROWTH, MAIN
from tenure.core.progress import SILENT, Progress
from tenure.core.records.evaluation import AmountCheck, Contrast, Evaluation, Verdict
from tenure.core.records.shape import DirectionRecord, LifetimeRecord
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
from tenure.explain.outcomes import OutcomeShares, fit_outcomes
from tenure.explain.peers import Peers, fit_peers
from tenure.explain.portfolio import fit_effects
from tenure.explain.stability import ROWS, Stability, fit_stability
from tenure.explain.summary import summarise
from tenure.labels.targets import TARGETS
from tenure.model.backtest.walk_forward import WalkForward
from tenure.model.boosting.part import ScoringModel
from tenure.model.evaluation.evaluate import evaluate
from tenure.model.evaluation.expected_amount import BY, Amounts, check_amounts, fit_amounts
from tenure.model.evaluation.other_splits import OtherSplits
from tenure.model.evaluation.prediction_detail import with_detail
from tenure.model.evaluation.verdict import judge
from tenure.model.settings import EvaluationSettings, FitSettings
from tenure.run.horizons import FurtherHorizons, further_horizons
from tenure.run.prepare import Prepared
from tenure.run.shape import learnt_directions, shape_of
from tenure.run.walk import target_refusal, walk_target

SUMMARY_ROWS = 4_000


@dataclass(frozen=True)
class FittedTarget:
    """A fitted target."""

    walk: WalkForward
    """The walk through the past, and the final model."""
    peers: Peers
    """Typical values of retained accounts."""
    outcomes: OutcomeShares
    """What became of accounts, by value of each feature."""
    drivers: pd.DataFrame
    """Output of `summarise` over the latest training rows."""
    stability: Stability = field(default_factory=dict)
    """How often drivers stay the strongest on resampled accounts."""
    effects: Mapping[str, Any] = field(default_factory=dict)
    """Signal → how it moves scores, by the value of its leading feature."""
    amounts: Mapping[str, Amounts] = field(default_factory=dict)
    """Horizon, as text → expected amounts given the event, where they were learnt."""
    ahead: FurtherHorizons = field(default_factory=FurtherHorizons)
    """What became of the further horizons."""
    directions: DirectionRecord | None = None
    """Drivers against their declared direction; None of changes of revenue."""

    @property
    def further(self) -> Mapping[str, ScoringModel]:
        """Further horizon, as text → its model, where it is usable."""
        return self.ahead.fitted

    @property
    def columns(self) -> tuple[str, ...]:
        """Feature columns that the models of all horizons read."""
        models = (self.walk.final, *self.further.values())
        return tuple(dict.fromkeys(name for model in models for name in model.columns))


@dataclass(frozen=True)
class TargetResult:
    """A target that was refused, or fitted and measured."""

    target: Target
    """What is predicted."""
    rows: pd.DataFrame
    """All snapshots with their labels, in the matrix's order."""
    verdict: Verdict
    """What may be claimed of the model."""
    evaluation: Evaluation = field(default_factory=Evaluation)
    """The backtest, measured; empty where refused."""
    fit: FittedTarget | None = None
    """What was fitted; None where refused."""


def fit_targets(
    prepared: Prepared, config: Config, progress: Progress = SILENT
) -> Iterator[TargetResult]:
    """Yield every target of a config, fitted and measured, or refused; a whole before its parts."""
    results: dict[str, TargetResult] = {}
    for name in sorted(config.targets, key=lambda name: TARGETS[name].whole is not None):
        whole = results.get(TARGETS[name].whole or "")
        results[name] = fit_target(name, prepared, config, progress, whole=whole)
        yield results[name]


def fit_target(
    name: str,
    prepared: Prepared,
    config: Config,
    progress: Progress = SILENT,
    *,
    whole: TargetResult | None = None,
) -> TargetResult:
    """Fit and measure one target, or say why it is refused.

    `whole` is the target that this one is a part of, if so.
    """
    target = TARGETS[name]
    rows = prepared.labels[name]
    refused = target_refusal(name, prepared, config)
    if refused is not None:
        return TargetResult(target, rows, refused)
    event = whole.fit if whole else None
    walk = walk_target(name, prepared, config, progress, event.walk if event else None)
    stages = progress.within(name)
    stages.stage("measuring")
    measured = _measured(target, walk, prepared, config)
    further: dict[str, Any] = {}
    if config.evaluation.contrast and target.whole is None:
        stages.stage("what other ways of testing would have said")
        further["contrast"] = Contrast.from_json(_contrast(name, walk, prepared, config))
    ahead = further_horizons(
        name, prepared, config, progress, (walk, event.ahead if event else None)
    )
    further["horizons"] = ahead.metrics
    stages.stage("what moves the scores")
    fit = replace(_explained(name, walk, prepared, config), ahead=ahead)
    main = str(config.labels.horizon_days)
    if name == GROWTH:
        fit = replace(fit, amounts=_amounts(name, {main: walk, **ahead.walks}, prepared))
    if main in fit.amounts:
        further["amount"] = _amounts_checked(walk, rows, prepared, config)
    evaluation = measured.model_copy(update=further)
    return TargetResult(target, rows, judge(evaluation, walk.shortage), evaluation, fit)


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


def _explained(name: str, walk: WalkForward, prepared: Prepared, config: Config) -> FittedTarget:
    """Fit the peers and summarise the drivers on the training rows of the final model."""
    used = walk.final.encoder.frame(prepared.matrix.values)
    left = prepared.labels.get(MAIN, prepared.labels[name])["label"]
    if MAIN not in prepared.labels and TARGETS[name].outcome == "renewal":
        left = 1 - left
    gone = left.to_numpy(dtype=np.float64)[walk.train]
    peers = fit_peers(used.iloc[walk.train], gone)
    label = prepared.labels[name]["label"].to_numpy(dtype=np.float64)[walk.train]
    outcomes = fit_outcomes(used.iloc[walk.train], label, config.labels.horizon_days)
    recent = used.iloc[np.sort(walk.train)].tail(SUMMARY_ROWS)
    moved = walk.final.contributions(recent)[:, :-1]
    drivers = summarise(moved, recent, prepared.matrix.specs)
    learnt, rows = used.iloc[walk.train], prepared.labels[name].iloc[walk.train]
    directions = learnt_directions(name, moved, recent, learnt, rows, prepared.plan)
    return FittedTarget(
        walk,
        peers,
        outcomes,
        drivers,
        stability=fit_stability(walk.final, recent.tail(ROWS), prepared.matrix.specs),
        effects=fit_effects(moved, recent, prepared.matrix.specs),
        directions=directions,
    )


def _amounts(name: str, walks: Mapping[str, WalkForward], prepared: Prepared) -> dict[str, Amounts]:
    """Return horizon → expected amounts given the event, where the past holds enough events."""
    amounts: dict[str, Amounts] = {}
    for horizon, walk in walks.items():
        rows = prepared.ahead.get(name, {}).get(horizon, prepared.labels[name]).iloc[walk.train]
        values = walk.final.encoder.frame(prepared.matrix.values.iloc[walk.train])
        fitted = fit_amounts(rows, values, by=[column for column in BY if column in values])
        if fitted is not None:
            amounts[horizon] = fitted
    return amounts


def target_record(
    result: TargetResult, config: Config, lifetimes: Sequence[LifetimeRecord] = ()
) -> TargetRecord:
    """Return what became of a target; its model is not exported yet, so the status is refused.

    `lifetimes` are tables whose rows look made for whole lives, where they stop nothing.
    """
    target, fit, shape = result.target, result.fit, None
    if fit is not None:
        forward = fit.walk.predictions
        shape = shape_of(forward, result.evaluation, config, fit.directions, lifetimes)
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
        folds=tuple(map(FoldRow.from_json, fit.walk.folds.to_dict("records"))) if fit else (),
        tuning=tuple(map(SearchRecord.from_json, fit.walk.tuned)) if fit else (),
        drivers=_drivers(fit) if fit else (),
        shape=shape,
    )


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
