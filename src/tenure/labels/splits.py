"""Forward splits: nothing is trained on before its outcome was known.

An origin is a prediction time of the past.  It trains on the rows whose label was known by then and
is tested on the rows of its own time.  The same account may stand in train and test, in that order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tenure.core.errors import ModelError, Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

DAYS_PER_MONTH = 365.25 / 12


@dataclass(frozen=True)
class Origin:
    """One fold: a past prediction time.

    Attributes:
        as_of: The prediction time.
        train: Positions of the rows to train on.
        test: Positions of the rows to test on.
    """

    as_of: pd.Timestamp
    train: NDArray[np.intp]
    test: NDArray[np.intp]


@dataclass(frozen=True)
class Shortage:
    """Why the history cannot carry the folds asked for.

    Attributes:
        reason: In words.
        months: Estimated months of further history needed; None where more of the same history
            would not help.
    """

    reason: str
    months: int | None

    def __str__(self) -> str:
        """Return the reason and the months as one sentence."""
        if self.months is None:
            return self.reason
        return f"{self.reason}; about {self.months} more months of history are needed"


@dataclass(frozen=True)
class Folds:
    """Forward folds, oldest first.

    Attributes:
        origins: The folds that can be formed, even where they are fewer than asked for.
        shortage: Set where they are fewer than asked for.
    """

    origins: tuple[Origin, ...]
    shortage: Shortage | None = None


def forward_origins(
    rows: pd.DataFrame,
    *,
    min_train_cutoffs: int = 4,
    min_train_positives: int = 40,
    min_test_cutoffs: int = 3,
    max_folds: int = 24,
    disjoint_seed: int | None = None,
) -> Folds:
    """Return the latest folds that have enough past to train on.

    Args:
        rows: Labelled snapshots with as_of, label (1, 0 or missing), label_known_at, account_id.
        min_train_cutoffs: Distinct prediction times a fold must train on.
        min_train_positives: Positive rows a fold must train on.
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
    may_train = may_test = labelled
    if disjoint_seed is not None:
        first = half(rows["account_id"], disjoint_seed)
        may_train, may_test = labelled & first, labelled & ~first
    origins: list[Origin] = []
    for moment in np.unique(as_of[may_test])[::-1]:
        train = np.flatnonzero(may_train & (known <= moment))
        positives = int(label[train].sum())
        enough = len(np.unique(as_of[train])) >= min_train_cutoffs
        if len(origins) == max_folds or not enough or positives < min_train_positives:
            break
        if positives < len(train):
            test = np.flatnonzero(may_test & (as_of == moment))
            origins.append(Origin(pd.Timestamp(moment), train, test))
    shortage = None
    if len(origins) < min(min_test_cutoffs, max_folds):
        shares = 1 if disjoint_seed is None else 2
        shortage = _shortage(
            rows, min_train_cutoffs, min_train_positives * shares, min_test_cutoffs, len(origins)
        )
    return Folds(tuple(reversed(origins)), shortage)


def half(accounts: pd.Series, seed: int) -> NDArray[np.bool_]:
    """Return which accounts fall into the first half, by a seeded hash of their id."""
    codes, names = pd.factorize(accounts)
    key = f"{seed % 10**16:016d}"
    hashes = pd.util.hash_array(np.asarray(names, dtype=object), hash_key=key, categorize=False)
    first: NDArray[np.bool_] = (hashes % 2 == 0)[codes]
    return first


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


def check_embargo(
    train: pd.DataFrame, calibration: pd.DataFrame | None, test: pd.DataFrame | None
) -> None:
    """Make sure that each part's labels were known before the next part's prediction times.

    Raises:
        ModelError: If a label became known after a later part's first prediction time.
    """
    parts = [("train", train), ("calibration", calibration), ("test", test)]
    given = [(name, part) for name, part in parts if part is not None and len(part)]
    for earlier in range(len(given)):
        for later in range(earlier + 1, len(given)):
            _check_pair(given[earlier], given[later])


def _check_pair(earlier: tuple[str, pd.DataFrame], later: tuple[str, pd.DataFrame]) -> None:
    known, asked = earlier[1]["label_known_at"].max(), later[1]["as_of"].min()
    if known > asked:
        raise ModelError(
            Problem(
                f"{earlier[0]} and {later[0]} rows",
                "every label must be known before the next part's first prediction time",
                f"label known at {known}, next part starts at {asked}",
                "take earlier rows for the first part",
            )
        )


def _shortage(rows: pd.DataFrame, cutoffs: int, positives: int, tests: int, folds: int) -> Shortage:
    """Estimate the history still needed, at the pace of the history that is there."""
    labelled = rows[rows["label"].notna()]
    found = int((labelled["label"] == 1).sum())
    if len(labelled) and not found:
        return Shortage("no positive labels", None)
    if len(labelled) and found == len(labelled):
        return Shortage("no negative labels", None)
    moments = pd.Series(np.sort(rows["as_of"].unique()))
    if not len(moments):
        return Shortage("no snapshots", None)
    step = pd.Timedelta(days=DAYS_PER_MONTH)
    if len(moments) > 1:
        step = (moments.iloc[-1] - moments.iloc[0]) / (len(moments) - 1)
    wait = (rows["label_known_at"] - rows["as_of"]).max()
    if found:
        pace = found / labelled["as_of"].nunique()
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
