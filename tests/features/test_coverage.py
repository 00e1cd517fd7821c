from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from features.past import CUTOFFS, NOBODY, past
from tenure.features.compute.matrix import build
from tenure.features.coverage import coverage, latest_known, recency


@pytest.mark.parametrize("days", [30, 365])
def test_coverage_is_the_share_of_sources_with_a_row_in_the_look_back(days: int) -> None:
    world = past(21, 15)
    sources = ["usage_events", "tickets", "touchpoints"]
    asked = pd.DataFrame(
        [(account, cutoff) for account in [*world.accounts, NOBODY] for cutoff in CUTOFFS[3:6]],
        columns=["account_id", "as_of"],
        index=range(100, 100 + 3 * (len(world.accounts) + 1)),
    ).astype({"as_of": "datetime64[us]"})
    engine = world.engine()
    try:
        values = build(engine, asked, recency(frozenset(sources))).values
        found = coverage(values, sources, days)
        assert np.isnan(coverage(values, [], days)).all()
    finally:
        engine.close()
    expected = [
        np.mean(
            [
                any(
                    row["account_id"] == account
                    and row["known_at"] < as_of
                    and as_of - timedelta(days=days) <= row["event_time"] < as_of
                    for row in world.rows[source]
                )
                for source in sources
            ]
        )
        for account, as_of in zip(asked["account_id"], asked["as_of"], strict=True)
    ]
    np.testing.assert_allclose(found, expected)
    assert 0 < found.mean() < 1


def test_the_latest_row_is_the_latest_that_was_known() -> None:
    world = past(21, 15)
    engine = world.engine()
    try:
        for as_of in CUTOFFS:
            times = [row["event_time"] for row in world.rows["tickets"] if row["known_at"] < as_of]
            assert latest_known(engine, ["tickets"], as_of) == {"tickets": max(times, default=None)}
        assert latest_known(engine, ["tickets"], datetime(1999, 1, 1)) == {"tickets": None}
        assert latest_known(engine, [], datetime(1999, 1, 1)) == {}
    finally:
        engine.close()
