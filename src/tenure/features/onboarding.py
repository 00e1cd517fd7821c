"""Onboarding: how long the account took to reach its first milestones."""

from __future__ import annotations

from tenure.core.spec import Declared, Derived, Family, Feature

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
        "days_to_first_paid", "account_age_days - tenure_days",
        "{value} days from the account's creation to its first paid day",
        unit="days", group="onboarding",
    ),
    Derived(
        "days_to_first_use", "account_age_days - days_since_first_event",
        "{value} days from the account's creation to its first use",
        unit="days", direction=1, lever=True, group="onboarding",
    ),
    Derived(
        "days_to_first_ticket", "account_age_days - first_ticket",
        "{value} days from the account's creation to its first support ticket",
        unit="days", group="onboarding",
    ),
    Derived(
        "days_to_first_touchpoint", "account_age_days - first_touchpoint",
        "{value} days from the account's creation to its first touchpoint",
        unit="days", direction=1, lever=True, group="onboarding",
    ),
    Derived(
        "days_to_milestone", "account_age_days - first_use",
        "{value} days from the account's creation to the first use of `{member}`",
        unit="days", direction=1, lever=True,
    ),
)

FAMILY = Family("onboarding", "Onboarding", FEATURES)
