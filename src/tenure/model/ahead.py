"""Figures of several horizons of one account: a longer horizon is never less likely.

A model of several horizons at once, with the horizon as a rising column, was measured too: it
ranked worse at every horizon (`benchmarks/horizons.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def rising(found: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Return figures that never fall with the horizon, the main horizon's as they were.

    Args:
        found: Rows with `row` (the account), `days` (the horizon), `main` (whether it is the main
            one) and the figures; any index.
        names: The figures.

    Returns:
        The same rows: a shorter horizon is lowered to the next longer one, and a longer one lifted
        to the next shorter, going out from the main horizon.
    """
    if found["main"].all():
        return found
    order = found.sort_values(["row", "days", "main"], kind="stable")
    at = order["days"].where(order["main"]).groupby(order["row"]).transform("max")
    before, after = order["days"] <= at, order["days"] >= at
    rows = order["row"]
    for name in names:
        column = order[name]
        lowered = column.where(before)[::-1].groupby(rows[::-1]).cummin()[::-1]
        lifted = column.where(after).groupby(rows).cummax()
        order[name] = lowered.where(before & ~order["main"], lifted).where(~order["main"], column)
    return order.reindex(found.index)
