"""The reference page of metrics, written from their declarations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tenure.success.declarations import MetricDeclaration

BETTER = {1: "more is better", -1: "less is better", 0: ""}
HEAD = (
    "| metric | is | methods (the first is the default) | unit | none where | needs |",
    "|---|---|---|---|---|---|",
)


def metrics_page(chapters: Mapping[str, Sequence[MetricDeclaration]]) -> str:
    """Return Markdown with one section per chapter and one row per metric."""
    lines: list[str] = []
    for title, metrics in chapters.items():
        lines += ["", f"## {title}", "", *HEAD, *map(row, metrics)]
    return "\n".join(lines[1:]) + "\n"


def row(metric: MetricDeclaration) -> str:
    """Return the table row of one metric."""
    methods = "<br>".join(f"`{method.name}`: {method.rule}" for method in metric.methods)
    unit = ", ".join(filter(None, (metric.unit, BETTER[metric.direction])))
    needs = ", ".join(f"`{need.replace('|', '` or `')}`" for need in metric.needs)
    cells = (f"`{metric.name}`", metric.rule, methods, unit, metric.none, needs)
    return f"| {' | '.join(cell or '–' for cell in cells)} |"
