"""Forward splits: nothing is trained on before its outcome was known.

An origin (of rolling-origin evaluation) is a prediction time of the past.  It trains on the rows
whose label was known by then and is tested on the rows of its own time.  The same account may stand
in train and test, in that order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tenure.core.arrays import Flags, Places
from tenure.core.errors import ModelError, Problem, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


DAYS_PER_MONTH = 365.25 / 12


@dataclass(frozen=True)
class Origin:
    """One fold: a past prediction time."""

    as_of: pd.Timestamp
    train: Places
    """Positions of the rows to train on."""
    test: Places
    """Positions of the rows to test on."""


@dataclass(frozen=True)
class Shortage:
    """Why the history cannot carry the folds asked for."""

    reason: str
    """In words."""
    months: int | None
    """Estimated months of further history needed; None where more of the same history would not
    help."""

    def __str__(self) -> str:
        """Return the reason and the months as one sentence."""
        if self.months is None:
            return self.reason
        return f"{self.reason}; about {self.months} more months of history are needed"


@dataclass(frozen=True)
class Folds:
    """Forward folds, oldest first."""

    origins: tuple[Origin, ...]
    """The folds that can be formed, even where they are fewer than asked for."""
    shortage: Shortage | None = None
    """Set where they are fewer than asked for."""


def forward_origins(
    rows: pd.DataFrame,
    *,
    min_train_cutoffs: int = 4,
    min_train_positives: int = 15,
    min_test_cutoffs: int = 3,
    max_folds: int = 24,
    disjoint_seed: int | None = None,
) -> Folds:
    """Return the latest folds that have enough past to train on, oldest first.

    Args:
        rows: Labelled snapshots with as_of, label (1, 0 or missing), label_known_at, account_id;
            outcome_id, by default each positive row is an outcome; `tested` tells which of them a
            fold tests on, by default those with a label.
        min_train_cutoffs: Distinct prediction times a fold must train on.
        min_train_positives: Distinct outcomes behind the positive rows a fold trains on.
        min_test_cutoffs: Folds below which a shortage is reported.
        max_folds: The most folds to return, the latest.
        disjoint_seed: Trains on one half of the accounts and tests on the other, halved by a hash
            with this seed: the figure for accounts never seen.

    Returns:
        Folds whose `train` and `test` are positions in `rows`; training labels were all known at
        the fold's `as_of`.
    """
    label = rows["label"].to_numpy(dtype="float64", na_value=np.nan)
    as_of = rows["as_of"].to_numpy(dtype="datetime64[us]")
    known = rows["label_known_at"].to_numpy(dtype="datetime64[us]")
    labelled = ~np.isnan(label)
    may_train = labelled
    may_test = rows["tested"].to_numpy(dtype=bool) if "tested" in rows else labelled
    if disjoint_seed is not None:
        first = half(rows["account_id"], disjoint_seed)
        may_train, may_test = may_train & first, may_test & ~first
    origins: list[Origin] = []
    moments = np.unique(as_of[may_test])
    outcomes = outcomes_known(rows[may_train], moments)
    for moment, positives in zip(moments[::-1], outcomes[::-1].tolist(), strict=True):
        train = np.flatnonzero(may_train & (known <= moment))
        enough = len(np.unique(as_of[train])) >= min_train_cutoffs
        if len(origins) == max_folds or not enough or positives < min_train_positives:
            break
        if label[train].sum() < len(train):
            test = np.flatnonzero(may_test & (as_of == moment))
            origins.append(Origin(pd.Timestamp(moment), train, test))
    shortage = None
    if len(origins) < min(min_test_cutoffs, max_folds):
        shares = 1 if disjoint_seed is None else 2
        shortage = _shortage(
            rows, min_train_cutoffs, min_train_positives * shares, min_test_cutoffs, len(origins)
        )
    return Folds(tuple(reversed(origins)), shortage)


@dataclass(frozen=True)
class ForwardSplit:
    """A scikit-learn splitter: forward folds, each embargoed until its training labels were known.

    A fold tests on the rows of one prediction time and trains on the rows whose label was known by
    then.  Rows are told apart by the index of a frame, so a part of the rows, or the rows in
    another order, are split as they should be, and a search inside a fold stays inside its past.

    >>> months = pd.date_range("2024-01-01", periods=6, freq="MS")
    >>> index = pd.MultiIndex.from_product([months, ["a", "b"]], names=["as_of", "account_id"])
    >>> rows = index.to_frame().assign(label=[0, 1] * 6)
    >>> rows["label_known_at"] = rows["as_of"] + pd.Timedelta(days=90)
    >>> cv = ForwardSplit(rows, min_train_cutoffs=2, min_train_positives=2)
    >>> [(train.tolist(), test.tolist()) for train, test in cv.split(rows)]
    [([0, 1, 2, 3], [8, 9]), ([0, 1, 2, 3, 4, 5], [10, 11])]

    Attributes:
        rows: Labelled rows, each under an index of its own: as_of, label, label_known_at,
            account_id.
        min_train_cutoffs: Distinct prediction times a fold must train on.
        min_train_positives: Distinct outcomes behind the positive rows a fold trains on.
        max_folds: The most folds, the latest; None for all.
    """

    rows: pd.DataFrame = field(repr=False)
    min_train_cutoffs: int = 4
    min_train_positives: int = 15
    max_folds: int | None = None

    def folds(self, X: Any = None) -> tuple[Origin, ...]:
        """Return the folds of the rows of X, positions being those in X; of all rows by default.

        Raises:
            RefusedError: If the history of these rows is too short for one fold.
            ValueError: If the rows of X are not rows of this splitter.
        """
        rows = self.rows.iloc[self._positions(X)]
        folds = forward_origins(
            rows,
            min_train_cutoffs=self.min_train_cutoffs,
            min_train_positives=self.min_train_positives,
            max_folds=self.max_folds or max(rows["as_of"].nunique(), 1),
        )
        if not folds.origins:
            fix = "give more history, or ask less of a fold: min_train_cutoffs, min_train_positives"
            raise RefusedError(Problem("cv", "there is no fold", str(folds.shortage), fix))
        return folds.origins

    def split(
        self, X: Any = None, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[Places, Places]]:
        """Yield the positions in X of the training and of the test rows of each fold.

        Args:
            X: A frame with the index of the rows, or with every row, in their order.
            y: Not looked at: a fold's training labels are those of the rows.
            groups: Not looked at: an account stands in train and test, in that order.
        """
        del y, groups
        for fold in self.folds(X):
            yield fold.train, fold.test

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds."""
        del y, groups
        return len(self.folds(X))

    def _positions(self, X: Any) -> Places:
        everything = np.arange(len(self.rows))
        if X is None:
            return everything
        if isinstance(X, pd.DataFrame | pd.Series):
            positions = self.rows.index.get_indexer(X.index)
            if len(positions) and positions.min() >= 0:
                return np.asarray(positions, dtype=np.intp)
        if len(X) == len(self.rows):
            return everything
        raise ValueError(
            f"X has {len(X)} rows that cannot be told apart; the splitter knows {len(self.rows)}: "
            "keep the index of the training set, or give every row in its order"
        )


