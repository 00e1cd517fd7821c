"""The point-in-time audit, ``<runs>/audit.json``, and what `tenure check` returns with it."""

from __future__ import annotations

from typing import Literal

from tenure.core.records.base import Record, SparseRecord, Time
from tenure.core.records.data import DataRecord
from tenure.core.records.shape import LifetimeRecord
from tenure.core.records.training import AbsentFeature
from tenure.core.sections import AuditConfig

AuditStatus = Literal["clean", "doubts", "violated", "not_possible"]


class SampleRecord(Record):
    """What was looked at: accounts and snapshots, of how many, and the prediction times."""

    accounts: int
    of_accounts: int
    snapshots: int
    of_snapshots: int
    as_of: tuple[Time, ...]


class ReadRecord(Record):
    """What one feature read."""

    source: str
    """Table or tables."""
    clocks: tuple[str, ...]
    """Clocks of the late columns that it reads."""
    latest_event: tuple[Time | None, ...]
    """Latest event time read, by prediction time."""
    latest_known: tuple[Time | None, ...]
    """Latest time at which any of it became known, by prediction time."""
    violations: tuple[Time, ...]
    """Prediction times at which something not before them was read."""


class ReadsRecord(Record):
    """What every feature read at each `as_of`, and the features that violate it."""

    as_of: tuple[Time, ...]
    features: dict[str, ReadRecord]
    violations: tuple[str, ...]


class ClockRecord(Record):
    """A column without a clock of its own."""

    table: str
    column: str
    done: Literal["not_used", "assumed", "excluded", "constant", "due_date", "with_row"]
    """What was done about it; see docs/audit.md."""
    text: str
    """The same in words."""
    features: tuple[str, ...]
    """Features that read it."""


class MovedFeature(Record):
    """A feature of which so many `values` of the past changed with the future."""

    feature: str
    values: int
    accounts: tuple[str, ...]


class ShuffleRecord(Record):
    """One time from which everything was replaced by noise."""

    as_of: Time
    """That time."""
    rows: int
    """Rows replaced or added."""
    compared: int
    """Values of the past that were compared, bit for bit."""
    moved: tuple[MovedFeature, ...]
    """Features that are not the same."""


class ArrivalRecord(Record):
    """How late one clock of a table is."""

    table: str
    clock: str
    """``event_time`` for the rows, else the clock of late columns."""
    rows: int
    """Rows with that time."""
    late: int
    """Those known on a later day than they happened."""
    share: float
    """Their share."""
    lag_days: dict[str, int]
    """``median``, ``p90``, ``p99`` and ``highest`` of their lag; empty without any."""


class CostRecord(Record):
    """What late data change of the features of one family."""

    family: str
    values: int
    """Values compared."""
    changed: int
    """Values that differ from a world that knows at once."""
    share: float
    """Their share."""
    snapshots: int
    """Snapshots of which any value differs."""
    of_snapshots: int
    """Snapshots compared."""
    features: dict[str, float]
    """Features that differ most often, with the share of snapshots."""


class LateRecord(Record):
    """How late data are, and what that costs; `accounts` were compared."""

    accounts: int
    arrivals: tuple[ArrivalRecord, ...]
    costs: tuple[CostRecord, ...]


class DriftRecord(Record):
    """How far one feature has moved."""

    feature: str
    psi: float | None
    """Population stability index, recent against earlier values; None with too few rows."""
    noise: float | None
    """What it is expected to be if nothing had moved."""
    verdict: Literal["steady", "shifted", "drifted", "ages", "too_few"]
    """``steady``, ``shifted``, ``drifted``, ``ages`` (it counts days) or ``too_few``."""
    missing: tuple[float | None, float | None]
    """Share of missing values, earlier and recently."""
    typical: tuple[float | str | None, float | str | None]
    """Median or commonest word, earlier and recently."""
    text: str
    """The verdict in words."""


class DriftsRecord(Record):
    """How far the features have moved since `recent_since`, the furthest first."""

    recent_since: Time | None
    features: tuple[DriftRecord, ...]


class SuspectRecord(Record):
    """A column that is too good to be true."""

    column: str
    """Feature, or ``<table>.<column>``: the name that allows it."""
    target: str
    """Which outcome it knows."""
    kind: Literal["forward", "accounts", "certain", "near"]
    """``forward`` or ``accounts`` (`figure` is an AUC), ``certain`` or ``near`` (a share)."""
    figure: float
    """How well it knows it."""
    lo: float | None
    """Lower end of its interval."""
    hi: float | None
    value: str | None
    """For ``certain`` and ``near`` the value concerned."""
    events: int
    """Accounts behind the figure."""
    allowed: bool
    """Whether the config allows it by name."""
    text: str
    """Why that is suspicious, and what to do."""


class AuditRecord(SparseRecord):
    """A point-in-time audit; see docs/audit.md.  Where it was not possible, parts are missing."""

    format: int
    name: str
    """Project: the config's name."""
    created_at: Time
    fingerprint: str
    observed_until: Time
    settings: AuditConfig
    """How much was looked at."""
    status: AuditStatus
    reason: str | None = None
    """Why it was not possible."""
    clocks: tuple[ClockRecord, ...]
    """Columns without a clock."""
    sample: SampleRecord | None = None
    reads: ReadsRecord | None = None
    """What each feature read."""
    shuffle: tuple[ShuffleRecord, ...] | None = None
    """The future, replaced by noise."""
    late: LateRecord | None = None
    drift: DriftsRecord | None = None
    suspects: tuple[SuspectRecord, ...] | None = None
    """Columns that are too good to be true."""
    lifetimes: tuple[LifetimeRecord, ...] | None = None
    """Tables whose rows look made for whole lives, or cut off."""


class CheckedFeatures(Record):
    """Features that the data can give, and those it cannot."""

    count: int
    absent: tuple[AbsentFeature, ...]


class CheckRecord(Record):
    """What `tenure check` came to."""

    name: str
    """Project: the config's name."""
    data: DataRecord
    features: CheckedFeatures
    """Features that the data can give."""
    audit: AuditRecord
    passed: bool
    """Whether the data can be used and no feature saw its future."""
    rejects: dict[str, str]
    """Table → file of its rejected rows."""
    page: str
    """The audit as an HTML file."""
