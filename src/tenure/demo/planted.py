"""What was planted in the demo world: drivers that a model should find, decoys that it should not.

The patterns are regular expressions over feature names; any feature that matches one expresses
the driver.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Planted:
    """A driver that acts on an outcome by itself.

    Attributes:
        target: Target that it acts on.
        name: Short name.
        sentence: What was planted, in plain words.
        direction: 1 if more of the named thing raises the probability, -1 if it lowers it.
        features: Patterns of the feature names that express it.
    """

    target: Literal["churn", "expansion"]
    name: str
    sentence: str
    direction: Literal[-1, 1]
    features: tuple[str, ...]

    def matches(self, features: Iterable[str]) -> bool:
        """Return whether one of the features expresses the driver.

        >>> planted_drivers("churn")[0].matches(["mrr", "days_to_renewal"])
        True
        """
        return _any(self.features, features)


@dataclass(frozen=True, slots=True)
class Decoy:
    """Something in the tables that looks telling and moves neither outcome.

    Attributes:
        name: Short name.
        sentence: What it is.
        features: Patterns of the feature names that express it.
    """

    name: str
    sentence: str
    features: tuple[str, ...]

    def matches(self, features: Iterable[str]) -> bool:
        """Return whether one of the features expresses the decoy."""
        return _any(self.features, features)


DRIVERS = (
    Planted(
        "churn",
        "renewal_near",
        "Annual accounts decide in the sixty days before their term ends, monthly ones at the end"
        " of each month.",
        1,
        (r"^days_to_renewal", r"^billing_period$"),
    ),
    Planted(
        "churn",
        "falling_use",
        "Usage that falls, over the last month and over the last quarter, makes leaving likelier.",
        1,
        (r"^events_trend", r"^events_change", r"^active_days_trend"),
    ),
    Planted(
        "churn",
        "slow_support",
        "Tickets open for more than five days hurt at once and, two to fourteen weeks later,"
        " again; more so near a renewal and in the first four months.",
        1,
        (
            r"^mean_resolution_hours",
            r"^oldest_open_ticket",
            r"^open_tickets",
            r"^tickets_escalated",
        ),
    ),
    Planted(
        "churn",
        "unhappy",
        "A last NPS answer of 6 or less makes leaving likelier, 9 or 10 less likely.",
        1,
        (r"^nps_",),
    ),
    Planted(
        "churn",
        "late_payment",
        "Who paid late in the last half year pays late again, is cut off when an invoice stays"
        " unpaid for four weeks, and leaves more often.",
        1,
        (r"^invoices_late", r"^mean_days_to_pay", r"^days_overdue", r"^unpaid_"),
    ),
    Planted(
        "churn",
        "idle_seats",
        "The smaller the share of paid seats in use, the likelier the account leaves.",
        1,
        (r"^seat_utilisation", r"^price_per_active_user"),
    ),
    Planted(
        "expansion",
        "full_seats",
        "The larger the share of paid seats in use, the likelier the account buys more.",
        1,
        (r"^seat_utilisation", r"^price_per_active_user"),
    ),
    Planted(
        "expansion",
        "rising_use",
        "Usage that rises, over the last month and the last quarter, makes expansion likelier.",
        1,
        (r"^events_trend", r"^events_change", r"^active_days_trend"),
    ),
    Planted(
        "expansion",
        "broad_use",
        "Each further kind of event in use makes expansion likelier.",
        1,
        (r"^distinct_events",),
    ),
    Planted(
        "expansion",
        "promoters",
        "A last NPS answer of 9 or 10 makes expansion likelier, 6 or less less likely.",
        1,
        (r"^nps_",),
    ),
    Planted(
        "expansion",
        "first_year",
        "Accounts in the first year of their spell expand more often.",
        1,
        (r"^tenure_days", r"^account_age_days", r"^days_since_first_event"),
    ),
)

DECOYS = (
    Decoy("region", "An account attribute drawn at random.", (r"^region$",)),
    Decoy("owner", "The person in charge, drawn at random.", (r"^owner",)),
    Decoy("industry", "The industry, drawn at random.", (r"^industry$",)),
    Decoy(
        "country", "The country; it sets the currency and the office hours only.", (r"^country$",)
    ),
    Decoy(
        "ticket_category",
        "What a ticket is about, drawn at random.",
        (r"category",),
    ),
    Decoy(
        "tip_shown",
        "An event that the product fires by itself, at a rate of the account's own.",
        (r"tip_shown",),
    ),
    Decoy(
        "touchpoints",
        "Calls, mails and meetings by routine, spread evenly over paid time.",
        (r"touchpoint",),
    ),
)


def planted_drivers(target: str | None = None) -> tuple[Planted, ...]:
    """Return the planted drivers of one target, or of all."""
    return tuple(driver for driver in DRIVERS if target in (None, driver.target))


def decoys() -> tuple[Decoy, ...]:
    """Return the columns that look telling and move no outcome."""
    return DECOYS


def _any(patterns: tuple[str, ...], features: Iterable[str]) -> bool:
    return any(re.search(pattern, feature) for feature in features for pattern in patterns)
