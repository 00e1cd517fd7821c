"""The reference page of scorecards, written from their declarations."""

from __future__ import annotations

from collections.abc import Sequence

from tenure.success.scorecards.declarations import CARDS, MeasureDeclaration
from tenure.success.scorecards.measure import needs

HEAD = (
    "| measure | is | 0 points | 100 points | none where | needs |",
    "|---|---|---|---|---|---|",
)


def scorecards_page(measures: Sequence[MeasureDeclaration]) -> str:
    """Return Markdown with one section per scorecard and one row per measure."""
    lines: list[str] = []
    needed = needs(measures)
    for card, title in CARDS.items():
        own = [item for item in measures if item.card == card]
        lines += [
            "",
            f"## {title} (`{card}`)",
            "",
            *HEAD,
            *(_row(item, needed[item.name]) for item in own),
        ]
    return "\n".join(lines[1:]) + "\n"


def _row(item: MeasureDeclaration, needed: str) -> str:
    ends = (_shown(value, item.unit) for value in (item.bad, item.good))
    return f"| {' | '.join((f'`{item.name}`', item.rule, *ends, item.none, needed))} |"


def _shown(value: float, unit: str) -> str:
    if unit == "share":
        return f"{100 * value:g} %"
    return f"{value:g} {unit}" if unit in {"days", "hours"} else f"{value:g}".replace("-", "−")
