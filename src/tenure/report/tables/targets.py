"""A target's section of the report, as plain texts and tables."""

from __future__ import annotations

from dataclasses import dataclass

from tenure.core.config import Config
from tenure.core.records.evaluation import Evaluation
from tenure.core.records.training import LabelSummary, TargetRecord
from tenure.report.sentences import accuracy, findings, practice
from tenure.report.sentences.formatting import (
    count,
    counted,
    day,
    number,
    percent,
    plain,
    sentence,
    spread,
)
from tenure.report.sentences.names import DROPS, STATUSES, baseline
from tenure.report.sentences.outcome import Outcome
from tenure.report.sentences.ranking import shown_metrics
from tenure.report.tables.groups import group_table
from tenure.report.tables.horizons import horizon_table, horizon_words
from tenure.report.tables.layout import Cell, Table, joined, pairs, table, whole
from tenure.report.target_charts import Chart, target_charts


@dataclass(frozen=True)
class TargetView:
    """One target's section."""

    anchor: str
    title: str
    headline: findings.Headline
    status: str
    question: str
    labelling: str
    performance: list[str]
    rough: list[str]
    metrics: Table | None
    contrast: list[str]
    lists: list[str]
    money: list[str]
    lead: list[str]
    groups: Table | None
    calibration: list[str]
    horizons: list[str]
    horizon_table: Table | None
    charts: dict[str, Chart]
    drivers: Table | None
    dropped: Table | None
    folds: Table | None
    model: Table | None


def target_view(name: str, target: TargetRecord, config: Config) -> TargetView:
    """Lay out one target's part of a training record."""
    outcome, evaluation = Outcome.of(name, target), target.evaluation
    top = findings.headline(outcome, target)
    calibration = accuracy.calibration(outcome, target)
    return TargetView(
        anchor=f"target-{name}",
        title=outcome.title,
        headline=top,
        status=STATUSES[target.status],
        question=findings.question(outcome, config.labels.threshold),
        labelling=findings.labelling(outcome, target),
        performance=[
            text for text in accuracy.performance(outcome, target) if text not in top.first
        ],
        rough=practice.rough(outcome, target),
        metrics=_metrics(evaluation),
        contrast=practice.contrast(evaluation),
        lists=practice.lists(outcome, target),
        money=practice.money(outcome, target) + practice.amounts(outcome, target),
        lead=practice.lead(outcome, target),
        groups=group_table(outcome, evaluation),
        calibration=[*calibration, accuracy.bounds(outcome, config.model.interval_level)],
        horizons=horizon_words(outcome, evaluation),
        horizon_table=horizon_table(outcome, target),
        charts=target_charts(outcome, target),
        drivers=_drivers(outcome, target),
        dropped=_dropped(target.labels),
        folds=_folds(outcome, target),
        model=_model(target),
    )


def _metrics(evaluation: Evaluation) -> Table | None:
    pooled = evaluation.pooled
    if pooled.n is None:
        return None
    baselines = findings.baselines(evaluation)
    rows = [
        (
            Cell(metric.name, f"{sentence(metric.meaning)}. Better: {metric.best}."),
            *(
                Cell(metric.show(figure.value), metric.interval(figure), numeric=True)
                for figure in map(metric.of, (pooled, *baselines.values()))
            ),
        )
        for metric in shown_metrics(evaluation)
        if metric.of(pooled).value is not None
    ]
    caption = (
        f"Out-of-time figures over {counted(pooled.n, 'prediction')}, observed rate "
        f"{percent(pooled.observed_rate)}; in brackets the "
        f"{percent(evaluation.level)} interval over accounts"
    )
    names = ("Model", *map(baseline, baselines))
    return table(caption, ("Measure", *names), rows, numeric=range(1, len(names) + 1))


def _drivers(outcome: Outcome, target: TargetRecord) -> Table | None:
    rows = [
        (
            Cell(str(place), numeric=True),
            Cell(row.label, row.features),
            Cell(percent(row.share, 1), numeric=True),
            Cell(sentence(findings.association(row.association, outcome))),
            Cell("lever" if row.lever else "context"),
        )
        for place, row in enumerate(target.drivers[:10], 1)
    ]
    columns = ("", "What it is about", "Share", "Direction", "Kind")
    return table("The strongest groups of features", columns, rows, numeric=(0, 2))


def _dropped(labels: LabelSummary) -> Table | None:
    rows = [
        (
            Cell(sentence(plain(reason)), DROPS.get(reason, "")),
            whole(snapshots),
            Cell(percent(snapshots / labels.snapshots), numeric=True),
        )
        for reason, snapshots in sorted(labels.dropped.items(), key=lambda pair: -pair[1])
        if snapshots
    ]
    columns = ("Not labelled because", "Snapshots", "Share")
    return table("Snapshots without a label", columns, rows, numeric=(1, 2))


def _folds(outcome: Outcome, target: TargetRecord) -> Table | None:
    measured = {metrics.as_of: metrics for metrics in target.evaluation.folds}
    rows = [
        (
            Cell(day(fold.as_of)),
            whole(fold.train_rows),
            whole(fold.train_positives),
            Cell(day(fold.train_known_until)),
            whole(fold.calibrated_on),
            whole(fold.test_rows),
            whole(fold.test_positives),
            Cell(percent(measured[fold.as_of].mean_probability), numeric=True),
            Cell(percent(measured[fold.as_of].observed_rate), numeric=True),
            Cell(spread(measured[fold.as_of].auc), numeric=True),
            Cell(number(measured[fold.as_of].lift_at_10.value, 1), numeric=True),
        )
        for fold in target.folds
    ]
    columns = (
        "Prediction time",
        "Trained on rows",
        f"of them {outcome.events}",
        "Outcomes known until",
        "Calibrated on rows",
        "Tested on rows",
        f"of them {outcome.events}",
        "Predicted",
        "Observed",
        "AUC",
        "Lift at 10%",
    )
    caption = "Each replayed prediction time; what was trained on was known before it"
    return table(caption, columns, rows, numeric=(1, 2, 4, 5, 6, 7, 8, 9, 10))


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
