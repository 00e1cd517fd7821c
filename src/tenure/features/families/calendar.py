"""Calendar and cohort: when the question is asked, and when the account came.

Not among the default families: on a history of a few years a model learns from them which months
were bad, not why, and finds no such month again.
"""

from __future__ import annotations

from tenure.core.spec import Declared, Derived, Family, Feature, Signal

SIGNALS = (
    Signal("cohort", "When the account came"),
    Signal("calendar", "Time of the year"),
)

FEATURES: tuple[Declared, ...] = (
    Feature(
        "created_year", "accounts", "last(year(created_at))", "an account created in {value}",
        missing="its creation not known",
        unit="year", group="cohort",
    ),
    Feature(
        "created_month", "accounts", "last(month(created_at))",
        "an account created in the month {value}", unit="month", group="cohort",
        missing="its creation not known",
    ),
    Derived(
        "calendar_month", "as_of_month", "the calendar month {value}",
        unit="month", group="calendar",
    ),
    Derived(
        "days_to_quarter_end", "as_of_quarter_day", "{value} days to the end of the quarter",
        unit="days", group="calendar", zero="the quarter at its end",
    ),
)

FAMILY = Family("calendar", "Calendar and cohort", FEATURES, SIGNALS)
