"""What changed: the move of a score between two runs, split into parts that add up to it.

Under one model the move is the sum of the changes of the signals' contributions.  Under another
model the later data are scored by the older one too: up to there the data moved, from there on the
model did, and of that its base value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.records.explain import BookChange, ChangePart, ScoreChange
from tenure.core.times import show

PARTS, LEAST_POINTS = 8, 0.0005
"""Parts of a move that are shown at most, and from how many points on."""
LEAST = 1e-12
"""Move of the log-odds from which it can be shared out in points."""
MODEL = "Another model"
BASE_RATE = "The model's base rate"
EVERYTHING = "Data and model together: the older model or the tables are not at hand"


@dataclass(frozen=True)
class ScoredPoint:
    """A score with what stands behind it."""

    account_id: str
    target: str
    horizon: str
    """Days, as text, or ``renewal``."""
    as_of: datetime
    model_version: str
    probability: float
    """Calibrated."""
    log_odds: float
    """Before calibration."""
    base: float
    """What the contributions start from."""
    contributions: Mapping[str, float] = field(repr=False)
    """Signal → contribution."""
    sentences: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Signal → its sentence, of the strongest."""


@dataclass(frozen=True)
class Bridge:
    """The later data under the older model."""

    point: ScoredPoint
    calibrated: Callable[[float], float] | None = None
    """From log-odds to the probability under the older model, None where it is no function of them
    alone."""


def score_change(
    before: ScoredPoint,
    after: ScoredPoint,
    labels: Mapping[str, str],
    bridge: Bridge | None = None,
) -> ScoreChange:
    """Return the move of a score, split into parts that add up to it, strongest first.

    `labels` say what signals are called; `bridge` is the later data under the older model, where
    the models differ and it is at hand.
    """
    if before.model_version == after.model_version:
        bridge = Bridge(after)
    if bridge is None:
        moved = after.log_odds - before.log_odds, after.probability - before.probability
        parts = [ChangePart(kind="all", label=EVERYTHING, log_odds=moved[0], points=moved[1])]
    else:
        parts = _of_data(before, after, bridge.point, labels)
        if bridge.point is not after:
            parts += _of_model(bridge, after)
    parts = [part for part in parts if part.log_odds or part.points]
    return ScoreChange(
        account_id=after.account_id,
        target=after.target,
        horizon=after.horizon,
        before_as_of=show(before.as_of),
        after_as_of=show(after.as_of),
        before_model=before.model_version,
        after_model=after.model_version,
        before_probability=before.probability,
        after_probability=after.probability,
        before_log_odds=before.log_odds,
        after_log_odds=after.log_odds,
        parts=tuple(sorted(parts, key=lambda part: (-abs(part.log_odds), part.code))),
    )


def shown_parts(move: ScoreChange) -> tuple[list[ChangePart], list[ChangePart]]:
    """Return the parts of a move that are worth a line, and the others."""
    large = [part for part in move.parts if abs(part.points) >= LEAST_POINTS][:PARTS]
    return large, [part for part in move.parts if part not in large]


def _of_data(
    before: ScoredPoint, after: ScoredPoint, bridge: ScoredPoint, labels: Mapping[str, str]
) -> list[ChangePart]:
    """Return the change of each signal's contribution under the older model."""
    names = list(dict.fromkeys([*before.contributions, *bridge.contributions]))
    amounts = np.array(
        [
            bridge.contributions.get(name, 0.0) - before.contributions.get(name, 0.0)
            for name in names
        ]
    )
    moved = bridge.log_odds - before.log_odds
    if len(amounts):
        # Stored contributions are rounded to 32 bits: what is left over goes with the largest.
        amounts[np.argmax(np.abs(amounts))] += moved - amounts.sum()
    points = shared_points(amounts, moved, bridge.probability - before.probability)
    return [
        ChangePart(
            kind="data",
            code=name,
            label=labels.get(name, name),
            log_odds=amount,
            points=point,
            before=before.sentences.get(name, ""),
            after=after.sentences.get(name, ""),
        )
        for name, amount, point in zip(names, amounts.tolist(), points.tolist(), strict=True)
    ]


def shared_points(amounts: Floats, moved: float, points: float) -> Floats:
    """Return a change of probability shared out in proportion to parts in log-odds.

    >>> shared_points(np.array([0.3, -0.1]), 0.2, 0.04)
    array([ 0.06, -0.02])
    """
    if abs(moved) < LEAST:
        # Nothing moved but by rounding.
        even = np.zeros_like(amounts)
        even[:1] = points
        return even
    shared: Floats = amounts * (points / moved)
    return shared


def _of_model(bridge: Bridge, after: ScoredPoint) -> list[ChangePart]:
    """Return what another model changed on the same data: its base value, and all else."""
    point = bridge.point
    base = after.base - point.base
    rest = (after.log_odds - point.log_odds) - base
    points = after.probability - point.probability
    if bridge.calibrated is None:
        of_base = points * base / (base + rest) if base * rest > 0 else 0.0
    else:
        at_point = bridge.calibrated(point.log_odds)
        of_base = bridge.calibrated(point.log_odds + base) - at_point
    return [
        ChangePart(kind="base_rate", label=BASE_RATE, log_odds=base, points=of_base),
        ChangePart(kind="model", label=MODEL, log_odds=rest, points=points - of_base),
    ]


def book_change(
    before: Mapping[str, ScoredPoint],
    after: Mapping[str, ScoredPoint],
    labels: Mapping[str, str],
    bridges: Mapping[str, Bridge] | None = None,
) -> BookChange:
    """Return who moved most between two runs of a book, and why.

    All go by account: earlier and later scores, at least one of each, and the later data under the
    older model where the models differ.  `labels` say what signals are called.
    """
    first, last = next(iter(before.values())), next(iter(after.values()))
    changes = [
        score_change(before[name], after[name], labels, (bridges or {}).get(name))
        for name in after
        if name in before
    ]
    changes.sort(key=lambda change: (-abs(change.points), change.account_id))
    return BookChange(
        target=last.target,
        before_as_of=show(first.as_of),
        after_as_of=show(last.as_of),
        changes=tuple(changes),
        appeared=tuple(sorted(after.keys() - before.keys())),
        gone=tuple(sorted(before.keys() - after.keys())),
        drivers=_mean_parts(changes),
    )


def _mean_parts(changes: Iterable[ScoreChange]) -> tuple[tuple[str, float], ...]:
    """Return the mean absolute part of each cause, largest first."""
    sums: dict[str, float] = {}
    changes = tuple(changes)
    for change in changes:
        for part in change.parts:
            sums[part.label] = sums.get(part.label, 0.0) + abs(part.log_odds) / len(changes)
    return tuple(sorted(sums.items(), key=lambda item: (-item[1], item[0])))
