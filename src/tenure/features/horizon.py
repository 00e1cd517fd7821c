"""How far ahead a model looks, as a column of its own beside the features of an account."""

from __future__ import annotations

from tenure.features.declare import FeatureSpec

COLUMN = "horizon_days"

SPEC = FeatureSpec(
    name=COLUMN,
    family="horizon",
    sentence="a horizon of {value} days",
    unit="days",
    direction=0,
    lever=False,
    text=False,
    group=COLUMN,
    window=None,
    source="",
)
"""How to speak of the column; it says nothing about an account, so that it is no driver."""
