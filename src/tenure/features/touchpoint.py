"""Touchpoints: how often and how recently a team spoke with the account."""

from __future__ import annotations

from tenure.core.spec import Derived, Family, Feature

SOURCE = "touchpoints"

FEATURES: tuple[Feature | Derived, ...] = (
    Feature(
        "touchpoints", SOURCE, "count(*)", "{value} touchpoints in the last {window}",
        windows=(84, 182), unit="count", direction=-1, lever=True,
    ),
    Feature(
        "days_since_last_touchpoint", SOURCE, "days_since(max(event_time))",
        "{value} days since the last touchpoint", unit="days", direction=1, lever=True,
    ),
)

FAMILY = Family("touchpoint", "Touchpoints", FEATURES)
