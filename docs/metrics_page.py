"""The reference page of metrics, written from their declarations and the worked examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tenure.success.declarations import Method, MetricDeclaration
from tenure.success.vendors import PRACTICES, VENDORS

BETTER = {1: "more is better", -1: "less is better", 0: ""}
INTERVALS = {
    "share": "Wilson's interval",
    "mean": "the normal interval of a mean",
    "points": "the normal interval of a difference of shares",
    "worth": "the interval of the churn rate, turned over",
}
EXAMPLES = 3
"""Worked examples that a metric shows at most."""


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example: rows that somebody published, and what a method makes of them."""

    case: str
    """Its id in the pack of cases."""
    world: str
    """What its rows are, in words."""
    source: str
    """Who published it."""
    method: str
    value: float


def metrics_page(
    chapters: Mapping[str, Sequence[MetricDeclaration]], examples: Mapping[str, Sequence[Example]]
) -> str:
    """Return Markdown: who computes what, and one definition per metric.

    Metrics go by the title of their chapter, examples by the name of the metric.
    """
    lines = ["## What vendors do", "", *_practices()]
    for title, metrics in chapters.items():
        lines += ["", f"## {title}"]
        for metric in metrics:
            lines += ["", *_definition(metric, examples.get(metric.name, ()))]
    return "\n".join(lines) + "\n"


def _practices() -> list[str]:
    lines = []
    for item in PRACTICES:
        lines += ["", f"**{item.question}** Here: {item.here}.", ""]
        lines += [f"- {name}: {item.others[name]}" for name in VENDORS if name in item.others]
    return lines[1:]


def _definition(metric: MetricDeclaration, examples: Sequence[Example]) -> list[str]:
    """Return the definition of one metric: what it is, how, when there is none, and examples."""
    lines = [f"### `{metric.name}`", "", metric.rule, ""]
    lines += [_method(method, place) for place, method in enumerate(metric.methods)]
    unit = ", ".join(filter(None, (metric.unit, BETTER[metric.direction])))
    per = "; each currency by itself, or converted" if metric.money else ""
    lines.append(f"- *Unit:* {unit}{per}.")
    if metric.none:
        lines.append(f"- *None where* {metric.none}.")
    if metric.needs:
        needs = ", ".join(f"`{need.replace('|', '` or `')}`" for need in metric.needs)
        lines.append(f"- *Needs* {needs}.")
    shown = [_example(metric, one) for one in examples[:EXAMPLES]]
    return lines + ([f"- *Worked examples:* {'; '.join(shown)}."] if shown else [])


def _method(method: Method, place: int) -> str:
    default = " (the default)" if place == 0 else ""
    users = f" Published so by {method.used_by}." if method.used_by else ""
    interval = f" With {INTERVALS[method.interval]}." if method.interval else ""
    return f"- `{method.name}`{default}: {method.rule}.{users}{interval}"


def _example(metric: MetricDeclaration, example: Example) -> str:
    percent = metric.unit == "share" and example.method not in ("mean", "mean_answer", "events")
    value = f"{100 * example.value:.4g} %" if percent else f"{example.value:,.7g}"
    source = f", after {example.source}" if example.source else ""
    return f"{example.case}, {example.world}{source}: `{example.method}` {value}"
