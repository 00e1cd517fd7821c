from __future__ import annotations

import math

import numpy as np
import pytest

from tenure.core.errors import ConfigError
from tenure.core.formulas import evaluate, formula_names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + b * 2 - -a", 10.0),
        ("(a + b) / c", math.nan),
        ("a / b", 2 / 3),
        ("abs(a - b)", 1.0),
        ("ln(a)", math.log(2)),
        ("ln(c)", math.nan),
        ("least(a, b, 1.5)", 1.5),
        ("greatest(a, b)", 3.0),
        ("coalesce(missing, c, a)", 0.0),
        ("nullif(a, 2)", math.nan),
        ("missing + 1", math.nan),
        ("least(missing, 1)", math.nan),
        ("7", 7.0),
    ],
)
def test_formulas(text: str, expected: float) -> None:
    numbers = {"a": 2.0, "b": 3.0, "c": 0.0, "missing": math.nan}
    values = {name: np.asarray([number, number]) for name, number in numbers.items()}
    assert formula_names(text, "here") <= set(values)
    found = np.broadcast_to(evaluate(text, values), 2)
    np.testing.assert_array_equal(found, [expected, expected])


@pytest.mark.parametrize(
    "text",
    ["a > b", "a % 2", "a ** 2", "exp(a)", "sum(a)", "(select 1)", "case when a then 1 end",
     "a is null", "null", "'two'", "a + '2'", "t.a", "a as b", "a;", "a, b", "", "a +", "a -- b"],
)  # fmt: skip
def test_a_formula_is_arithmetic(text: str) -> None:
    with pytest.raises(ConfigError, match="feature `x`: formula"):
        formula_names(text, "feature `x`: formula")
