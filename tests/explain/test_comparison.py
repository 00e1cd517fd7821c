"""A value is held against what says something, and never against what contradicts its effect."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from explain.small import SPECS, frame, labels, model, spec
from tenure.explain.comparison import NOTHING, OUTCOMES, PAST, PEERS, Compared, chosen, own_past
from tenure.explain.drivers import driver_arrays, drivers
from tenure.explain.outcomes import FEWEST, OutcomeShares, Shares, fit_outcomes
from tenure.explain.peers import Peers, fit_peers
from tenure.explain.row_words import About, Explainer
from tenure.labels.targets import TARGETS

CHURN, EXPANSION = TARGETS["churn"], TARGETS["expansion"]
NONE = np.nan


def held(value: float, *, up: bool, direction: int = 0, lever: bool = True, **beside: Any) -> int:
    """Return what one value is held against."""
    one = Compared(
        spec("x", unit="number", direction=direction, lever=lever),
        np.array([value]),
        np.array([up]),
        np.array([beside.get("peers", NONE)]),
        np.array([beside.get("past", NONE)]),
        Shares(np.array([beside.get("like", NONE)]), np.array([0.1])),
        np.array([""], dtype=object),
    )
    return int(chosen([one], beside.get("target", CHURN))[0])


@pytest.mark.parametrize("lever", [True, False])
def test_the_first_that_says_something(lever: bool) -> None:
    every: dict[str, Any] = {"past": 10.0, "peers": 12.0, "like": 0.2}
    assert held(5.0, up=True, lever=lever, **every) == (PAST if lever else OUTCOMES)
    assert held(5.0, up=True, lever=lever, peers=12.0, like=0.2) == (PEERS if lever else OUTCOMES)
    assert held(5.0, up=True, lever=lever, like=0.2) == OUTCOMES
    assert held(5.0, up=True, lever=lever) == NOTHING


def test_what_is_equal_says_nothing() -> None:
    assert held(26.0, up=True, peers=25.0, past=27.0, like=0.105) == NOTHING
    assert held(0.0, up=True, peers=0.0) == NOTHING


@pytest.mark.parametrize(("direction", "target"), [(-1, CHURN), (1, EXPANSION)])
def test_what_contradicts_is_not_said(direction: int, target: Any) -> None:
    less: dict[str, Any] = {"direction": direction, "target": target}
    assert held(5.0, up=True, peers=12.0, **less) == PEERS, "little use, more churn"
    assert held(15.0, up=True, peers=12.0, **less) == NOTHING, "more use cannot be why"
    assert held(15.0, up=False, peers=12.0, **less) == PEERS
    assert held(5.0, up=True, like=0.02, **less) == NOTHING


def test_a_missing_value_is_held_against_peers_that_have_one() -> None:
    assert held(NONE, up=True, peers=8.0, direction=-1) == PEERS
    assert held(NONE, up=True) == NOTHING


def test_own_past_is_a_formula_over_what_the_model_reads() -> None:
    values = pd.DataFrame({"a_28d": [3.0, 4.0], "a_84d": [12.0, 4.0]}, dtype="float32")
    had = spec("a_28d", past=("(a_84d - a_28d) / 2", "{past} before"))
    np.testing.assert_allclose(own_past(had, values, np.array([1, 0])), [0.0, 4.5])
    assert np.isnan(own_past(had, values[["a_28d"]], np.array([0]))).all()


def test_shares_of_outcomes_are_those_of_the_training_rows() -> None:
    dice = np.random.default_rng(0)
    values = pd.DataFrame({"x": np.repeat([0.0, 1.0, np.nan, 9.0], 200)}, dtype="float32")
    values["billing_period"] = pd.Series(np.tile(["1m", "12m"], 400), dtype=object)
    label = (dice.random(800) < np.repeat([0.1, 0.3, 0.6, 0.2], 200)).astype(float)
    shares = OutcomeShares.from_json(fit_outcomes(values, label, 90).to_json())
    asked = np.array([0.0, 1.0, np.nan, 9.0, 100.0])
    like, every = shares.lookup("x", asked, np.full(5, "", dtype=object))
    means = [label[start : start + 200].mean() for start in (0, 200, 400, 600)]
    np.testing.assert_allclose(like, [*means, means[-1]], atol=1e-6)
    np.testing.assert_allclose(every, label.mean(), atol=1e-6)
    few = fit_outcomes(values.iloc[: FEWEST - 1], label[: FEWEST - 1], 90)
    assert np.isnan(few.lookup("x", asked[:1], np.full(1, "", dtype=object)).like).all()


def explained(**other: Any) -> tuple[Explainer, np.ndarray, pd.DataFrame]:
    values = frame()
    peers = fit_peers(values, labels(values), ("segment",))
    explainer = Explainer(CHURN, SPECS, peers, fit_outcomes(values, labels(values), 90), **other)
    return explainer, model().contributions(values)[:, :-1], values


def test_levers_come_first_where_they_are_wanted() -> None:
    plain, amounts, values = explained()
    asked, _, _ = explained(levers_first=True)
    by_strength, by_lever = (drivers(amounts, values, one) for one in (plain, asked))
    names = [f"driver_{place}_lever" for place in range(1, 6)]
    flags = by_lever[names].astype(bool).to_numpy()
    assert (np.diff(flags.astype(int), axis=1) <= 0).all()
    assert not (np.diff(by_strength[names].astype(bool).to_numpy().astype(int), axis=1) <= 0).all()
    same = [sorted(row) for row in by_strength.filter(like="_code").to_numpy().tolist()]
    assert same == [sorted(row) for row in by_lever.filter(like="_code").to_numpy().tolist()]


def test_features_of_one_signal_are_one_driver_and_add_up() -> None:
    specs = {
        "a_7d": spec("a_7d", group="a"),
        "a_28d": spec("a_28d", group="a", lever=True),
        "b": spec("b"),
    }
    values = pd.DataFrame({"a_7d": [1.0], "a_28d": [5.0], "b": [2.0]}, dtype="float32")
    peers = Peers((), {"": {"a_7d": 1.0, "a_28d": 9.0, "b": 2.0}})
    arrays = driver_arrays(
        np.array([[0.3, 0.2, 0.4]]), values, Explainer(CHURN, specs, peers), About()
    )
    codes = [code for code in arrays.words[0, :, 0] if code]
    assert codes == ["a", "b"]
    np.testing.assert_allclose(arrays.numbers[0, :2, 2], [0.5, 0.4])
    assert arrays.telling[0].tolist() == [1, 2, -1, -1, -1], "the usual value says less"
    assert "9 at comparable accounts that stayed" in arrays.words[0, 0, 5]
    assert "as usual among comparable accounts" in arrays.words[0, 1, 5]
    assert "together with x of a" not in arrays.words[0, 0, 5]


def test_a_date_and_a_currency_are_told_where_they_are_known() -> None:
    specs = {
        "days": spec("days", sentence="{value} days since", unit="days", since="days"),
        "mrr": spec("mrr", sentence="{value} a month", unit="money"),
    }
    values = pd.DataFrame({"days": [17.25], "mrr": [446.21]}, dtype="float32")
    about = About(np.array(["2025-07-01"], "M8[us]"), np.array(["USD"], dtype=object))
    explainer = Explainer(CHURN, specs, Peers((), {"": {}}))
    arrays = driver_arrays(np.array([[0.2, 0.1]]), values, explainer, about)
    assert arrays.words[0, 0, 7] == "2025-06-13"
    assert arrays.words[0, 1, 2] == "USD 446"
    assert arrays.words[0, 1, 7] is None


def test_a_history_too_short_is_not_told_as_silence() -> None:
    specs = {
        "use": spec("use", sentence="use at {value}", missing="no use in the last 168 days"),
    }
    values = pd.DataFrame({"use": [np.nan]}, dtype="float32")
    about = About(np.array(["2025-07-01"], "M8[us]"), np.array([""], dtype=object))
    for begins, fact in ((date(2025, 6, 1), "Not known so far back"), (date(2024, 1, 1), "No use")):
        explainer = Explainer(CHURN, specs, Peers((), {"": {}}), begins={"t": begins})
        arrays = driver_arrays(np.array([[0.2]]), values, explainer, about)
        assert arrays.words[0, 0, 5].startswith(fact)
