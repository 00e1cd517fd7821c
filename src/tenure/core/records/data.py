"""What went in, what was used, what was not and why, and what looks wrong."""

from __future__ import annotations

from tenure.core.records.base import Record, Time


class RemarkRecord(Record):
    """A warning about a table: `rows` it concerns, their `share`, and whether it is `red`."""

    code: str
    text: str
    rows: int = 0
    share: float | None = None
    red: bool = False


class AttributeRecord(Record):
    """Whether an account attribute may be a feature, and why."""

    name: str
    usable: bool
    verdict: str


class TableRecord(Record):
    """What became of one input table.

    Attributes:
        name: Canonical name.
        origin: File, table or query it came from.
        rows_in: Rows read.
        rows_used: Rows in use.
        rows_rejected: Rows rejected.
        rejected: The same by reason.
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
    rows_rejected: int
    rejected: dict[str, int]
    set_aside: int
    emptied: dict[str, dict[str, int]]
    columns: tuple[str, ...]
    first: Time | None
    last: Time | None
    freshness_days: float | None
    coverage: float | None
    median_rows: float | None
    unused: dict[str, str]
    assumptions: dict[str, str]
    remarks: tuple[RemarkRecord, ...]


class DataRecord(Record):
    """The data report.

    Attributes:
        observed_until: When observation stopped, exclusive, UTC.
        observed_until_declared: Whether the config says so; else the day after the latest event.
        accounts: Accounts in use.
        usable: Whether anything can be asked of the data at all.
        red: What puts the data in doubt, one sentence each.
        missing_tables: Optional tables that there are none of; their features are absent.
        attributes: Verdict on each account attribute.
        tables: What became of each table.
    """

    observed_until: Time
    observed_until_declared: bool
    accounts: int
    usable: bool
    red: tuple[str, ...]
    missing_tables: tuple[str, ...]
    attributes: tuple[AttributeRecord, ...]
    tables: dict[str, TableRecord]
