from __future__ import annotations

from typing import Any

import numpy as np
from numpy.testing import assert_allclose

from tenure.score.parts import adding_up

NAN = np.nan
ONE, OTHER = "churn_voluntary", "churn_involuntary"


def columns(target: str, *ends: list[float]) -> dict[str, Any]:
    """Probability, lower and upper bound of a target."""
    names = [f"{target}_probability{end}" for end in ("", "_lo", "_hi")]
    return dict(zip(names, map(np.array, ends), strict=True))


def test_parts_are_scaled_to_their_whole_with_their_bounds() -> None:
    flat = columns("churn", [0.3, 0.2], [0.2, 0.1], [0.4, 0.3])
    flat |= columns(ONE, [0.2, 0.15], [0.1, 0.1], [0.3, 0.2])
    flat |= columns(OTHER, [0.2, 0.05], [0.1, 0.02], [0.3, 0.1])
    scaled = adding_up(flat)
    assert_allclose(scaled[f"{ONE}_probability"], [0.15, 0.15])
    assert_allclose(scaled[f"{OTHER}_probability"], [0.15, 0.05])
    assert_allclose(scaled[f"{ONE}_probability_lo"], [0.075, 0.1])
    assert_allclose(scaled[f"{OTHER}_probability_hi"], [0.225, 0.1])


def test_what_has_no_probability_gets_none() -> None:
    flat = columns("churn", [NAN], [NAN], [NAN])
    flat |= columns(ONE, [NAN], [NAN], [NAN]) | columns(OTHER, [NAN], [NAN], [NAN])
    assert np.isnan(list(adding_up(flat).values())).all()


def test_a_part_alone_stays_as_it_is() -> None:
    flat = columns("churn", [0.3], [0.2], [0.4]) | columns(ONE, [0.2], [0.1], [0.3])
    assert adding_up(flat) == {}
