"""docs/ablation.md and its table in docs/results.md, from the results of the ablation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from peers.accuracy_sets import LEAKING, LEAKS

EVERY_MONDAY, WIDER_LEAVES = "every_monday", "wider_leaves"
PHASES = {
    "default": "learnt from every fourth Monday",
    EVERY_MONDAY: "learnt from every Monday, not from every fourth",
    WIDER_LEAVES: "the same, leaves of four times as many rows",
}


def page(found: Mapping[str, Any], said: Mapping[str, str], phases: Mapping[str, Any]) -> str:
    """Return the results as Markdown.

    Args:
        found: Data set and target → change → what it reached.
        said: Change → what is changed, in words; in order.
        phases: Data set and target → which prediction times → what they reached.
    """
    lines = [
        "# What the default model is made of",
        "",
        "Written by `benchmarks/ablation.py`; do not edit by hand. One thing of the default is",
        "changed at a time. Every figure is out of time: each prediction time of the past is",
        "predicted by a model of what was known then. The gain is in log loss, in thousandths,",
        "beside the default on the same rows (above 0: the change is better), with its 95 %",
        "interval over accounts. Sizes that are changed are those of the default for all labels.",
        "Seconds are processor time of the whole walk, calibration included, without baselines and",
        "bounds. The demo worlds are not those on which accuracy is measured. Their true",
        "probabilities are known, so there a change is also judged without the luck of outcomes:",
        "by the gain in expected log loss, and by the share it reaches of the AUC gain over 0.5 of",
        "the true probabilities.",
    ]
    for name, entries in found.items():
        note = [LEAKS.format(name=name.split()[0]), ""] if name.startswith(LEAKING) else []
        lines += ["", f"## {name}", "", *note, *_section(entries, said)]
    if phases:
        lines += [
            "",
            "## Several prediction times a month",
            "",
            "Written by `benchmarks/phases.py`. The trees have the sizes of the default for every",
            "fourth Monday, and predictions are compared at every fourth Monday.",
        ]
    for name, entries in phases.items():
        lines += ["", f"### {name}", "", *_section(entries, PHASES)]
    return "\n".join(lines) + "\n"


def _section(entries: Mapping[str, Any], said: Mapping[str, str]) -> list[str]:
    first = next(iter(entries.values()))
    head, rule = "| change | AUC | log loss | gain × 1,000 |", "|---|---|---|---|"
    if "share" in first:
        head, rule = f"{head} gain × 1,000, true | share, true |", f"{rule}---|---|"
    rows = [_row(words, entries[key]) for key, words in said.items() if key in entries]
    size = f"{first['rows']:,} rows, {first['positives']:,} positive."
    return [size, "", f"{head} seconds |", f"{rule}---:|", *rows]


def overview(
    found: Mapping[str, Any], said: Mapping[str, str], phases: Mapping[str, Any]
) -> list[str]:
    """Return the gain of each change on each data set and target as lines of one table."""
    found = {
        name: {**phases.get(name, {}), **entries}
        for name, entries in found.items()
        if not name.startswith(LEAKING)
    }
    lines = [
        f"| change | {' | '.join(found)} |",
        f"|---|{'---|' * len(found)}",
    ]
    for key, words in {**said, **PHASES, "default": ""}.items():
        gains = [entries[key]["gain"] if key in entries else None for entries in found.values()]
        if any(gain and gain["value"] for gain in gains):
            cells = ["" if gain is None else _gain(gain) for gain in gains]
            lines.append(f"| {words} | {' | '.join(cells)} |")
    return lines


def _row(said: str, entry: Mapping[str, Any]) -> str:
    auc, loss = entry["auc"]["value"], entry["log_loss"]["value"]
    cells = [said, f"{auc:.4f}", f"{loss:.4f}", _gain(entry["gain"])]
    if "share" in entry:
        cells += [_gain(entry["true_gain"]), f"{entry['share']:.1%}"]
    return f"| {' | '.join(cells)} | {entry['seconds']:.0f} |"


def _gain(gain: Mapping[str, float]) -> str:
    if not gain["value"]:
        return "–"
    return " ".join(
        [f"{gain['value'] * 1e3:+.2f}", f"[{gain['lo'] * 1e3:+.2f}, {gain['hi'] * 1e3:+.2f}]"]
    )
