"""Level: where the account stands among peers of its segment and tenure in the training past."""

from __future__ import annotations

from tenure.core.spec import Family, Ranked

FEATURES: tuple[Ranked, ...] = (
    Ranked(
        "events_level", "events_28d",
        "usage events in the last 28 days above {value} of accounts of like segment and tenure",
        direction=-1, lever=True, group="events",
    ),
    Ranked(
        "active_users_level", "active_users_28d",
        "active users in the last 28 days above {value} of accounts of like segment and tenure",
        direction=-1, lever=True, group="active_users",
    ),
    Ranked(
        "seat_utilisation_level", "seat_utilisation",
        "use of paid seats above {value} of accounts of like segment and tenure",
        direction=-1, lever=True, group="seat_utilisation",
    ),
    Ranked(
        "silence_level", "days_since_last_event",
        "days since the last use above {value} of accounts of like segment and tenure",
        direction=1, lever=True, group="silence",
    ),
    Ranked(
        "tickets_level", "tickets_182d",
        "tickets in the last 182 days above {value} of accounts of like segment and tenure",
        lever=True, group="tickets",
    ),
    Ranked(
        "price_per_seat_level", "price_per_seat",
        "price per seat above {value} of accounts of like segment and tenure",
        direction=1, lever=True, group="price_per_seat",
    ),
)

FAMILY = Family("level", "Level against peers", FEATURES)
