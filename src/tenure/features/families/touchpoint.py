"""Touchpoints: how often, how recently and how a team spoke with the account."""

from __future__ import annotations

from tenure.core.spec import Declared, Derived, Family, Feature

SOURCE = "touchpoints"

FEATURES: tuple[Declared, ...] = (
    Feature(
        "touchpoints", SOURCE, "count(*)", "{value} touchpoints in the last {window}",
        windows=(84, 182), unit="count", direction=-1, lever=True,
    ),
    Feature(
        "touchpoints_of", SOURCE, "count(*)",
        "{value} touchpoints of kind `{member}` in the last {window}",
        windows=(182,), unit="count", direction=-1, lever=True, each="kind",
    ),
    Feature(
        "days_since_last_touchpoint", SOURCE, "days_since(max(event_time))",
        "{value} days since the last touchpoint", unit="days", direction=1, lever=True,
    ),
    Derived(
        "touchpoints_trend_84d_vs_182d", "182 / 84 * touchpoints_84d / touchpoints_182d",
        "touchpoints in the last 84 days at {value} of their 182-day pace",
        direction=-1, lever=True, group="touchpoints",
    ),
    Derived(
        "touchpoints_per_ticket_182d", "touchpoints_182d / tickets_182d",
        "{value} touchpoints per support ticket in the last 182 days",
        direction=-1, lever=True,
    ),
)

FAMILY = Family("touchpoint", "Touchpoints", FEATURES)
