"""The model card that travels with a bundle.

A card is part of the bundle's content hash: it says nothing that differs between two runs on the
same data with the same settings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tenure.report.sentences import findings, practice
from tenure.report.sentences.accuracy import bounds, calibration, performance, searched
from tenure.report.sentences.list_end import metrics_of
from tenure.report.sentences.words import (
    DROPS,
    Outcome,
    baseline,
    count,
    day,
    percent,
    plain,
    spread,
)
from tenure.report.tables.groups import group_table
from tenure.report.tables.horizons import horizon_table, horizon_words
from tenure.report.tables.layout import Cell, Entry, Table

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


def model_card(name: str, entry: Entry, spec: Entry) -> str:
    """Return the model card of a target, in Markdown.

    Args:
        name: Name of the target.
        entry: The target's part of the training record; ``status`` and ``model`` are not read.
        spec: What the bundle is made of: model_name, labels, calendar, model_settings, reads,
            fingerprint, trained_until, versions.
    """
    outcome = Outcome.of(name, entry)
    headline = findings.headline(outcome, entry)
    sections = {
        "Verdict": [f"**{headline.label.capitalize()}.** {headline.first}", *headline.more],
        "Intended use": [
            findings.question(outcome, spec),
            "It ranks paying accounts and says how likely the outcome is, so that a "
            "customer-success team can choose whom to look at first, and can add up the money at "
            "stake. A person decides what to do.",
        ],
        "Data": _data(spec),
        "Labels": [findings.asked(outcome, entry), *_dropped(entry)],
        "Performance": _performance(outcome, entry),
        "In practice": _practice(outcome, entry),
        "Calibration": [*calibration(outcome, entry), *bounds(outcome, spec)] or ["Not measured."],
        "Further horizons": _horizons(outcome, entry),
        "Drivers": _drivers(outcome, entry),
        "Limits": [bullets(LIMITS)],
        "How to reproduce": _reproduce(entry, spec),
    }
    title = f"# {escape(str(spec.get('model_name') or name))}: {outcome.title.lower()}"
    parts = [title, *(f"## {head}\n\n" + "\n\n".join(body) for head, body in sections.items())]
    return "\n\n".join(parts) + "\n"


def _data(spec: Entry) -> list[str]:
    reads = spec.get("reads") or {}
    listed = [f"`{table}`: {', '.join(columns)}" for table, columns in sorted(reads.items())]
    body = [
        f"Outcomes known until {day(spec.get('trained_until'))} were learnt from. At each "
        "prediction time only rows that had happened and were known before it were read.",
    ]
    return [*body, bullets(listed)] if listed else body


def _dropped(entry: Entry) -> list[str]:
    dropped = (entry.get("labels") or {}).get("dropped") or {}
    found = [
        f"{count(rows)} {plain(reason)}" + (f": {DROPS[reason]}" if reason in DROPS else "")
        for reason, rows in sorted(dropped.items())
        if rows
    ]
    return ["Not labelled:", bullets(found)] if found else []


def _performance(outcome: Outcome, entry: Entry) -> list[str]:
    model = findings.pooled(entry)
    said = performance(outcome, entry)
    if not model:
        return said
    others = findings.by_baseline(entry, "baselines")
    heads = ["Measure", "Better", "Model", *(baseline(name) for name in others)]
    rows = [
        [
            metric.name,
            metric.best,
            *(
                f"{metric.say(found[metric.key].get('value'))} {metric.interval(found[metric.key])}"
                for found in (model, *others.values())
            ),
        ]
        for metric in metrics_of(entry)
        if all(metric.key in found for found in (model, *others.values()))
    ]
    gains = findings.by_baseline(entry, "differences")
    compared = [
        f"{baseline(name)}: AUC {spread(gain.get('auc'), 3)} higher, log loss "
        f"{spread(gain.get('log_loss'), 4)} better"
        for name, gain in gains.items()
    ]
    level = percent((entry.get("evaluation") or {}).get("level", 0.95))
    sure = [*practice.rough(outcome, entry), *practice.contrast(entry)]
    intro = f"Over all replayed prediction times; in brackets the {level} interval over accounts:"
    tables = [intro, grid(heads, rows), "Against each baseline:", bullets(compared)]
    return [bullets([*said, *sure]), *tables]


def _practice(outcome: Outcome, entry: Entry) -> list[str]:
    """Say what the list would have been worth, and how it does within groups."""
    said = [
        *practice.lists(outcome, entry),
        *practice.lead(outcome, entry),
        *practice.money(outcome, entry),
        *practice.amounts(outcome, entry),
    ]
    groups = group_table(outcome, entry)
    if groups is None:
        return [bullets(said)] if said else ["Not measured."]
    return [bullets(said), *_listed(groups)]


def _horizons(outcome: Outcome, entry: Entry) -> list[str]:
    """Say what became of the further horizons."""
    found = horizon_table(outcome, entry)
    if found is None:
        return ["None was asked for."]
    return [bullets(horizon_words(outcome, entry)), *_listed(found)]


def _listed(found: Table) -> list[str]:
    """Return a table with its caption before it."""
    heads = [cell.text for cell in found.columns]
    rows = [[_both(cell) for cell in row] for row in found.rows]
    return [f"{found.caption}:", grid(heads, rows)]


def _both(cell: Cell) -> str:
    return f"{escape(cell.text)} {cell.note}".strip()


def _drivers(outcome: Outcome, entry: Entry) -> list[str]:
    rows = [
        [
            escape(str(row.get("label"))),
            percent(row.get("share"), 1),
            findings.association(row.get("association"), outcome),
            "lever" if row.get("lever") else "context",
        ]
        for row in (entry.get("drivers") or [])[:10]
    ]
    if not rows:
        return ["None."]
    said = "Share of the mean absolute contribution to the log-odds; associated, not causing."
    return [said, grid(["About", "Share", "Direction", "Kind"], rows)]


def _reproduce(entry: Entry, spec: Entry) -> list[str]:
    versions = spec.get("versions") or {}
    facts: Mapping[str, Any] = {
        "Data fingerprint": spec.get("fingerprint"),
        "SQL hash": spec.get("sql_hash"),
        "Seed": (spec.get("model_settings") or {}).get("seed"),
        "Tuning": searched(entry),
        "Labels": _inline(spec.get("labels") or {}),
        "Calendar": _inline(spec.get("calendar") or {}),
        "Versions": ", ".join(f"{name} {version}" for name, version in sorted(versions.items())),
    }
    listed = [f"{name}: {value}" for name, value in facts.items() if value not in (None, "")]
    return [
        "The same data, config, seed, lock file and processor architecture give the same bytes: "
        "`tenure train CONFIG`.",
        bullets(listed),
    ]


def _inline(found: Entry) -> str:
    return ", ".join(f"{key} {value}" for key, value in sorted(found.items()) if value is not None)


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
