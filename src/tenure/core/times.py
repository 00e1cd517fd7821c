"""Times inside the package are naive and mean UTC; this module is where zones end."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

DAY = timedelta(days=1)
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - naive means UTC throughout


def clock() -> datetime:
    """Return the true time, naive UTC: for what expires, is due, is signed or is in force."""
    return datetime.now(UTC).replace(tzinfo=None)


def now() -> datetime:
    """Return the time that a record of a run bears, naive UTC, to the second.

    `SOURCE_DATE_EPOCH` (seconds since 1970), where it is set, stands in for it, so that a run can
    be repeated to the byte.  Nothing is compared with it: that is what `clock` is for.
    """
    fixed = os.environ.get("SOURCE_DATE_EPOCH")
    if fixed:
        return EPOCH + timedelta(seconds=int(fixed))
    return clock().replace(microsecond=0)


def as_utc(value: datetime | date | str) -> datetime:
    """Return a time as naive UTC; a naive one is taken as UTC, a date as its midnight.

    >>> as_utc("2024-03-01T02:00:00+02:00")
    datetime.datetime(2024, 3, 1, 0, 0)
    >>> as_utc("2024-03-01")
    datetime.datetime(2024, 3, 1, 0, 0)

    Raises:
        ValueError: If a string is not an ISO 8601 date or time.
    """
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - naive means UTC
    return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value


def literal(moment: datetime) -> str:
    """Return a time as a SQL literal that every engine reads alike.

    >>> literal(datetime(2024, 3, 1))
    "TIMESTAMP '2024-03-01 00:00:00.000000'"
    """
    return f"TIMESTAMP '{moment:%Y-%m-%d %H:%M:%S.%f}'"


def last_of(moments: Sequence[str]) -> str:
    """Return SQL for the last of some times, null where any of them is.

    What happened and became known at these times may be used at a prediction time that lies
    strictly after the last of them.

    >>> last_of(["event_time"])
    'event_time'
    """
    if len(moments) == 1:
        return moments[0]
    unknown = " OR ".join(f"{moment} IS NULL" for moment in moments)
    return f"(CASE WHEN {unknown} THEN NULL ELSE greatest({', '.join(moments)}) END)"


def days(count: float) -> timedelta:
    """Return a length of time in days."""
    return timedelta(days=count)


def show(moment: datetime) -> str:
    """Return a time for people and JSON: the date alone at midnight, else ISO 8601 with Z.

    >>> show(datetime(2024, 3, 1)), show(datetime(2024, 3, 1, 12))
    ('2024-03-01', '2024-03-01T12:00:00Z')
    """
    midnight = (moment.hour, moment.minute, moment.second, moment.microsecond) == (0, 0, 0, 0)
    return moment.date().isoformat() if midnight else f"{moment.isoformat()}Z"
