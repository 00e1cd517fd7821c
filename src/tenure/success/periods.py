"""The periods of metrics: half-open spans of whole days, split by calendar month or quarter."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from tenure.core.errors import ConfigError, Problem
from tenure.core.times import show


@dataclass(frozen=True, slots=True)
class Period:
    """A half-open span of time."""

    start: datetime
    """Its first moment, naive UTC."""
    end: datetime
    """The first moment after it."""

    def split(self, months: int) -> list[Period]:
        """Return its parts in calendar units of a number of months, in order.

        >>> period = Period(datetime(2024, 1, 15), datetime(2024, 4, 1))
        >>> [show(part.start) for part in period.split(1)]
        ['2024-01-15', '2024-02-01', '2024-03-01']
        """
        parts = []
        start = self.start
        while start < self.end:
            index = start.year * 12 + start.month - 1
            end = min(_month(index - index % months + months), self.end)
            parts.append(Period(start, end))
            start = end
        return parts


def metric_period(start: datetime | None, end: datetime | None, observed_until: datetime) -> Period:
    """Return the period of metrics: by default the last full twelve months.

    Raises:
        ConfigError: If it does not end after it starts.
    """
    if end is None:
        end = _month(observed_until.year * 12 + observed_until.month - 1)
    if start is None:
        start = _month(end.year * 12 + end.month - 1 - 12)
    if start >= end:
        fix = f"it starts at {show(start)}: choose a later end, or an earlier start"
        raise ConfigError(Problem("--to", "a period must end after it starts", show(end), fix))
    return Period(start, end)


def split_periods(period: Period, by: Collection[str]) -> list[Period]:
    """Return the periods that a splitting by `month` or `quarter` leaves, in order."""
    if "month" in by:
        return period.split(1)
    return period.split(3) if "quarter" in by else [period]


def _month(index: int) -> datetime:
    return datetime(index // 12, index % 12 + 1, 1)  # noqa: DTZ001 - naive means UTC
