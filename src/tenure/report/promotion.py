"""What a promotion compared and decided, and what a challenger in the shadow did, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tenure.core.records.base import Figure
from tenure.core.records.promotion import (
    Comparison,
    GroupComparison,
    PromotionRecord,
    ShadowRecord,
    TargetPromotion,
)
from tenure.report.sentences.accuracy import past_uses
from tenure.report.sentences.formatting import NONE, count, counted, number, percent, spread
from tenure.report.tables.layout import Table, aligned, listing, table

ACTIONS = {
    "promoted": ("is champion now", "would be champion"),
    "first": ("is champion now, the first", "would be champion, the first"),
    "forced": ("is champion now, by force", "would be champion, by force"),
    "rolled_back": ("is champion again", "would be champion again"),
    "refused": ("is refused", "would be refused"),
    "nothing": ("nothing to do", "nothing to do"),
}
WORSE = {True: "MUCH WORSE", False: "", None: "too few outcomes"}


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


def shadow_view(records: Mapping[str, ShadowRecord]) -> list[tuple[str, list[str], Table | None]]:
    """Return what a page shows of challengers in the shadow: title, sentences and figures."""
    return [_shadow(target, record) for target, record in records.items()]


def _shadow(target: str, record: ShadowRecord) -> tuple[str, list[str], Table | None]:
    means = f"{percent(record.mean_champion)} and {percent(record.mean_challenger)}"
    sentences = [
        f"The challenger {record.challenger} gave {counted(record.rows, 'score')} at "
        f"{counted(record.runs, 'prediction time')} beside the champion {record.champion}, the "
        f"last at {record.last}. Nothing but this comparison shows its scores. Mean probabilities "
        f"are {means}; on average the two differ by {percent(record.apart)}."
    ]
    if record.posted_apart is not None:
        rows = counted(record.posted_rows, "posted row")
        sentences.append(f"On {rows} they differ by {percent(record.posted_apart)} on average.")
    compared = record.comparison
    if compared is None:
        sentences.append("Which of them is right is not known yet: too few outcomes are.")
        return target, sentences, None
    sentences.append(_rows(compared))
    return target, sentences, _figures(compared, percent(compared.level))


def _compared(comparison: Comparison) -> list[str]:
    rows = _rows(comparison)
    level = percent(comparison.level)
    lines = ["", f"Compared: {comparison.how}.", rows, "", *aligned(_figures(comparison, level))]
    if comparison.groups:
        lines += ["", *aligned(_groups(comparison.groups, level))]
    return [*lines, *past_uses(comparison.used), *comparison.notes]


def _rows(comparison: Comparison) -> str:
    return (
        f"{counted(comparison.rows, 'row')} of {counted(comparison.accounts, 'account')} at "
        f"{counted(comparison.cutoffs, 'prediction time')} ({comparison.first} to "
        f"{comparison.last}), {counted(comparison.events, 'distinct outcome')}, "
        f"{percent(comparison.observed_rate)} of rows"
    )


def _figures(comparison: Comparison, level: str) -> Table | None:
    sides, gain = (comparison.champion, comparison.challenger), comparison.gain
    rows = [
        ("log loss", *(number(x.log_loss.value, 4) for x in sides), _signed(gain.log_loss, 4)),
        ("gain over base rate", *(number(x.over_base_rate.value, 4) for x in sides), ""),
        ("AUC", *(number(x.auc.value, 3) for x in sides), _signed(gain.auc, 3)),
        ("mean probability", *(percent(x.mean_probability) for x in sides), ""),
    ]
    return listing(rows, "", ">champion", ">challenger", f">gain [{level} interval]")


def _groups(groups: Sequence[GroupComparison], level: str) -> Table | None:
    return table(
        "",
        groups,
        ("", lambda item: f"{item.by}: {item.name}"),
        (">rows", lambda item: count(item.rows)),
        (">outcomes", lambda item: count(item.events)),
        (">log loss", lambda item: f"{item.log_loss:.4f}"),
        (f">rises by [{level} interval]", lambda item: _signed(item.increase, 4)),
        ("", lambda item: WORSE[item.worse]),
    )


def _signed(figure: Figure, digits: int) -> str:
    if figure.value is None:
        return NONE
    return spread(figure, lambda value: f"{value:+.{digits}f}")
