from __future__ import annotations

import math
import re

import numpy as np
import pytest

from explain.small import SPECS, spec
from features.past import whole_plan
from tenure.core.spec import Unit
from tenure.explain.wording import label, reason, show
from tenure.labels.targets import TARGETS


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (None, "count", "no data"),
        (math.nan, "share", "no data"),
        (math.nan, "text", "no data"),
        (np.float32("nan"), "days", "no data"),
        (0.0, "count", "0"),
        (3.0, "count", "3"),
        (1234567.0, "count", "1,234,567"),
        (2.5, "count", "2.50"),
        (12.7, "days", "13"),
        (0.5, "days", "0.50"),
        (-12.0, "days", "-12"),
        (99.5, "money", "100"),
        (0.456, "share", "46%"),
        (-0.25, "share", "-25%"),
        (-0.001, "share", "0%"),
        (-0.001, "ratio", "0.00"),
        (1.0, "ratio", "1.00"),
        (12.34, "hours", "12.3"),
        (1234.5, "number", "1,234.5"),
        (np.float32(0.1), "ratio", "0.10"),
        ("enterprise", "text", "enterprise"),
        ("enterprise", "count", "enterprise"),
    ],
)
def test_values_in_words(value: object, unit: Unit, said: str) -> None:
    assert show(value, unit) == said


def test_missing_values_are_said_to_be_missing() -> None:
    said = reason(SPECS["nps_last"], "no data", "8", raises=False, target=TARGETS["churn"])
    assert said == (
        "No data on: last NPS score (comparable retained accounts: 8); "
        "associated with a lower probability of churn."
    )


def test_without_peers_nothing_is_compared() -> None:
    said = reason(SPECS["mrr"], "100", "no data", raises=True, target=TARGETS["expansion"])
    assert said == (
        "100 of monthly recurring revenue; associated with a higher probability of expansion."
    )


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("{value} days since the last usage event", "Days since the last usage event"),
        ("a mean NPS score of {value} in the last 182 days", "Mean NPS score in the last 182 days"),
        ("the oldest open ticket waiting for {value} days", "Oldest open ticket waiting (days)"),
        (
            "`Login` used {value} times in the last 28 days",
            "`Login` used times in the last 28 days",
        ),
        ("the plan {value}", "Plan"),
        ("a discount of {value} off the list price", "Discount off the list price"),
    ],
)
def test_labels(sentence: str, expected: str) -> None:
    assert label(spec("x", sentence=sentence)) == expected


@pytest.mark.parametrize("name", whole_plan().specs)
def test_no_registered_sentence_claims_a_cause(name: str) -> None:
    found = whole_plan().specs[name]
    assert not re.search(r"\b(because|caus\w*|due to|leads? to|drives?)\b", found.sentence, re.I)
