"""Leakage: columns that alone predict later outcomes too well to be true.

A model of one column is the event rate of its bins in the past.  A column whose bins order later
outcomes almost without fault knows them already: it was written because of the outcome, or after
it.  Nothing is fitted on the rows that are measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tenure.core.arrays import Array, Flags, Floats, Ints, Places
from tenure.core.records.audit import SuspectRecord
from tenure.labels.splits import half
from tenure.model.evaluation.bins import Bins
from tenure.model.evaluation.bootstrap import Resamples, interval, ranking

if TYPE_CHECKING:
    from tenure.features.compute.matrix import FeatureMatrix
    from tenure.features.plan.columns import FeatureSpec


BINS = 20
WORDS = 50
FEWEST = 10
"""Distinct outcomes needed on either side of the split."""
PRIOR = 10.0
CERTAIN = 0.8
RARE = 0.3
RESAMPLES = 200
REASONS = {
    "forward": "alone it orders later {target} with an AUC of {figure:.3f}, {limit:g} or more: "
    "what is honestly known beforehand rarely does",
    "accounts": "it never changes for an account, and tells with an AUC of {figure:.3f} which "
    "accounts ever have {target}: it may have been overwritten then",
    "certain": "{figure:.0%} of the rows where it is {value} are followed by {target}: it may be "
    "the outcome itself",
}
FIX = (
    "Find out when it is written: map that time as its clock, leave it out, or allow it by name "
    "(audit.allow: [{column}])"
)


@dataclass(frozen=True)
class _Rows:
    """Labelled rows, and which of them to fit on and to measure on."""

    labels: Floats
    accounts: Array
    folds: tuple[tuple[Flags, Flags], ...]

    @property
    def measured(self) -> Flags:
        every: Flags = np.logical_or.reduce([test for _, test in self.folds])
        return every


@dataclass(frozen=True)
class _Ever:
    """One row per account, labelled by whether it ever has the outcome."""

    rows: _Rows
    account: Places
    first: Places


@dataclass(frozen=True)
class _Column:
    """One column under test, and the limit it must stay below."""

    name: str
    target: str
    limit: float
    allowed: bool
    seed: int

    def suspect(
        self,
        kind: str,
        figure: float,
        events: int,
        value: str | None = None,
        between: Mapping[str, float | None] | None = None,
    ) -> SuspectRecord:
        words = {"target": self.target, "figure": figure, "limit": self.limit, "value": value}
        ends = between or {}
        return SuspectRecord(
            column=self.name,
            target=self.target,
            kind=kind,
            figure=figure,
            lo=ends.get("lo"),
            hi=ends.get("hi"),
            value=value,
            events=events,
            allowed=self.allowed,
            text=f"{REASONS[kind].format(**words)}. {FIX.format(column=self.name)}",
        )


def suspicious(
    matrix: FeatureMatrix,
    labels: Mapping[str, pd.DataFrame],
    *,
    limit: float = 0.9,
    allow: Iterable[str] = (),
    seed: int = 0,
) -> list[SuspectRecord]:
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
    strongest: dict[tuple[str, str, str], SuspectRecord] = {}
    for target, rows in labels.items():
        known = rows["label"].notna().to_numpy()
        split, ever = _forward_split(rows[known], seed), _ever(rows[known], seed)
        for name, spec in ((name, matrix.specs[name]) for name in matrix.values.columns):
            column = spec.group if spec.family == "raw" else name
            test = _Column(column, target, limit, bool({column, name} & permitted), seed)
            values = matrix.values[name][known].reset_index(drop=True)
            for suspect in _suspects(test, spec, values, split, ever):
                key = (suspect.column, target, suspect.kind)
                if key not in strongest or strongest[key].figure < suspect.figure:
                    strongest[key] = suspect
    return sorted(strongest.values(), key=lambda item: (-item.figure, item.column, item.target))


def _suspects(
    test: _Column,
    spec: FeatureSpec,
    values: pd.Series[Any],
    split: _Rows | None,
    ever: _Ever | None,
) -> Iterator[SuspectRecord]:
    if split is not None:
        scores, codes, names = _scores(spec, values, split)
        yield from _by_order(test, "forward", scores, split)
        yield from _by_certainty(test, codes, names, split)
    if ever is not None:
        first = values.iloc[ever.first].reset_index(drop=True)
        own = first.iloc[ever.account].reset_index(drop=True)
        constant = ((values == own) | (values.isna() & own.isna())).all()
        if constant and first.nunique() > 1:
            yield from _by_order(test, "accounts", _scores(spec, first, ever.rows)[0], ever.rows)


def _by_order(test: _Column, kind: str, scores: Floats, rows: _Rows) -> Iterator[SuspectRecord]:
    measured = rows.measured
    labels, scored, accounts = rows.labels[measured], scores[measured], rows.accounts[measured]
    figure = auc(labels, scored)
    if figure >= test.limit:
        draws = Resamples.draw(accounts, RESAMPLES, test.seed)
        between = interval(ranking(draws, labels, scored, ()).auc, 0.95)
        events = len(np.unique(accounts[labels == 1]))
        yield test.suspect(kind, figure, events, between=between)


def _by_certainty(
    test: _Column, codes: Ints, names: list[str], rows: _Rows
) -> Iterator[SuspectRecord]:
    """Yield the bin that is almost always followed by the outcome, where that is rare."""
    labels, bins, accounts = (part[rows.measured] for part in (rows.labels, codes, rows.accounts))
    if not len(labels) or labels.mean() > RARE:
        return
    size = np.bincount(bins, minlength=len(names))
    rate = np.bincount(bins, weights=labels, minlength=len(names)) / np.maximum(size, 1)
    for place in np.argsort(-rate, kind="stable"):
        if rate[place] < CERTAIN:
            return
        owners = len(np.unique(accounts[(bins == place) & (labels == 1)]))
        if owners >= FEWEST:
            yield test.suspect("certain", float(rate[place]), owners, names[place])
            return


def _forward_split(known: pd.DataFrame, seed: int) -> _Rows | None:
    """Return rows to fit and to measure on: the past and later, else two halves of accounts."""
    labels = known["label"].to_numpy(dtype=np.float64)
    accounts = known["account_id"].to_numpy(dtype=str)
    best: tuple[int, Flags, Flags] | None = None
    for moment in np.unique(known["as_of"].to_numpy(dtype="datetime64[us]")):
        past = (known["label_known_at"] <= moment).to_numpy(dtype=bool)
        later = (known["as_of"] >= moment).to_numpy(dtype=bool)
        fewest = min(len(np.unique(accounts[part & (labels == 1)])) for part in (past, later))
        if fewest >= FEWEST and (best is None or fewest > best[0]):
            best = (fewest, past, later)
    if best is not None:
        return _Rows(labels, accounts, (best[1:],))
    return _halves(labels, accounts, seed)


def _halves(labels: Floats, accounts: Array, seed: int) -> _Rows | None:
    """Return rows that are fitted on one half of the accounts and measured on the other."""
    first = half(pd.Series(accounts), seed) if len(accounts) else np.zeros(0, dtype=bool)
    fewest = min(len(np.unique(accounts[part & (labels == 1)])) for part in (first, ~first))
    if fewest < FEWEST // 2 or labels.min() == labels.max():
        return None
    return _Rows(labels, accounts, ((first, ~first), (~first, first)))


def _ever(known: pd.DataFrame, seed: int) -> _Ever | None:
    account, names = pd.factorize(known["account_id"], sort=True)
    labels = np.zeros(len(names))
    np.maximum.at(labels, account, known["label"].to_numpy(dtype=np.float64))
    halves = _halves(labels, np.asarray(names, dtype=str), seed)
    first = np.unique(account, return_index=True)[1]
    return None if halves is None else _Ever(halves, account, first)


def _scores(
    spec: FeatureSpec, values: pd.Series[Any], rows: _Rows
) -> tuple[Floats, Ints, list[str]]:
    """Return each row's event rate by bin, fitted on other rows, its bin, and the bins' names."""
    scores = np.full(len(values), np.nan)
    bins = Bins.of(values[rows.folds[0][0]], text=spec.text, bins=BINS, words=WORDS)
    codes, names = bins.codes(values), bins.names
    for past, later in rows.folds:
        size = np.bincount(codes[past], minlength=len(names))
        hits = np.bincount(codes[past], weights=rows.labels[past], minlength=len(names))
        base = rows.labels[past].mean() if past.any() else 0.0
        scores[later] = ((hits + PRIOR * base) / (size + PRIOR))[codes[later]]
    return scores, codes, names


def auc(labels: Floats, scores: Floats) -> float:
    """Return the area under the ROC curve, 0.5 with one class only; ties count half."""
    positives = labels == 1
    hits, rest = int(positives.sum()), int((~positives).sum())
    if not hits or not rest:
        return 0.5
    ranks = pd.Series(scores).rank(method="average").to_numpy()
    return float((ranks[positives].sum() - hits * (hits + 1) / 2) / (hits * rest))
