"""Which account attributes may be features: the constant ones, and those with a history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenure.core.errors import Problem, suggestion
from tenure.sources.contract import CONSTANT
from tenure.sources.quality.data_report import Attribute

if TYPE_CHECKING:
    from tenure.core.config import DataConfig
    from tenure.sources.staging_sql import Layout

_OWN = ("account_id", "created_at", "valid_from", "known_at")


def names(layout: Layout) -> list[str]:
    """Return the attributes that the accounts table has."""
    return [name for name in layout.types if name not in _OWN]


def verdicts(data: DataConfig, layout: Layout) -> tuple[Attribute, ...]:
    """Return for each attribute of the accounts table whether it may be a feature, and why.

    An attribute without history is today's value: a leak if it ever changes.
    """
    history = "valid_from" in layout.types
    return tuple(_verdict(name, data, history) for name in names(layout))


def _verdict(name: str, data: DataConfig, history: bool) -> Attribute:
    if history:
        return Attribute(name, True, "dated by valid_from")
    if name in data.constant_attributes:
        return Attribute(name, True, "today's value; constant, says data.constant_attributes")
    if name in data.changing_attributes:
        return Attribute(name, False, "today's value; changes, says data.changing_attributes")
    if name in CONSTANT:
        return Attribute(name, True, "today's value; taken as constant by the contract")
    return Attribute(name, False, "today's value; not listed in data.constant_attributes")


def unknown(data: DataConfig, layout: Layout) -> list[Problem]:
    """Return a problem for each attribute that the config lists and the table lacks."""
    columns = names(layout)
    return [
        Problem(f"data.{key}: {name}", "is not a column of accounts", fix=suggestion(name, columns))
        for key, listed in (
            ("constant_attributes", data.constant_attributes),
            ("changing_attributes", data.changing_attributes),
        )
        for name in listed
        if name not in columns and name not in CONSTANT
    ]
