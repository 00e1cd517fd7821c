"""The feature families: declarations only, one module each.

To add one, write a module with ``FAMILY = Family(name, title, FEATURES)`` and list it here.
"""

from __future__ import annotations

from tenure.core.spec import Family, Signal
from tenure.features.families import (
    account,
    adoption,
    calendar,
    change,
    invoice,
    onboarding,
    peer_level,
    people,
    rhythm,
    subscription,
    support,
    survey,
    touchpoint,
    usage,
)

FAMILIES: dict[str, Family] = {
    module.FAMILY.name: module.FAMILY
    for module in (
        *(usage, people, adoption, rhythm, change, support, survey, subscription, invoice),
        *(touchpoint, onboarding, account, peer_level, calendar),
    )
}

SIGNALS: dict[str, Signal] = {
    signal.name: signal for family in FAMILIES.values() for signal in family.signals
}
"""What the features measure, by name."""
