"""Every raw column as a feature, by declaration, so that the audit can ask what it gives away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tenure.core.fragments import columns_of
from tenure.core.spec import Column, Family, Feature
from tenure.core.steps import quote
from tenure.features.plan.columns import slug
from tenure.sources.contract import SOURCES

NAME = "raw"
LOGS = frozenset({"usage_events"})
"""Tables of which one row says little: what their columns hold is counted, not looked at."""


def raw_family(columns: Mapping[str, frozenset[str]]) -> Family:
    """Return the last value of every column, and how often it is filled, as features.

    Of usage events only the latter.  They are cut like any feature.  The group of each is
    ``<table>.<column>``.  Account attributes that may be used are features already, under their
    own name.
    """
    features: list[Feature] = []
    for name, present in columns.items():
        source = SOURCES[name]
        if source.column("account_id") is None or name == "accounts":
            continue
        times = columns_of(source.time)
        for column in source.columns:
            if column.name in present and column.name not in times and column.kind != "id":
                features += _features(name, column)
    return Family(NAME, "Raw columns", tuple(features))


def _features(table: str, column: Column) -> Iterator[Feature]:
    stem, operand = f"{NAME}_{table}_{slug(column.name)}", quote(column.name)
    label = f"{table}.{column.name}"
    last = f"days_since(last({operand}))" if column.kind == "time" else f"last({operand})"
    if column.kind != "flag" and table not in LOGS:
        yield Feature(
            name=f"{stem}_last",
            source=table,
            aggregate=last,
            sentence=f"The last {label} is {{value}}",
            unit="text" if column.kind == "text" else "number",
            group=label,
        )
    yield Feature(
        name=f"{stem}_filled",
        source=table,
        aggregate=f"count({operand})",
        sentence=f"{label} was filled {{value}} times",
        unit="count",
        group=label,
    )
