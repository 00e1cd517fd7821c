from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from explain.small import SPECS, frame, labels, model, spec
from tenure.core.flat_row import FIELDS, TOP
from tenure.explain.drivers import drivers
from tenure.explain.outcomes import fit_outcomes
from tenure.explain.peers import Peers, fit_peers
from tenure.explain.row_words import Explainer
from tenure.explain.signals import signals
from tenure.explain.summary import summarise
from tenure.explain.wording import show
from tenure.labels.targets import TARGETS

CAUSAL = re.compile(r"\b(because|caus\w*|due to|leads? to|drives?|results? in|effect of)\b", re.I)
CHURN, EXPANSION = TARGETS["churn"], TARGETS["expansion"]


def table(prefix: str = "") -> tuple[pd.DataFrame, np.ndarray]:
    values = frame()
    found = model().contributions(values)[:, :-1]
    return drivers(found, values, explainer(), prefix=prefix), found


def explainer(**other: Any) -> Explainer:
    values = frame()
    peers = fit_peers(values, labels(values), ("segment",))
    return Explainer(CHURN, SPECS, peers, fit_outcomes(values, labels(values), 90), **other)


def column(found: pd.DataFrame, field: str) -> np.ndarray:
    return found[[f"driver_{place}_{field}" for place in range(1, TOP + 1)]].to_numpy()


def test_drivers_come_by_strength_with_their_direction() -> None:
    found, contributions = table()
    strength = np.abs(column(found, "contribution").astype(float))
    assert (np.diff(strength, axis=1) <= 0).all()
    np.testing.assert_array_equal(strength[:, 0], np.abs(contributions).max(axis=1))
    codes = column(found, "code")
    names = list(frame().columns)
    for place in range(TOP):
        index = [names.index(code) for code in codes[:, place]]
        own = contributions[np.arange(len(index)), index]
        np.testing.assert_array_equal(column(found, "contribution")[:, place].astype(float), own)
        np.testing.assert_array_equal(
            column(found, "direction")[:, place], np.where(own > 0, "raises", "lowers")
        )
    assert all(len(set(row)) == TOP for row in codes)


def test_a_driver_says_the_value_and_that_of_peers() -> None:
    found, _ = table()
    values = frame()
    peers = fit_peers(values, labels(values), ("segment",))
    for row in found.index[:80]:
        for place in range(1, TOP + 1):
            line = found.loc[row, [f"driver_{place}_{field}" for field in FIELDS]]
            line.index = pd.Index(FIELDS)
            name, value = line["code"], values.loc[row, line["code"]]
            expected = peers.values.get(values.loc[row, "segment"], {}).get(name)
            if SPECS[name].text:
                assert line["value"] == value
                assert pd.isna(line["value_num"])
                assert line["peer_value"] == expected
            else:
                assert line["value_num"] == value or (pd.isna(line["value_num"]) and pd.isna(value))
                assert line["peer_value_num"] == expected
            assert line["value"] == show(value, SPECS[name].unit)
            assert line["peer_value"] == show(expected, SPECS[name].unit)


def test_no_sentence_claims_a_cause() -> None:
    found, _ = table()
    sentences = pd.unique(column(found, "sentence").ravel())
    assert len(sentences) > 100
    for sentence in sentences:
        assert not CAUSAL.search(sentence), sentence
        assert re.search(r"associated with a (higher|lower) probability of churn\.$", sentence)
        assert not re.search(r"[{}]|\bnan\b|\bNone\b|<NA>", sentence), sentence


def test_columns_are_those_of_the_contract() -> None:
    found, _ = table("expansion_")
    names = [f"expansion_driver_{place + 1}_{name}" for place in range(TOP) for name in FIELDS]
    assert list(found) == names
    assert len(found.columns) == TOP * len(FIELDS)
    levers = [name for name in names if name.endswith("lever")]
    assert set(found[levers].dtypes.astype(str)) == {"boolean"}
    numbers = [name for name in names if name.endswith(("value_num", "contribution"))]
    assert set(found[numbers].dtypes.astype(str)) == {"float64"}
    assert found.index.equals(frame().index)


