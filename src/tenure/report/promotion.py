"""What a promotion compared and decided, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from tenure.core.records.base import Figure
from tenure.core.records.promotion import (
    Comparison,
    GroupComparison,
    PromotionRecord,
    TargetPromotion,
)
from tenure.report.sentences.formatting import NONE, count, counted, percent
from tenure.report.text import grid

ACTIONS = {
    "promoted": ("is champion now", "would be champion"),
    "first": ("is champion now, the first", "would be champion, the first"),
    "forced": ("is champion now, by force", "would be champion, by force"),
    "rolled_back": ("is champion again", "would be champion again"),
    "refused": ("is refused", "would be refused"),
    "nothing": ("nothing to do", "nothing to do"),
}


def promote_lines(record: PromotionRecord) -> list[str]:
    """Return what `tenure promote` came to, for people."""
    lines: list[str] = []
    for target, entry in record.targets.items():
        lines += [*([""] if lines else []), *_target(target, entry, dry=record.dry_run)]
    lines += ["", *record.notes] if record.notes else []
    if record.dry_run:
        lines += ["", "Dry run: nothing was changed."]
    return lines


def _target(target: str, entry: TargetPromotion, *, dry: bool) -> list[str]:
    words = ACTIONS[entry.action][1 if dry else 0]
    action = words if entry.action == "nothing" else f"{entry.version} {words}"
    if entry.champion and entry.action not in {"nothing", "refused"}:
        action += f", instead of {entry.champion}"
    lines = [f"{target}: {action}", *(f"  {text}" for text in entry.sentences)]
    compared = _compared(entry.comparison) if entry.comparison else []
    return lines + [f"  {line}".rstrip() for line in compared]


def _compared(comparison: Comparison) -> list[str]:
    rows = (
        f"{counted(comparison.rows, 'row')} of {counted(comparison.accounts, 'account')} at "
        f"{counted(comparison.cutoffs, 'prediction time')} ({comparison.first} to "
        f"{comparison.last}), {counted(comparison.events, 'distinct outcome')}, "
        f"{percent(comparison.observed_rate)} of rows"
    )
    level = percent(comparison.level)
    lines = ["", f"Compared: {comparison.how}.", rows, "", *_figures(comparison, level)]
    if comparison.groups:
        lines += ["", *_groups(comparison.groups, level)]
    return [*lines, *comparison.notes]


def _figures(comparison: Comparison, level: str) -> list[str]:
    sides, gain = (comparison.champion, comparison.challenger), comparison.gain
    return grid(
        [
            ["", "champion", "challenger", f"gain [{level} interval]"],
            ["log loss", *(_digits(x.log_loss.value, 4) for x in sides), _signed(gain.log_loss, 4)],
            ["AUC", *(_digits(x.auc.value, 3) for x in sides), _signed(gain.auc, 3)],
            ["mean probability", *(percent(x.mean_probability) for x in sides), ""],
        ]
    )


def _groups(groups: Sequence[GroupComparison], level: str) -> list[str]:
    heads = ["", "rows", "outcomes", "log loss", f"rises by [{level} interval]", ""]
    body = [
        [
            f"{item.by}: {item.name}",
            count(item.rows),
            count(item.events),
            f"{item.log_loss:.4f}",
            _signed(item.increase, 4),
            {True: "MUCH WORSE", False: "", None: "too few outcomes"}[item.worse],
        ]
        for item in groups
    ]
    return grid([heads, *body], left=(0, 5))


def _digits(value: float | None, digits: int) -> str:
    return NONE if value is None else f"{value:.{digits}f}"


def _signed(figure: Figure, digits: int) -> str:
    if figure.value is None:
        return NONE
    if figure.lo is None or figure.hi is None:
        return f"{figure.value:+.{digits}f}"
    return f"{figure.value:+.{digits}f} [{figure.lo:+.{digits}f}, {figure.hi:+.{digits}f}]"
