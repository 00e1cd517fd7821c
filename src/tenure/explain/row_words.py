"""Rows whose drivers are put into words: what each value is held against, and the sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tenure.core.arrays import Array
from tenure.core.spec import Target
from tenure.explain.comparison import (
    OUTCOMES,
    PAST,
    PEERS,
    Compared,
    Speaker,
    own_past,
)
from tenure.explain.outcomes import OutcomeShares, Shares
from tenure.explain.peers import Peers
from tenure.explain.signals import BySignal
from tenure.explain.wording import UNKNOWN, label, show, signal_label, stated, uncapital
from tenure.features.plan.columns import FeatureSpec
from tenure.features.values import Values, numbers, words

WORDS = ("code", "label", "value", "peer_value", "direction", "sentence", "lever", "since")
NUMBERS = ("value_num", "peer_value_num", "contribution")
SPAN = re.compile(r"last (\d+)")
"""How far back a sentence looks, in days."""
DAY = 86_400_000_000
"""Microseconds."""


@dataclass(frozen=True)
class Explainer:
    """What it takes to speak of the contributions to one target."""

    target: Target
    specs: Mapping[str, FeatureSpec]
    """How to speak of each column."""
    peers: Peers
    """Typical values of comparable retained accounts."""
    outcomes: OutcomeShares | None = None
    """What became of accounts by value, None where that was not fitted."""
    levers_first: bool = False
    """Whether levers come before context."""
    begins: Mapping[str, date] = field(default_factory=dict)
    """First day of each source's history, as far as it is known."""
    _by_signal: dict[tuple[str, ...], BySignal] = field(
        default_factory=dict, compare=False, repr=False
    )

    def by_signal(self, columns: tuple[str, ...]) -> BySignal:
        """Return the columns of a model by the signal that they measure, worked out once."""
        if columns not in self._by_signal:
            self._by_signal[columns] = BySignal.of(columns, self.specs)
        return self._by_signal[columns]


class About(NamedTuple):
    """What is known of the rows beside the features that a model reads."""

    as_of: Array = np.empty(0)
    """Prediction times, empty where there are none."""
    currency: Array = np.empty(0)
    """Of the amounts of each row, empty where it is not known."""


