"""Whether the parts of a feature's declaration go together."""

from __future__ import annotations

from tenure.core.errors import ConfigError, Problem, suggestion
from tenure.core.fragments import Aggregate, columns_of
from tenure.core.spec import Feature, Kind, Source

LOADED = frozenset({"event_time", "known_at"})
"""Columns that the loader gives every table."""


def check_shape(feature: Feature, source: Source, place: str) -> None:
    """Check how windows, lag, clock, moving columns and sentence go together.

    Raises:
        ConfigError: If they do not.
    """
    windows, lag, at, clocks = feature.windows, feature.lag, feature.at, set(source.clocks)
    if at is not None and at not in clocks:
        fix = suggestion(at, clocks)
        raise ConfigError(Problem(f"{place}: at", "must be a late time", at, fix))
    if feature.running and (source.ends is None or windows or at):
        rule = "needs a source whose rows end, and no window or `at`"
        raise ConfigError(Problem(f"{place}: running", rule))
    read = columns_of(feature.aggregate) | columns_of(feature.where or "true")
    moving = read & frozenset(source.moving)
    if moving and not feature.running:
        rule = "exists for the rows that run at the prediction time: set `running: true`"
        raise ConfigError(Problem(place, rule, min(moving)))
    if any(window < 1 for window in windows):
        raise ConfigError(Problem(f"{place}: windows", "must be days ≥ 1", str(windows)))
    if lag and not (windows and 0 < lag < min(windows)):
        rule = "must be days ≥ 0, and less than the shortest window"
        raise ConfigError(Problem(f"{place}: lag", rule, str(lag)))
    check_sentence(feature.sentence, place)


def check_sentence(sentence: str, place: str) -> None:
    """Check that a sentence says where the value stands.

    Raises:
        ConfigError: If it does not.
    """
    if "{value}" not in sentence:
        raise ConfigError(Problem(f"{place}: sentence", "must hold {value}", sentence))


def operand_kind(aggregate: Aggregate, feature: Feature, source: Source) -> Kind | None:
    """Return the kind of what is aggregated, None where it is more than a declared column."""
    kinds: dict[str, Kind] = dict.fromkeys(LOADED, "time")
    kinds |= {column.name: column.kind for column in source.columns}
    kinds |= {column.name: column.kind for column in source.computed}
    unknown: Kind | None = "text" if feature.unit == "text" else None
    return kinds.get((aggregate.operand or "").strip('"'), unknown)


def check_kind(aggregate: Aggregate, kind: Kind | None, place: str) -> None:
    """Check that an aggregate goes with the kind of what it aggregates.

    Raises:
        ConfigError: If it does not.
    """
    name = aggregate.kind
    if kind is None or name in {"count", "distinct", "most", "top"}:
        return
    timed = aggregate.relative or name == "longest_gap"
    rule = fix = ""
    if timed and kind != "time":
        rule = (
            "days_since and days_until need a time"
            if aggregate.relative
            else f"{name} needs a time"
        )
    elif kind == "time" and not timed:
        rule, fix = "a time is not a value", "put days_since(…) or days_until(…) around it"
    elif kind in {"text", "id"} and name != "last":
        rule, fix = f"`{name}` needs numbers", "use last(…) or count(distinct …)"
    if rule:
        raise ConfigError(Problem(place, rule, str(aggregate.operand), fix))
