"""Values, labels and reasons in words.  A driver is associated with the outcome, not its cause."""

from __future__ import annotations

import math
import re
from functools import lru_cache

from tenure.core.spec import Target, Unit
from tenure.features.plan.columns import FeatureSpec

UNKNOWN = "no data"


def show(value: object, unit: Unit) -> str:
    """Return a feature value for people.

    >>> show(0.456, "share"), show(1234.5, "money"), show(3.0, "count"), show(None, "days")
    ('46%', '1,234', '3', 'no data')
    """
    if value is None:
        return UNKNOWN
    if isinstance(value, str):
        return value
    number = float(value)  # type: ignore[arg-type]
    if math.isnan(number):
        return UNKNOWN
    if unit == "text":
        return str(value)
    if unit == "share":
        return f"{100 * number:z.0f}%"
    if unit in {"count", "days", "money"} and (abs(number) >= 10 or number == round(number)):
        return f"{number:z,.0f}"
    return f"{number:z,.2f}" if abs(number) < 10 else f"{number:z,.1f}"


def label(spec: FeatureSpec) -> str:
    """Return what a feature is called in a list, from its sentence.

    >>> def named(sentence):
    ...     return label(FeatureSpec("x", "f", sentence, "count", 0, True, False, "x", None, "t"))
    >>> named("{value} active users in the last 28 days")
    'Active users in the last 28 days'
    >>> named("usage in the last 28 days at {value} of its 84-day pace")
    'Usage in the last 28 days against its 84-day pace'
    >>> named("{value} of the paid seats active in the last 28 days")
    'Share of the paid seats active in the last 28 days'
    """
    return _named(spec.sentence)


@lru_cache(maxsize=4096)
def _named(text: str) -> str:
    text = re.sub(r"^\{value\} of (the|those)\b", r"share of \1", text)
    text = re.sub(r"\b(at|by) \{value\} of\b", "against", text)
    text = re.sub(r"\b(by|for) \{value\} (days|hours)\b", r"(\2)", text)
    text = re.sub(r"(\b(at|of|by) )?\{value\}( of\b)?", "", text)
    text = re.sub(r"^(the|a|an) ", "", re.sub(r"\s+", " ", text).strip())
    return text[:1].upper() + text[1:]


def reason(spec: FeatureSpec, value: str, peer: str, *, raises: bool, target: Target) -> str:
    """Return a driver as a sentence.

    Args:
        spec: The feature.
        value: The account's value in words.
        peer: The value of comparable retained accounts in words.
        raises: Whether the contribution raises the score.
        target: What is predicted.
    """
    if value == UNKNOWN:
        fact = f"No data on: {label(spec)[:1].lower()}{label(spec)[1:]}"
    else:
        fact = spec.sentence.replace("{value}", value)
        fact = fact[:1].upper() + fact[1:]
    compared = "" if peer == UNKNOWN else f" (comparable retained accounts: {peer})"
    effect = "higher" if raises else "lower"
    return f"{fact}{compared}; associated with a {effect} probability of {target.event}."
