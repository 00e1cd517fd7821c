from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from tenure.core.times import as_utc, clock, days, literal, now, show


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2024-03-01", datetime(2024, 3, 1)),
        ("2024-03-01T02:00:00+02:00", datetime(2024, 3, 1)),
        ("2024-03-01T00:00:00Z", datetime(2024, 3, 1)),
        (date(2024, 3, 1), datetime(2024, 3, 1)),
        (datetime(2024, 3, 1, 5), datetime(2024, 3, 1, 5)),
        (datetime(2024, 3, 1, 5, tzinfo=UTC), datetime(2024, 3, 1, 5)),
        (datetime(2024, 3, 1, tzinfo=timezone(timedelta(hours=-3))), datetime(2024, 3, 1, 3)),
    ],
)
def test_any_time_becomes_naive_utc(given: str | date, expected: datetime) -> None:
    assert as_utc(given) == expected
    assert as_utc(given).tzinfo is None


def test_what_is_no_time_is_refused() -> None:
    with pytest.raises(ValueError, match="Invalid isoformat"):
        as_utc("01/03/2024")


def test_a_literal_carries_every_microsecond() -> None:
    assert literal(datetime(2024, 3, 1, 1, 2, 3, 4)) == "TIMESTAMP '2024-03-01 01:02:03.000004'"


def test_the_clock_can_be_fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert now() == datetime(1970, 1, 2)
    assert clock() > datetime(2026, 1, 1), "what expires does so by the true time"
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    moment = now()
    assert moment.tzinfo is None
    assert moment.microsecond == 0
    assert abs(datetime.now(UTC).replace(tzinfo=None) - moment) < timedelta(hours=1)


def test_times_are_shown_for_people() -> None:
    assert show(datetime(2024, 3, 1)) == "2024-03-01"
    assert show(datetime(2024, 3, 1, 0, 0, 0, 1)) == "2024-03-01T00:00:00.000001Z"
    assert days(0.5) == timedelta(hours=12)
