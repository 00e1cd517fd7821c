"""Shared SQL: the rows of each source, placed on the grid of accounts, cut-offs and slots.

One statement per source serves all features that read it.  A row carries whole numbers for where
it stands and what it adds; the fold makes features of them.  The text depends on the declarations
and the cut-offs alone, so training, a batch and one account over HTTP run the same text.

Few cut-offs have few slots, so many rows stand in one place.  A query in cells wraps the same text
in one that joins such rows: how many they are, and their sums and extremes.  The fold makes the
same features of cells as of rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from tenure.core.fragments import Aggregate, AggregateKind, columns_of
from tenure.core.steps import Step, text_literal
from tenure.core.times import literal
from tenure.features.compute.timeline import Timeline
from tenure.features.plan.columns import MeasuredColumn
from tenure.features.plan.plan import Plan
from tenure.sources.contract import SOURCES

SCOPE = "feature_scope"
"""Registered table of the accounts of the snapshots: ``account_id`` and its number ``_no``."""
SHORT_DAYS = 200
"""Windows beyond are long: they reach most rows, and few columns have such windows."""
SCALE = 1_000_000
"""Amounts are summed as whole millionths, so that no order of addition changes a sum."""
JOINED: dict[AggregateKind, str] = {"sum": "sum", "avg": "sum", "min": "min", "max": "max"}
"""How cells join what an aggregate reads; cells differ by what the other aggregates read."""
WEIGHT = "weight"
"""Column with the number of rows in a cell."""

Selection = tuple[tuple[str, ...], str | None, bool, str | None, str | None, bool]
"""What makes features read the same rows: clocks, at, running, where, each, whole past or not."""


@dataclass(frozen=True)
class SourceQuery:
    """One SELECT over one source, for all features that read it."""

    source: str
    """Canonical table name."""
    features: tuple[MeasuredColumn, ...]
    """The features, in order."""
    cutoffs: tuple[datetime, ...]
    """Prediction times, ascending."""
    part: str = ""
    """Suffix that tells several queries of one source apart."""
    cells: bool = False
    """Whether rows that stand in one place are joined."""

    def split(self) -> tuple[SourceQuery, ...]:
        """Return queries for one cut-off, by reach into the past.

        Short windows need many columns of few rows, which stay rows.  Longer ones need few columns
        of most rows, and of these there are far fewer cells.
        """
        reaches: dict[str, list[MeasuredColumn]] = {}
        for item in self.features:
            reaches.setdefault(_reach(item), []).append(item)
        queries: list[SourceQuery] = []
        for name, features in reaches.items():
            query = replace(self, features=tuple(features), part=f"{self.part}_{name}")
            queries += [query] if name == "recent" else query.in_cells()
        return tuple(queries)

    def in_cells(self) -> tuple[SourceQuery, ...]:
        """Return queries that join rows, one for each set of columns that make cells differ.

        Users by days would be as many cells as rows: each column has cells of its own, and
        features that need none go with the first.
        """
        parts: dict[frozenset[str], list[MeasuredColumn]] = {}
        for item in self.features:
            parts.setdefault(_cell_columns(item), []).append(item)
        plain = parts.pop(frozenset(), [])
        first = next(iter(parts), frozenset())
        parts[first] = plain + parts.get(first, [])
        return tuple(
            replace(
                self,
                features=tuple(features),
                part="_".join([self.part, *sorted(columns)]),
                cells=True,
            )
            for columns, features in parts.items()
        )

    @cached_property
    def timeline(self) -> Timeline:
        """Return the grid that its rows are placed on."""
        return Timeline(self.cutoffs, tuple(dict.fromkeys(item.window for item in self.features)))

    @cached_property
    def groups(self) -> dict[Selection, dict[Aggregate, list[MeasuredColumn]]]:
        """Return the features by the rows that they read, and by their aggregate."""
        groups: dict[Selection, dict[Aggregate, list[MeasuredColumn]]] = {}
        for item in self.features:
            feature, whole = item.feature, item.spec.window is None
            key = (item.clocks, feature.at, feature.running, feature.where, feature.each, whole)
            groups.setdefault(key, {}).setdefault(item.aggregate, []).append(item)
        return groups

    @cached_property
    def columns(self) -> dict[str, str]:
        """Return the expressions that are read → column names, but for places on the grid."""
        names: dict[str, str] = {}
        for item in self.features:
            for expression, _ in _expressions(item):
                names.setdefault(expression, f"v{len(names)}")
        return names

    def column(self, expression: str, join: str = "") -> str:
        """Return the column of an expression; `join` is how cells join it, empty for a key."""
        name = self.columns[expression]
        return f"{name}_{join}" if self.cells and join else name

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
    def categories(self) -> dict[str, dict[str, int]]:
        """Return columns whose values have features of their own → value → its number."""
        categories: dict[str, dict[str, int]] = {}
        for item in self.features:
            if item.feature.each is not None and item.member is not None:
                values = categories.setdefault(item.feature.each, {})
                values.setdefault(item.member, len(values))
        return categories

    @property
    def running(self) -> bool:
        """Return whether any feature looks at rows that have not ended."""
        return any(item.feature.running for item in self.features)

    @cached_property
    def moving(self) -> frozenset[str]:
        """Return the columns that are read whose values depend on the prediction time."""
        return frozenset().union(*(item.moving for item in self.features))

    @property
    def weighs(self) -> bool:
        """Return whether any feature needs to know how many rows a cell joins."""
        counted = {"count", "most", "top"}
        return self.cells and any(item.aggregate.kind in counted for item in self.features)

    @cached_property
    def step(self) -> Step:
        """Return the statement that places the rows, and joins them to cells where it should.

        Columns: ``account_no``; ``seen…`` and ``slot…``; ``gone`` where rows end; ``member_…`` with
        numbers of chosen values; ``v…`` for what the features read.  Cells have ``weight``, the
        number of their rows, ``v…_sum``, ``v…_count``, ``v…_min``, ``v…_max`` as needed.
        """
        rows = self._placed()
        text = self._joined(rows) if self.cells else rows
        return Step(f"placed_{self.source}{self.part}", text)

    @property
    def begun_sql(self) -> str | None:
        """Return SQL that leaves out rows before every window, None where none can be left out."""
        earliest = self.timeline.earliest
        if earliest is None or len(self.slot) > 1 or self.running:
            return None
        return f"{next(iter(self.slot)) or 'event_time'} >= {literal(earliest)}"

    def _joined(self, placed: str) -> str:
        """Return SQL for the cells of placed rows."""
        read = dict.fromkeys(pair for item in self.features for pair in _expressions(item))
        keys = ["account_no", *self.seen.values(), *self.slot.values()]
        keys += ["gone"] if self.running else []
        keys += [*map(category_column, self.categories)]
        keys += [self.column(expression) for expression, join in read if not join]
        totals = {WEIGHT: "count(*)"} if self.weighs else {}
        for expression, join in read:
            name = self.column(expression)
            if join == "sum":
                totals[f"{name}_sum"] = f"CAST(sum({name}) AS BIGINT)"
                totals[f"{name}_count"] = f"count({name})"
            elif join:
                totals[f"{name}_{join}"] = f"{join}({name})"
        listed = ",\n  ".join([*keys, *(f"{sql} AS {name}" for name, sql in totals.items())])
        return f"SELECT {listed}\nFROM (\n{placed}\n) AS placed\nGROUP BY {', '.join(keys)}"

    def _placed(self) -> str:
        """Return SQL for the rows on the grid."""
        timeline = self.timeline
        columns, joins = ["scope._no AS account_no"], []
        for clocks, name in self.seen.items():
            seen = timeline.seen_sql(["known_at", *(f"{clock}__known" for clock in clocks)])
            columns.append(f"{f'greatest({seen}, _cut)' if self.moving else seen} AS {name}")
        for at, name in self.slot.items():
            columns.append(f"{timeline.slot_sql(at or 'event_time')} AS {name}")
        if self.running:
            columns.append(f"{'_cut + 1' if self.moving else self.gone_sql} AS gone")
        for each, values in self.categories.items():
            name = category_column(each)
            listed = ", ".join(f"({text_literal(value)}, {n})" for value, n in values.items())
            joins.append(
                f"LEFT JOIN (VALUES {listed}) AS {name}s(_value, _number) "
                f"ON {self.source}.{each} = {name}s._value"
            )
            columns.append(f"CAST({name}s._number AS SMALLINT) AS {name}")
        columns += [f"{expression} AS {name}" for expression, name in self.columns.items()]
        where = [f"known_at < {literal(self.cutoffs[-1])}", *filter(None, [self.begun_sql])]
        text = ",\n  ".join(columns)
        rows = self.at_cutoffs() if self.moving else self.source
        scope = f"FROM {rows} JOIN {SCOPE} AS scope USING (account_id)"
        return "\n".join([f"SELECT {text}", scope, *joins, f"WHERE {' AND '.join(where)}"])

    @property
    def gone_sql(self) -> str:
        """Return SQL for the first cut-off that knows of the end of a row."""
        return self.timeline.seen_sql([f"{SOURCES[self.source].ends}__known"])

    def at_cutoffs(self) -> str:
        """Return SQL for the rows at each cut-off at which they run, with their moving columns."""
        expressions = SOURCES[self.source].moving
        columns = ", ".join(f"{expressions[name]} AS {name}" for name in sorted(self.moving))
        cuts = ", ".join(f"({n}, {literal(at)})" for n, at in enumerate(self.cutoffs))
        return (
            f"(SELECT *, {columns} FROM {self.source} "
            f"JOIN (VALUES {cuts}) AS cuts(_cut, as_of) "
            f"ON {self.timeline.seen_sql(['known_at'])} <= _cut AND _cut < {self.gone_sql}"
            f") AS {self.source}"
        )


def source_queries(plan: Plan, cutoffs: Sequence[datetime]) -> tuple[SourceQuery, ...]:
    """Return what a plan reads from each source; what depends on the cut-off is read apart."""
    groups: dict[tuple[str, str], list[MeasuredColumn]] = {}
    for item in plan.measured:
        part = "_moving" if item.moving else ""
        groups.setdefault((item.feature.source, part), []).append(item)
    return tuple(
        SourceQuery(source, tuple(items), tuple(cutoffs), part)
        for (source, part), items in groups.items()
    )


def category_column(each: str) -> str:
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
        # A member is 64 bits of account and value: quick to compare, and the same everywhere.
        return f"CASE WHEN ({text}) IS NOT NULL THEN hash(account_id, {text}) END"
    if aggregate.relative:
        return f"epoch_us({text})"
    if aggregate.text:
        return text
    return f"CAST(round(CAST({text} AS DOUBLE) * {SCALE}) AS BIGINT)"


MOMENT = "epoch_us(event_time)"


def _expressions(item: MeasuredColumn) -> Iterator[tuple[str, str]]:
    """Yield what a feature reads, and how cells join it: empty where it makes them differ."""
    if item.feature.where:
        yield condition(item.feature.where), ""
    read = operand(item.aggregate)
    if read is not None:
        yield read, JOINED.get(item.aggregate.kind, "")
    if item.aggregate.kind in {"last", "top"}:
        yield MOMENT, "max"


def _reach(item: MeasuredColumn) -> str:
    length = item.spec.window
    return "past" if length is None else "year" if length > SHORT_DAYS else "recent"


def _cell_columns(item: MeasuredColumn) -> frozenset[str]:
    """Return the columns by which cells differ for a feature, but for conditions."""
    aggregate = item.aggregate
    plain = aggregate.operand is None or aggregate.kind in {"count", *JOINED}
    read = frozenset() if plain else columns_of(aggregate.operand or "")
    return read | ({item.feature.each} if item.feature.each else frozenset())
