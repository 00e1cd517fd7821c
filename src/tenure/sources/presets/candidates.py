"""Every way in which recognised tables give a table of the contract, and the one that is used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tenure.sources.contract import DEFAULTS, SOURCES
from tenure.sources.presets.declared import KINDS, Kind, Preset, TableShape
from tenure.sources.presets.expressions import Scope, Sql
from tenure.sources.presets.recognise import Match
from tenure.sources.presets.times import TimeForms

ORDER: Mapping[str, tuple[Kind, ...]] = {
    "accounts": ("own", "crm", "billing", "product", "support", "survey"),
    "subscriptions": ("own", "billing", "crm"),
    "invoices": ("own", "billing", "crm"),
    "usage_events": ("own", "product"),
}
"""Which systems are asked first for tables that only one system gives."""
_STAND_IN = ("accounts", "created_at")
"""What other tables give: the first subscription of the account."""


@dataclass(frozen=True)
class Candidate:
    """A way to make a table of the contract of one raw table and those joined to it."""

    preset: Preset
    shape: TableShape
    scope: Scope
    """The tables it may read."""
    columns: Mapping[str, Sql]
    """Column of the contract → SQL."""
    account: Sql | None
    """The vendor's own id of the account."""

    @property
    def start(self) -> Match:
        """Return the table whose rows they are."""
        return self.scope.objects[self.shape.start]

    def bare(self) -> Candidate:
        """Return the same with columns named without their table."""
        same = _candidate(self.preset, self.shape, replace(self.scope, bare=True))
        return same or self


def candidates(matches: Sequence[Match], forms: TimeForms) -> Iterator[Candidate]:
    """Yield every way in which recognised tables give a table of the contract."""
    presets = {match.preset.name: match.preset for match in matches}
    for preset in presets.values():
        own = [match for match in matches if match.preset.name == preset.name]
        objects = {match.object.name: match for match in sorted(own, key=lambda m: m.score)}
        used: set[tuple[str, str]] = set()
        for shape in preset.tables:
            starts = [match for match in own if match.object.name == shape.start]
            if not preset.objects[shape.start].many:
                starts = [match for match in starts if match is objects[shape.start]]
            for match in starts:
                scope = Scope(objects | {shape.start: match}, shape.lets, forms, shape.start)
                candidate = _candidate(preset, shape, scope)
                key = (shape.table, match.raw.relation)
                if candidate and key not in used:
                    used.add(key)
                    yield candidate


def _candidate(preset: Preset, shape: TableShape, scope: Scope) -> Candidate | None:
    """Return a way that gives all required columns, None where it does not."""
    source = SOURCES[shape.table]
    columns = {name: sql for name, texts in shape.columns.items() if (sql := scope.first(texts))}
    needed = {
        column.name
        for column in source.columns
        if column.required and (shape.table, column.name) not in {*DEFAULTS, _STAND_IN}
    }
    if shape.table != "accounts":
        needed.discard("account_id")
    if not needed <= columns.keys() or (not needed and not columns):
        return None
    return Candidate(preset, shape, scope, columns, scope.first(shape.account))


def chosen(every: Iterable[Candidate]) -> dict[str, list[Candidate]]:
    """Return the ways that are used for each table: one system, or all where they add up."""
    tables: dict[str, list[Candidate]] = {}
    for candidate in every:
        tables.setdefault(candidate.shape.table, []).append(candidate)
    for name, items in tables.items():
        kinds = ORDER.get(name, KINDS)
        items.sort(key=lambda item: (_rank(item.preset.kind, kinds), -item.start.score))
        if name in ORDER or items[0].preset.kind == "own":
            first = items[0]
            same = [item for item in items if item.preset is first.preset]
            many = first.preset.objects[first.shape.start].many
            tables[name] = same if many else [first]
    return tables


def _rank(kind: Kind, kinds: Sequence[Kind]) -> int:
    return kinds.index(kind) if kind in kinds else len(kinds)
