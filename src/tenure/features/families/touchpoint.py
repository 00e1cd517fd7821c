"""Touchpoints: how often, how recently and how a team spoke with the account."""

from __future__ import annotations

from tenure.core.spec import Declared, Derived, Family, Feature, Signal

SOURCE = "touchpoints"

SIGNALS = (Signal("contact", "Contact with the team", "Ask for a call, and when one suits."),)

FEATURES: tuple[Declared, ...] = (
    Feature(
        "touchpoints", SOURCE, "count(*)", "{value} touchpoint(s) in the last {window}",
        windows=(84, 182), unit="count", direction=-1, lever=True, group="contact",
    ),
    Feature(
        "touchpoints_of", SOURCE, "count(*)",
        "{value} touchpoint(s) of kind `{member}` in the last {window}",
        windows=(182,), unit="count", direction=-1, lever=True, each="kind",
        group="contact",
    ),
    Feature(
        "days_since_last_touchpoint", SOURCE, "days_since(max(event_time))",
        "{value} days since the last touchpoint", unit="days", direction=1, lever=True,
        group="contact", zero="a touchpoint on the last day", missing="no touchpoint so far",
    ),
    Derived(
        "touchpoints_trend_84d_vs_182d", "182 / 84 * touchpoints_84d / touchpoints_182d",
        "touchpoints in the last 84 days at {value} of their 182-day pace",
        unit="share", direction=-1, lever=True, group="contact",
        zero="no touchpoint in the last 84 days, after some in the last 182",
        missing="no touchpoint in the last 182 days",
    ),
    Derived(
        "touchpoints_per_ticket_182d", "touchpoints_182d / tickets_182d",
        "{value} touchpoint(s) per support ticket in the last 182 days",
        unit="number", direction=-1, lever=True, group="contact",
        missing="no support ticket in the last 182 days",
    ),
)

FAMILY = Family("touchpoint", "Touchpoints", FEATURES, SIGNALS)
