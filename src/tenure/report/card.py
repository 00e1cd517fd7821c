"""The model card that travels with a bundle.

A card is part of the bundle's content hash: it says nothing that differs between two runs on the
same data with the same settings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tenure.core.records.bundle import BundleSpec
from tenure.core.records.evaluation import Evaluation
from tenure.core.records.training import TargetRecord
from tenure.report.sentences import findings, practice
from tenure.report.sentences.accuracy import bounds, calibration, performance, tuning
from tenure.report.sentences.formatting import count, day, percent, plain, spread
from tenure.report.sentences.names import DROPS, baseline
from tenure.report.sentences.outcome import Outcome
from tenure.report.sentences.ranking import shown_metrics
from tenure.report.tables.groups import group_table
from tenure.report.tables.horizons import horizon_table, horizon_words
from tenure.report.tables.layout import Cell, Table

LIMITS = (
    "The drivers are associated with the outcome in this data. They are not its causes; whether "
    "acting on one helps is a question for an experiment.",
    "It speaks of paying accounts of the kind it was fitted on. It says nothing of trials, of "
    "paused accounts, or of another company’s customers.",
    "Accounts that have given notice, and accounts with too little data, get no probability.",
    "It must not be used to decide about people: not about a user’s access, nor an employee’s "
    "performance.",
    "A probability is right on average over many accounts, never a statement about one.",
    "It ages: prices, products and customers change. Compare its scores with what happened, and "
    "train it again.",
)


def model_card(name: str, target: TargetRecord, spec: BundleSpec) -> str:
    """Return the model card of a target, in Markdown.

    Args:
        name: Name of the target.
        target: The target's part of the training record; ``status`` and ``model`` are not read.
        spec: What the bundle is made of.
    """
    outcome = Outcome.of(name, target)
    headline = findings.headline(outcome, target)
    sections = {
        "Verdict": [f"**{headline.label.capitalize()}.** {headline.first}", *headline.more],
        "Intended use": [
            findings.question(outcome, spec.labels.threshold),
            "It ranks paying accounts and says how likely the outcome is, so that a "
            "customer-success team can choose whom to look at first, and can add up the money at "
            "stake. A person decides what to do.",
        ],
        "Data": _data(spec),
        "Labels": [findings.labelling(outcome, target), *_dropped(target)],
        "Performance": _performance(outcome, target),
        "In practice": _practice(outcome, target),
        "Calibration": [
            *calibration(outcome, target),
            bounds(outcome, spec.model_settings.interval_level),
        ],
        "Further horizons": _horizons(outcome, target),
        "Drivers": _drivers(outcome, target),
        "Limits": [bullets(LIMITS)],
        "How to reproduce": _reproduce(target, spec),
    }
    title = f"# {escape(spec.model_name)}: {outcome.title.lower()}"
    parts = [title, *(f"## {head}\n\n" + "\n\n".join(body) for head, body in sections.items())]
    return "\n\n".join(parts) + "\n"


def _data(spec: BundleSpec) -> list[str]:
    reads = [f"`{table}`: {', '.join(columns)}" for table, columns in sorted(spec.reads.items())]
    body = [
        f"Outcomes known until {day(spec.trained_until)} were learnt from. At each "
        "prediction time only rows that had happened and were known before it were read.",
    ]
    return [*body, bullets(reads)] if reads else body


def _dropped(target: TargetRecord) -> list[str]:
    dropped = [
        f"{count(rows)} {plain(reason)}" + (f": {DROPS[reason]}" if reason in DROPS else "")
        for reason, rows in sorted(target.labels.dropped.items())
        if rows
    ]
    return ["Not labelled:", bullets(dropped)] if dropped else []


def _performance(outcome: Outcome, target: TargetRecord) -> list[str]:
    evaluation, sentences = target.evaluation, performance(outcome, target)
    if evaluation.pooled.n is None:
        return sentences
    compared = [
        f"{baseline(name)}: AUC {spread(gain.auc, 3)} higher, log loss "
        f"{spread(gain.log_loss, 4)} better"
        for name, gain in findings.differences(evaluation).items()
    ]
    level = percent(evaluation.level)
    sentences += [*practice.rough(outcome, target), *practice.contrast(evaluation)]
    intro = f"Over all replayed prediction times; in brackets the {level} interval over accounts:"
    measured = [intro, _metrics(evaluation), "Against each baseline:", bullets(compared)]
    return [bullets(sentences), *measured]


def _metrics(evaluation: Evaluation) -> str:
    baselines = findings.baselines(evaluation)
    columns = (evaluation.pooled, *baselines.values())
    figures = {metric: [*map(metric.of, columns)] for metric in shown_metrics(evaluation)}
    rows = [
        [metric.name, metric.best, *(f"{metric.show(x.value)} {metric.interval(x)}" for x in row)]
        for metric, row in figures.items()
        if all(figure.value is not None for figure in row)
    ]
    return grid(["Measure", "Better", "Model", *map(baseline, baselines)], rows)


def _practice(outcome: Outcome, target: TargetRecord) -> list[str]:
    """Say what the ranking would have been worth, and how it does within groups."""
    sentences = [
        *practice.lists(outcome, target),
        *practice.lead(outcome, target),
        *practice.money(outcome, target),
        *practice.amounts(outcome, target),
    ]
    groups = group_table(outcome, target.evaluation)
    if groups is None:
        return [bullets(sentences)] if sentences else ["Not measured."]
    return [bullets(sentences), *_listed(groups)]


def _horizons(outcome: Outcome, target: TargetRecord) -> list[str]:
    """Say what became of the further horizons."""
    horizons = horizon_table(outcome, target)
    if horizons is None:
        return ["None was asked for."]
    return [bullets(horizon_words(outcome, target.evaluation)), *_listed(horizons)]


def _listed(table: Table) -> list[str]:
    """Return a table with its caption before it."""
    heads = [cell.text for cell in table.columns]
    rows = [[_both(cell) for cell in row] for row in table.rows]
    return [f"{table.caption}:", grid(heads, rows)]


def _both(cell: Cell) -> str:
    return f"{escape(cell.text)} {cell.note}".strip()


def _drivers(outcome: Outcome, target: TargetRecord) -> list[str]:
    rows = [
        [
            escape(row.label),
            percent(row.share, 1),
            findings.association(row.association, outcome),
            "lever" if row.lever else "context",
        ]
        for row in target.drivers[:10]
    ]
    if not rows:
        return ["None."]
    intro = "Share of the mean absolute contribution to the log-odds; associated, not causing."
    return [intro, grid(["About", "Share", "Direction", "Kind"], rows)]


def _reproduce(target: TargetRecord, spec: BundleSpec) -> list[str]:
    facts = {
        "Data fingerprint": spec.fingerprint,
        "SQL hash": spec.sql_hash,
        "Seed": str(spec.model_settings.seed),
        "Tuning": tuning(target),
        "Labels": _inline(spec.labels.model_dump(mode="json")),
        "Calendar": _inline(spec.calendar.model_dump(mode="json")),
        "Versions": _inline(spec.versions),
    }
    return [
        "The same data, config, seed, lock file and processor architecture give the same bytes: "
        "`tenure train CONFIG`.",
        bullets([f"{name}: {value}" for name, value in facts.items() if value]),
    ]


def _inline(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in sorted(values.items()) if value is not None)


def bullets(lines: Sequence[str]) -> str:
    """Return lines as a Markdown list."""
    return "\n".join(f"- {line}" for line in lines)


def grid(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table.

    >>> print(grid(["a"], [["1"]]))
    | a |
    | --- |
    | 1 |
    """
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(text.strip() for text in line)} |" for line in lines)


def escape(text: str) -> str:
    r"""Return a text without meaning in Markdown or HTML.

    >>> escape("a|b <i> *c*")
    'a\\|b \\<i\\> \\*c\\*'
    """
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", text)
