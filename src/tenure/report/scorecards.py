"""Scorecards, the health map, and health beside the model, in lines for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tenure.core.records.scorecards import HealthComparison, HealthMap, MapCell, RankedBy
from tenure.report.sentences.formatting import count, counted, percent, plain, spread
from tenure.report.tables.layout import Table, aligned, listing, table


def health_map_lines(shown: HealthMap) -> list[str]:
    """Return a health map as a table of accounts and MRR, and what its rows and columns are."""
    cells = {(cell.x, cell.y): cell for cell in shown.cells}
    columns: list[tuple[str, Callable[[str], str]]] = [("", plain)]
    columns += [(f">{name}", _column(cells, name)) for name in shown.x]
    grid = table("", reversed(shown.y), *columns)
    lines = [f"as of {shown.as_of}", *aligned(grid)]
    lines += [f"columns: {shown.x_rule}", f"rows: {shown.y_rule}"]
    if shown.left_out.accounts:
        either = " or ".join(rule.partition(":")[0] for rule in (shown.x_rule, shown.y_rule))
        lines.append(f"left out because {either} is not known: {_content(shown.left_out)}")
    return lines


def _column(cells: dict[tuple[str, str], MapCell], x: str) -> Callable[[str], str]:
    return lambda y: _content(cells[x, y])


def _content(cell: MapCell) -> str:
    money = ", ".join(f"{amount:,.0f} {unit}".rstrip() for unit, amount in cell.mrr.items())
    accounts = counted(cell.accounts, "account")
    return f"{accounts}, MRR {money}" if money else accounts


def comparison_lines(comparison: HealthComparison) -> list[str]:
    """Return how well a weighted health score tells who leaves, beside the model."""
    return [
        f"health beside the model on {_rows(comparison)}:",
        *aligned(_beside(comparison)),
        _verdict(comparison),
    ]


def health_view(comparison: HealthComparison | None) -> Mapping[str, Any] | None:
    """Return what the report shows of a weighted health score beside the model, if there is one."""
    if comparison is None:
        return None
    return {
        "rows": _rows(comparison),
        "table": _beside(comparison),
        "verdict": _verdict(comparison),
    }


def _rows(comparison: HealthComparison) -> str:
    return (
        f"{count(comparison.rows)} test rows, of which {count(comparison.churned)} left; "
        f"{percent(comparison.green_share)} are green in both"
    )


def _beside(comparison: HealthComparison) -> Table | None:
    rows = [
        ("weighted health (hand-weighted)", *_ranked(comparison.health)),
        ("model", *_ranked(comparison.model)),
    ]
    return listing(rows, "", ">AUC", ">lift in the worst 10%", ">leavers that stood green")


def _verdict(comparison: HealthComparison) -> str:
    verdict = "the model adds nothing that is certain"
    if comparison.gain.above:
        verdict = "the model tells better who leaves"
    elif comparison.gain.below:
        verdict = "the health score tells better who leaves"
    return f"the model adds {spread(comparison.gain)} of AUC: {verdict}"


def _ranked(one: RankedBy) -> tuple[str, str, str]:
    return spread(one.auc), spread(one.lift_at_10, 1), spread(one.false_greens, percent)
