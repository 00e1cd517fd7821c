"""Percentiles among peers: learnt from the training past, looked up later."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.core.spec import Ranked
from tenure.features.peer_percentile import MIN_ROWS, apply, fit, parts

LEVEL = Ranked("level", "use", "use above {value} of peers", edges=(100, 200))


def frame(use: Any, segment: Any = "a", tenure: Any = 10.0) -> pd.DataFrame:
    size = len(use)
    return pd.DataFrame(
        {
            "use": np.asarray(use, dtype=np.float32),
            "segment": pd.Series([segment] * size if isinstance(segment, str) else segment),
            "tenure_days": np.broadcast_to(np.asarray(tenure, dtype=np.float32), size),
        }
    )


def brute(values: pd.DataFrame, past: pd.DataFrame) -> list[float]:
    """The share of the peers' training rows that lie below, ties by half; by definition."""

    def band(days: float) -> int | None:
        return None if np.isnan(days) else sum(days >= edge for edge in LEVEL.edges)

    found = []
    for row in values.to_dict(orient="records"):
        groups = [
            past,
            past[past["segment"] == row["segment"]],
            past[
                (past["segment"] == row["segment"])
                & (past["tenure_days"].map(band) == band(row["tenure_days"]))
            ],
        ]
        peers = next(
            (
                group["use"].dropna()
                for group in reversed(groups)
                if group["use"].notna().sum() >= MIN_ROWS
            ),
            past["use"].dropna(),
        )
        below, tied = (peers < row["use"]).sum(), (peers == row["use"]).sum()
        found.append(np.nan if np.isnan(row["use"]) else (below + tied / 2) / len(peers))
    return found


def random_frame(seed: int, rows: int) -> pd.DataFrame:
    dice = np.random.default_rng(seed)
    use = dice.integers(0, 12, rows).astype(float)
    use[dice.random(rows) < 0.1] = np.nan
    return frame(
        use,
        list(dice.choice(["a", "b", "rare"], rows, p=[0.5, 0.45, 0.05])),
        dice.choice([20.0, 100.0, 150.0, 999.0], rows),
    )


@given(st.integers(0, 2**31))
@settings(max_examples=8, derandomize=True, deadline=None)
def test_a_percentile_is_what_its_definition_says(seed: int) -> None:
    past, now = random_frame(seed, 400), random_frame(seed + 1, 25)
    found = apply(now, fit(past, [LEVEL]))["level"]
    # At most 101 quantiles of a group are kept, so a share is known to one hundredth.
    np.testing.assert_allclose(found, brute(now, past), atol=0.0101)


def test_a_small_training_past_is_kept_whole() -> None:
    past = frame(range(80), tenure=10.0)
    found = apply(frame([-1, 0, 39.5, 79, 99]), fit(past, [LEVEL]))["level"]
    np.testing.assert_allclose(found, [0, 0.5 / 80, 0.5, 79.5 / 80, 1])


def test_the_state_is_json_and_one_account_alone_equals_the_batch() -> None:
    state = fit(random_frame(3, 500), [LEVEL])
    again = json.loads(json.dumps(state))
    now = random_frame(4, 50)
    batch = apply(now, state)
    alone = pd.concat([apply(now.iloc[[index]], again) for index in range(len(now))])
    pd.testing.assert_frame_equal(alone, batch)
    assert batch["level"].dtype == np.float32


def test_an_unknown_group_is_compared_with_the_wider_one() -> None:
    past = pd.concat([frame(range(100), "a"), frame(range(100, 200), "b")], ignore_index=True)
    state = fit(past, [LEVEL])
    found = apply(frame([99.5, 99.5, 99.5], ["a", "b", None]), state)["level"]
    np.testing.assert_allclose(found, [1, 0, 0.5], atol=0.01)


def test_what_is_missing_has_no_percentile() -> None:
    state = fit(frame([1.0] * 60), [LEVEL])
    found = apply(frame([np.nan, 1.0]), state)["level"]
    assert np.isnan(found[0])
    assert found[1] == 0.5


def test_nothing_is_ranked_without_its_feature() -> None:
    assert fit(frame([1.0]).drop(columns="use"), [LEVEL]) == {}


def test_absent_columns_of_the_groups_are_left_out() -> None:
    state = fit(frame(range(60)).drop(columns=["segment", "tenure_days"]), [LEVEL])
    assert parts(state, "level") == {"use"}
    assert apply(frame([100.0]), state)["level"].tolist() == [1.0]


@pytest.mark.parametrize("rows", [MIN_ROWS - 1, MIN_ROWS])
def test_a_group_needs_rows(rows: int) -> None:
    past = pd.concat([frame(range(200), "a"), frame([500.0] * rows, "b")], ignore_index=True)
    found = apply(frame([500.0], "b"), fit(past, [LEVEL]))["level"][0]
    assert bool(found == 0.5) is (rows == MIN_ROWS)
