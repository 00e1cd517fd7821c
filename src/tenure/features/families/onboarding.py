"""Onboarding: how long the account took to reach its first milestones.

Asked in an account's first year alone: later these numbers never change again, and a model would
know accounts by them instead of learning from them.
"""

from __future__ import annotations

from tenure.core.spec import Declared, Derived, Family, Feature

IN_FIRST_YEAR = "0 * sqrt(365 - account_age_days)"
"""Missing after the first year, else 0."""


def _days_to(
    what: str, since: str, words: str, *, lever: bool = False, group: str = "tenure"
) -> Derived:
    return Derived(
        f"days_to_{what}", f"account_age_days - {since} + {IN_FIRST_YEAR}",
        f"{words} {{value}} days {{after|before}} the account's creation",
        unit="days", direction=1 if lever else 0, lever=lever, group=group,
        zero=f"{words} within a day of the account's creation",
        missing=f"no longer in the first year, or {words} not known yet",
    )


FEATURES: tuple[Declared, ...] = (
    Feature(
        "first_touchpoint", "touchpoints", "days_since(min(event_time))",
        "{value} days since the first touchpoint", unit="days", hidden=True,
    ),
    Feature(
        "first_ticket", "tickets", "days_since(min(event_time))",
        "{value} days since the first ticket", unit="days", hidden=True,
    ),
    _days_to("first_paid", "tenure_days", "the first paid day"),
    _days_to("first_use", "days_since_first_event", "the first use", lever=True),
    _days_to("first_ticket", "first_ticket", "the first support ticket"),
    _days_to(
        "first_touchpoint", "first_touchpoint", "the first touchpoint",
        lever=True, group="contact",
    ),
    _days_to("milestone", "first_use", "the first use of `{member}`", lever=True),
)

FAMILY = Family("onboarding", "Onboarding", FEATURES)
