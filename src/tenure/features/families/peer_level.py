"""Level: where the account stands among peers of its segment and tenure in the training past."""

from __future__ import annotations

from typing import Literal

from tenure.core.spec import Family, Ranked


def _level(name: str, of: str, words: str, direction: Literal[-1, 0, 1]) -> Ranked:
    sentence = f"{words} above {{value}} of accounts of like segment and tenure"
    return Ranked(f"{name}_level", of, sentence, direction=direction, lever=True, group=name)


FEATURES = (
    _level("events", "events_28d", "usage events in the last 28 days", -1),
    _level("active_users", "active_users_28d", "active users in the last 28 days", -1),
    _level("seat_utilisation", "seat_utilisation", "use of paid seats", -1),
    _level("silence", "days_since_last_event", "days since the last use", 1),
    _level("tickets", "tickets_182d", "tickets in the last 182 days", 0),
    _level("price_per_seat", "price_per_seat", "price per seat", 1),
)

FAMILY = Family("level", "Level against peers", FEATURES)
