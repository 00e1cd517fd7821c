"""A target's section of the report, as plain texts and tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tenure.report.figures import Figure, target_figures
from tenure.report.sentences import accuracy, findings, practice
from tenure.report.sentences.list_end import metrics_of
from tenure.report.sentences.words import (
    DROPS,
    STATUSES,
    Metric,
    Outcome,
    baseline,
    count,
    counted,
    day,
    number,
    percent,
    plain,
    sentence,
    spread,
)
from tenure.report.tables.groups import group_table
from tenure.report.tables.horizons import horizon_table, horizon_words
from tenure.report.tables.layout import Cell, Entry, Table, joined, pairs, table, whole


@dataclass(frozen=True)
class TargetView:
    """One target's section."""

    anchor: str
    title: str
    headline: findings.Headline
    status: str
    question: str
    asked: str
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
    figures: dict[str, Figure]
    drivers: Table | None
    dropped: Table | None
    folds: Table | None
    model: Table | None


def target_view(name: str, entry: Entry, config: Entry) -> TargetView:
    """Lay out one target's part of a training record."""
    outcome = Outcome.of(name, entry)
    top = findings.headline(outcome, entry)
    return TargetView(
        anchor=f"target-{name}",
        title=outcome.title,
        headline=top,
        status=STATUSES.get(str(entry.get("status")), ""),
        question=findings.question(outcome, config),
        asked=findings.asked(outcome, entry),
        performance=[
            text for text in accuracy.performance(outcome, entry) if text not in top.first
        ],
        rough=practice.rough(outcome, entry),
        metrics=_metrics(entry),
        contrast=practice.contrast(entry),
        lists=practice.lists(outcome, entry),
        money=practice.money(outcome, entry) + practice.amounts(outcome, entry),
        lead=practice.lead(outcome, entry),
        groups=group_table(outcome, entry),
        calibration=accuracy.calibration(outcome, entry) + accuracy.bounds(outcome, config),
        horizons=horizon_words(outcome, entry),
        horizon_table=horizon_table(outcome, entry),
        figures=target_figures(outcome, entry),
        drivers=_drivers(outcome, entry),
        dropped=_dropped(entry),
        folds=_folds(outcome, entry),
        model=_model(entry),
    )


def _metrics(entry: Entry) -> Table | None:
    model = findings.pooled(entry)
    if not model:
        return None
    others = findings.by_baseline(entry, "baselines")
    names = ("Model", *(baseline(name) for name in others))
    figures = (model, *others.values())
    rows = [
        (
            Cell(metric.name, f"{sentence(metric.meaning)}. Better: {metric.best}."),
            *(_figure(metric, found.get(metric.key)) for found in figures),
        )
        for metric in metrics_of(entry)
        if model.get(metric.key)
    ]
    caption = (
        f"Out-of-time figures over {counted(model.get('n') or 0, 'prediction')}, observed rate "
        f"{percent(model.get('observed_rate'))}; in brackets the "
        f"{percent((entry.get('evaluation') or {}).get('level', 0.95))} interval over accounts"
    )
    return table(caption, ("Measure", *names), rows, numeric=range(1, len(names) + 1))


def _figure(metric: Metric, found: Any) -> Cell:
    value = found.get("value") if isinstance(found, Mapping) else found
    return Cell(metric.say(value), metric.interval(found), numeric=True)


def _drivers(outcome: Outcome, entry: Entry) -> Table | None:
    rows = [
        (
            Cell(str(place), numeric=True),
            Cell(str(row.get("label")), str(row.get("features") or "")),
            Cell(percent(row.get("share"), 1), numeric=True),
            Cell(sentence(findings.association(row.get("association"), outcome))),
            Cell("lever" if row.get("lever") else "context"),
        )
        for place, row in enumerate((entry.get("drivers") or [])[:10], 1)
    ]
    columns = ("", "What it is about", "Share", "Direction", "Kind")
    return table("The strongest groups of features", columns, rows, numeric=(0, 2))


def _dropped(entry: Entry) -> Table | None:
    labels = entry.get("labels") or {}
    rows = [
        (
            Cell(sentence(plain(reason)), DROPS.get(reason, "")),
            Cell(count(found), numeric=True),
            Cell(percent(found / (labels.get("snapshots") or found)), numeric=True),
        )
        for reason, found in sorted((labels.get("dropped") or {}).items(), key=lambda x: -x[1])
        if found
    ]
    columns = ("Not labelled because", "Snapshots", "Share")
    return table("Snapshots without a label", columns, rows, numeric=(1, 2))


def _folds(outcome: Outcome, entry: Entry) -> Table | None:
    measured = {
        day(fold.get("as_of")): fold for fold in (entry.get("evaluation") or {}).get("folds") or []
    }
    rows = []
    for fold in entry.get("folds") or []:
        found = measured.get(day(fold.get("as_of")), {})
        rows.append(
            (
                Cell(day(fold.get("as_of"))),
                whole(fold.get("train_rows")),
                whole(fold.get("train_positives")),
                Cell(day(fold.get("train_known_until"))),
                whole(fold.get("calibrated_on")),
                whole(fold.get("test_rows")),
                whole(fold.get("test_positives")),
                Cell(percent(found.get("mean_probability")), numeric=True),
                Cell(percent(found.get("observed_rate")), numeric=True),
                Cell(spread(found.get("auc")), numeric=True),
                Cell(number((found.get("lift_at_10") or {}).get("value"), 1), numeric=True),
            )
        )
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


def _model(entry: Entry) -> Table | None:
    model = entry.get("model") or {}
    calibrator = model.get("calibrator") or {}
    if not model:
        return None
    rows, positives = count(model.get("rows")), count(model.get("positives"))
    return pairs(
        {
            "Version": model.get("version"),
            "Bundle": model.get("path"),
            "Fitted on": f"{rows} snapshots, {positives} positive",
            "Outcomes known until": day(model.get("trained_until")),
            "Features used": count(model.get("features")),
            "Calibrator": calibrator.get("kind"),
            "Tuning": accuracy.searched(entry),
            "Parameters": joined(model.get("parameters") or {}),
        }
    )
