from __future__ import annotations

import numpy as np
import pandas as pd

from tenure.demo.calendar import BEFORE, Calendar, as_times


def test_terms_end_on_the_same_day_of_the_month_or_its_last() -> None:
    calendar = Calendar.build(36)
    days = np.arange(-400, 1000)
    for annual, months in ((False, 1), (True, 12)):
        found = calendar.term_end(days, np.full(days.size, annual))
        begun = pd.DatetimeIndex(as_times(days))
        wanted = [moment + pd.DateOffset(months=months) for moment in begun]
        assert pd.DatetimeIndex(as_times(found)).equals(pd.DatetimeIndex(wanted).as_unit("us"))


def test_weekends_and_ends() -> None:
    calendar = Calendar.build(2)
    assert calendar.last_day == 59
    assert pd.Timestamp(as_times(np.array([0]), 90)[0]) == pd.Timestamp("2022-01-01 00:01:30")
    quiet = calendar.usage[BEFORE : BEFORE + 7] < 0.5
    assert quiet.tolist() == [True, True, *[False] * 5], "2022-01-01 was a Saturday"
