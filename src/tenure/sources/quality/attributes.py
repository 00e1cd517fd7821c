"""Which account attributes may be features: the constant ones, and those with a history."""

from __future__ import annotations

from collections.abc import Iterable

from tenure.core.config import DataConfig
from tenure.core.errors import Problem, suggestion
from tenure.core.records.data import AttributeRecord
from tenure.sources.contract import CONSTANT
from tenure.sources.staging_sql import Layout

_OWN = ("account_id", "created_at", "valid_from", "known_at")


def verdicts(data: DataConfig, layout: Layout) -> tuple[AttributeRecord, ...]:
    """Return for each attribute of the accounts table whether it may be a feature, and why.

    An attribute without history is today's value: a leak if it ever changes.
    """
    judged = []
    for name in _names(layout):
        usable, verdict = _verdict(name, data, "valid_from" in layout.types)
        judged.append(AttributeRecord(name=name, usable=usable, verdict=verdict))
    return tuple(judged)


def _verdict(name: str, data: DataConfig, history: bool) -> tuple[bool, str]:
    if history:
        return True, "dated by valid_from"
    if name.lower() in _lower(data.constant_attributes):
        return True, "today's value; constant, says data.constant_attributes"
    if name.lower() in _lower(data.changing_attributes):
        return False, "today's value; changes, says data.changing_attributes"
    if name in CONSTANT:
        return True, "today's value; taken as constant by the contract"
    return False, "today's value; not listed in data.constant_attributes"


def unknown(data: DataConfig, layout: Layout) -> list[Problem]:
    """Return a problem for each attribute that the config lists and the table lacks."""
    names = _names(layout)
    known = {*_lower(names), *CONSTANT}
    return [
        Problem(f"data.{key}: {name}", "is not a column of accounts", fix=suggestion(name, names))
        for key in ("constant_attributes", "changing_attributes")
        for name in getattr(data, key)
        if name.lower() not in known
    ]


def _lower(names: Iterable[str]) -> set[str]:
    return {name.lower() for name in names}


def _names(layout: Layout) -> list[str]:
    return [name for name in layout.types if name not in _OWN]
