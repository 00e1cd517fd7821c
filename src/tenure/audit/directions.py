"""Features that move the scores against the direction that they are declared with.

What is declared is what is known of the trade: less use, more churn.  A model that learns the
reverse from its best features has more likely learnt how the data was made.  A feature contradicts
its declaration only where its outcomes do so as well: beside a window of 28 days, one of 168 days
says what use has been lost, and honestly raises the score.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from tenure.audit.leakage import auc
from tenure.core.arrays import Floats
from tenure.core.normal import deviations
from tenure.core.records.base import Figure
from tenure.core.records.shape import ContradictionRecord, DirectionRecord
from tenure.features.plan.columns import FeatureSpec
from tenure.features.plan.plan import Plan

LIMIT = 0.15
"""Share of all movement from which contradicting features are suspicious.

On eighteen demo worlds, other simulated businesses and an outside data set they carry 8 % at most,
where usage was spread over lives 31 %.
"""
AGAINST = 0.2
"""Rank correlation of values and contributions from which a feature has a direction."""
FEWEST = 50
"""Rows with a value that are needed."""
SURE = deviations(0.95)


def declared(plan: Plan) -> dict[str, FeatureSpec]:
    """Return the columns with a declared direction, by name.

    Those that count one event name, or one other value, are not among them: their declaration
    speaks of most values, and somebody who exports all data may well be about to leave.
    """
    single = {item.spec.name for item in plan.measured if item.member is not None}
    for item in (*plan.computed, *plan.placed):
        if item.needs & single:
            single.add(item.spec.name)
    return {
        name: spec
        for name, spec in plan.described.items()
        if spec.direction and not spec.text and name not in single
    }


def against_declared(
    contributions: Floats,
    recent: pd.DataFrame,
    values: pd.DataFrame,
    outcomes: pd.DataFrame,
    specs: Mapping[str, FeatureSpec],
) -> DirectionRecord | None:
    """Return what moves the scores against its declared direction; None where none is declared.

    Args:
        contributions: To the log-odds of churn, shape (n, p), columns as in `recent`.
        recent: The model's features of the rows that these are of, shape (n, p).
        values: The model's features of all rows that it learnt from, shape (m, p).
        outcomes: account_id and label, 1 for churn, of the rows of `values`.
        specs: The columns with a declared direction.
    """
    moved = np.abs(contributions).mean(axis=0)
    shares = pd.Series(moved / moved.sum() if moved.sum() else moved, index=recent.columns)
    tested = [name for name in recent.columns if name in specs]
    if not tested:
        return None
    part = pd.DataFrame(contributions, columns=recent.columns)
    columns = [
        record
        for name in tested
        if shares[name] > 0
        for record in _contradicting(
            specs[name],
            _rank_correlation(_numbers(recent[name]), part[name].to_numpy()),
            _numbers(values[name]),
            outcomes,
            float(shares[name]),
        )
    ]
    share = sum(item.share for item in columns)
    return DirectionRecord(
        declared=len(tested),
        share=share,
        limit=LIMIT,
        suspicious=share > LIMIT,
        columns=tuple(sorted(columns, key=lambda item: -item.share)),
    )


def _contradicting(
    spec: FeatureSpec, association: float, values: Floats, outcomes: pd.DataFrame, share: float
) -> Iterator[ContradictionRecord]:
    """Yield a feature whose learnt effect and whose outcomes both contradict its declaration."""
    if association * spec.direction > -AGAINST:
        return
    area = _area(spec.direction * values, outcomes)
    if area.hi is not None and area.hi < 0.5:
        yield ContradictionRecord(
            column=spec.name,
            source=spec.source,
            declared=1 if spec.direction > 0 else -1,
            association=association,
            auc=area,
            share=share,
        )


def _numbers(values: pd.Series[Any]) -> Floats:
    return pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)


def _rank_correlation(values: Floats, moved: Floats) -> float:
    """Return the rank correlation where there are values; 0 where it does not exist."""
    known = ~np.isnan(values)
    if known.sum() < FEWEST or np.ptp(values[known]) == 0 or np.ptp(moved[known]) == 0:
        return 0.0
    return float(pd.Series(values[known]).rank().corr(pd.Series(moved[known]).rank()))


def _area(values: Floats, outcomes: pd.DataFrame) -> Figure:
    """Return the AUC of values where there are any, as uncertain as its accounts are few."""
    known = ~np.isnan(values)
    labels = outcomes["label"].to_numpy(dtype=np.float64)[known]
    accounts = outcomes["account_id"].to_numpy(dtype=str)[known]
    some, others = (len(np.unique(accounts[labels == label])) for label in (1, 0))
    if not some or not others:
        return Figure()
    area = auc(labels, values[known])
    half = SURE * float(np.sqrt((some + others + 1) / (12 * some * others)))
    return Figure(value=area, lo=area - half, hi=area + half)
