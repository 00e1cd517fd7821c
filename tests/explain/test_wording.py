from __future__ import annotations

import math
import re

import numpy as np
import pytest

from explain.small import spec
from features.past import whole_plan
from tenure.core.spec import Unit
from tenure.explain.wording import label, show


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
        (12.7, "days", "13 days"),
        (0.5, "days", "less than a day"),
        (-12.0, "days", "-12 days"),
        (1.0, "days", "1 day"),
        (800.0, "days", "2.2 years"),
        (0.2, "hours", "less than an hour"),
        (47.0, "hours", "47 hours"),
        (310.3, "hours", "13 days"),
        (99.5, "money", "99.50"),
        (0.456, "share", "46%"),
        (-0.25, "share", "-25%"),
        (-0.001, "share", "less than 1%"),
        (0.0, "share", "0%"),
        (12.0, "share", "1,200%"),
        (-0.001, "ratio", "0"),
        (1.0, "ratio", "1"),
        (12.34, "hours", "12 hours"),
        (1234.5, "number", "1,234"),
        (12.34, "number", "12.3"),
        (5.0, "score", "5"),
        (3.0, "month", "March"),
        (2024.0, "year", "2024"),
        (1.0, "flag", "yes"),
        (np.float32(0.1), "ratio", "0.1"),
        ("enterprise", "text", "enterprise"),
        ("enterprise", "count", "enterprise"),
    ],
)
def test_values_in_words(value: object, unit: Unit, said: str) -> None:
    assert show(value, unit) == said


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
    for text in (found.sentence, found.zero, found.missing):
        assert not re.search(r"\b(because|caus\w*|due to|leads? to|drives?)\b", text or "", re.I)
