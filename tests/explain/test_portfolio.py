from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from explain.small import SPECS, frame, model
from tenure.explain.driver_records import DriverFacts, ScorePlace, driver_records
from tenure.explain.portfolio import SignalFacts, fit_effects, portfolio
from tenure.explain.stability import stability

FACTS = SignalFacts(
    {"use": "Use", "term": "Term"}, {"use": "Ask.", "term": ""}, frozenset({"use"}), {}
)


def book() -> tuple[pd.DataFrame, pd.DataFrame]:
    names = pd.Index([f"a{number}" for number in range(12)], name="account_id")
    use = [0.5, 0.2, -0.3, 0.1, 0.4, -0.1, 0.3, 0.2, -0.2, 0.6, 0.0, -0.4]
    contributions = pd.DataFrame({"use": use, "term": [0.7, -0.1] * 6}, index=names)
    accounts = pd.DataFrame(
        {
            "probability": np.linspace(0.9, 0.1, 12),
            "band": ["high"] * 4 + ["medium"] * 3 + ["low"] * 5,
            "mrr": 100.0,
            "currency": ["EUR", "USD"] * 6,
            "segment": ["small"] * 7 + ["large"] * 5,
            "owner": [None, *["ann"] * 11],
        },
        index=names,
    )
    return contributions, accounts


def test_a_portfolio_says_direction_size_groups_and_who_shares_a_reason() -> None:
    contributions, accounts = book()
    record = portfolio("churn", contributions, accounts, FACTS)
    assert [signal.code for signal in record.signals] == ["term", "use"]
    use = record.signals[1]
    assert use.mean == pytest.approx(contributions["use"].mean())
    assert use.mean_abs == pytest.approx(contributions["use"].abs().mean())
    assert use.raises == pytest.approx(7 / 12)
    assert sum(signal.share for signal in record.signals) == pytest.approx(1)
    groups = {(group.by, group.name): group for group in record.groups}
    assert set(groups) == {("segment", "small"), ("segment", "large"), ("owner", "ann")}
    small = next(s for s in groups["segment", "small"].signals if s.code == "use")
    assert small.mean == pytest.approx(contributions["use"].iloc[:7].mean())
    by_code = {cohort.code: cohort for cohort in record.cohorts}
    assert by_code["use"].accounts == ("a0", "a1", "a3", "a4", "a6"), "a lever comes first"
    assert by_code["term"].accounts == ("a2",), "no lever raises it, and nothing raises a5"
    assert by_code["use"].mrr == {"EUR": 300.0, "USD": 200.0}
    assert sum(by_code["use"].at_risk.values()) == pytest.approx(
        100 * accounts["probability"].iloc[[0, 1, 3, 4, 6]].sum()
    )


def test_an_effect_has_direction_and_shape() -> None:
    values = frame()
    effects = fit_effects(model().contributions(values)[:, :-1], values, SPECS)
    assert effects["events_28d"]["association"] < -0.9
    points = effects["open_tickets"]["points"]
    assert [point["value"] for point in points] == sorted(point["value"] for point in points)
    means = [point["mean"] for point in points if point["n"] > 20]
    assert means == sorted(means), "more open tickets, more risk"


def test_signals_that_change_places_are_unstable() -> None:
    ranked = np.array([[0, 1], [0, 2]] * 20)
    shares = np.tile([1.0, 0.25, 0.75], (40, 1))
    found = stability(ranked, shares, ["a", "b", "c", "d"])
    assert found == {"a": [1.0, 1.0], "b": [0.25, 0.25], "c": [0.75, 0.75]}


def test_points_add_up_to_the_way_from_the_base_value() -> None:
    drivers = [
        {
            **dict.fromkeys(("label", "value", "peer_value", "sentence"), "x"),
            "code": code,
            "contribution": amount,
            "direction": "raises" if amount > 0 else "lowers",
            "lever": lever,
        }
        for code, amount, lever in (("use", 0.5, True), ("term", -0.2, False))
    ]
    facts = DriverFacts(FACTS, {"use": [0.9, 0.2], "term": [0.9, 0.2]})
    place = ScorePlace(log_odds=-1.7, probability=0.12, base=-2.0, base_probability=0.09)
    first, second = driver_records(drivers, facts, place)
    assert first.points + second.points == pytest.approx(0.03)  # type: ignore[operator]
    assert (first.ask, second.ask) == ("Ask.", "")
    assert (first.unstable, second.unstable) == (False, True)
    assert (first.stability, second.stability) == (0.9, 0.2)
    unclear = ScorePlace(log_odds=-1.7, probability=0.05, base=-2.0, base_probability=0.09)
    assert driver_records(drivers, facts, unclear)[0].points is None
