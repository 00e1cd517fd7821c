"""Periods: whole by default, split by calendar units, and refused where they are empty."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

import pytest

from tenure.core.errors import ConfigError
from tenure.success.periods import Period, metric_period, split_periods

UNTIL = datetime(2025, 3, 15)


def test_the_default_is_the_last_full_twelve_months() -> None:
    assert metric_period(None, None, UNTIL) == Period(datetime(2024, 3, 1), datetime(2025, 3, 1))


def test_an_end_alone_looks_twelve_months_back() -> None:
    period = metric_period(None, datetime(2024, 7, 1), UNTIL)
    assert period == Period(datetime(2023, 7, 1), datetime(2024, 7, 1))


def test_an_empty_period_is_refused() -> None:
    with pytest.raises(ConfigError, match="must end after it starts"):
        metric_period(UNTIL, UNTIL, UNTIL)


@pytest.mark.parametrize(("by", "parts"), [(("month",), 5), (("quarter",), 2), ((), 1)])
def test_parts_follow_the_calendar_and_cover_the_period(by: tuple[str, ...], parts: int) -> None:
    period = Period(datetime(2024, 2, 10), datetime(2024, 7, 1))
    split = split_periods(period, by)
    assert len(split) == parts
    assert (split[0].start, split[-1].end) == (period.start, period.end)
    assert all(one.end == two.start for one, two in pairwise(split))
    assert all(one.end.day == 1 for one in split)
