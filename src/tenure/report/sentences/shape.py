"""Leaks of shape, in sentences."""

from __future__ import annotations

from collections.abc import Iterable

from tenure.core.records.shape import (
    DirectionRecord,
    LifetimeRecord,
    ShapeRecord,
    SkillRecord,
)
from tenure.report.sentences.formatting import count, listed, number, percent, sentence, spread

MOST = 5
MANY = 0.1


def shape_warnings(shape: ShapeRecord | None) -> list[str]:
    """Return what is suspicious about the shape of a backtest; nothing where it is as usual."""
    if shape is None:
        return []
    sentences = [lifetime(item) for item in shape.lifetimes]
    if shape.skill and shape.skill.falls:
        sentences.append(falling(shape.skill))
    if shape.directions and shape.directions.suspicious:
        sentences.append(contradicting(shape.directions))
    return sentences


def lifetime(item: LifetimeRecord) -> str:
    """Return what is wrong with the rows of a table, and what to do."""
    then = "it is allowed by name" if item.allowed else advice(item)
    return f"{item.table}: {looks(item)}. {sentence(then)}."


def looks(item: LifetimeRecord) -> str:
    """Return what the rows of a table look like beside the lives of their accounts."""
    if item.kind == "cut_off":
        return (
            f"its rows seem to be cut off at a number: {percent(item.at_highest)} of "
            f"{count(item.accounts)} accounts have nearly the same highest number of rows "
            f"({count(item.highest)}), though long lives among them last "
            f"{number(item.lives_differ, 1)} times as long as short ones"
        )
    heap = ""
    if item.at_highest >= MANY:
        heap = f"; {percent(item.at_highest)} have nearly the same number, {count(item.highest)}"
    return (
        f"its rows tell how long an account will live. Of {count(item.accounts)} accounts with "
        f"lives of {count(item.from_days)} days or more, one with twice the life of another begun "
        f"in the same month has {percent(-_twice(item.early.value))} fewer rows in its first "
        f"{item.early_days} days (elasticity {spread(item.early)}), and of those still there one "
        f"with twice the life has {percent(max(_twice(item.growth.value), 0.0))} more rows in all, "
        f"where 100% is usual (elasticity {spread(item.growth)}){heap}"
    )


def advice(item: LifetimeRecord) -> str:
    """Return what to do about it."""
    way = f"allow it by name (audit.allow: [{item.table}])"
    if item.kind == "cut_off":
        return f"load every row, or {way}: where rows end, use seems to end"
    return (
        "nobody knows that in time, and no model that learns it can be believed. Find out how the "
        f"table came about: load every row as it was written, leave the table out, or {way}; "
        "customers that leave when a fixed amount of work is done look alike"
    )


def _twice(power: float | None) -> float:
    """Return the change that goes with twice the life, as a share."""
    return float(2.0 ** (power or 0.0) - 1)


def falling(item: SkillRecord) -> str:
    """Return how the ranking falls towards the end of the data, and what that may be."""
    text = (
        f"the model ranks worse the closer the end of the data: AUC {number(item.before, 2)} at "
        f"{count(item.folds - item.latest)} prediction times, {number(item.lately, 2)} at the "
        f"latest {count(item.latest)} ({spread(item.change)}), {percent(item.lost)} of its lead "
        "over chance. Rows that were made for whole lives do that, which the end of the data cuts"
    )
    other = "a signal that has died, a change of product or tracking, rows that come in late"
    if item.drifting:
        return (
            f"{text}, and as there the mean prediction rises against what happens. Else it may be "
            f"{other}."
        )
    return (
        f"{text}; but there the mean prediction rises against what happens, and here it does not. "
        f"Look for {other} first."
    )


def contradicting(item: DirectionRecord) -> str:
    """Return how much moves the scores against its declared direction, and what that may be."""
    names = [f"{one.column} ({_learnt(one.declared)})" for one in item.columns[:MOST]]
    rest = len(item.columns) - len(names)
    more = [f"{count(rest)} more"] if rest > 0 else []
    tables = listed(sorted({one.source for one in item.columns[:MOST]}))
    return (
        f"drivers against their declared direction carry {percent(item.share)} of what moves the "
        f"scores (suspicious from {percent(item.limit)}), and the outcomes say the same: "
        f"{listed([*names, *more])}. Find out how {tables} came about; where the trade is really "
        "so, declare your own features with the other direction."
    )


def _learnt(declared: int) -> str:
    return "less of it goes with churn" if declared > 0 else "more of it goes with churn"


def lifetimes(items: Iterable[LifetimeRecord]) -> str:
    """Return how many tables look made for whole lives, in a sentence."""
    spread_out = [item.table for item in items if item.kind == "spread" and not item.allowed]
    cut = [item.table for item in items if item.kind == "cut_off" and not item.allowed]
    allowed = [item.table for item in items if item.allowed]
    parts = [
        f"{listed(names)}: {words}"
        for names, words in (
            (spread_out, "rows made for lives of a known length"),
            (cut, "rows cut off at a number"),
            (allowed, "allowed by name"),
        )
        if names
    ]
    return f"{'; '.join(parts)}." if parts else "The rows of an account grow with its life."
