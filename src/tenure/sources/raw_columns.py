"""The mapped columns of a table, not yet staged: the SQL of their values over the user's rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from tenure.core.spec import Kind, Source
from tenure.core.steps import quote
from tenure.sources import coerce
from tenure.sources.contract import DEFAULTS
from tenure.sources.wording import WORDINGS, Wording

SQL_TYPES: dict[Kind, str] = {
    "id": "VARCHAR",
    "text": "VARCHAR",
    "time": "TIMESTAMP",
    "number": "DOUBLE",
    "integer": "BIGINT",
    "flag": "BOOLEAN",
}


@dataclass(frozen=True)
class RawColumns:
    """The mapped columns of one table."""

    source: Source
    """The declaration."""
    raw: str
    """Relation with the mapped columns under canonical names, not yet coerced."""
    types: Mapping[str, str]
    """SQL types of the columns in `raw`, late columns without a clock left out."""
    formats: Mapping[str, str] = field(default_factory=dict)
    """Declared formats of time columns."""
    zone: str = "UTC"
    """Zone of times written without one."""

    @cached_property
    def columns(self) -> dict[str, Kind]:
        """Return the columns of the staged table: the mapped ones, and keys filled by default."""
        kinds: dict[str, Kind] = {
            column.name: column.kind
            for column in self.source.columns
            if column.name in self.types or (self.source.name, column.name) in DEFAULTS
        }
        if "known_at" in self.types:
            kinds["known_at"] = "time"
        natural = {name: _natural_kind(sql_type) for name, sql_type in self.types.items()}
        return kinds | {name: kind for name, kind in natural.items() if name not in kinds}

    def readable(self, name: str) -> bool:
        """Return whether a value of this column may turn out unreadable."""
        if name not in self.types:
            return False
        wording = self.wording(name)
        return self.columns[name] not in ("id", "text") or (wording is not None and wording.closed)

    @cached_property
    def optional(self) -> frozenset[str]:
        """Return the mapped columns that may be empty."""
        needed = {column.name for column in self.source.columns if column.required}
        return frozenset(self.types) - needed

    @cached_property
    def emptiable(self) -> tuple[str, ...]:
        """Return the declared columns of which some value may say that there is none."""
        return tuple(
            column.name
            for column in self.source.columns
            if column.name in self.optional
            and (column.kind == "time" or coerce.base_type(self.types[column.name]) == "VARCHAR")
        )

    def wording(self, name: str) -> Wording | None:
        """Return how the words of a column are brought to those of the contract."""
        return WORDINGS.get((self.source.name, name))

    def has_value(self, name: str) -> str:
        """Return SQL over `raw` that is true where a column has a value, readable or not."""
        kind, form = self.columns[name], self.formats.get(name)
        optional = name in self.optional
        return coerce.has_value(quote(name), self.types[name], kind, form, optional=optional)

    def is_nothing(self, name: str) -> str:
        """Return SQL over `raw` that is true where a value says that there is none."""
        kind, form = self.columns[name], self.formats.get(name)
        return coerce.is_nothing(quote(name), self.types[name], kind, form)

    def worded(self, name: str) -> str:
        """Return SQL over `raw` of a column's value, in the contract's words."""
        words = self.wording(name)
        value = self.coerced(name)
        return words.choose(value) if words else value

    def coerced(self, name: str) -> str:
        """Return SQL over `raw` of a column's value, words in their plain spelling."""
        if name not in self.types:
            default = DEFAULTS[self.source.name, name]
            return coerce.identifier(quote(default), self.types.get(default, "VARCHAR"))
        kind, sql_type, column = self.columns[name], self.types[name], quote(name)
        if kind == "id":
            return coerce.identifier(column, sql_type)
        wording = self.wording(name)
        if kind == "text" and name not in self.optional and wording is None:
            return coerce.text(column, sql_type, words=False)
        form, optional = self.formats.get(name), name in self.optional
        value = coerce.coerce(column, sql_type, kind, form=form, zone=self.zone, optional=optional)
        return wording.spell(value) if wording else value


def _natural_kind(sql_type: str) -> Kind:
    """Return the kind of an undeclared attribute, by its SQL type."""
    family = coerce.base_type(sql_type)
    if family in ("DATE", "TIMESTAMP", "TIMESTAMPTZ"):
        return "time"
    if family in ("BOOLEAN", "VARCHAR", ""):
        return "flag" if family == "BOOLEAN" else "text"
    return "number" if family in ("FLOAT", "DOUBLE", "DECIMAL") else "integer"
