"""Onboarding: how long the account took to reach its first milestones.

Asked in an account's first year alone: later these numbers never change again, and a model would
know accounts by them instead of learning from them.
"""

from __future__ import annotations

from tenure.core.spec import Declared, Derived, Family, Feature

IN_FIRST_YEAR = "0 * sqrt(365 - account_age_days)"
"""Missing after the first year, else 0."""

FEATURES: tuple[Declared, ...] = (
    Feature(
        "first_touchpoint", "touchpoints", "days_since(min(event_time))",
        "{value} days since the first touchpoint", unit="days", hidden=True,
    ),
    Feature(
        "first_ticket", "tickets", "days_since(min(event_time))",
        "{value} days since the first ticket", unit="days", hidden=True,
    ),
    Derived(
        "days_to_first_paid", "account_age_days - tenure_days + " + IN_FIRST_YEAR,
        "{value} days from the account's creation to its first paid day",
        unit="days", group="onboarding",
    ),
    Derived(
        "days_to_first_use", "account_age_days - days_since_first_event + " + IN_FIRST_YEAR,
        "{value} days from the account's creation to its first use",
        unit="days", direction=1, lever=True, group="onboarding",
    ),
    Derived(
        "days_to_first_ticket", "account_age_days - first_ticket + " + IN_FIRST_YEAR,
        "{value} days from the account's creation to its first support ticket",
        unit="days", group="onboarding",
    ),
    Derived(
        "days_to_first_touchpoint", "account_age_days - first_touchpoint + " + IN_FIRST_YEAR,
        "{value} days from the account's creation to its first touchpoint",
        unit="days", direction=1, lever=True, group="onboarding_touchpoint",
    ),
    Derived(
        "days_to_milestone", "account_age_days - first_use + " + IN_FIRST_YEAR,
        "{value} days from the account's creation to the first use of `{member}`",
        unit="days", direction=1, lever=True,
    ),
)

FAMILY = Family("onboarding", "Onboarding", FEATURES)
