"""Shared SQL: the rows of each source, placed on the grid of accounts, cut-offs and slots.

One statement per source serves all features that read it.  A row carries whole numbers for where
it stands and what it adds; the fold makes features of them.  The text depends on the declarations
and the cut-offs alone, so training, a batch and one account over HTTP run the same text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from tenure.core.fragments import Aggregate
from tenure.core.steps import Step, text_literal
from tenure.core.times import literal
from tenure.features.declare import Measured
from tenure.features.timeline import Timeline
from tenure.sources.tables import SOURCES

SCOPE = "feature_scope"
"""Registered table of the accounts that are asked for: ``account_id`` and its number ``_no``."""
SHORT_DAYS = 200
"""Windows beyond are long: they reach most rows and are asked of few columns."""
SCALE = 1_000_000
"""Amounts are summed as whole millionths, so that no order of addition changes a sum."""


@dataclass(frozen=True)
class Reading:
    """What features read from one source.

    Attributes:
        source: Canonical table name.
        features: The features, in order.
        part: What tells several readings of one source apart.
    """

    source: str
    features: tuple[Measured, ...]
    part: str = ""

    def split(self) -> tuple[Reading, ...]:
        """Return a reading for each reach into the past: short windows, long ones, all of it.

        Short windows need many columns of few rows, the whole past few columns of all.
        """
        parts: dict[str, list[Measured]] = {}
        for item in self.features:
            length = item.spec.window
            reach = "past" if length is None else "year" if length > SHORT_DAYS else "recent"
            parts.setdefault(reach, []).append(item)
        return tuple(
            Reading(self.source, tuple(found), f"_{name}") for name, found in parts.items()
        )

    def timeline(self, cutoffs: Iterable[datetime]) -> Timeline:
        """Return the grid that its rows are placed on."""
        windows = dict.fromkeys(item.window for item in self.features)
        return Timeline(tuple(cutoffs), tuple(windows))

    @cached_property
    def columns(self) -> dict[str, str]:
        """Return the expressions that are read → column names, but for places on the grid."""
        found: dict[str, str] = {}
        for item in self.features:
            for expression in _expressions(item):
                found.setdefault(expression, f"v{len(found)}")
        return found

    @cached_property
    def seen(self) -> dict[tuple[str, ...], str]:
        """Return sets of clocks → the column with the first cut-off that sees a row."""
        sets = dict.fromkeys(item.clocks for item in self.features)
        return {clocks: f"seen{number}" for number, clocks in enumerate(sets)}

    @cached_property
    def slot(self) -> dict[str | None, str]:
        """Return late times that stand in for the event time → the column with the slot."""
        times = dict.fromkeys(item.feature.at for item in self.features)
        return {at: f"slot{number}" for number, at in enumerate(times)}

    @cached_property
    def members(self) -> dict[str, dict[str, int]]:
        """Return columns with values of their own feature → value → its number."""
        found: dict[str, dict[str, int]] = {}
        for item in self.features:
            if item.feature.each is not None and item.member is not None:
                values = found.setdefault(item.feature.each, {})
                values.setdefault(item.member, len(values))
        return found

    @property
    def running(self) -> bool:
        """Return whether any feature looks at rows that have not ended."""
        return any(item.feature.running for item in self.features)

    def step(self, timeline: Timeline) -> Step:
        """Return the statement that places the rows.

        Columns: ``account_no``; ``seen…`` and ``slot…``; ``gone`` where rows end; ``member_…`` with
        numbers of chosen values; ``v…`` for what the features read.

        Args:
            timeline: The grid.
        """
        source = SOURCES[self.source]
        columns = ["scope._no AS account_no"]
        for clocks, name in self.seen.items():
            moments = ["known_at", *(f"{clock}__known" for clock in clocks)]
            columns.append(f"{timeline.seen_sql(moments)} AS {name}")
        for at, name in self.slot.items():
            columns.append(f"{timeline.slot_sql(at or 'event_time')} AS {name}")
        if self.running:
            columns.append(f"{timeline.seen_sql([f'{source.ends}__known'])} AS gone")
        joins = [f"FROM {self.source} JOIN {SCOPE} AS scope USING (account_id)"]
        for each, values in self.members.items():
            name = member_column(each)
            listed = ", ".join(f"({text_literal(value)}, {n})" for value, n in values.items())
            joins.append(
                f"LEFT JOIN (VALUES {listed}) AS {name}s(_value, _number) "
                f"ON {self.source}.{each} = {name}s._value"
            )
            columns.append(f"CAST({name}s._number AS SMALLINT) AS {name}")
        columns += [f"{expression} AS {name}" for expression, name in self.columns.items()]
        where = [f"known_at < {literal(timeline.cutoffs[-1])}"]
        happened = next(iter(self.slot)) or "event_time"
        if timeline.earliest is not None and len(self.slot) == 1 and not self.running:
            where.append(f"{happened} >= {literal(timeline.earliest)}")
        text = ",\n  ".join(columns)
        lines = [f"SELECT {text}", *joins, f"WHERE {' AND '.join(where)}"]
        return Step(f"placed_{self.source}{self.part}", "\n".join(lines))


def readings(features: Iterable[Measured]) -> tuple[Reading, ...]:
    """Group features by the source that they read."""
    groups: dict[str, list[Measured]] = {}
    for item in features:
        groups.setdefault(item.feature.source, []).append(item)
    return tuple(Reading(source, tuple(found)) for source, found in groups.items())


def member_column(each: str) -> str:
    """Return the column that holds the number of a chosen value."""
    return f"member_{each}"


def condition(where: str) -> str:
    """Return SQL that is true where a row meets a condition, else false."""
    return f"coalesce(({where}), false)"


def operand(aggregate: Aggregate) -> str | None:
    """Return SQL for the whole number (or word) that an aggregate reads, None for ``count(*)``."""
    text = aggregate.operand
    if text is None:
        return None
    if aggregate.kind == "count":
        return f"(({text}) IS NOT NULL)"
    if aggregate.days:
        return f"date_diff('day', DATE '1970-01-01', CAST({text} AS DATE))"
    if aggregate.kind in {"distinct", "most", "top"}:
        # Members are told apart by 64 bits of account and value: quick, and the same everywhere.
        return f"CASE WHEN ({text}) IS NOT NULL THEN hash(account_id, {text}) END"
    if aggregate.relative:
        return f"epoch_us({text})"
    if aggregate.text:
        return text
    return f"CAST(round(CAST({text} AS DOUBLE) * {SCALE}) AS BIGINT)"


MOMENT = "epoch_us(event_time)"


def _expressions(item: Measured) -> list[str]:
    found = [condition(item.feature.where)] if item.feature.where else []
    read = operand(item.aggregate)
    if read is not None:
        found.append(read)
    if item.aggregate.kind in {"last", "top"}:
        found.append(MOMENT)
    return found
