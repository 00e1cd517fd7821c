"""What a prediction's row says of the outcome, the money and the groups."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tenure.model.evaluation.prediction_detail import currency, with_detail

T = pd.Timestamp("2024-03-01")


def rows(**more):
    frame = pd.DataFrame(
        {
            "account_id": list("abcdef"),
            "as_of": [T - pd.Timedelta(days=120)] * 3 + [T] * 3,
            "mrr": [10.0, 20.0, 30.0, 5.0, 20.0, 300.0],
            "currency": ["EUR", "EUR", None, "EUR", "USD", "EUR"],
            "label": [0.0, 1, 0, 1, 0, 1],
            "label_known_at": [T] * 3 + [T + pd.Timedelta(days=120)] * 3,
            "outcome_at": [pd.NaT, T, pd.NaT, T, pd.NaT, T],
            "outcome_id": [None, "b", None, "d", None, "f"],
            "outcome_amount": [0.0, -2, 0, -1, 0, 4],
        }
    )
    return frame.assign(**more)


def predictions(frame, places):
    kept = frame.iloc[places][["account_id", "as_of", "mrr", "currency", "label"]]
    return kept.reset_index(drop=True).assign(row=places)


VALUES = pd.DataFrame(
    {
        "segment": pd.Series(["x", "x", "y", None, "y", "y"], dtype=object),
        "tenure_days": [10.0, 400, np.nan, 90, 730, 89],
    }
)


def test_rows_are_looked_up_by_their_place():
    found = with_detail(predictions(rows(), [5, 3, 4]), rows(), VALUES, ["segment", "plan"])
    assert found["outcome_id"].tolist()[:2] == ["f", "d"]
    assert found["group:segment"].tolist() == ["y", "not known", "y"]
    assert found["group:tenure"].tolist() == [
        "under 90 days",
        "90 days to a year",
        "2 years and more",
    ]
    assert "group:plan" not in found


def test_bands_of_mrr_are_thirds_of_the_past_alone():
    found = with_detail(predictions(rows(), [3, 4, 5]), rows(), VALUES, [])
    # Known at the first prediction time are 10, 20 and 30: thirds at 16.7 and 23.3.
    assert found["group:mrr"].tolist() == ["under 17", "17 to 23", "23 and more"]
    unknown = with_detail(predictions(rows(), [0]), rows(), VALUES, [])
    assert unknown["group:mrr"].tolist() == ["not known"]


def test_money_is_that_of_the_most_frequent_currency():
    frame = predictions(rows(), [3, 4, 5])
    assert currency(frame) == "EUR"
    amounts = with_detail(frame, rows(), VALUES, [])["amount"].to_numpy()
    np.testing.assert_array_equal(amounts, [5, np.nan, 300])
    changes = with_detail(frame, rows(), VALUES, [], change=True)["amount"].to_numpy()
    np.testing.assert_array_equal(changes, [1, np.nan, 4])
    assert currency(frame.assign(currency=None)) is None
    plain = with_detail(frame.assign(currency=None), rows(), VALUES, [])
    assert plain["amount"].tolist() == [5, 20, 300]


def test_the_smallest_texts_are_taken_together():
    texts = [f"s{number % 12:02d}" for number in range(120)] + ["s00"]
    frame = pd.DataFrame(
        {
            "account_id": [str(number) for number in range(121)],
            "as_of": T,
            "mrr": 1.0,
            "label": 0.0,
            "label_known_at": T,
        }
    )
    values = pd.DataFrame({"segment": pd.Series(texts, dtype=object)})
    found = with_detail(frame.assign(row=range(121)), frame, values, ["segment"])["group:segment"]
    sizes = found.value_counts()
    assert sizes["s00"] == 11
    assert sizes["all others"] == 20
    assert len(sizes[sizes > 0]) == 11


def test_predictions_without_places_are_left_alone():
    frame = predictions(rows(), [1]).drop(columns="row")
    pd.testing.assert_frame_equal(with_detail(frame, rows(), VALUES, []), frame)
    assert with_detail(pd.DataFrame(), rows(), VALUES, []).empty


@pytest.mark.parametrize("days", [[np.nan], [-1.0]])
def test_odd_tenures_have_a_group(days):
    frame = predictions(rows(), [0])
    found = with_detail(frame, rows(), pd.DataFrame({"tenure_days": days * 6}), [])
    assert found["group:tenure"].notna().all()
