"""Leakage: columns that alone predict later outcomes too well to be true.

A model of one column is the event rate of its bins in the past.  A column whose bins order later
outcomes almost without fault knows them already: it was written because of the outcome, or after
it.  Nothing is fitted on the rows that are measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tenure.labels.splits import half
from tenure.model.evaluation.bootstrap import Resamples, interval, ranking

if TYPE_CHECKING:
    from tenure.audit.near_outcome import Near
    from tenure.features.compute.matrix import FeatureMatrix
    from tenure.features.plan.columns import FeatureSpec

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Kind = Literal["forward", "accounts", "certain", "near"]

BINS = 20
WORDS = 50
FEWEST = 10
"""Distinct outcomes needed on either side of the split."""
PRIOR = 10.0
CERTAIN = 0.8
RARE = 0.3
RESAMPLES = 200


@dataclass(frozen=True)
class Suspect:
    """A column that knows too much.

    Attributes:
        column: Feature, or ``<table>.<column>`` of a raw column: the name that allows it.
        target: Which outcome it knows.
        kind: ``forward`` (orders later outcomes), ``accounts`` (never changes for an account, and
            tells which accounts ever have the outcome), ``certain`` (one of its values is almost
            always followed by the outcome) or ``near`` (only ever filled around the outcome).
        figure: AUC, or for ``certain`` and ``near`` the share.
        lo: Lower end of its 95 % interval, by accounts; None where there is none.
        hi: Upper end.
        value: For ``certain`` and ``near`` the value concerned.
        events: Accounts with the outcome, or with the value, behind the figure.
        allowed: Whether the config allows the column by name.
        text: Why that is suspicious, and what to do.
    """

    column: str
    target: str
    kind: Kind
    figure: float
    lo: float | None
    hi: float | None
    value: str | None
    events: int
    allowed: bool
    text: str


@dataclass(frozen=True)
class _Rows:
    """Labelled rows, and which of them to fit on and to measure on."""

    labels: Floats
    accounts: NDArray[np.str_]
    folds: tuple[tuple[Bools, Bools], ...]

    @property
    def measured(self) -> Bools:
        every: Bools = np.logical_or.reduce([test for _, test in self.folds])
        return every

    @property
    def events(self) -> int:
        return len(np.unique(self.accounts[self.measured & (self.labels == 1)]))


def suspicious(
    matrix: FeatureMatrix,
    labels: Mapping[str, pd.DataFrame],
    *,
    limit: float = 0.9,
    allow: Iterable[str] = (),
    seed: int = 0,
) -> list[Suspect]:
    """Return the columns of a matrix that alone are too good to be true.

    Args:
        matrix: Features of snapshots.
        labels: Target → rows as `tenure.labels.targets.label` returns them, in the matrix's order.
        limit: AUC from which a column is suspicious.
        allow: Names of columns that may be that good; they are returned, marked as allowed.
        seed: Of the account halves and of the intervals.

    Returns:
        Suspects, the strongest first, at most one per column, target and kind.  Targets with too
        few outcomes to measure give none.
    """
    permitted = set(allow)
    strongest: dict[tuple[str, str, Kind], Suspect] = {}
    for target, rows in labels.items():
        split = _forward_split(rows, seed)
        ever = _ever(rows, seed)
        for name in matrix.values.columns:
            spec = matrix.specs[name]
            column = f"{spec.group}" if spec.family == "raw" else name
            test = _Column(column, target, limit, bool({column, name} & permitted), seed)
            values = matrix.values[name].to_numpy()[rows["label"].notna().to_numpy()]
            for suspect in _suspects(test, spec, values, split, ever):
                key = (suspect.column, target, suspect.kind)
                if key not in strongest or strongest[key].figure < suspect.figure:
                    strongest[key] = suspect
    return sorted(strongest.values(), key=lambda item: (-item.figure, item.column, item.target))


def nearby(
    values: Iterable[Near], target: str, window_days: int, allow: Iterable[str] = ()
) -> list[Suspect]:
    """Return values that stand around outcomes only as suspects.

    Args:
        values: From `tenure.audit.near_outcome.near`.
        target: Whose outcomes they stand around.
        window_days: The days before and after an outcome that counted as close.
        allow: Names of columns that may.
    """
    permitted = set(allow)
    suspects = []
    for item in values:
        what = "a value" if item.value is None else f"`{item.value}`"
        text = (
            f"{item.near:.0%} of the {item.rows:,} rows of {item.column} with {what} lie within "
            f"{window_days} days of a {target} of their account ({item.after:.0%} after it), "
            f"against {item.usual:.0%} of all rows: it is written because of the outcome, or after "
            "it. Find out when; map the time as its clock or leave the column out"
        )
        suspects.append(
            Suspect(
                item.column,
                target,
                "near",
                item.near,
                None,
                None,
                item.value,
                item.accounts,
                item.column in permitted,
                text,
            )
        )
    return suspects


@dataclass(frozen=True)
class _Column:
    """One column under test, and the limit it must stay below."""

    name: str
    target: str
    limit: float
    allowed: bool
    seed: int

    def suspect(
        self, kind: Kind, figure: float, between: Mapping[str, Any], value: str | None, events: int
    ) -> Suspect:
        lo, hi = between.get("lo"), between.get("hi")
        text = _text(kind, self, figure, value)
        return Suspect(
            self.name, self.target, kind, figure, lo, hi, value, events, self.allowed, text
        )


def _suspects(
    test: _Column, spec: FeatureSpec, values: Any, split: _Rows | None, ever: _Ever | None
) -> Iterable[Suspect]:
    if split is not None:
        scores, codes, names = _scores(spec, values, split)
        yield from _by_order(test, "forward", scores, split)
        yield from _by_certainty(test, codes, names, split)
    if ever is not None:
        first = values[ever.first]
        if _constant(values, ever.account, first):
            scores, _, _ = _scores(spec, first, ever.rows)
            yield from _by_order(test, "accounts", scores, ever.rows)


def _by_order(test: _Column, kind: Kind, scores: Floats, rows: _Rows) -> Iterable[Suspect]:
    measured = rows.measured
    labels, scored = rows.labels[measured], scores[measured]
    figure = _auc(labels, scored)
    if figure < test.limit:
        return
    draws = Resamples.draw(rows.accounts[measured], RESAMPLES, test.seed)
    between = interval(ranking(draws, labels, scored, ()).auc, 0.95)
    yield test.suspect(kind, figure, between, None, rows.events)


def _by_certainty(test: _Column, codes: Ints, names: list[str], rows: _Rows) -> Iterable[Suspect]:
    """Yield the bin that is almost always followed by the outcome, where that is rare."""
    measured = rows.measured
    labels, bins, accounts = rows.labels[measured], codes[measured], rows.accounts[measured]
    if not len(labels) or labels.mean() > RARE:
        return
    size = np.bincount(bins, minlength=len(names))
    rate = np.bincount(bins, weights=labels, minlength=len(names)) / np.maximum(size, 1)
    for place in np.argsort(-rate, kind="stable"):
        if rate[place] < CERTAIN:
            return
        owners = len(np.unique(accounts[(bins == place) & (labels == 1)]))
        if owners >= FEWEST:
            yield test.suspect("certain", float(rate[place]), {}, names[place], owners)
            return


@dataclass(frozen=True)
class _Ever:
    """One row per account, labelled by whether it ever has the outcome."""

    rows: _Rows
    account: Ints
    first: Ints


def _forward_split(rows: pd.DataFrame, seed: int) -> _Rows | None:
    """Return rows to fit and to measure on: the past and later, else two halves of accounts."""
    known = rows[rows["label"].notna()]
    labels = known["label"].to_numpy(dtype=np.float64)
    accounts = known["account_id"].to_numpy(dtype=str)
    as_of = known["as_of"].to_numpy(dtype="datetime64[us]")
    known_at = known["label_known_at"].to_numpy(dtype="datetime64[us]")
    outcome = labels == 1

    def events(part: Bools) -> int:
        return len(np.unique(accounts[part & outcome]))

    best: tuple[int, Bools, Bools] | None = None
    for moment in np.unique(as_of):
        past, later = known_at <= moment, as_of >= moment
        fewest = min(events(past), events(later))
        if fewest >= FEWEST and (best is None or fewest > best[0]):
            best = (fewest, past, later)
    if best is not None:
        return _Rows(labels, accounts, ((best[1], best[2]),))
    return _halves(labels, accounts, seed)


def _halves(labels: Floats, accounts: NDArray[np.str_], seed: int) -> _Rows | None:
    """Return rows that are fitted on one half of the accounts and measured on the other."""
    first = half(pd.Series(accounts), seed) if len(accounts) else np.zeros(0, dtype=bool)
    fewest = min(len(np.unique(accounts[part & (labels == 1)])) for part in (first, ~first))
    if fewest < FEWEST // 2 or labels.min() == labels.max():
        return None
    return _Rows(labels, accounts, ((first, ~first), (~first, first)))


def _ever(rows: pd.DataFrame, seed: int) -> _Ever | None:
    known = rows[rows["label"].notna()]
    account, names = pd.factorize(known["account_id"], sort=True)
    labels = np.zeros(len(names))
    np.maximum.at(labels, account, known["label"].to_numpy(dtype=np.float64))
    if not len(labels):
        return None
    halves = _halves(labels, np.asarray(names, dtype=str), seed)
    first = np.unique(account, return_index=True)[1].astype(np.int64)
    return None if halves is None else _Ever(halves, account.astype(np.int64), first)


def _constant(values: Any, account: Ints, first: Any) -> bool:
    """Return whether a column never changes within an account, and does between accounts."""
    one, other = pd.Series(values), pd.Series(first[account])
    same = ((one == other) | (one.isna() & other.isna())).all()
    return bool(same) and pd.Series(first).nunique() > 1


def _scores(spec: FeatureSpec, values: Any, rows: _Rows) -> tuple[Floats, Ints, list[str]]:
    """Return each row's event rate by bin, fitted on other rows, its bin, and the bins' names."""
    scores = np.full(len(values), np.nan)
    codes, names = _codes(values, rows.folds[0][0], text=spec.text)
    for past, later in rows.folds:
        size = np.bincount(codes[past], minlength=len(names))
        hits = np.bincount(codes[past], weights=rows.labels[past], minlength=len(names))
        base = rows.labels[past].mean() if past.any() else 0.0
        scores[later] = ((hits + PRIOR * base) / (size + PRIOR))[codes[later]]
    return scores, codes, names


def _codes(values: Any, past: Bools, *, text: bool) -> tuple[Ints, list[str]]:
    """Return the bin of each value, as the past has them, and how to call each bin."""
    if text:
        column = pd.Series(values, dtype=object)
        common = [str(word) for word in column[past].value_counts().index[:WORDS]]
        place = {word: number for number, word in enumerate(common)}
        places = column.astype(str).map(place).fillna(len(common))
        codes = np.where(column.isna(), len(common) + 1, places).astype(np.int64)
        return codes, [*common, "any other value", "missing"]
    numbers = np.asarray(values, dtype=np.float64)
    present = numbers[past & ~np.isnan(numbers)]
    levels = np.arange(1, BINS) / BINS
    edges = np.quantile(present, levels, method="inverted_cdf") if len(present) else np.empty(0)
    edges = np.unique(edges)
    codes = np.searchsorted(edges, numbers, side="left").astype(np.int64)
    codes = np.where(np.isnan(numbers), len(edges) + 1, codes)
    names = [f"up to {edge:.6g}" for edge in edges]
    names += [f"above {edges[-1]:.6g}" if len(edges) else "any value", "missing"]
    return codes, names


def _auc(labels: Floats, scores: Floats) -> float:
    positives = labels == 1
    hits, rest = int(positives.sum()), int((~positives).sum())
    if not hits or not rest:
        return 0.5
    ranks = pd.Series(scores).rank(method="average").to_numpy()
    return float((ranks[positives].sum() - hits * (hits + 1) / 2) / (hits * rest))


def _text(kind: Kind, test: _Column, figure: float, value: str | None) -> str:
    fix = (
        "Find out when it is written: map that time as its clock, leave it out, or allow it by "
        f"name (audit.allow: [{test.name}])"
    )
    reason = {
        "forward": f"alone it orders later {test.target} with an AUC of {figure:.3f}, "
        f"{test.limit:g} or more: what is honestly known beforehand rarely does",
        "accounts": f"it never changes for an account, and tells with an AUC of {figure:.3f} which "
        f"accounts ever have {test.target}: it may have been overwritten then",
        "certain": f"{figure:.0%} of the rows where it is {value} are followed by {test.target}: "
        "it may be the outcome itself",
        "near": "",
    }[kind]
    return f"{reason}. {fix}"
