"""A target's section of the report, as plain texts and tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tenure.core.config import Config
from tenure.core.records.base import UNMEASURED
from tenure.core.records.evaluation import Evaluation, GroupMetrics, Metrics
from tenure.core.records.training import LabelSummary, TargetRecord
from tenure.report.sentences import accuracy, findings, practice
from tenure.report.sentences.formatting import (
    NONE,
    count,
    counted,
    day,
    joined,
    number,
    percent,
    plain,
    sentence,
    spread,
)
from tenure.report.sentences.names import DROPS, STATUSES, Metric, baseline, shown_metrics
from tenure.report.sentences.outcome import Outcome
from tenure.report.tables.horizons import horizon_table, horizon_words
from tenure.report.tables.layout import Cell, Table, figure_cell, pairs, table

GROUPS = {"mrr": "MRR", "tenure": "time as a customer"}


def target_view(outcome: Outcome, config: Config) -> dict[str, Any]:
    """Return what a target's section shows, by its name in the template."""
    from tenure.report.target_charts import target_charts

    target, top = outcome.target, findings.headline(outcome)
    return {
        "anchor": f"target-{outcome.name}",
        "title": outcome.title,
        "headline": top,
        "status": STATUSES[target.status],
        "question": findings.question(outcome, config.labels.threshold),
        "labelling": findings.labelling(outcome),
        "performance": [text for text in accuracy.performance(outcome) if text not in top.first],
        "rough": practice.rough(outcome) + accuracy.past_uses(target.used),
        "metrics": _metrics(outcome.evaluation),
        "contrast": practice.contrast(outcome.evaluation),
        "lists": practice.lists(outcome),
        "money": practice.money(outcome) + practice.amounts(outcome),
        "lead": practice.lead(outcome),
        "groups": group_table(outcome),
        "calibration": [
            *accuracy.calibration(outcome),
            accuracy.bounds(config.model.interval_level),
        ],
        "horizons": horizon_words(outcome),
        "horizon_table": horizon_table(outcome),
        "charts": target_charts(outcome),
        "drivers": _drivers(outcome),
        "dropped": _dropped(target.labels),
        "folds": _folds(outcome),
        "model": _model(target),
    }


def _metrics(evaluation: Evaluation) -> Table | None:
    pooled = evaluation.pooled
    if pooled.n is None:
        return None
    return table(
        f"Out-of-time figures over {counted(pooled.n, 'prediction')}, observed rate "
        f"{percent(pooled.observed_rate)}; in brackets the "
        f"{percent(evaluation.level)} interval over accounts",
        [metric for metric in shown_metrics(evaluation) if metric.of(pooled).value is not None],
        (
            "Measure",
            lambda item: Cell(item.name, f"{sentence(item.meaning)}. Better: {item.best}."),
        ),
        *metric_columns(evaluation),
    )


def metric_columns(evaluation: Evaluation) -> list[tuple[str, Callable[[Metric], Cell]]]:
    """Return the columns of a table of metrics: the model's, then each baseline's."""

    def column(metrics: Metrics) -> Callable[[Metric], Cell]:
        return lambda metric: Cell(
            metric.show(metric.of(metrics).value), metric.interval(metric.of(metrics))
        )

    others = findings.baselines(evaluation).items()
    sides = {"Model": evaluation.pooled} | {baseline(name): metrics for name, metrics in others}
    return [(f">{name}", column(metrics)) for name, metrics in sides.items()]


def group_table(outcome: Outcome) -> Table | None:
    """Return the figures of each group of accounts."""
    groups = outcome.evaluation.groups
    firsts = {group.by: group for group in reversed(groups)}

    def by(group: GroupMetrics) -> str:
        if group is not firsts[group.by]:
            return ""
        return sentence(GROUPS.get(group.by) or plain(group.by))

    return table(
        "Figures within groups. Too high by: the predicted rate minus the observed one; red where "
        "it is beyond chance, though among several groups one in twenty is so by chance alone. Log "
        "loss gain: how much smaller the penalty for wrong probabilities is than with the average "
        "rate for everyone; above 0 is better",
        groups,
        ("By", by),
        ("Group", lambda group: group.group),
        (">Predictions", lambda group: count(group.n)),
        (f">Distinct {outcome.events}", lambda group: count(group.events)),
        (">Predicted", lambda group: percent(group.mean_probability, 1)),
        (">Observed", lambda group: percent(group.observed_rate, 1)),
        (">Too high by (points)", _gap),
        (">AUC", lambda group: figure_cell(group.auc, 2)),
        (">Log loss gain", lambda group: figure_cell(group.log_loss_gain, 4)),
    )


def _gap(group: GroupMetrics) -> Cell:
    gap = group.calibration_gap
    if gap == UNMEASURED:
        return Cell(NONE, "fewer than 30 outcomes: no figures")
    return figure_cell(gap.times(100), 1, "bad" if gap.above or gap.below else "")


def _drivers(outcome: Outcome) -> Table | None:
    return table(
        "The strongest groups of features",
        enumerate(outcome.target.drivers[:10], 1),
        (">", lambda item: str(item[0])),
        ("What it is about", lambda item: Cell(item[1].label, item[1].features)),
        (">Share", lambda item: percent(item[1].share, 1)),
        ("Direction", lambda item: sentence(findings.association(item[1].association, outcome))),
        ("Kind", lambda item: "lever" if item[1].lever else "context"),
    )


def _dropped(labels: LabelSummary) -> Table | None:
    return table(
        "Snapshots without a label",
        [item for item in sorted(labels.dropped.items(), key=lambda pair: -pair[1]) if item[1]],
        (
            "Not labelled because",
            lambda item: Cell(sentence(plain(item[0])), DROPS.get(item[0], "")),
        ),
        (">Snapshots", lambda item: count(item[1])),
        (">Share", lambda item: percent(item[1] / labels.snapshots)),
    )


def _folds(outcome: Outcome) -> Table | None:
    measured = {metrics.as_of: metrics for metrics in outcome.evaluation.folds}
    return table(
        "Each replayed prediction time; what was trained on was known before it",
        [(fold, measured[fold.as_of]) for fold in outcome.target.folds],
        ("Prediction time", lambda item: day(item[0].as_of)),
        ("Booster fitted", lambda item: day(item[0].fitted_at)),
        (">Trained on rows", lambda item: count(item[0].train_rows)),
        (f">of them {outcome.events}", lambda item: count(item[0].train_positives)),
        ("Outcomes known until", lambda item: day(item[0].train_known_until)),
        (">Calibrated on rows", lambda item: count(item[0].calibrated_on)),
        (">Tested on rows", lambda item: count(item[0].test_rows)),
        (f">of them {outcome.events}", lambda item: count(item[0].test_positives)),
        (">Predicted", lambda item: percent(item[1].mean_probability)),
        (">Observed", lambda item: percent(item[1].observed_rate)),
        (">AUC", lambda item: spread(item[1].auc)),
        (">Lift at 10%", lambda item: number(item[1].lift_at_10.value, 1)),
    )


def _model(target: TargetRecord) -> Table | None:
    model = target.model
    if model is None:
        return None
    return pairs(
        {
            "Version": model.version,
            "Bundle": model.path,
            "Fitted on": f"{count(model.rows)} snapshots, {count(model.positives)} positive",
            "Outcomes known until": day(model.trained_until),
            "Features used": count(model.features),
            "Calibrator": model.calibrator["kind"],
            "Tuning": accuracy.tuning(target),
            "Parameters": joined(model.parameters),
        }
    )
