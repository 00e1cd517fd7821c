"""How late data are and what that costs, on cases made by hand."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from features.audited import CUTOFFS, FEBRUARY, JANUARY, asked, engine, small_plan, ticket, tickets
from tenure.audit.late_data import arrivals, costs
from tenure.audit.sample import Sample

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NOON = JANUARY + 12 * HOUR


def test_share_and_lag_of_what_came_late() -> None:
    rows = [ticket("a", NOON + n * DAY, known=NOON + n * DAY + HOUR) for n in range(6)]
    rows += [ticket("b", NOON, known=NOON + lag * DAY) for lag in (1, 2, 2, 9)]
    rows[0] |= {"csat_score": 5.0, "csat_at": NOON, "csat_at__known": NOON + 20 * DAY}
    with engine(tickets=tickets(rows)) as where:
        found = {item.clock: item for item in arrivals(where, ["tickets"])}
    assert set(found) == {"event_time", "csat_at"}
    events = found["event_time"]
    assert (events.rows, events.late, events.share) == (10, 4, 0.4)
    assert events.lag_days == {"median": 2, "p90": 9, "p99": 9, "highest": 9}
    assert found["csat_at"].lag_days["median"] == 20


def test_a_date_that_is_known_by_its_evening_is_not_late() -> None:
    evening = DAY - timedelta(microseconds=1)
    with engine(tickets=tickets([ticket("a", JANUARY, known=JANUARY + evening)])) as where:
        [found] = arrivals(where, ["tickets"])
    assert (found.rows, found.late, found.lag_days) == (1, 0, {})


def test_what_late_data_cost() -> None:
    late = ticket("a", NOON, known=FEBRUARY + DAY, priority="urgent")
    sample = Sample(("a", "b"), {"tickets": tickets([late, ticket("b", NOON)])})
    with engine() as copies:
        [found] = costs(copies, sample, small_plan(), asked())
    # In February, and then alone, account a has one ticket more where all is known at once.
    assert found.of_snapshots == 2 * len(CUTOFFS)
    assert found.snapshots == 1
    assert found.features == pytest.approx(dict.fromkeys(("tickets", "urgent", "open"), 1 / 6))
    assert (found.values, found.changed) == (30, 3)


def test_nothing_late_costs_nothing() -> None:
    sample = Sample(("a",), {"tickets": tickets([ticket("a", datetime(2024, 1, 9))])})
    with engine() as copies:
        [found] = costs(copies, sample, small_plan(), asked())
    assert (found.changed, found.snapshots, found.features) == (0, 0, {})
