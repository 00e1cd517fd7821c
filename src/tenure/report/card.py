"""The model card that travels with a bundle.

A card is part of the bundle's content hash: it says nothing that differs between two runs on the
same data with the same settings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tenure.core.records.bundle import BundleSpec
from tenure.core.records.training import TargetRecord
from tenure.report.html import filled
from tenure.report.sentences import accuracy, findings, practice
from tenure.report.sentences.formatting import count, day, joined, percent, plain, sentence, spread
from tenure.report.sentences.names import DROPS, baseline, shown_metrics
from tenure.report.sentences.outcome import Outcome
from tenure.report.sentences.shape import shape_warnings
from tenure.report.tables.horizons import horizon_table, horizon_words
from tenure.report.tables.layout import Table, escape, markdown, table
from tenure.report.tables.targets import group_table, metric_columns


def model_card(name: str, target: TargetRecord, spec: BundleSpec) -> str:
    """Return the model card of a target, in Markdown; its ``status`` and ``model`` are not read."""
    outcome = Outcome(name, target)
    shown = (practice.lists, practice.lead, practice.money, practice.amounts)
    calls = (baseline, bullets, day, escape, horizon_words, markdown, percent, spread)
    return filled(
        "card.md.j2",
        spec=spec,
        outcome=outcome,
        evaluation=target.evaluation,
        headline=findings.headline(outcome),
        warnings=list(map(sentence, shape_warnings(target.shape))),
        dropped=_dropped(target),
        metrics=_metrics(outcome),
        worth=[text for sentences in shown for text in sentences(outcome)],
        groups=group_table(outcome),
        horizons=horizon_table(outcome),
        rates=_rates(outcome),
        drivers=_drivers(outcome),
        facts=_facts(target, spec),
        accuracy=accuracy,
        findings=findings,
        practice=practice,
        **{call.__name__: call for call in calls},
    )


def _dropped(target: TargetRecord) -> list[str]:
    return [
        f"{count(rows)} {plain(reason)}" + (f": {DROPS[reason]}" if reason in DROPS else "")
        for reason, rows in sorted(target.labels.dropped.items())
        if rows
    ]


def _metrics(outcome: Outcome) -> Table | None:
    evaluation = outcome.evaluation
    if evaluation.pooled.n is None:
        return None
    sides = [evaluation.pooled, *evaluation.baselines.values()]
    measured = [
        metric
        for metric in shown_metrics(evaluation)
        if all(metric.of(side).value is not None for side in sides)
    ]
    named = (("Measure", lambda metric: metric.name), ("Better", lambda metric: metric.best))
    return table("", measured, *named, *metric_columns(evaluation))


def _rates(outcome: Outcome) -> Table | None:
    return table(
        "Mean prediction and what happened, by prediction time",
        outcome.evaluation.folds,
        ("Prediction time", lambda fold: day(fold.as_of)),
        (">Predictions", lambda fold: count(fold.n)),
        (">Predicted", lambda fold: percent(fold.mean_probability, 1)),
        (">Observed", lambda fold: percent(fold.observed_rate, 1)),
    )


def _drivers(outcome: Outcome) -> Table | None:
    return table(
        "",
        outcome.target.drivers[:10],
        ("About", lambda row: row.label),
        ("Share", lambda row: percent(row.share, 1)),
        ("Direction", lambda row: findings.association(row.association, outcome)),
        ("Kind", lambda row: "lever" if row.lever else "context"),
    )


def _facts(target: TargetRecord, spec: BundleSpec) -> dict[str, str]:
    return {
        "Data fingerprint": spec.fingerprint,
        "SQL hash": spec.sql_hash,
        "Seed": str(spec.model_settings.seed),
        "Tuning": accuracy.tuning(target),
        "Labels": _inline(spec.labels.model_dump(mode="json")),
        "Calendar": _inline(spec.calendar.model_dump(mode="json")),
        "Versions": _inline(spec.versions),
    }


def _inline(values: Mapping[str, Any]) -> str:
    return joined(dict(_flat(values)))


def _flat(values: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in sorted(values.items()):
        if isinstance(value, Mapping):
            yield from _flat(value, f"{within}{name}.")
        elif value is not None:
            yield f"{within}{name}", value


def bullets(lines: Iterable[str]) -> str:
    """Return lines as a Markdown list."""
    return "\n".join(f"- {line}" for line in lines)
