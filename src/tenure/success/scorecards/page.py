"""The reference page of scorecards, written from their declarations."""

from __future__ import annotations

from collections.abc import Sequence

from tenure.success.scorecards.declarations import CARDS, MeasureDeclaration

HEAD = ("| measure | is | 0 points | 100 points | none where |", "|---|---|---|---|---|")


def scorecards_page(measures: Sequence[MeasureDeclaration]) -> str:
    """Return Markdown with one section per scorecard and one row per measure."""
    lines: list[str] = []
    for card, title in CARDS.items():
        own = [item for item in measures if item.card == card]
        lines += ["", f"## {title} (`{card}`)", "", *HEAD, *map(_row, own)]
    return "\n".join(lines[1:]) + "\n"


def _row(item: MeasureDeclaration) -> str:
    ends = (_shown(value, item.unit) for value in (item.bad, item.good))
    return f"| {' | '.join((f'`{item.name}`', item.rule, *ends, item.none))} |"


def _shown(value: float, unit: str) -> str:
    if unit == "share":
        return f"{100 * value:g} %"
    return f"{value:g} {unit}" if unit in {"days", "hours"} else f"{value:g}".replace("-", "−")
