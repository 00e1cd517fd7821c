"""The hand-weighted score: by hand, with parts absent, and in its declared directions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tenure.model.backtest.hand_weighted import PARTS, Part, hand_weighted_score

HEALTHY = {
    "events_trend_28d_vs_84d": 1.2,
    "days_since_last_event": 0.0,
    "seat_utilisation": 0.9,
    "open_tickets_urgent": 0.0,
    "nps_last": 10.0,
    "invoices_late_182d": 0.0,
}
SICK = {
    "events_trend_28d_vs_84d": 0.1,
    "days_since_last_event": 80.0,
    "seat_utilisation": 0.0,
    "open_tickets_urgent": 5.0,
    "nps_last": 0.0,
    "invoices_late_182d": 4.0,
}


def score(*rows):
    found = hand_weighted_score(pd.DataFrame(list(rows)))
    assert found is not None
    return found.tolist()


def test_weights_are_shares_of_a_hundred():
    assert sum(part.weight for part in PARTS) == 100
    assert len({part.name for part in PARTS}) == len(PARTS)


def test_the_declared_parts_are_those_of_the_docs():
    text = (Path(__file__).parents[3] / "docs" / "method.md").read_text(encoding="utf-8")
    for part in PARTS:
        row = next(line for line in text.splitlines() if line.startswith(f"| {part.name} |"))
        assert row.split("|")[2].strip() == f"{part.weight}"
        assert all(f"`{column}`" in row for column in part.columns)
        assert [float(end) for end in row.split("|")[4:6]] == [part.bad, part.good]


def test_the_ends_of_the_scale():
    assert score(HEALTHY, SICK) == [100, 0]


def test_a_score_by_hand():
    # Half the way in use (15 of 30 points) and recency (10 of 20), the rest as healthy.
    middle = HEALTHY | {"events_trend_28d_vs_84d": 0.75, "days_since_last_event": 16.0}
    assert score(middle) == pytest.approx([75])


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_each_part_counts_with_its_weight(part):
    name = part.columns[0]
    assert score(HEALTHY | {name: SICK[name]}) == pytest.approx([100 - part.weight])


def test_what_the_data_cannot_give_is_left_out_and_the_rest_scaled():
    without = {name: value for name, value in HEALTHY.items() if name != "nps_last"}
    bad = without | {"invoices_late_182d": 9.0}
    assert score(bad) == pytest.approx([100 * 80 / 90])
    assert hand_weighted_score(pd.DataFrame({"mrr": [1.0]})) is None


def test_an_account_without_a_value_is_judged_by_the_others_but_silence_is_bad():
    missing = HEALTHY | {"nps_last": np.nan, "seat_utilisation": np.nan}
    silent = HEALTHY | {"days_since_last_event": np.nan}
    assert score(missing, silent) == pytest.approx([100, 80])
    np.testing.assert_array_equal(hand_weighted_score(pd.DataFrame({"nps_last": [np.nan]})), [50])


def test_the_first_column_that_is_there_speaks_for_a_part():
    part = Part("support", 10, ("best", "second"), 3, 0)
    frame = pd.DataFrame({"second": [3.0], "best": [0.0]})
    np.testing.assert_array_equal(hand_weighted_score(frame, [part]), [100])
    np.testing.assert_array_equal(hand_weighted_score(frame[["second"]], [part]), [0])
