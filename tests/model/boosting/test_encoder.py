"""The encoder learns from training rows only."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from tenure.core.errors import ModelError
from tenure.core.spec import Ranked
from tenure.model.boosting.encoder import Encoder


def frame(**columns):
    return pd.DataFrame(columns)


def test_rare_and_unseen_values_are_missing():
    train = frame(plan=["pro"] * 30 + ["free"] * 25 + ["odd"] * 19)
    encoder = Encoder.fit(train)
    assert encoder.categories == {"plan": ("free", "pro")}
    codes = encoder.transform(frame(plan=["pro", "free", "odd", "new", None]))[:, 0]
    np.testing.assert_array_equal(codes, [1, 0, np.nan, np.nan, np.nan])


@pytest.mark.parametrize("dtype", ["object", "str", "category"])
def test_text_may_come_in_any_dtype(dtype):
    train = pd.DataFrame({"plan": pd.Series(["a"] * 20 + ["b"] * 20 + [None], dtype=dtype)})
    encoder = Encoder.fit(train)
    assert encoder.categories == {"plan": ("a", "b")}
    np.testing.assert_array_equal(encoder.transform(train)[[0, 20, 40], 0], [0, 1, np.nan])


def test_the_most_frequent_values_get_the_codes():
    words = [f"v{i:03d}" for i in range(100) for _ in range(20 + i)]
    encoder = Encoder.fit(frame(word=words), limit=64)
    assert encoder.categories["word"] == tuple(f"v{i:03d}" for i in range(36, 100))


def test_idle_columns_are_dropped_with_the_reason():
    train = pd.DataFrame(
        {
            "flat": np.full(50, 3.0),
            "empty": np.full(50, np.nan),
            "rare": ["x"] * 5 + [None] * 45,
            "same": ["y"] * 50,
            "sparse": [1.0] * 25 + [np.nan] * 25,
            "half": ["z"] * 25 + [None] * 25,
            "x": np.arange(50.0),
        }
    )
    encoder = Encoder.fit(train)
    assert encoder.columns == ("sparse", "half", "x")
    assert encoder.dropped == {
        "flat": "constant",
        "empty": "missing",
        "rare": "missing",
        "same": "constant",
    }


def test_infinite_is_missing_and_order_is_the_encoders():
    encoder = Encoder.fit(frame(a=[1.0, 2.0], b=[5.0, np.inf]))
    values = frame(extra=[9.0], b=[-np.inf], a=[np.float32(2.5)])
    np.testing.assert_array_equal(encoder.transform(values), [[2.5, np.nan]])


def test_an_absent_column_is_named():
    encoder = Encoder.fit(frame(a=[1.0, 2.0], b=[1.0, 2.0]))
    with pytest.raises(ModelError, match=r"1 of the model's 2 features are absent \(found: b\)"):
        encoder.transform(frame(a=[1.0]))


def test_json_round_trip():
    train = frame(plan=["a"] * 20 + ["b"] * 20, n=np.arange(40.0), flat=np.ones(40))
    encoder = Encoder.fit(train)
    assert Encoder.from_json(json.loads(json.dumps(encoder.to_json()))) == encoder
    assert encoder.categorical == (0,)


def test_peer_percentiles_that_a_frame_lacks_are_looked_up():
    dice = np.random.default_rng(5)
    plans = dice.choice(np.asarray(["a", "b"], dtype=object), 240)
    train = frame(x=dice.normal(size=240).astype(np.float32), plan=plans)
    ranked = [Ranked("level", "x", "above {value} of peers", within=("plan",), band=None)]
    encoder = Encoder.fit(train, ranked=ranked)
    assert encoder.columns == ("x", "plan", "level")
    whole = encoder.frame(train)
    assert list(whole) == list(encoder.columns)
    np.testing.assert_array_equal(encoder.transform(whole), encoder.transform(train))
    assert encoder.derivable({"x", "plan"}) == {"level"}
    assert encoder.derivable({"x"}) == set()
    with pytest.raises(ModelError, match="plan"):
        encoder.transform(train[["x"]])


def test_columns_as_arrays_are_encoded_as_those_of_a_frame():
    train = frame(plan=["a"] * 20 + ["b"] * 20, n=np.arange(40.0), m=np.arange(40.0) ** 2)
    encoder = Encoder.fit(train)
    some = frame(plan=["b", None, "new"], n=[1.5, np.nan, np.inf], m=[1e300, -1.0, 0.1])
    arrays = {name: some[name].to_numpy(dtype=object if name == "plan" else None) for name in some}
    np.testing.assert_array_equal(encoder.transform(arrays), encoder.transform(some))
    for row in range(3):
        alone = {name: column[row : row + 1] for name, column in arrays.items()}
        np.testing.assert_array_equal(encoder.transform(alone)[0], encoder.transform(some)[row])
