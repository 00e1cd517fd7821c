"""Drivers that contradict their declared direction, in effect and in outcomes, are counted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tenure.audit.directions import LIMIT, against_declared, declared
from tenure.core.records.shape import DirectionRecord
from tenure.core.spec import Derived, Family, Feature
from tenure.features.plan.plan import resolve_plan

ROWS = 2_000
COLUMNS = {"usage_events": frozenset({"account_id", "event", "occurred_at"})}
FAMILY = Family(
    "use",
    "Use",
    (
        Feature("used", "usage_events", "count(*)", "{value}", windows=(28,), direction=-1),
        Feature("gap", "usage_events", "last(event)", "{value}", unit="text", direction=1),
        Feature("named", "usage_events", "count(*)", "{value}", each="event", direction=-1),
        Feature("said", "usage_events", "count(*)", "{value}"),
        Derived("named_share", "named / used_28d", "{value}", direction=-1),
        Derived("twice", "2 * used_28d", "{value}", direction=-1),
    ),
)
PLAN = resolve_plan([FAMILY], COLUMNS, members={"named": ["export", "login"]})
SPECS = declared(PLAN)


def record(
    effect: float, outcome: float, *, others: float = 0.0, rows: int = ROWS
) -> DirectionRecord | None:
    """Return what is said of ``used_28d``, declared to lower churn.

    Args:
        effect: Log-odds that the model gives to one standard deviation of it.
        outcome: The same as it happened.
        others: The same of an undeclared feature.
        rows: Rows, each of an account of its own.
    """
    rng = np.random.default_rng(0)
    values = pd.DataFrame({"used_28d": rng.normal(size=rows), "said": rng.normal(size=rows)})
    label = rng.random(rows) < 1 / (1 + np.exp(2 - outcome * values["used_28d"]))
    outcomes = pd.DataFrame(
        {"account_id": [f"a{row}" for row in range(rows)], "label": label.astype(float)}
    )
    return against_declared(values.to_numpy() * [effect, others], values, values, outcomes, SPECS)


def test_features_of_one_value_of_many_and_words_have_no_direction_of_their_own() -> None:
    assert set(SPECS) == {"used_28d", "twice"}


def test_what_contradicts_in_effect_and_outcome_is_named_with_its_share() -> None:
    found = record(1.0, 1.0, others=1.0)
    assert found is not None
    [item] = found.columns
    assert (item.column, item.source, item.declared) == ("used_28d", "usage_events", -1)
    assert item.association == pytest.approx(1)
    assert item.auc.value is not None
    assert item.auc.value < 0.4
    assert found.share == item.share == pytest.approx(0.5, abs=0.03)
    assert found.suspicious
    assert found.limit == LIMIT


def test_a_small_share_is_not_suspicious() -> None:
    found = record(0.1, 1.0, others=1.0)
    assert found is not None
    assert len(found.columns) == 1
    assert not found.suspicious


@pytest.mark.parametrize(("effect", "outcome"), [(-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0), (0, 1.0)])
def test_what_agrees_in_effect_or_in_outcome_does_not_contradict(
    effect: float, outcome: float
) -> None:
    found = record(effect, outcome, others=0.1)
    assert found is not None
    assert (found.columns, found.share, found.suspicious) == ((), 0, False)


def test_what_chance_can_explain_does_not_contradict() -> None:
    found = record(1.0, 0.3, rows=60)
    assert found is not None
    assert found.columns == ()


def test_without_a_declared_direction_nothing_is_said() -> None:
    values = pd.DataFrame({"said": np.arange(100.0)})
    outcomes = pd.DataFrame({"account_id": ["a"] * 100, "label": np.arange(100.0) % 2})
    assert against_declared(values.to_numpy(), values, values, outcomes, SPECS) is None
