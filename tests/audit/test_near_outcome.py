"""Values that only stand around an outcome are found, and others are not."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd

from features.audited import COLUMNS, engine, ticket, tickets
from tenure.audit.near_outcome import near
from tenure.core.records.audit import SuspectRecord

DAY = timedelta(days=1)
START = datetime(2023, 1, 1)
END = START + 300 * DAY
LEAVERS = [f"a{number:02d}" for number in range(12)]
OUTCOMES = pd.DataFrame({"account_id": LEAVERS, "outcome_at": [END] * len(LEAVERS)})


def ordinary() -> list[dict[str, object]]:
    """Return tickets of leavers and others, all year round."""
    names = [*LEAVERS, *(f"b{number:02d}" for number in range(12))]
    return [
        ticket(name, START + n * 30 * DAY, priority=("low", "high")[n % 2])
        for name in names
        for n in range(12)
    ]


def found(rows: list[dict[str, object]], outcomes: pd.DataFrame = OUTCOMES) -> list[SuspectRecord]:
    with engine(tickets=tickets(rows)) as where:
        return near(where, COLUMNS, outcomes, "churn", 60, ["tickets.priority"])


def test_ordinary_values_are_not_named() -> None:
    assert found(ordinary()) == []


def test_a_value_written_around_the_end_is_named() -> None:
    leaks = [ticket(name, END - 20 * DAY, priority="leaving") for name in LEAVERS[:11]]
    leaks += [ticket(LEAVERS[11], END + 5 * DAY, priority="leaving")]
    [item] = found([*ordinary(), *leaks])
    assert (item.column, item.value) == ("tickets.priority", "leaving")
    assert (item.kind, item.target, item.events, item.figure) == ("near", "churn", 12, 1.0)
    assert item.allowed
    assert item.text.startswith(
        "100% of the 12 rows of tickets.priority with `leaving` lie within 60 days of a churn of "
        "their account (8% after it), against 20% of all rows: it is written because of"
    )


def test_a_value_of_few_accounts_is_not_named() -> None:
    leaks = [ticket(name, END - 20 * DAY, priority="leaving") for name in LEAVERS[:9]]
    assert found([*ordinary(), *leaks]) == []


def test_a_value_that_others_have_as_well_is_not_named() -> None:
    rows = [ticket(name, END - 20 * DAY, priority="odd") for name in LEAVERS]
    rows += [ticket(f"b{number:02d}", END, priority="odd") for number in range(4)]
    assert found([*ordinary(), *rows]) == []


def test_outcomes_that_lie_close_count_a_row_once() -> None:
    twice = pd.concat([OUTCOMES, OUTCOMES.assign(outcome_at=END + 30 * DAY)])
    leaks = [ticket(name, END + 10 * DAY, priority="leaving") for name in LEAVERS]
    [item] = found([*ordinary(), *leaks], twice)
    assert "of the 12 rows" in item.text


def test_too_few_outcomes_say_nothing() -> None:
    leaks = [ticket(name, END, priority="leaving") for name in LEAVERS]
    assert found([*ordinary(), *leaks], OUTCOMES.head(9)) == []
