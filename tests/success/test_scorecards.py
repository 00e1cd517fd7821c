"""Scorecards worked by hand, and what holds of weights, maps and comparisons."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.core.config import Config, make_config
from tenure.core.errors import ConfigError
from tenure.engine.duckdb import DuckDBEngine
from tenure.report.scorecards import comparison_lines, health_map_lines
from tenure.sources.dataset import Dataset
from tenure.sources.load import load_frames
from tenure.success.scorecards.cards import CardTable, card_table
from tenure.success.scorecards.comparison import compared, compared_health, health_scores
from tenure.success.scorecards.shown import account_scorecards, health_map
from tenure.success.scorecards.weights import joined, weighted
from worlds import tables

AS_OF = datetime(2025, 1, 1)
SINCE = AS_OF - timedelta(days=90)
START = datetime(2024, 1, 10)


def ago(days: float) -> datetime:
    return AS_OF - timedelta(days=days)


def answer(name: str, kind: str, score: float, days: float, account: str = "a") -> dict[str, Any]:
    row = {"response_id": name, "account_id": account, "survey_type": kind, "score": score}
    return row | {"sent_at": ago(days + 1), "responded_at": ago(days)}


def ticket(name: str, days: float, response: float, resolution: float | None) -> dict[str, Any]:
    opened = ago(days)
    end = None if resolution is None else opened + timedelta(hours=resolution)
    row = {"ticket_id": name, "account_id": "a", "opened_at": opened, "resolved_at": end}
    return row | {"first_responded_at": opened + timedelta(hours=response)}


def used(account: str, days: float, user: str, event: str = "login") -> dict[str, Any]:
    at = ago(days)
    return {"account_id": account, "user_id": user, "event": event, "occurred_at": at}


ROWS: dict[str, list[dict[str, Any]]] = {
    "accounts": [{"account_id": name, "created_at": START} for name in ("a", "b")],
    "subscriptions": [
        {"subscription_id": "s1", "account_id": "a", "started_at": START, "mrr": 100.0}
        | {"currency": "USD", "seats": 8},
        {"subscription_id": "s2", "account_id": "b", "started_at": START, "mrr": 900.0}
        | {"currency": "EUR"},
    ],
    "survey_responses": [
        answer("r1", "nps", 10, 30),
        answer("r2", "nps", 9, 20),
        answer("r3", "nps", 8, 10),
        answer("r4", "nps", 3, 5),
        answer("r5", "nps", 0, 400),  # longer ago than a year
        answer("r6", "nps", 0, -3),  # answered after as_of
        answer("r7", "csat", 5, 8),
        answer("r8", "csat", 2, 9),
        answer("r9", "ces", 7, 40),
        answer("r0", "ces", 4, 41),
    ],
    "tickets": [
        ticket("t1", 50, 25, 126),
        ticket("t2", 20, 25, 126),
        ticket("t3", 1, 0.5, 300),  # resolved after as_of
        {"ticket_id": "t4", "account_id": "b", "opened_at": ago(300)},
    ],
    "usage_events": [
        *(used("a", day + 0.5, f"u{day % 4}", ("login", "export")[day % 2]) for day in range(10)),
        *(used("a", 60.5, "u9", name) for name in ("login", "export", "share", "print")),
        used("a", 300, "u1"),
        used("a", -1, "u7"),
    ],
    "touchpoints": [
        {"account_id": "a", "occurred_at": ago(100), "kind": "case_study"},
        {"account_id": "b", "occurred_at": ago(-2), "kind": "reference"},
    ],
}
HEALTH = [
    {"measure": "nps", "weight": 1},
    {"measure": "adoption", "weight": 2},
    {"feature": "days_since_last_event", "weight": 1, "bad": 30, "good": 0, "missing": 20},
]


def settings(**success: Any) -> Config:
    return make_config({"data": {"path": "."}, "success": success}, base=Path())


@pytest.fixture(scope="module")
def dataset() -> Iterator[Dataset]:
    engine = DuckDBEngine(threads=1)
    until = AS_OF + timedelta(days=10)
    yield load_frames(tables(ROWS), settings(), engine, observed_until=until)
    engine.close()


def scored(dataset: Dataset, config: Config) -> CardTable:
    kept = pd.DataFrame(
        {"churn_probability": [0.2, 0.9], "expansion_lift": [1.5, np.nan]}, index=["a", "b"]
    )
    return card_table(config, dataset, (AS_OF, SINCE), {AS_OF: kept})


def test_an_account_by_hand(dataset: Dataset) -> None:
    config = settings(join="geometric", health=HEALTH)
    cards = account_scorecards(scored(dataset, config), "a", config, (AS_OF, SINCE))
    by_name = {item.name: item for card in cards.cards for item in card.measures}
    expected = {
        "retention": 80,  # 1 − 0.2
        "expansion": 50,  # 1.5 of 3
        "nps": 62.5,  # (2 − 1) of 4: an NPS of 25
        "csat": 100 * (0.5 - 0.4) / 0.6,
        "ces": 75,  # (6/6 + 3/6) / 2 = 0.75, on 0.3 to 0.9
        "support_response": 100 * (48 - (25 + 25 + 0.5) / 3) / 46,
        "support_resolution": 50,  # 126 of 240 to 12
        "adoption": 50,  # 10 of 20 days
        "usage_pace": 100,  # 3 × 10 / 14 is more than its pace
        "breadth": 100 * (0.5 - 0.3) / 0.6,  # 2 of 4 features
        "seat_utilisation": 100 * (0.5 - 0.1) / 0.7,  # 4 of 8 seats
        "activation": 10,  # first used after 57 days, of 60 to 30
    }
    assert {name: by_name[name].score for name in expected} == pytest.approx(expected, abs=0.01)
    advocacy = by_name["advocacy"]
    assert advocacy.score == pytest.approx(0.5 * 0 + 0.3 * 100 + 0.2 * 50), "a detractor last"
    vendor, experience, outcomes = cards.cards
    assert vendor.score == pytest.approx((80 + 50 + 40) / 3)
    assert experience.coverage == 1
    assert outcomes.coverage == 1
    assert experience.score is not None
    assert outcomes.score is not None
    success = experience.score / 100 * outcomes.score / 100
    assert cards.customer_success == pytest.approx(success)
    assert cards.health is not None
    assert cards.health.score == pytest.approx((62.5 + 2 * 50 + 100 * 29.5 / 30) / 4, abs=0.01)
    assert by_name["adoption"].trend == pytest.approx(50), "nothing was used in September"
    assert by_name["retention"].trend is None, "no scores are kept of then"
    assert (cards.join, cards.advocacy_rule) == ("geometric", "promoter_reference_activity")


def test_an_account_that_nobody_hears_of(dataset: Dataset) -> None:
    config = settings(health=HEALTH)
    cards = account_scorecards(scored(dataset, config), "b", config, (AS_OF, SINCE))
    vendor, experience, outcomes = cards.cards
    assert (experience.score, experience.coverage) == (None, 0)
    assert cards.customer_success is None
    measures = {item.name: item for card in cards.cards for item in card.measures}
    assert measures["nps"].reason == "nobody answered in the 365 days before"
    assert measures["seat_utilisation"].reason == "its seats are not known"
    assert measures["advocacy"].score == 0
    assert vendor.score == pytest.approx((10 + 0) / 2), "expansion has no data"
    assert cards.health is not None
    assert cards.health.score == pytest.approx((2 * 0 + 20) / 3), "`missing` gives 20"
    assert (outcomes.score, outcomes.coverage) == (0, 0.4), "adoption, and never activated"


def test_activation_is_of_the_first_year_and_waits_for_the_first_days() -> None:
    starts = {"used": 200, "unused": 200, "young": 10, "old": 400, "early": 20}
    rows: dict[str, list[dict[str, Any]]] = {
        "accounts": [{"account_id": name, "created_at": ago(401)} for name in starts],
        "subscriptions": [
            {"subscription_id": name, "account_id": name, "started_at": ago(days), "mrr": 1.0}
            for name, days in starts.items()
        ],
        "usage_events": [used("used", 155, "u"), used("early", 30, "u"), used("old", 390, "u")],
    }
    with_engine = DuckDBEngine(threads=1)
    loaded = load_frames(tables(rows), settings(), with_engine, observed_until=AS_OF)
    points = card_table(settings(), loaded, (AS_OF, SINCE), {}).points["activation"].to_dict()
    nan = pytest.approx(np.nan, nan_ok=True)
    assert points == {"used": 50, "unused": 0, "young": nan, "old": nan, "early": 100}
    with_engine.close()


def test_an_roi_proxy_is_a_feature_that_the_config_names(dataset: Dataset) -> None:
    config = settings(roi_proxy={"feature": "events_28d", "bad": 0, "good": 40})
    points = scored(dataset, config).points["roi_proxy"]
    assert points.tolist() == [25, 0]


@pytest.mark.parametrize(
    ("success", "message"),
    [
        ({"roi_proxy": {"feature": "evnts_28d", "bad": 0, "good": 1}}, "did you mean `events_28d`"),
        ({"health": [{"measure": "npss", "weight": 1}]}, "did you mean `nps`"),
        ({"health": [{"feature": "segment", "weight": 1, "bad": 0, "good": 1}]}, "or is a text"),
    ],
)
def test_what_does_not_exist_is_refused(
    dataset: Dataset, success: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        scored(dataset, settings(**success))


@pytest.mark.parametrize(
    "part",
    [
        {"weight": 1},
        {"weight": 1, "measure": "nps", "bad": 0},
        {"weight": 1, "feature": "events_28d"},
        {"weight": 1, "feature": "events_28d", "bad": 1, "good": 1},
        {"weight": 0, "measure": "nps"},
    ],
)
def test_a_part_that_says_too_little_or_too_much_is_refused(part: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        settings(health=[part])


numbers = st.one_of(st.just(float("nan")), st.floats(0, 100))


@given(
    points=st.lists(numbers, min_size=1, max_size=6),
    weights=st.lists(st.floats(0.01, 100), min_size=6, max_size=6),
)
def test_the_weight_of_what_has_no_data_spreads(points: list[float], weights: list[float]) -> None:
    own = weights[: len(points)]
    (score,), (coverage,) = weighted([points], own)
    present = [(one, weight) for one, weight in zip(points, own, strict=True) if one == one]
    assert coverage == pytest.approx(sum(weight for _, weight in present) / sum(own))
    if not present:
        assert np.isnan(score)
        return
    whole = sum(weight for _, weight in present)
    assert score == pytest.approx(sum(one * weight for one, weight in present) / whole)
    assert min(one for one, _ in present) - 1e-9 <= score <= max(one for one, _ in present) + 1e-9
    (without,), _ = weighted([[one for one, _ in present]], [weight for _, weight in present])
    assert without == pytest.approx(score)


@given(experience=st.floats(0, 1), outcomes=st.floats(0, 1))
def test_the_rules_of_joining_are_in_order(experience: float, outcomes: float) -> None:
    product, lower, mean = (
        joined([experience], [outcomes], rule)[0] for rule in ("geometric", "minimum", "arithmetic")
    )
    assert 0 <= product <= lower + 1e-12 <= mean + 2e-12 <= 1 + 3e-12


def test_a_health_map_never_adds_currencies(dataset: Dataset) -> None:
    config = settings()
    table = scored(dataset, config)
    bands = pd.Series({"a": "medium", "b": "high"})
    shown = health_map(table, "health", config, AS_OF, bands)
    full = {(cell.x, cell.y): cell.mrr for cell in shown.cells if cell.accounts}
    assert full == {("amber", "high"): {"USD": 100}, ("red", "high"): {"EUR": 900}}
    assert len(shown.cells) == 9
    other = health_map(table, "experience", config, AS_OF)
    assert (other.left_out.accounts, other.left_out.mrr) == (1, {"EUR": 900})
    text = "\n".join(health_map_lines(other))
    assert "left out because client experience or customer outcomes is not known: 1 account" in text
    assert "not known: 1 account, MRR 900 EUR" in text


def test_health_is_that_of_each_row_at_its_own_time(dataset: Dataset) -> None:
    """On the scale of `retention` and days of use; `b` is never used, `a` lately."""
    parts = [{"measure": "retention", "weight": 1}, {"measure": "adoption", "weight": 1}]
    config = settings(health=parts, green_at=60)
    predictions = pd.DataFrame(
        {
            "account_id": ["a", "b", "a", "b"],
            "as_of": pd.to_datetime([SINCE, SINCE, AS_OF, AS_OF]).astype("datetime64[us]"),
            "probability": [0.2, 0.5, 0.1, 0.6],
            "label": [0, 0, 0, 1],
        }
    )
    health = health_scores(config, dataset, predictions)
    assert health == pytest.approx([40, 25, 70, 20])
    comparison = compared_health(config, dataset, predictions)
    assert comparison is not None
    assert (comparison.rows, comparison.left_out, comparison.churned) == (4, 0, 1)
    assert comparison.green_share == 0.25
    assert comparison.health.auc.value == 1
    assert comparison.health.false_green_mrr == {"EUR": 0}
    assert compared_health(config, dataset, predictions.assign(label=0)) is None
    nobody = settings(health=[{"measure": "expansion", "weight": 1}])
    assert compared_health(nobody, dataset, predictions) is None, "no part has data"


def test_health_beside_the_model_by_hand() -> None:
    """Four leave; health calls one of them green, the model's safest rows hold none."""
    rows = pd.DataFrame(
        {
            "account_id": [f"a{place}" for place in range(20)],
            "probability": [0.9, 0.8, 0.7, 0.6, *np.linspace(0.5, 0.1, 16)],
            "label": [1, 1, 1, 1, *[0] * 16],
        }
    )
    health = np.array([10.0, 20, 30, 90, *[60] * 12, *[80] * 4])
    money = pd.DataFrame({"mrr": [100.0] * 4 + [50.0] * 16, "currency": "USD"})
    money.loc[0, "currency"] = "EUR"
    comparison = compared(rows, health, money, settings())
    assert (comparison.rows, comparison.churned, comparison.green_share) == (20, 4, 0.25)
    assert comparison.health.auc.value == pytest.approx(48 / 64)
    assert (comparison.model.auc.value, comparison.gain.value) == (1, pytest.approx(16 / 64))
    assert comparison.health.false_greens.value == pytest.approx(1 / 4)
    assert comparison.model.false_greens.value == 0
    assert comparison.health.false_green_mrr == {"EUR": 0, "USD": pytest.approx(1 / 3)}
    assert comparison.health.lift_at_10.value == pytest.approx((2 / 4) / 0.1)
    lines = comparison_lines(comparison)
    assert lines[0].endswith("20 test rows, of which 4 left; 25% are green in both:")
