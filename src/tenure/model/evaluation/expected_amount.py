"""Expected amount of a change, given that it happens: a share of the account's list MRR.

The share is the events' total amount over their total list MRR, so that sums of expected amounts
meet sums of observed ones.  Factors for bands of list MRR and for groups move it, one after the
other, each shrunk towards 1 as if `PRIOR` average events with factor 1 had been seen besides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd

from tenure.core.arrays import Array, Floats, Places
from tenure.model.evaluation.bootstrap import Resamples, interval

BY = ("segment", "plan")
PRIOR = 50.0
QUANTILES = (1 / 3, 2 / 3)
FEWEST = 10
"""Distinct events below which nothing is estimated."""


@dataclass(frozen=True)
class Amounts:
    """Expected change of list MRR per month given the event, as fitted state."""

    share: float
    """Of list MRR, for all."""
    typical: Mapping[str, float]
    """Mean list MRR by currency, the empty text for all others; bands are of its multiples."""
    edges: Sequence[float] = ()
    """Ascending multiples at which a new band begins."""
    bands: Sequence[float] = (1.0,)
    """Factor of each band, one more than edges."""
    factors: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Text column → value → factor; 1 for all other values."""
    events: int = 0
    """Distinct events that it was fitted on."""

    def expected(self, rows: pd.DataFrame, values: pd.DataFrame) -> Floats:
        """Return the expected change of list MRR of each row, in the account's own currency.

        `rows` have list_mrr and currency; `values`, in the same order, the columns of `factors`.
        """
        amounts: Floats = self.share * rows["list_mrr"].to_numpy(dtype=np.float64)
        amounts = amounts * np.asarray(self.bands)[self.band(rows)]
        for name, known in self.factors.items():
            words = values[name].to_numpy(dtype=object)
            amounts = amounts * np.array([known.get(word, 1.0) for word in words], dtype=np.float64)
        return amounts

    def band(self, rows: pd.DataFrame) -> Places:
        """Return the number of the band of each row's list MRR."""
        times = multiples(rows, self.typical)
        places: Places = np.searchsorted(np.asarray(self.edges), times, side="right")
        return places

    def to_json(self) -> dict[str, Any]:
        """Return the fitted state as plain JSON values."""
        return {
            "share": self.share,
            "typical": dict(self.typical),
            "edges": list(self.edges),
            "bands": list(self.bands),
            "factors": {name: dict(known) for name, known in self.factors.items()},
            "events": self.events,
        }

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Self:
        """Return what `to_json` described."""
        return cls(**state)


def multiples(rows: pd.DataFrame, typical: Mapping[str, float]) -> Floats:
    """Return list MRR as a multiple of what is typical in its currency."""
    mean = typical[""]
    words = rows["currency"].to_numpy(dtype=object)
    units = np.asarray([typical.get(word, mean) for word in words], dtype=np.float64)
    return rows["list_mrr"].to_numpy(dtype=np.float64) / units


def fit_amounts(
    rows: pd.DataFrame, values: pd.DataFrame, *, by: Sequence[str] = BY
) -> Amounts | None:
    """Fit expected amounts on the positive rows of the training past.

    `rows` have label, list_mrr, currency, outcome_id and outcome_amount, `values` are in their
    order; text columns named in `by`, where `values` has them, may have factors.

    Returns:
        None with fewer than `FEWEST` distinct events.
    """
    happened = ((rows["label"] == 1) & (rows["list_mrr"] > 0)).to_numpy(dtype=bool)
    seen, known = rows[happened], values[happened]
    events = int(seen["outcome_id"].nunique())
    if events < FEWEST:
        return None
    # One event counts once, however many snapshots saw it coming.
    weights = 1 / seen.groupby("outcome_id")["outcome_id"].transform("size").to_numpy(np.float64)
    amounts = seen["outcome_amount"].to_numpy(dtype=np.float64)
    typical = _typical(rows)
    units = multiples(seen, typical) / seen["list_mrr"].to_numpy(dtype=np.float64)
    observed = weights * amounts * units
    base = weights * multiples(seen, typical)
    share = float(observed.sum() / base.sum())
    edges = np.unique(np.quantile(multiples(seen, typical), QUANTILES))
    start = Amounts(share, typical, edges.tolist(), [1.0] * (len(edges) + 1), {}, events)
    fitted, factors = share * base, {}
    band = start.band(seen)
    by_band = _factors(band, observed, fitted, events)
    bands = [by_band.get(number, 1.0) for number in range(len(edges) + 1)]
    fitted = fitted * np.asarray(bands)[band]
    for name in (name for name in by if name in known):
        words = known[name].to_numpy(dtype=object)
        by_word = _factors(words, observed, fitted, events)
        fitted = fitted * np.array([by_word.get(word, 1.0) for word in words])
        factors[name] = {str(word): value for word, value in by_word.items()}
    return Amounts(share, typical, edges.tolist(), bands, factors, events)


