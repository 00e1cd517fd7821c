"""What a header says of when to come back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from tenure.core.pauses import wanted_pause


def test_a_pause_is_read_as_seconds_or_a_date() -> None:
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    assert wanted_pause("7") == 7
    assert 90 < wanted_pause(then) <= 100
    past = format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)
    assert [wanted_pause(text) for text in ("", "soon", past, "\u00b2")] == [0, 0, 0, 0]
