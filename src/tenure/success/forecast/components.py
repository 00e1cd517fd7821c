"""The amounts that retention is made of, and their sums over books, by risk and by what happened.

An amount of money is a multiple of the mean MRR of an account in its currency, so that currencies
add up and one ratio serves all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tenure.core.arrays import Floats

if TYPE_CHECKING:
    import pandas as pd

RENEWAL = "renewal"


@dataclass(frozen=True)
class Component:
    """An amount that is forecast."""

    name: str
    targets: tuple[str, ...]
    """Whose probability is the risk; the first that has a model."""
    counted: bool = False
    """Whether accounts are counted instead of their MRR."""
    due: bool = False
    """Whether it is only of accounts whose term ends in the period."""


LOGOS = Component("logos", ("churn",), counted=True)
CHURNED = Component("churned", ("churn",))
CONTRACTED = Component("contracted", ("contraction",))
EXPANDED = Component("expanded", ("expansion",))
LAPSED = Component("lapsed", (RENEWAL, "churn"), due=True)
COMPONENTS = (LOGOS, CHURNED, CONTRACTED, EXPANDED, LAPSED)

SUMS = ["expected", "squared", "certain", "called", "observed", "observed_squared"]
"""Sums over accounts of risk × size, risk × size², (risk × size)², outcome × size, amount and
amount²; a size is MRR over the mean, or 1 where accounts are counted."""


def amounts(rows: pd.DataFrame, component: Component) -> Floats:
    """Return what happened of a component to each row: output of `with_outcomes`."""
    mrr, end = rows["mrr"].to_numpy(np.float64), rows["end_mrr"].to_numpy(np.float64)
    gone = rows["gone"].to_numpy(dtype=bool)
    if component.counted:
        return gone.astype(np.float64)
    fell, rose = np.maximum(mrr - end, 0), np.maximum(end - mrr, 0)
    change: Floats = {
        CHURNED.name: np.where(gone, mrr, 0.0),
        CONTRACTED.name: np.where(gone, 0.0, fell),
        EXPANDED.name: rose,
        LAPSED.name: np.where(rows["due"].to_numpy(dtype=bool), fell, 0.0),
    }[component.name]
    unit: Floats = rows["unit"].to_numpy(np.float64)
    return change / unit


def sizes(rows: pd.DataFrame, component: Component) -> Floats:
    """Return how large each row counts: its MRR over the mean of its currency, or 1."""
    if component.counted:
        return np.ones(len(rows))
    return (rows["mrr"] / rows["unit"]).to_numpy(np.float64)


def sums(
    rows: pd.DataFrame,
    component: Component,
    risk: Floats,
    called: Floats | None = None,
    keys: Sequence[str] = ("as_of",),
) -> pd.DataFrame:
    """Return the sums of a component over the accounts that are not under notice.

    `rows` are the output of `described`, or of `with_outcomes`; those without a `risk` are left
    out.  `called` is the part of each row's outcome that falls to the period, and `keys` are
    columns to group by.

    Returns:
        Index of the keys and `due`; columns `SUMS`, those of what happened only where `rows` say.
    """
    size = sizes(rows, component)
    expected = risk * size
    frame = rows[[*keys, "due"]].assign(
        expected=expected, squared=expected * size, certain=expected * expected
    )
    if called is not None:
        frame = frame.assign(called=called * size)
    if "end_mrr" in rows:
        happened = amounts(rows, component)
        frame = frame.assign(observed=happened, observed_squared=happened * happened)
    chosen = ~rows["notice_given"].to_numpy(dtype=bool) & ~np.isnan(risk)
    if component.due:
        chosen &= rows["due"].to_numpy(dtype=bool)
    return frame[chosen].groupby([*keys, "due"], dropna=False).sum()


def totals(rows: pd.DataFrame, keys: Sequence[str] = ("as_of",)) -> pd.DataFrame:
    """Return the sizes of books, and what is known to be lost.

    `rows` are the output of `described`, or of `with_outcomes`, and `keys` columns to group by.

    Returns:
        Index of the keys; accounts, start and due_start (sizes), known_logos, known_churned,
        known_lapsed; of `with_outcomes` also what happened of each component, by its name.
    """
    size, due = sizes(rows, CHURNED), rows["due"].to_numpy(dtype=bool)
    known = rows["known"].to_numpy(dtype=bool)
    frame = rows[list(keys)].assign(
        accounts=1.0,
        start=size,
        due_start=np.where(due, size, 0.0),
        known_logos=known.astype(np.float64),
        known_churned=np.where(known, size, 0.0),
        known_lapsed=np.where(known & due, size, 0.0),
    )
    if "end_mrr" in rows:
        frame = frame.assign(**{one.name: amounts(rows, one) for one in COMPONENTS})
    return frame.groupby(list(keys), dropna=False).sum()