def test_what_contributes_nothing_is_no_driver() -> None:
    values = pd.DataFrame({"a": [1.0, 1.0], "b": [2.0, 2.0], "c": [3.0, 3.0]}, dtype="float32")
    specs = {name: spec(name) for name in "abc"}
    contributions = np.asarray([[0.0, -0.2, 0.0], [0.1, -0.1, 0.1]])
    found = drivers(contributions, values, Explainer(EXPANSION, specs, Peers((), {"": {}})))
    one, other = found.to_dict("records")
    assert one["driver_1_code"] == "b"
    assert pd.isna(one["driver_2_code"])
    assert np.isnan(one["driver_2_contribution"])
    assert [other[f"driver_{place}_code"] for place in (1, 2, 3)] == ["a", "b", "c"]
    assert pd.isna(other["driver_4_code"])
    assert one["driver_1_sentence"].endswith("a lower probability of expansion.")
    assert np.isnan(one["driver_1_peer_value_num"])
    assert "comparable" not in one["driver_1_sentence"]
    pd.testing.assert_series_equal(found.dtypes, table()[0].dtypes)


def test_one_row_alone_has_the_same_drivers() -> None:
    whole, contributions = table()
    alone = drivers(contributions[[9]], frame().iloc[[9]], explainer())
    pd.testing.assert_frame_equal(alone, whole.iloc[[9]])


def test_no_rows_give_no_drivers() -> None:
    found = drivers(np.empty((0, 5)), frame().iloc[:0], explainer())
    assert found.shape == (0, TOP * len(FIELDS))
    pd.testing.assert_series_equal(found.dtypes, table()[0].dtypes)


def test_a_summary_adds_up_by_what_features_are_about() -> None:
    values = pd.DataFrame(
        {"x_7d": [1.0, 2, 3], "x_28d": [3.0, 2, 1], "y": [0.0, 5, 1], "w": ["a", "b", "a"]}
    ).astype({"x_7d": "float32", "x_28d": "float32", "y": "float32", "w": object})
    specs = {
        "x_7d": spec("x_7d", group="x"),
        "x_28d": spec("x_28d", group="x", lever=True, sentence="{value} of the last 28 days"),
        "y": spec("y"),
        "w": spec("w", text=True, unit="text"),
    }
    contributions = np.asarray(
        [[0.1, -0.4, 0.2, 0.0], [0.0, 0.2, 0.2, 0.1], [-0.1, 0.4, -0.2, 0.0]]
    )
    found = summarise(contributions, values, specs).set_index("group")
    assert list(found.index) == ["x", "y", "w"]
    assert found.loc["x", "mean_abs"] == pytest.approx((0.3 + 0.2 + 0.3) / 3)
    assert found["share"].sum() == pytest.approx(1)
    assert found.loc["x", "features"] == "x_7d, x_28d"
    assert found.loc["x", "label"] == "Share of the last 28 days", "that of the leading feature"
    assert bool(found.loc["x", "lever"])
    assert found.loc["x", "association"] == pytest.approx(-1)
    assert found["association"].isna()["w"], "words have no rank"


def test_the_planted_driver_leads_the_summary() -> None:
    found = summarise(table()[1], frame(), SPECS)
    assert {"events_28d", "open_tickets"} == set(found["group"][:2])
    signs = found.set_index("group")["association"]
    assert signs["events_28d"] < -0.9
    assert signs["open_tickets"] > 0.9


def test_columns_of_one_group_are_one_signal() -> None:
    specs = {"b_7d": spec("b_7d", group="b"), "a": spec("a"), "b_28d": spec("b_28d", group="b")}
    assert signals(["b_7d", "a", "b_28d"], specs) == {"b": [0, 2], "a": [1]}
