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
    """What became of one input table."""

    name: str
    """Canonical name."""
    origin: str
    """File, table or query it came from."""
    rows_in: int
    rows_used: int
    rows_rejected: int
    rejected: dict[str, int]
    """The same by reason."""
    set_aside: int
    """Rows at or after `observed_until`."""
    emptied: dict[str, dict[str, int]]
    """Values emptied, by column and reason."""
    columns: tuple[str, ...]
    """Canonical columns in use."""
    first: Time | None
    """First event time in use."""
    last: Time | None
    """Last event time in use."""
    freshness_days: float | None
    """Days from the last event to `observed_until`."""
    coverage: float | None
    """Share of accounts with any row."""
    median_rows: float | None
    """Median rows per account that has any."""
    unused: dict[str, str]
    """Late columns mapped without a usable clock, with that clock."""
    assumptions: dict[str, str]
    """What the config declares as assumed, by column."""
    remarks: tuple[RemarkRecord, ...]


class DataRecord(Record):
    """The data report."""

    observed_until: Time
    """When observation stopped, exclusive, UTC."""
    observed_until_declared: bool
    """Whether the config says so; else the day after the latest event."""
    accounts: int
    """Accounts in use."""
    usable: bool
    """Whether anything can be asked of the data at all."""
    red: tuple[str, ...]
    """What puts the data in doubt, one sentence each."""
    missing_tables: tuple[str, ...]
    """Optional tables that there are none of; their features are absent."""
    attributes: tuple[AttributeRecord, ...]
    """Verdict on each account attribute."""
    tables: dict[str, TableRecord]
    """What became of each table."""