def half(accounts: pd.Series, seed: int) -> Flags:
    """Return which accounts fall into the first half, by a seeded hash of their id."""
    codes, names = pd.factorize(accounts)
    key = f"{seed % 10**16:016d}"
    hashes = pd.util.hash_array(np.asarray(names, dtype=object), hash_key=key, categorize=False)
    first: Flags = (hashes % 2 == 0)[codes]
    return first


def thinned(accounts: pd.Series, used: Flags, most: int, seed: int) -> Places:
    """Return the positions of used rows, of half of the accounts while they are too many.

    Args:
        accounts: Account of each row.
        used: Which rows may be taken.
        most: Most rows to take.
        seed: Seed of the halves.
    """
    taken = used.copy()
    while taken.sum() > most:
        seed += 1
        taken &= half(accounts, seed)
    return np.flatnonzero(taken)


def distinct_events(rows: pd.DataFrame) -> int:
    """Return how many distinct outcomes stand behind the positive rows."""
    return int(rows.loc[rows["label"] == 1, "outcome_id"].nunique())


def distinct_others(rows: pd.DataFrame) -> int:
    """Return how many accounts stand behind the rows without the outcome.

    One account is seen from several snapshots, and a lapsed renewal from as many as a renewed one.
    """
    return int(rows.loc[rows["label"] == 0, "account_id"].nunique())