def _typical(rows: pd.DataFrame) -> dict[str, float]:
    """Return the mean list MRR of all rows with one, and by currency."""
    paying = rows[rows["list_mrr"] > 0]
    means = paying.groupby("currency")["list_mrr"].mean()
    return {"": float(paying["list_mrr"].mean())} | {
        str(name): float(means[name]) for name in means.index
    }


def _factors(groups: Array, observed: Floats, fitted: Floats, events: int) -> dict[Any, float]:
    """Return observed over fitted of each group, shrunk towards 1; missing groups have none."""
    prior = PRIOR * fitted.sum() / events
    sums = pd.DataFrame({"group": groups, "observed": observed, "fitted": fitted})
    totals = sums.groupby("group", sort=True)[["observed", "fitted"]].sum()
    shrunk = (totals["observed"] + prior) / (totals["fitted"] + prior)
    return {group: float(value) for group, value in shrunk.items()}


def check_amounts(
    predictions: pd.DataFrame,
    rows: pd.DataFrame,
    values: pd.DataFrame,
    *,
    resamples: int = 500,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, Any] | None:
    """Compare expected amounts of a backtest with the observed ones.

    At each prediction time the amounts are fitted on the events known by then.  Amounts of several
    currencies are added up as multiples of the typical list MRR of each.

    The predictions have as_of, account_id, probability and row, a position in `rows` and `values`;
    all labelled snapshots have label, label_known_at, list_mrr, currency, outcome_id and
    outcome_amount.

    Returns:
        JSON values, None where no prediction time has enough events before it: ``total``, the sum
        of observed amounts over the sum of probability × expected amount (``value``, ``lo``,
        ``hi``); ``given``, the same over the expected amounts of rows where it happened; rows,
        events and, by currency, the sums.
    """
    known_at = rows["label_known_at"].to_numpy(dtype="datetime64[us]")
    parts = []
    for as_of, part in predictions.groupby("as_of", sort=True):
        past = known_at <= np.datetime64(pd.Timestamp(str(as_of)), "us")
        fitted = fit_amounts(rows[past], values[past])
        if fitted is None:
            continue
        here = rows.iloc[part["row"]]
        amount = fitted.expected(here, values.iloc[part["row"]])
        parts.append(
            here[["account_id", "currency", "label", "list_mrr"]].assign(
                observed=here["outcome_amount"].to_numpy(dtype=np.float64),
                expected=part["probability"].to_numpy() * amount,
                given=np.where(here["label"] == 1, amount, 0.0),
                event=here["outcome_id"],
            )
        )
    if not parts:
        return None
    return _compared(pd.concat(parts, ignore_index=True), resamples, level, seed)


def _compared(rows: pd.DataFrame, resamples: int, level: float, seed: int) -> dict[str, Any]:
    typical = _typical(rows)
    units = rows["currency"].map(typical).astype("float64").fillna(typical[""])
    names = ["observed", "expected", "given"]
    draws = Resamples.draw(rows["account_id"], resamples, seed)
    sums = draws.sums(rows[names].div(units, axis=0).to_numpy(dtype=np.float64))
    with np.errstate(divide="ignore", invalid="ignore"):
        total, conditional = sums[:, 0] / sums[:, 1], sums[:, 0] / sums[:, 2]
    money = rows.groupby("currency")[names].sum()
    return {
        "total": interval(total, level),
        "given": interval(conditional, level),
        "level": level,
        "rows": len(rows),
        "events": int(rows["event"].nunique()),
        "by_currency": {
            str(name): {key: float(value) for key, value in sums.items()}
            for name, sums in money.to_dict(orient="index").items()
        },
    }
