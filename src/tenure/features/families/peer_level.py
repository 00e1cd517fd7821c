"""Level: where the account stands among peers of its segment and tenure in the training past."""

from __future__ import annotations

from typing import Literal

from tenure.core.spec import Family, Ranked


def _level(name: str, of: str, words: str, direction: Literal[-1, 0, 1], group: str) -> Ranked:
    among = "of the accounts of like segment and tenure"
    return Ranked(
        f"{name}_level", of, f"{words} above {{value}} {among}", direction=direction,
        lever=True, group=group, zero=f"{words} above none {among}",
        missing=f"{words} not known",
    )


FEATURES = (
    _level("events", "events_28d", "usage events in the last 28 days", -1, "use"),
    _level("active_users", "active_users_28d", "active users in the last 28 days", -1,
           "active_users"),
    _level("seat_utilisation", "seat_utilisation", "use of the paid seats", -1, "seats_used"),
    _level("silence", "days_since_last_event", "days since the last use", 1, "silence"),
    _level("tickets", "tickets_182d", "tickets in the last 182 days", 0, "tickets"),
    _level("price_per_seat", "price_per_seat", "price per seat", 1, "price"),
)

FAMILY = Family("level", "Level against peers", FEATURES)
