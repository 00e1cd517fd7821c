"""How long another system asks us to wait."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def wanted_pause(text: str) -> float:
    """Return the seconds that a ``Retry-After`` asks for, 0 where it says nothing.

    >>> wanted_pause("7"), wanted_pause("Fri, 31 Dec 1999 23:59:59 GMT"), wanted_pause("soon")
    (7.0, 0.0, 0.0)
    """
    try:
        if text.isdigit():
            return float(text)
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return 0.0
