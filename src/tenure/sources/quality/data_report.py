"""The data report: what went in, what was used, what was not and why, and what looks wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tenure.core.times import show

RED_SHARE = 0.05


@dataclass(frozen=True)
class Remark:
    """Dirt that breaks no rule, or a limit of the data worth knowing.

    Attributes:
        code: Short name.
        text: One sentence for people.
        rows: How many rows it concerns.
        share: Their share of the table, where that makes sense.
        red: Whether it puts the conclusions in doubt.
    """

    code: str
    text: str
    rows: int = 0
    share: float | None = None
    red: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "code": self.code,
            "text": self.text,
            "rows": self.rows,
            "share": self.share,
            "red": self.red,
        }


@dataclass(frozen=True)
class Attribute:
    """Whether an account attribute may be a feature, and why."""

    name: str
    usable: bool
    verdict: str


@dataclass(frozen=True)
class TableReport:
    """What became of one table.

    Attributes:
        name: Canonical name.
        origin: File, table or query it came from.
        rows_in: Rows read.
        rows_used: Rows of the canonical table.
        rejected: Rows rejected, by reason.
        set_aside: Rows at or after `observed_until`.
        emptied: Values emptied, by column and reason.
        columns: Canonical columns in use.
        first: First event time in use.
        last: Last event time in use.
        freshness_days: Days from the last event to `observed_until`.
        coverage: Share of accounts with any row.
        median_rows: Median rows per account that has any.
        unused: Late columns mapped without a usable clock, with that clock.
        assumptions: What the config declares as assumed, by column.
        remarks: Warnings.
    """

    name: str
    origin: str
    rows_in: int
    rows_used: int
    rejected: Mapping[str, int] = field(default_factory=dict)
    set_aside: int = 0
    emptied: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    first: datetime | None = None
    last: datetime | None = None
    freshness_days: float | None = None
    coverage: float | None = None
    median_rows: float | None = None
    unused: Mapping[str, str] = field(default_factory=dict)
    assumptions: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[Remark, ...] = ()

    @property
    def rows_rejected(self) -> int:
        """Return the number of rejected rows."""
        return sum(self.rejected.values())

    @property
    def red(self) -> tuple[str, ...]:
        """Return what puts this table in doubt, one sentence each."""
        return tuple(f"{self.name}: {remark.text}" for remark in self.remarks if remark.red)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "name": self.name,
            "origin": self.origin,
            "rows_in": self.rows_in,
            "rows_used": self.rows_used,
            "rows_rejected": self.rows_rejected,
            "rejected": dict(self.rejected),
            "set_aside": self.set_aside,
            "emptied": {column: dict(reasons) for column, reasons in self.emptied.items()},
            "columns": list(self.columns),
            "first": show(self.first) if self.first else None,
            "last": show(self.last) if self.last else None,
            "freshness_days": self.freshness_days,
            "coverage": self.coverage,
            "median_rows": self.median_rows,
            "unused": dict(self.unused),
            "assumptions": dict(self.assumptions),
            "remarks": [remark.to_dict() for remark in self.remarks],
        }


@dataclass(frozen=True)
class DataReport:
    """What became of the input.

    Attributes:
        observed_until: When observation stopped, exclusive, UTC.
        declared: Whether the config says so; else it is the day after the latest event.
        accounts: Accounts in use.
        tables: Report of each table that was read.
        missing: Optional tables that do not exist; their features are absent.
        attributes: Verdict on each account attribute.
    """

    observed_until: datetime
    declared: bool
    accounts: int
    tables: Mapping[str, TableReport]
    missing: tuple[str, ...] = ()
    attributes: tuple[Attribute, ...] = ()

    @property
    def red(self) -> list[str]:
        """Return what puts the data in doubt, one sentence each."""
        return [text for table in self.tables.values() for text in table.red]

    @property
    def usable(self) -> bool:
        """Return whether the required tables have rows, without which nothing can be predicted."""
        required = ("accounts", "subscriptions")
        return all(name in self.tables and self.tables[name].rows_used for name in required)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "observed_until": show(self.observed_until),
            "observed_until_declared": self.declared,
            "accounts": self.accounts,
            "usable": self.usable,
            "red": self.red,
            "missing_tables": list(self.missing),
            "attributes": [
                {"name": item.name, "usable": item.usable, "verdict": item.verdict}
                for item in self.attributes
            ],
            "tables": {name: table.to_dict() for name, table in self.tables.items()},
        }
