"""Days as whole numbers from the first simulated midnight, with their dates and seasons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tenure.core.arrays import Flags, Floats, Ints, Moments
from tenure.demo.parameters import SEASON

Shorts = npt.NDArray[np.int16]

START = np.datetime64("2022-01-01", "D")
BEFORE = 1500  # days kept before the first simulated day, for terms that were already running
AFTER = 900  # days kept after the last one, for due dates and replays


@dataclass(frozen=True, slots=True)
class Calendar:
    """Look-up tables over day numbers; index 0 of each stands for day ``-BEFORE``."""

    months: int  # simulated months
    last_day: int  # number of simulated days; the day of that number is never simulated
    month_later: Ints  # day one calendar month later
    year_later: Ints  # day twelve calendar months later
    usage: Floats  # multiplier of usage: weekends, holidays and slow drift
    years: Floats  # years since the first simulated day, for slow drift

    @classmethod
    def build(cls, months: int) -> Calendar:
        """Return the calendar of a world of that many months."""
        last = int((START.astype("M8[M]") + months).astype("M8[D]").astype(int) - START.astype(int))
        days = np.arange(-BEFORE, last + AFTER)
        dates = START + days
        weekday = (dates.astype(np.int64) + 3) % 7  # 0 for Monday
        month = dates.astype("M8[M]").astype(np.int64) % 12
        years = days / 365.25
        usage = (
            np.where(weekday < 5, 1.0, SEASON.weekend_usage)
            * np.array(SEASON.usage_by_month)[month]
            * np.exp(SEASON.usage_drift_per_year * years)
        )
        return cls(months, last, _later(dates, 1), _later(dates, 12), usage, years)

    def term_end(self, day: Ints, annual: Flags) -> Ints:
        """Return when terms that begin on these days end."""
        return np.where(annual, self.year_later[day + BEFORE], self.month_later[day + BEFORE])


def as_times(day: Ints, second: Ints | int = 0) -> Moments:
    """Return times of microsecond resolution for day numbers and seconds of the day."""
    whole = (START.astype("M8[s]") + day * 86_400 + second).astype("M8[us]")
    return np.asarray(whole)


def _later(dates: Moments, count: int) -> Ints:
    """Return day numbers `count` months after dates, never past the end of that month."""
    month = dates.astype("M8[M]")
    offset = dates - month.astype("M8[D]")
    target = month + count
    longest = (target + 1).astype("M8[D]") - target.astype("M8[D]") - 1
    later = target.astype("M8[D]") + np.minimum(offset, longest)
    return np.asarray((later - START).astype(np.int64))
