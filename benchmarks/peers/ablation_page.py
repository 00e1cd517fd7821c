"""docs/ablation.md, from the results of the ablation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def page(found: Mapping[str, Any], said: Mapping[str, str]) -> str:
    """Return the results as Markdown.

    Args:
        found: Data set and target → change → what it reached.
        said: Change → what is changed, in words; in order.
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
        first = next(iter(entries.values()))
        lines += ["", f"## {name}", "", f"{first['rows']:,} rows, {first['positives']:,} positive."]
        known = "share" in first
        head, rule = "| change | AUC | log loss | gain × 1,000 |", "|---|---|---|---|"
        if known:
            head, rule = f"{head} gain × 1,000, true | share, true |", f"{rule}---|---|"
        lines += ["", f"{head} seconds |", f"{rule}---:|"]
        for key, words in said.items():
            if key in entries:
                lines.append(_row(words, entries[key]))
    lines += [
        "",
        "Not tried: several phases of prediction times a month (trained on weekly snapshots and",
        "tested on monthly ones): it needs features at other times than those of the config.",
    ]
    return "\n".join(lines) + "\n"


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
