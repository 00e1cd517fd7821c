"""What a bundle remembers of its training rows."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from tenure.model.bundle.reference_stats import examples, from_records, statistics, to_records


def frame():
    return pd.DataFrame(
        {
            "n": np.array([0.1, np.nan, 3.0], dtype="float32"),
            "empty": np.full(3, np.nan),
            "word": np.array(["a", None, "b"], dtype=object),
        }
    )


def test_records_survive_json_to_the_last_bit():
    again = from_records(json.loads(json.dumps(to_records(frame()), allow_nan=False)))
    np.testing.assert_array_equal(again["n"], frame()["n"].astype("float64"))
    assert again["empty"].isna().all()
    assert list(again["word"][[0, 2]]) == ["a", "b"]
    assert again["word"].isna().tolist() == [False, True, False]


def test_records_of_no_rows_keep_their_columns():
    assert list(from_records(to_records(frame().head(0)))) == ["n", "empty", "word"]


def test_statistics_are_json_safe():
    found = statistics(frame())
    json.dumps(found, allow_nan=False)
    assert found["empty"] == {"missing": 1.0, "mean": None, "sd": None, "quantiles": {}}
    assert found["n"]["missing"] == pytest.approx(1 / 3)
    assert found["n"]["mean"] == pytest.approx(1.55)
    assert found["word"] == {"missing": pytest.approx(1 / 3), "values": {"a": 0.5, "b": 0.5}}


def test_examples_span_the_order_of_the_scores():
    values = pd.DataFrame({"x": np.arange(1_000.0)})
    chosen = examples(values, -values["x"].to_numpy())
    assert len(chosen) == 20
    assert (chosen["x"].iloc[0], chosen["x"].iloc[-1]) == (999, 0)
    assert list(chosen.index) == list(range(20))
    assert len(examples(values.head(3), np.zeros(3))) == 3