def rarer(rows: pd.DataFrame) -> int:
    """Return how many distinct cases stand behind the rarer of the two labels.

    Of a renewal those are the lapses: no number of renewals tells a model who does not renew.
    """
    return min(distinct_events(rows), distinct_others(rows))


def outcomes_known(rows: pd.DataFrame, moments: Iterable[Any]) -> Places:
    """Return how many distinct outcomes were known at each of some times, shape (times,)."""
    positive = rows[rows["label"] == 1]
    first = positive.groupby(outcome_codes(positive))["label_known_at"].min()
    known = np.sort(first.to_numpy(dtype="datetime64[us]"))
    times = np.asarray([np.datetime64(moment, "us") for moment in moments], dtype="datetime64[us]")
    return np.searchsorted(known, times, side="right")


def outcome_codes(rows: pd.DataFrame) -> Places:
    """Return a number per row that rows of one outcome share; a row without an id has its own."""
    if "outcome_id" not in rows:
        return np.arange(len(rows))
    codes, names = pd.factorize(rows["outcome_id"])
    alone = codes < 0
    codes[alone] = len(names) + np.arange(alone.sum())
    return np.asarray(codes, dtype=np.intp)


def check_embargo(train: pd.DataFrame, test: pd.DataFrame) -> None:
    """Make sure that every training label was known before the test's first prediction time.

    Raises:
        ModelError: If one became known later.
    """
    known, first = train["label_known_at"].max(), test["as_of"].min()
    if known > first:
        rule = "every training label must be known before the test's first prediction time"
        value = f"label known at {known}, test starts at {first}"
        raise ModelError(Problem("train and test rows", rule, value, "train on earlier rows"))


def _shortage(rows: pd.DataFrame, cutoffs: int, positives: int, tests: int, folds: int) -> Shortage:
    """Return how much more history is needed, if it goes on at the pace of the history so far."""
    labelled = rows[rows["label"].notna()]
    positive = labelled["label"] == 1
    if len(labelled) and not positive.any():
        return Shortage("no positive labels", None)
    if len(labelled) and positive.all():
        return Shortage("no negative labels", None)
    events = len(np.unique(outcome_codes(labelled[positive])))
    moments = pd.Series(np.sort(rows["as_of"].unique()))
    if not len(moments):
        return Shortage("no snapshots", None)
    step = pd.Timedelta(days=DAYS_PER_MONTH)
    if len(moments) > 1:
        step = (moments.iloc[-1] - moments.iloc[0]) / (len(moments) - 1)
    wait = (rows["label_known_at"] - rows["as_of"]).max()
    if events:
        pace = events / labelled["as_of"].nunique()
        cutoffs = max(cutoffs, math.ceil(positives / pace))
    reason = (
        f"{folds} of the {tests} test prediction times that a claim needs: a fold trains on "
        f"{cutoffs} prediction times whose labels are known {wait.days} days later"
    )
    needed = cutoffs - 1 + math.ceil(wait / step) + tests
    last = labelled["as_of"].max() if len(labelled) else moments.iloc[-1] - wait
    missing = needed * step - (last - moments.iloc[0] + step)
    months = math.ceil(missing / pd.Timedelta(days=DAYS_PER_MONTH) - 0.1)
    return Shortage(reason, max(1, months))
