"""What a value is held against, so that its contribution can be understood.

The account's own past, comparable accounts that stayed, or what became of accounts with such a
value: the first of them that says something, and nothing that contradicts the contribution.  Where
none does, the sentence says what the model weighs the value together with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from tenure.core.arrays import Array, Flags
from tenure.core.formulas import evaluate, formula_names
from tenure.core.spec import Target
from tenure.explain.outcomes import Shares
from tenure.explain.peers import EVERYONE
from tenure.explain.wording import EFFECT, SIGN, UNKNOWN, fact, filled, show, term, uncapital
from tenure.features.plan.columns import FeatureSpec
from tenure.features.values import Values, numbers

NOTHING, PAST, PEERS, OUTCOMES = range(4)
"""What a value is held against."""
APART = 0.15
"""Relative difference from which two values, or two shares, are told apart."""
STAYED = "at comparable accounts that stayed"


@dataclass(frozen=True)
class Compared:
    """One feature of some rows beside what it may be held against; arrays of shape (n,)."""

    spec: FeatureSpec
    values: Array
    """Its values: numbers, NaN where there is none, or words, None where there is none."""
    raises: Array
    """Whether the contribution raises the score."""
    peers: Array
    """Typical values of comparable accounts that stayed, likewise."""
    past: Array
    """Its value in the account's own past, NaN where it is not known."""
    shares: Shares
    """Shares of outcomes among accounts like these."""
    groups: Array
    """Kind of account that the shares are of."""

    def take(self, some: Flags) -> Compared:
        """Return the same of some of the rows."""
        values, raises, peers, past, groups, *shares = (
            column[some]
            for column in (
                *(self.values, self.raises, self.peers, self.past, self.groups),
                *self.shares,
            )
        )
        return Compared(self.spec, values, raises, peers, past, Shares(*shares), groups)


def chosen(features: Sequence[Compared], target: Target) -> Array:
    """Return what each row of each feature is held against: one of the four numbers above.

    The features may be of any rows.

    Returns:
        One array, the rows of the first feature first.
    """
    sizes = [len(one.values) for one in features]
    specs = [one.spec for one in features]
    levers = np.repeat([spec.lever for spec in specs], sizes)
    expected = np.repeat([spec.direction * (1 if target.bad else -1) for spec in specs], sizes)
    least = np.repeat([0.5 if spec.unit == "count" else 0.0 for spec in specs], sizes)
    columns = zip(*map(_columns, features), strict=True)
    raises, values, peers, other, past, like, every = map(np.concatenate, columns)

    def tells(others: Array) -> Flags:
        """Return whether values differ from others, and as the contribution would have it."""
        gap = values - others
        apart = np.maximum(APART * np.maximum(np.abs(values), np.abs(others)), least)
        fits = (expected == 0) | ((gap * expected > 0) == raises)
        return np.asarray((np.abs(gap) > apart) & fits)

    with np.errstate(invalid="ignore"):
        usual = like > (1 + APART) * every, like < every / (1 + APART)
        by_past, by_peers = tells(past), tells(peers)
    by_peers |= other | (np.isnan(values) & ~np.isnan(peers))
    by_outcomes = np.where(raises, *usual)
    # A team can act on a lever: what has changed says most.  For context, what it led to.
    kinds = np.where(by_outcomes, OUTCOMES, NOTHING)
    kinds = np.where(by_peers & (levers | ~by_outcomes), PEERS, kinds)
    return np.where(by_past & (levers | ~by_outcomes), PAST, kinds).astype(np.int8)


def _columns(one: Compared) -> tuple[Array, ...]:
    """Return what is compared of a feature: words are told apart, and have no numbers."""
    values, peers, other = one.values, one.peers, np.zeros(len(one.values), dtype=bool)
    if one.spec.text:
        pairs = zip(values.tolist(), peers.tolist(), strict=True)
        other = np.asarray([peer is not None and own != peer for own, peer in pairs], dtype=bool)
        values = peers = np.full(len(other), np.nan)
    return one.raises, values, peers, other, one.past, *one.shares


def own_past(spec: FeatureSpec, values: Values, rows: Array) -> Array:
    """Return what accounts had before, NaN where the matrix does not say it.

    `rows` are positions in `values`, shape (m,).
    """
    names = _read(spec.past[0], spec.name) if spec.past else frozenset()
    if spec.past is None or not all(name in values for name in names):
        return np.full(len(rows), np.nan)
    columns = {name: numbers(values, name)[rows] for name in names}
    return evaluate(spec.past[0], columns)


@lru_cache(maxsize=4096)
def _read(formula: str, place: str) -> frozenset[str]:
    return formula_names(formula, place)


@dataclass(frozen=True)
class Speaker:
    """How the drivers of one target are put into sentences."""

    target: Target
    horizon_days: int | None
    """Days within which shares of outcomes count, None without shares."""

    @cached_property
    def ends(self) -> tuple[str, str]:
        """Return the end of a sentence: where the score is lowered, and where it is raised."""
        lower, higher = (
            f"{EFFECT} {effect} probability of {self.target.event}."
            for effect in ("lower", "higher")
        )
        return lower, higher

    def sentence(self, statement: str, compared: str, *, raises: bool) -> str:
        """Return a fact, what it is held against, and the effect as a sentence."""
        return f"{statement}{compared}{self.ends[raises]}"

    def past(self, spec: FeatureSpec, past: float, currency: str) -> str:
        """Return what the account had before, in words."""
        words = spec.past[1] if spec.past else ""
        shown = show(past, spec.unit, currency)
        return f" ({filled(words, past, shown, spec.unit, currency)})"

    def peers(self, spec: FeatureSpec, own: Any, peer: Any, currency: str) -> str:
        """Return the value of comparable accounts that stayed, in words.

        It is a statement of its own where the account has no value, or one of another sign.

        `own` is the account's value, `peer` that of the others; the currency is that of money.
        """
        shown = show(peer, spec.unit, currency)
        if shown == UNKNOWN:
            return ""
        signed = not spec.text and SIGN.search(spec.sentence) is not None
        missing = own is None or own != own  # noqa: PLR0124 - NaN
        if missing or (signed and np.sign(own) != np.sign(peer)):
            return f" ({STAYED}: {uncapital(fact(spec, peer, currency))})"
        return f" ({show(abs(peer), spec.unit, currency) if signed else shown} {STAYED})"

    @lru_cache(maxsize=4096)  # noqa: B019 - a speaker is as short-lived as its rows
    def outcomes(self, like: float, every: float, group: str) -> str:
        """Return what became of accounts with such a value, in words."""
        kind = f" with {term(group)} billing" if group != EVERYONE else ""
        return (
            f"; {self.target.event} within {self.horizon_days} days followed for {percent(like)} "
            f"of such accounts{kind}, for {percent(every)} of all{kind}"
        )

    def nothing(self, usual: bool, others: tuple[str, ...]) -> str:
        """Return what the model weighs a value together with, in words."""
        text = ", as usual among comparable accounts that stayed" if usual else ""
        if others:
            text += f"; the model weighs it together with {' and '.join(others)}"
        return text


def percent(share: float) -> str:
    """Return a share for people.

    >>> percent(0.0421), percent(0.421), percent(0.0), percent(0.0001)
    ('4.2%', '42%', '0%', 'under 0.1%')
    """
    if 0 < share < 0.0005:
        return "under 0.1%"
    digits = 1 if 0 < share < 0.0995 else 0
    return f"{100 * share:.{digits}f}%"
