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
    """What one feature read.

    Attributes:
        source: Table or tables.
        clocks: Clocks of the late columns that it reads.
        latest_event: Latest event time read, by prediction time.
        latest_known: Latest time at which any of it became known, by prediction time.
        violations: Prediction times at which something not before them was read.
    """

    source: str
    clocks: tuple[str, ...]
    latest_event: tuple[Time | None, ...]
    latest_known: tuple[Time | None, ...]
    violations: tuple[Time, ...]


class ReadsRecord(Record):
    """What every feature read at each `as_of`, and the features that violate it."""

    as_of: tuple[Time, ...]
    features: dict[str, ReadRecord]
    violations: tuple[str, ...]


class ClockRecord(Record):
    """A column without a clock of its own.

    Attributes:
        table: Its table.
        column: Its name.
        done: What was done about it; see docs/audit.md.
        text: The same in words.
        features: Features that read it.
    """

    table: str
    column: str
    done: Literal["not_used", "assumed", "excluded", "constant", "due_date", "with_row"]
    text: str
    features: tuple[str, ...]


class MovedFeature(Record):
    """A feature of which so many `values` of the past changed with the future."""

    feature: str
    values: int
    accounts: tuple[str, ...]


class ShuffleRecord(Record):
    """One time from which everything was replaced by noise.

    Attributes:
        as_of: That time.
        rows: Rows replaced or added.
        compared: Values of the past that were compared, bit for bit.
        moved: Features that are not the same.
    """

    as_of: Time
    rows: int
    compared: int
    moved: tuple[MovedFeature, ...]


class ArrivalRecord(Record):
    """How late one clock of a table is.

    Attributes:
        table: Its table.
        clock: ``event_time`` for the rows, else the clock of late columns.
        rows: Rows with that time.
        late: Those known on a later day than they happened.
        share: Their share.
        lag_days: ``median``, ``p90``, ``p99`` and ``highest`` of their lag; empty without any.
    """

    table: str
    clock: str
    rows: int
    late: int
    share: float
    lag_days: dict[str, int]


class CostRecord(Record):
    """What late data change of the features of one family.

    Attributes:
        family: Its name.
        values: Values compared.
        changed: Values that differ from a world that knows at once.
        share: Their share.
        snapshots: Snapshots of which any value differs.
        of_snapshots: Snapshots compared.
        features: Features that differ most often, with the share of snapshots.
    """

    family: str
    values: int
    changed: int
    share: float
    snapshots: int
    of_snapshots: int
    features: dict[str, float]


class LateRecord(Record):
    """How late data are, and what that costs; `accounts` were compared."""

    accounts: int
    arrivals: tuple[ArrivalRecord, ...]
    costs: tuple[CostRecord, ...]


class DriftRecord(Record):
    """How far one feature has moved.

    Attributes:
        feature: Column.
        psi: Population stability index, recent against earlier values; None with too few rows.
        noise: What it is expected to be if nothing had moved.
        verdict: ``steady``, ``shifted``, ``drifted``, ``ages`` (it counts days) or ``too_few``.
        missing: Share of missing values, earlier and recently.
        typical: Median or commonest word, earlier and recently.
        text: The verdict in words.
    """

    feature: str
    psi: float | None
    noise: float | None
    verdict: Literal["steady", "shifted", "drifted", "ages", "too_few"]
    missing: tuple[float | None, float | None]
    typical: tuple[float | str | None, float | str | None]
    text: str


class DriftsRecord(Record):
    """How far the features have moved since `recent_since`, the furthest first."""

    recent_since: Time | None
    features: tuple[DriftRecord, ...]


class SuspectRecord(Record):
    """A column that is too good to be true.

    Attributes:
        column: Feature, or ``<table>.<column>``: the name that allows it.
        target: Which outcome it knows.
        kind: ``forward`` or ``accounts`` (`figure` is an AUC), ``certain`` or ``near`` (a share).
        figure: How well it knows it.
        lo: Lower end of its interval.
        hi: Upper end.
        value: For ``certain`` and ``near`` the value concerned.
        events: Accounts behind the figure.
        allowed: Whether the config allows it by name.
        text: Why that is suspicious, and what to do.
    """

    column: str
    target: str
    kind: Literal["forward", "accounts", "certain", "near"]
    figure: float
    lo: float | None
    hi: float | None
    value: str | None
    events: int
    allowed: bool
    text: str


class AuditRecord(SparseRecord):
    """A point-in-time audit; see docs/audit.md.  Where it was not possible its parts are missing.

    Attributes:
        format: Of this record.
        name: Project: the config's name.
        created_at: When.
        fingerprint: Hash of the data.
        observed_until: When observation stopped.
        settings: How much was looked at.
        status: The verdict.
        reason: Why it was not possible.
        clocks: Columns without a clock.
        sample: What was looked at.
        reads: What each feature read.
        shuffle: The future, replaced by noise.
        late: Late data.
        drift: Features that have moved.
        suspects: Columns that are too good to be true.
        lifetimes: Tables whose rows look made for whole lives, or cut off.
    """

    format: int
    name: str
    created_at: Time
    fingerprint: str
    observed_until: Time
    settings: AuditConfig
    status: AuditStatus
    reason: str | None = None
    clocks: tuple[ClockRecord, ...]
    sample: SampleRecord | None = None
    reads: ReadsRecord | None = None
    shuffle: tuple[ShuffleRecord, ...] | None = None
    late: LateRecord | None = None
    drift: DriftsRecord | None = None
    suspects: tuple[SuspectRecord, ...] | None = None
    lifetimes: tuple[LifetimeRecord, ...] | None = None


class CheckedFeatures(Record):
    """Features that the data can give, and those it cannot."""

    count: int
    absent: tuple[AbsentFeature, ...]


class CheckRecord(Record):
    """What `tenure check` came to.

    Attributes:
        name: Project: the config's name.
        data: The data report.
        features: Features that the data can give.
        audit: The audit.
        passed: Whether the data can be used and no feature saw its future.
        rejects: Table → file of its rejected rows.
        page: The audit as an HTML file.
    """

    name: str
    data: DataRecord
    features: CheckedFeatures
    audit: AuditRecord
    passed: bool
    rejects: dict[str, str]
    page: str
