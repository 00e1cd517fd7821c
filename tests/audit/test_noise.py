"""Noise leaves the known past alone and nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest

from features.audited import FEBRUARY, JANUARY, ticket, tickets
from features.past import UNTIL, past
from tenure.audit.noise import at_once, disturbed
from tenure.sources.contract import SOURCES

SOURCE = SOURCES["tickets"]
DAY = timedelta(days=1)


def test_what_was_known_stays_and_the_rest_does_not() -> None:
    known = [
        ticket("a", JANUARY + n * DAY, resolved=JANUARY + (n + 1) * DAY, csat=(3, FEBRUARY + DAY))
        for n in range(20)
    ]
    later = [ticket("b", FEBRUARY + n * DAY, priority="later") for n in range(30)]
    table, count = disturbed(SOURCE, tickets([*known, *later]), FEBRUARY, np.random.default_rng(1))
    rows = table.to_pylist()
    before = [row for row in rows if row["known_at"] < FEBRUARY]
    own = [name for name in known[0] if not name.startswith("csat")]
    assert {tuple(row[name] for name in own) for row in before} == {
        tuple(row[name] for name in own) for row in known
    }
    learnt = {row["csat_at__known"] for row in before}
    assert len(learnt) > 1
    assert all(moment is None or moment >= FEBRUARY for moment in learnt)
    after = [row for row in rows if row["known_at"] >= FEBRUARY]
    assert count == len(after) + 30 - 20
    assert any(row["event_time"] < FEBRUARY for row in after)
    assert any(row["known_at"] == FEBRUARY for row in after)
    assert {row["account_id"] for row in after} == {"a", "b"}


@pytest.mark.parametrize("name", sorted(past(0).rows))
def test_every_table_keeps_its_schema_and_its_order_of_clocks(name: str) -> None:
    import pyarrow as pa

    world = past(0)
    table = pa.Table.from_pylist(list(world.rows[name]), schema=world.schemas[name])
    at = datetime(2023, 6, 1)
    noise, count = disturbed(SOURCES[name], table, at, np.random.default_rng(0))
    assert noise.schema == table.schema
    assert count > 0
    assert all(row["known_at"] >= row["event_time"] for row in noise.to_pylist())


def test_nothing_comes_of_an_empty_table() -> None:
    table, count = disturbed(SOURCE, tickets([]), UNTIL, np.random.default_rng(0))
    assert (table.num_rows, count) == (0, 0)


def test_at_once_moves_only_what_came_on_a_later_day() -> None:
    noon = JANUARY + timedelta(hours=12)
    rows = [
        ticket("a", noon, known=noon + 3 * DAY),
        ticket("b", noon, known=noon + timedelta(hours=11)),
    ]
    rows[0] |= {"csat_at": noon + DAY, "csat_at__known": noon + 9 * DAY}
    first, second = at_once(SOURCE, tickets(rows)).to_pylist()
    assert first["known_at"] == noon
    assert first["csat_at__known"] == noon + DAY
    assert second["known_at"] == noon + timedelta(hours=11)
    assert second["resolved_at__known"] is None