class RowWords:
    """Puts the features of some rows into words.

    Args:
        values: The model's features, shape (n, p).
        explainer: How to speak of them.
        about: What else is known of the rows.
    """

    def __init__(self, values: Values, explainer: Explainer, about: About) -> None:
        self._values, self._explainer, self._about = values, explainer, about
        self._peer_groups = _Groups(explainer.peers.groups(values))
        shares = explainer.outcomes
        self._share_groups = _Groups(shares.groups(values)) if shares else self._peer_groups
        self._speaker = Speaker(explainer.target, shares.horizon_days if shares else None)

    def compared(self, name: str, rows: Array, raises: Array) -> Compared:
        """Return a feature of some rows beside what it may be held against.

        `rows` are positions, and `raises` says whether the feature's contributions to them raise
        the score, both of shape (m,).
        """
        spec = self._explainer.specs[name]
        groups = self._peer_groups
        peers = self._explainer.peers.lookup(name, groups.names)[groups.number[rows]]
        if spec.text:
            values = words(self._values, name)[rows]
            values[pd.isna(values)] = None
        else:
            values = numbers(self._values, name)[rows]
            peers = peers.astype(np.float64)
        kinds = self._share_groups.names[self._share_groups.number[rows]]
        return Compared(
            spec,
            values,
            raises,
            peers,
            own_past(spec, self._values, rows),
            self._shares(name, values, kinds),
            kinds,
        )

    def described(
        self,
        compared: Compared,
        kinds: Array,
        rows: Array,
        amounts: Array,
        together: Sequence[tuple[str, ...]],
    ) -> tuple[Array, Array]:
        """Return the words and the numbers of one feature as driver of some rows.

        All have the shape (m,): `kinds`, what each value is held against, `rows`, their positions,
        `amounts`, contributions of the signal, and `together`, labels of the strongest other
        signals of the same direction, as tuples.

        Returns:
            Arrays of the shapes (m, `WORDS`) and (m, `NUMBERS`).
        """
        spec, money = compared.spec, self._about.currency
        currency = money[rows].tolist() if len(money) else [""] * len(rows)
        spoken: dict[tuple[Any, str], tuple[str, str]] = {}

        def words_of(pair: tuple[Any, str]) -> tuple[str, str]:
            """Return a value in words, and the statement that it makes; many rows share both."""
            if (known := spoken.get(pair)) is None:
                shown = show(pair[0], spec.unit, pair[1])
                known = spoken[pair] = shown, stated(spec, pair[0], shown, pair[1])
            return known

        values, peers = (
            list(map(words_of, zip(plain(column), currency, strict=True)))
            for column in (compared.values, compared.peers)
        )
        own, typical = ([word for word, _ in column] for column in (values, peers))
        beside = self._beside(compared, kinds, (currency, own, typical), together)
        unknown = self._too_short(spec, rows)
        facts = [other or statement for other, (_, statement) in zip(unknown, values, strict=True)]
        ends = self._speaker.ends
        raises = (amounts > 0).tolist()
        sentences = [
            f"{statement}{text}{ends[up]}"
            for statement, text, up in zip(facts, beside, raises, strict=True)
        ]
        directions = np.where(amounts > 0, "raises", "lowers")
        columns = (spec.group, signal_label(spec), own, typical, directions, sentences, spec.lever)
        words = np.empty((len(rows), len(WORDS)), dtype=object)
        for place, item in enumerate((*columns, self._since(spec, rows))):
            words[:, place] = item
        numbers = np.full((len(rows), len(NUMBERS)), np.nan)
        if not spec.text:
            numbers[:, 0], numbers[:, 1] = compared.values, compared.peers
        numbers[:, 2] = amounts
        return words, numbers

    def _beside(
        self,
        compared: Compared,
        kinds: Array,
        words: tuple[list[str], list[str], list[str]],
        together: Sequence[tuple[str, ...]],
    ) -> list[str]:
        """Return what each value is held against, in words.

        `kinds` is what each value is held against; `words` are currency, value and the value of
        peers of each row, and `together` labels of the strongest other signals.
        """
        speaker, spec = self._speaker, compared.spec
        like, every = (column.tolist() for column in compared.shares)
        past, values, peers = compared.past.tolist(), plain(compared.values), plain(compared.peers)
        spoken: dict[tuple[Any, Any, str], str] = {}
        texts = []
        for row, (kind, money, own, peer) in enumerate(zip(kinds.tolist(), *words, strict=True)):
            if kind == PAST:
                texts.append(speaker.past(spec, past[row], money))
            elif kind == PEERS:
                key = values[row], peers[row], money
                if key not in spoken:
                    spoken[key] = speaker.peers(spec, *key)
                texts.append(spoken[key])
            elif kind == OUTCOMES:
                texts.append(speaker.outcomes(like[row], every[row], compared.groups[row]))
            else:
                usual = own == peer != UNKNOWN
                texts.append(speaker.nothing(usual, together[row]))
        return texts

    def _shares(self, name: str, values: Array, groups: Array) -> Shares:
        outcomes = self._explainer.outcomes
        if outcomes is None:
            nothing = np.full(len(values), np.nan)
            return Shares(nothing, nothing)
        return outcomes.lookup(name, values, groups)

    def _too_short(self, spec: FeatureSpec, rows: Array) -> list[str]:
        """Return what is to be told where a source's history does not reach back far enough."""
        if not len(self._about.as_of):
            return [""] * len(rows)
        reach = max(map(int, SPAN.findall(spec.missing or "")), default=0)
        begins = [
            self._explainer.begins[name]
            for name in spec.source.split(", ")
            if name in self._explainer.begins
        ]
        if not reach or not begins:
            return [""] * len(rows)
        missing = np.isnan(numbers(self._values, spec.name)[rows])
        starts = self._about.as_of[rows].astype("datetime64[D]") - np.timedelta64(reach, "D")
        short = missing & (starts < np.datetime64(max(begins)))
        text = f"Not known so far back: {uncapital(label(spec))}"
        return [text if flag else "" for flag in short.tolist()]

    def _since(self, spec: FeatureSpec, rows: Array) -> Array:
        """Return the date from which each value has stood so, None where it is not known."""
        dates = np.full(len(rows), None, dtype=object)
        if spec.since is None or spec.since not in self._values or not len(self._about.as_of):
            return dates
        days = numbers(self._values, spec.since)[rows]
        known = np.flatnonzero(days >= 0)
        moments = self._about.as_of[rows[known]].astype("datetime64[us]")
        ago = np.round(days[known] * DAY).astype("timedelta64[us]")
        dates[known] = np.datetime_as_string(moments - ago, unit="D")
        return dates


class _Groups:
    """The group of each row.

    Attributes:
        names: Groups, shape (groups,).
        number: Position of each row's group among them, shape (n,).
    """

    def __init__(self, groups: Array) -> None:
        listed = groups.tolist()
        places = {name: place for place, name in enumerate(dict.fromkeys(listed))}
        self.names = np.asarray(list(places), dtype=object)
        self.number = np.fromiter((places[name] for name in listed), np.intp, len(listed))


def plain(values: Array) -> list[Any]:
    """Return values as Python's own, None where there is none."""
    return [None if item is None or item != item else item for item in values.tolist()]  # noqa: PLR0124 - NaN
