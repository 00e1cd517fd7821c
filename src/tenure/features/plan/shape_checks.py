"""Whether the parts of a feature's declaration go together."""

from __future__ import annotations

from tenure.core.errors import ConfigError, Problem, suggestion
from tenure.core.fragments import Aggregate
from tenure.core.spec import Feature, Kind, Source

LOADED = frozenset({"event_time", "known_at"})
"""Columns that the loader gives every table."""


def check_shape(feature: Feature, source: Source, place: str) -> None:
    """Check how windows, lag, clock and sentence go together.

    Raises:
        ConfigError: If they do not.
    """
    clocks = set(source.clocks)
    if feature.at is not None and feature.at not in clocks:
        raise ConfigError(
            Problem(
                f"{place}: at", "must be a late time", feature.at, suggestion(feature.at, clocks)
            )
        )
    if feature.running and (source.ends is None or feature.windows or feature.at):
        raise ConfigError(
            Problem(f"{place}: running", "needs a source whose rows end, and no window or `at`")
        )
    if any(window < 1 for window in feature.windows):
        raise ConfigError(Problem(f"{place}: windows", "must be days ≥ 1", str(feature.windows)))
    if feature.lag and not (feature.windows and 0 < feature.lag < min(feature.windows)):
        rule = "must be days ≥ 0, and less than the shortest window"
        raise ConfigError(Problem(f"{place}: lag", rule, str(feature.lag)))
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
    if kind is None or aggregate.kind in {"count", "distinct", "most", "top"}:
        return
    if aggregate.relative and kind != "time":
        raise ConfigError(
            Problem(place, "days_since and days_until need a time", str(aggregate.operand))
        )
    if aggregate.kind == "longest_gap" and kind != "time":
        raise ConfigError(Problem(place, "longest_gap needs a time", str(aggregate.operand)))
    if kind == "time" and not aggregate.relative and aggregate.kind != "longest_gap":
        fix = "put days_since(…) or days_until(…) around it"
        raise ConfigError(Problem(place, "a time is not a value", str(aggregate.operand), fix))
    if kind in {"text", "id"} and aggregate.kind != "last":
        fix = "use last(…) or count(distinct …)"
        raise ConfigError(
            Problem(place, f"`{aggregate.kind}` needs numbers", str(aggregate.operand), fix)
        )
