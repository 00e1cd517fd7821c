"""What truly moves the accounts of the demo world: the effect of each planted cause on leaving."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tenure.demo import tables
from tenure.demo.calendar import as_times
from tenure.demo.hazards import (
    NEAR_RENEWAL,
    NEW_DAYS,
    USUAL_USE,
    late_invoices,
    open_late,
    seat_utilisation,
    trend,
)
from tenure.demo.log import Log
from tenure.demo.parameters import CHURN
from tenure.demo.state import PAID
from tenure.demo.world import World

DOUBLED = float(np.log(2))
"""Effect on the logarithm of the rate from which a cause moves an account: twice, or half."""


class _Silent(Log):
    """A log of days whose tables nobody needs."""

    def add(self, table: str, **columns: object) -> None:
        """Write nothing."""


def churn_causes(
    *, accounts: int, months: int, seed: int, at: np.datetime64 | None = None
) -> pd.DataFrame:
    """Return the effect of each planted cause on the logarithm of the rate of leaving.

    Args:
        accounts: As for `tenure.demo.write_world`.
        months: As for it.
        seed: As for it.
        at: First of the day before which they act; the end of the world by default.

    Returns:
        Index account_id, of those that pay then; a column for each planted cause of
        churn but the renewal date, whose effect is a time and no state of the account.
    """
    world = World.build(accounts, months, seed)
    day = 0
    for day in world.days(_Silent()):
        if at is not None and as_times(np.array([day]))[0] >= at:
            break
    state = world.state
    rows = np.flatnonzero(state.status == PAID)
    near = (state.annual[rows] > 0) & (state.renew[rows] - day <= NEAR_RENEWAL)
    exposed = np.where(near | (day - state.spell[rows] < NEW_DAYS), CHURN.exposed, 1.0)
    support = CHURN.late_tickets * np.minimum(state.late_sum[rows], 2)
    support = support + CHURN.open_late * np.minimum(open_late(state, rows, day), 2)
    idle = np.clip(USUAL_USE - seat_utilisation(state, rows), -0.28, 0.6)
    nps = state.nps[rows]
    low = (nps >= 0) & (nps <= 6)
    opinion = np.where(low, CHURN.detractor, np.where(nps >= 9, CHURN.promoter, 0.0))
    effects = {
        "falling_use": CHURN.falling_use * np.clip(-trend(state, rows, day), -0.8, 1.6),
        "idle_seats": CHURN.idle_seats * idle,
        "slow_support": support * exposed,
        "unhappy": opinion,
        "late_payment": CHURN.late_invoices * late_invoices(state, rows, day),
    }
    names = tables.account_ids(state.account[rows])
    index = pd.Index(np.asarray(names.to_pylist()), name="account_id")
    return pd.DataFrame(effects, index=index)
