"""The outcome of each snapshot, from the written subscriptions in plain pandas.

A slow restatement of the contract's churn and expansion, for judging the true probabilities.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from tenure.demo.oracle import HORIZON_DAYS, THRESHOLD, TOLERANCE

GAP = pd.Timedelta(days=30)
HORIZON = pd.Timedelta(days=HORIZON_DAYS)


def read_outcomes(folder: Path, observed_until: pd.Timestamp) -> pd.DataFrame:
    """Return account_id, as_of, mrr and churn and expansion, null where not yet known.

    Args:
        folder: Where `write_world` has put the tables.
        observed_until: First moment that is not observed.

    Returns:
        One row per account that is paying and has not given notice, and first of the month.
    """
    rows = pd.read_parquet(Path(folder) / "subscriptions.parquet")
    paid = _with_spells(rows[(rows["mrr"] > 0) & (rows["status"] == "active")])
    begin = rows["started_at"].min().normalize() + pd.offsets.MonthBegin()
    pieces = [_at(paid, as_of) for as_of in pd.date_range(begin, observed_until, freq="MS")]
    outcomes = pd.concat(pieces, ignore_index=True)
    late_churn = outcomes["as_of"] + HORIZON + GAP > observed_until
    late_growth = outcomes["as_of"] + HORIZON > observed_until
    outcomes["churn"] = outcomes["churn"].astype(float).mask(late_churn)
    outcomes["expansion"] = outcomes["expansion"].astype(float).mask(late_growth)
    return outcomes


def _with_spells(paid: pd.DataFrame) -> pd.DataFrame:
    """Add the number of the spell, its end and the time of the decision to end it."""
    paid = paid.sort_values(["account_id", "started_at", "subscription_id"])
    paid["end"] = paid["ended_at"].fillna(pd.Timestamp.max.floor("us"))
    reached = paid.groupby("account_id")["end"].cummax().groupby(paid["account_id"]).shift()
    broken = (paid["started_at"] - reached >= GAP) | reached.isna()
    paid["spell"] = broken.cumsum()
    paid["spell_end"] = paid.groupby("spell")["end"].transform("max")
    last = paid[paid["end"] == paid["spell_end"]]
    decided = last["notice_at"].fillna(last["ended_at"]).groupby(last["spell"]).min()
    return paid.assign(decided_at=paid["spell"].map(decided))


def _at(paid: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    running = paid[_runs(paid, as_of)]
    noticed = running["notice_at"] < as_of
    book = running.groupby("account_id").agg(
        mrr=("mrr", "sum"),
        list_mrr=("list_mrr", "sum"),
        spell=("spell", "first"),
        decided_at=("decided_at", "first"),
        spell_end=("spell_end", "first"),
    )
    book = book[~book.index.isin(running.loc[noticed, "account_id"])]
    later = as_of + HORIZON
    churn = (book["decided_at"] >= as_of) & (book["decided_at"] < later)
    after = book["spell"].map(_list_at(paid, later))
    grown = after >= book["list_mrr"] * (1 + THRESHOLD) * (1 - TOLERANCE)
    return pd.DataFrame(
        {
            "account_id": book.index,
            "as_of": as_of,
            "mrr": book["mrr"].to_numpy(),
            "churn": churn.to_numpy(),
            "expansion": (grown & ~churn & (book["spell_end"] >= later)).to_numpy(),
        }
    )


def _list_at(paid: pd.DataFrame, moment: pd.Timestamp) -> pd.Series:
    """Return the list MRR of each spell at a moment; in an interruption, what it was before."""
    begun = paid[paid["started_at"] < moment]
    reach = begun["end"].mask(begun["end"] > moment, moment)
    last = reach.groupby(begun["spell"]).transform("max")
    return begun[np.asarray(reach == last)].groupby("spell")["list_mrr"].sum()


def _runs(paid: pd.DataFrame, moment: pd.Timestamp) -> pd.Series:
    return (paid["started_at"] < moment) & (paid["end"] >= moment)
