"""Declarations: a source, a feature, a target is a frozen piece of data that one compiler reads.

Nothing here runs.  `tenure.sources.contract` declares the contract's tables, the families under
`tenure.features` declare features, `tenure.labels.targets` declares targets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind = Literal["id", "text", "time", "number", "integer", "flag"]
Action = Literal["reject", "warn", "empty"]
Unit = Literal[
    "count",
    "days",
    "hours",
    "share",
    "money",
    "score",
    "ratio",
    "text",
    "term",
    "number",
    "flag",
    "year",
    "month",
]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a contract table.

    Attributes:
        name: Canonical name.
        kind: What its values are coerced to; ``id`` and ``text`` are strings.
        required: Whether the table is unusable without it, and a row without a value too.
        clock: For a late column, the time column that says when it became known (its own name
            where the value is a time that is known when it happens).
        future: For a time that may lie ahead when it is written (a due date).
    """

    name: str
    kind: Kind
    required: bool = False
    clock: str | None = None
    future: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """A rule that rows must keep.

    Attributes:
        reason: Short code that stands in the rejects table, e.g. ``ends_before_start``.
        bad: SQL condition over the table's columns that is true for a bad row.
        rule: The rule in words.
        fix: The next step for the reader.
        action: ``reject`` the row, ``empty`` the late `column`, or ``warn``.
        column: The column that an ``empty`` check clears.
        needs: Columns without which the check does not apply.
    """

    reason: str
    bad: str
    rule: str
    fix: str = ""
    action: Action = "reject"
    column: str | None = None
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Computed:
    """A column that the loader adds, from columns of the same row known with the row.

    Attributes:
        name: Column name.
        kind: Type of the result.
        sql: Expression; columns that the table lacks are null in it.
        moving: Whether it reads `as_of`, the prediction time: it is no column of the table, and
            exists for the rows that run then.
    """

    name: str
    kind: Kind
    sql: str
    moving: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A table of the contract.

    Attributes:
        name: Canonical table name.
        key: Columns that identify a row; the first known of duplicates is kept.
        time: SQL expression of the event time.
        columns: Declared columns, without `known_at`, which any table may carry.
        ends: The late time column that ends a row's life (a subscription, an open ticket).
        required: Whether nothing works without the table.
        open_ended: Whether undeclared columns are carried along as attributes.
        checks: Rules beyond type, key and account.
        computed: Columns that the loader adds.
    """

    name: str
    key: tuple[str, ...]
    time: str
    columns: tuple[Column, ...]
    ends: str | None = None
    required: bool = False
    open_ended: bool = False
    checks: tuple[Check, ...] = ()
    computed: tuple[Computed, ...] = ()

    def column(self, name: str) -> Column | None:
        """Return the declared column of that name, if any."""
        return next((column for column in self.columns if column.name == name), None)

    @property
    def late(self) -> dict[str, str]:
        """Return late columns and the clock of each."""
        return {column.name: column.clock for column in self.columns if column.clock}

    @property
    def moving(self) -> dict[str, str]:
        """Return the computed columns that read `as_of`, and the expression of each."""
        return {column.name: column.sql for column in self.computed if column.moving}

    @property
    def clocks(self) -> tuple[str, ...]:
        """Return the distinct clock columns, in declared order."""
        return tuple(dict.fromkeys(self.late.values()))


@dataclass(frozen=True, slots=True)
class Feature:
    """Something known about an account at a prediction time, from the rows of one source.

    Attributes:
        name: Base name; a window adds its length (``events`` → ``events_28d``).
        source: Canonical table name.
        aggregate: ``count(*)``, ``count(x)``, ``count(distinct x)``, ``sum(x)``, ``avg(x)``,
            ``min(x)``, ``max(x)``, ``last(x)``, or one of the last three around a time inside
            ``days_since(…)`` or ``days_until(…)``; ``most(x)``, the rows of the member of x with
            most rows; ``days_since(top(x))``, the days since that member's last row (of members
            with equally many rows, the one seen last); ``longest_gap(x)``, the most days between
            neighbouring calendar days of a time x.
        sentence: English with ``{value}`` and, where windowed, ``{window}`` and ``{lag}``; see
            `tenure.explain.wording` for plurals and signs.
        where: SQL condition over the row; a late column in it (or in the aggregate) makes the
            row count only once that column is known.
        windows: Lengths in days; none means the whole past.
        lag: Days before the prediction time at which the windows end.
        at: A late time column that stands in for the event time (what ended in the window).
        running: Over the rows that have begun and not ended at the prediction time.
        default: Value where no row counts; by default 0 for counts and
            sums, but missing for sums over running rows and everything else.
        unit: How a value is shown.
        direction: Expected effect on churn: 1 raises, -1 lowers, 0 unknown.
        lever: Whether a team can act on it; else it is context.
        each: A text column of which the most used values, chosen from the training past, get a
            feature of their own each.
        group: The signal that it measures, a name of its own by default: features of one signal
            count as one driver.  ``{member}`` stands for the value of `each`.
        hidden: Whether it only serves derived features and is no column of the matrix.
        zero: The sentence where the value is 0, in place of one with the number.
        missing: The sentence where there is no value.
        past: What the account itself had before: a formula over columns of the matrix, and words
            with ``{past}`` for its value.
        since: Column with the days for which the value has stood so; a feature with ``days_since``
            of the whole past is its own.
    """

    name: str
    source: str
    aggregate: str
    sentence: str
    where: str | None = None
    windows: tuple[int, ...] = ()
    at: str | None = None
    running: bool = False
    default: float | None = None
    unit: Unit = "number"
    direction: Literal[-1, 0, 1] = 0
    lever: bool = False
    each: str | None = None
    group: str | None = None
    lag: int = 0
    hidden: bool = False
    zero: str | None = None
    missing: str | None = None
    past: tuple[str, str] | None = None
    since: str | None = None


@dataclass(frozen=True, slots=True)
class Derived:
    """A feature computed from other features of the same account and prediction time.

    Attributes:
        name: Full name.
        formula: Arithmetic over feature names with ``+ - * /``, ``ln``, ``sqrt``, ``least``,
            ``greatest``, ``coalesce`` and ``nullif``; a division by zero is missing.  The base
            name of a feature with `each` gives one column per member.  ``as_of_month`` (1 to 12)
            and ``as_of_quarter_day`` (days to the end of the calendar quarter) are given.
        sentence: English with ``{value}``.
        hidden: Whether it only serves other derived features.

    The others are those of a `Feature`.
    """

    name: str
    formula: str
    sentence: str
    unit: Unit = "ratio"
    direction: Literal[-1, 0, 1] = 0
    lever: bool = False
    group: str | None = None
    hidden: bool = False
    zero: str | None = None
    missing: str | None = None
    past: tuple[str, str] | None = None
    since: str | None = None


@dataclass(frozen=True, slots=True)
class Ranked:
    """A feature's percentile among peers of the training past: fitted there, looked up later.

    Attributes:
        name: Full name.
        of: The feature that is ranked.
        sentence: English with ``{value}``, the share of peers that lie below.
        within: Text features whose values together form the groups of peers.
        band: Number feature that is cut at `edges` to part the groups further, None for none.
        edges: Ascending values at which a new band begins.

    The others are those of a `Feature`.
    """

    name: str
    of: str
    sentence: str
    within: tuple[str, ...] = ("segment",)
    band: str | None = "tenure_days"
    edges: tuple[float, ...] = (91, 365, 1095)
    direction: Literal[-1, 0, 1] = 0
    lever: bool = False
    group: str | None = None
    unit: Unit = "share"
    zero: str | None = None
    missing: str | None = None


Declared: TypeAlias = Feature | Derived | Ranked
"""Whatever gives columns of the feature matrix."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that features measure, each in its own way: together they are one driver.

    Attributes:
        name: What features name it by in `group`; ``{member}`` stands for a value of `each`.
        label: What it is called in a list.
        ask: What somebody who speaks with the account is to ask for, empty for context.
    """

    name: str
    label: str
    ask: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """Features of one kind, declared together.

    Attributes:
        name: Family name, used in configs.
        title: What the family is about, in words.
        features: Declarations.
        signals: What they measure; features of other families may measure it too.
    """

    name: str
    title: str
    features: tuple[Declared, ...]
    signals: tuple[Signal, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """What is predicted: a population, an outcome in the label window, a threshold.

    Attributes:
        name: Target name; the output column is ``<name>_probability``.
        outcome: ``churn`` (the account's last paid subscription is ended), ``change`` (its list
            MRR at the window's end differs from that at the prediction time) or ``renewal`` (a
            paid term follows the renewal date that falls into the window).
        sign: For a change: 1 counts rises, -1 falls.
        churn_type: For churn: counts only those of this type; the other type is no event.
        event: The outcome in words, singular, for messages and reports.
        events: The same in the plural.
        bad: Whether a high probability is bad news.
    """

    name: str
    outcome: Literal["churn", "change", "renewal"]
    event: str
    events: str
    sign: Literal[-1, 1] = 1
    churn_type: Literal["voluntary", "involuntary"] | None = None
    bad: bool = True

    @property
    def whole(self) -> str | None:
        """The target that this one is a part of: each type of churn is a part of churn."""
        return None if self.churn_type is None else "churn"
