"""One SELECT per table that coerces, checks and marks its rows; none is dropped yet.

The staged table holds the mapped columns, `_reason` (0 for a row that is used, else the
number of the reason it is not) and `_flags` (a bit per remark about the row).  One GROUP BY over
these two gives every count of the data report.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from tenure.core.spec import Check, Column, Source
from tenure.core.steps import quote
from tenure.sources import coerce
from tenure.sources.raw_columns import SQL_TYPES, RawColumns

LINE_RULES = {
    "ragged_line": "a line must have as many values as the header",
    "open_quote": "a quote that opens a value must be closed at its end",
    "long_line": "a line must not have more than 16 MB",
    "not_utf_8": "text must be UTF-8",
}
"""Why a line of a text file cannot be read as a row: a code, and the rule in words."""
ATTRIBUTES = "further attributes"
"""What stands for all columns that the contract does not declare."""


@dataclass(frozen=True)
class RowFlag:
    """A remark that a row may carry."""

    kind: str
    """``unread`` (a value that could not be coerced), ``nothing`` (a value that says that there is
    none), ``present`` (the column has a value after all checks), ``empty`` or ``warn`` (a
    check)."""
    column: str
    """The column it is about, empty for a warning."""
    code: str
    """Reason as the report shows it."""
    sql: str
    """Condition over the checked row."""


@dataclass(frozen=True)
class Reason:
    """Why a row is not used: a short code, the rule in words, and the condition."""

    code: str
    rule: str
    sql: str
    fix: str = ""


@dataclass(frozen=True)
class Layout(RawColumns):
    """How one table is staged."""

    accounts: str | None = None
    """SELECT of the ids of known accounts; None where they are not checked."""
    values: bool = True
    """Whether to mark which optional columns have a value."""
    deferred: bool = False
    """Whether `accounts` is checked later, when the staged rows are read."""

    @property
    def staged(self) -> str:
        """Return the name of the staged table."""
        return f"_staged_{self.source.name}"

    @property
    def tally(self) -> str:
        """Return the name of the table of counts of a table that is read from the cache."""
        return f"_tally_{self.source.name}"

    @cached_property
    def clocks(self) -> tuple[str, ...]:
        """Return the clock columns that are mapped."""
        return tuple(name for name in self.source.clocks if name in self.types)

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        """Return the checks whose columns are mapped."""
        return tuple(
            check for check in self.source.checks if all(name in self.types for name in check.needs)
        )

    @cached_property
    def reasons(self) -> tuple[Reason, ...]:
        """Return why rows may be rejected; of several that hold, the first counts."""
        reasons: list[Reason] = []
        for column in self.source.columns:
            if column.required and column.name in self.columns:
                reasons += self._required(column)
        rule = f"needs {' or '.join(time_columns(self.source))}"
        reasons.append(Reason("missing_time", rule, "event_time IS NULL"))
        reasons += [
            Reason(check.reason, check.rule, _holds(check), check.fix)
            for check in self.checks
            if check.action == "reject"
        ]
        return tuple(reasons)

    def _required(self, column: Column) -> list[Reason]:
        name, value = column.name, quote(column.name)
        reasons = [Reason(f"missing_{name}", f"{name} is required", f"{value} IS NULL")]
        if self.readable(name):
            unread = f"{_filled(name)} AND {value} IS NULL"
            fix = f"correct the values or map another column to {name}"
            reasons.insert(0, Reason(f"unread_{name}", f"{name} could not be read", unread, fix))
        if name == "account_id" and self.accounts:
            rule = "account_id must stand in the accounts table"
            unknown = "false" if self.deferred else f"{value} NOT IN ({self.accounts})"
            fix = "add the account, or check that both tables spell ids alike"
            reasons.append(Reason("unknown_account", rule, unknown, fix))
        if name == "into_account_id" and self.accounts:
            reasons += self._joined(value)
        return reasons

    def _joined(self, value: str) -> list[Reason]:
        """Return why an account cannot be joined to the one that a column names."""
        account, into, at = map(self.coerced, ("account_id", "into_account_id", "at"))
        merged = (
            f"SELECT {account} AS merged_id, min({at}) AS merged_at "
            f"FROM {quote(self.raw)} WHERE {account} <> {into} AND {into} IN ({self.accounts}) "
            "GROUP BY 1"
        )
        gone = (
            f"EXISTS (SELECT 1 FROM ({merged}) AS m WHERE m.merged_id = {value} "
            f"AND m.merged_at <= {quote('at')} AND m.merged_id <> account_id)"
        )
        return [
            Reason(
                "unknown_into_account",
                "into_account_id must stand in the accounts table",
                f"{value} NOT IN ({self.accounts})",
                "add the account, or check that both tables spell ids alike",
            ),
            Reason(
                "into_merged_account",
                "into_account_id must not itself have merged into another account by then",
                gone,
                "name the account that it became part of",
            ),
        ]

    @cached_property
    def unknown_account(self) -> int | None:
        """Return the number that stands for an unknown account, where accounts are checked."""
        codes = [reason.code for reason in self.reasons]
        return codes.index("unknown_account") + 1 if "unknown_account" in codes else None

    @cached_property
    def duplicate(self) -> int:
        """Return the number that stands for a duplicate key."""
        return len(self.reasons) + 1

    @property
    def duplicate_reason(self) -> Reason:
        """Return the reason against all rows of a key but the one known first."""
        keys = " and ".join(name for name in self.source.key if name in self.columns)
        return Reason("duplicate_key", f"{keys} must be unique; the first known is kept", "")

    @cached_property
    def every_reason(self) -> tuple[Reason, ...]:
        """Return all reasons in the order of their numbers, those against lines of files too."""
        fix = "correct the lines of the file, or how it is written"
        lines = (Reason(code, rule, "", fix) for code, rule in LINE_RULES.items())
        return (*self.reasons, self.duplicate_reason, *lines)

    @cached_property
    def bits(self) -> tuple[RowFlag, ...]:
        """Return the remarks that rows may carry, in the order of their bits."""
        declared = {column.name for column in self.source.columns} | {"known_at"}
        unread = {
            name: f"{_filled(name)} AND {quote(name)} IS NULL"
            for name in self.columns
            if self.readable(name)
        }
        bits = [
            RowFlag("unread", name, "unreadable", sql)
            for name, sql in unread.items()
            if name in declared
        ]
        if further := [f"({sql})" for name, sql in unread.items() if name not in declared]:
            # There may be more attributes than bits.
            bits.append(RowFlag("empty", ATTRIBUTES, "unreadable", " OR ".join(further)))
        bits += [
            RowFlag(check.action, check.column or "", check.reason, _holds(check))
            for check in self.checks
            if check.action != "reject"
        ]
        for name, clock in self.source.late.items():
            if clock != name and name in self.columns:
                undated = f"{quote(name)} IS NOT NULL AND {quote(clock)} IS NULL"
                bits.append(RowFlag("empty", name, "without_its_clock", undated))
        bits += [RowFlag("nothing", name, "", _nothing(name)) for name in self.emptiable]
        bits += [
            RowFlag("present", column.name, "", f"{self._final(column.name)} IS NOT NULL")
            for column in self.source.columns
            if self.values and not column.required and column.name in self.columns
        ]
        return tuple(bits)

    def select(self, *, keep_raw: bool = False) -> str:
        """Return the SELECT that stages the table.

        With `keep_raw` it carries `_row` too, the mapped row before coercion, as JSON text.
        """
        names = [f"{self._final(name)} AS {quote(name)}" for name in self.columns]
        cases = " ".join(
            f"WHEN {reason.sql} THEN {number}" for number, reason in enumerate(self.reasons, 1)
        )
        flags = " | ".join(
            f"(CAST({bit.sql} AS UBIGINT) << {place})" for place, bit in enumerate(self.bits)
        )
        names.append(f"CAST(CASE {cases} ELSE 0 END AS UTINYINT) AS _reason")
        names.append(f"{flags or '0::UBIGINT'} AS _flags")
        if keep_raw:
            names.append("_row")
        return f"SELECT {', '.join(names)} FROM ({self._timed(keep_raw)})"

    def _typed(self, keep_raw: bool) -> str:
        items = [f"{self.coerced(name)} AS {quote(name)}" for name in self.columns]
        items += [
            f"{self.has_value(name)} AS {_filled(name)}"
            for name in self.columns
            if self.readable(name)
        ]
        items += [f"{self.is_nothing(name)} AS {_nothing(name)}" for name in self.emptiable]
        items += [
            f"CAST(NULL AS {SQL_TYPES[column.kind]}) AS {quote(column.name)}"
            for column in self.source.columns
            if column.name not in self.columns
        ]
        if keep_raw:
            items.append("CAST(to_json(_raw) AS VARCHAR) AS _row")
        return f"SELECT {', '.join(items)} FROM {quote(self.raw)} AS _raw"

    def _timed(self, keep_raw: bool) -> str:
        items = [f"{self.source.time} AS event_time"]
        items += [
            f"{coerce.known(quote(name))} AS {quote(name + '__known')}" for name in self.clocks
        ]
        worded = [
            f"{wording.choose(quote(name))} AS {quote(name)}"
            for name in self.columns
            if (wording := self.wording(name)) and wording.picks
        ]
        star = f"* REPLACE ({', '.join(worded)})" if worded else "*"
        return f"SELECT {star}, {', '.join(items)} FROM ({self._typed(keep_raw)})"

    def _final(self, name: str) -> str:
        """Return SQL of a column after the checks that empty it, or its clock."""
        clock = self.source.late.get(name)
        emptied = [
            _holds(check)
            for check in self.checks
            if check.action == "empty" and check.column in (name, clock)
        ]
        if clock and clock != name:
            emptied.append(f"{quote(clock)} IS NULL")
        if not emptied:
            return quote(name)
        return f"CASE WHEN {' OR '.join(emptied)} THEN NULL ELSE {quote(name)} END"

    def event_time(self, prefix: str = "") -> str:
        """Return SQL of the event time over staged columns."""
        present = [name for name in time_columns(self.source) if name in self.columns]
        times = [f"{prefix}{quote(name)}" for name in present]
        return times[0] if len(times) == 1 else f"coalesce({', '.join(times)})"

    def known_at(self, prefix: str = "") -> str:
        """Return SQL of `known_at` over staged columns: never before the event time."""
        moment = self.event_time(prefix)
        if "known_at" not in self.columns:
            return coerce.known(moment)
        stated = coerce.known(f"{prefix}known_at")
        return f"greatest(coalesce({stated}, {coerce.known(moment)}), {moment})"


def time_columns(source: Source) -> list[str]:
    """Return the columns of which the first with a value is the event time.

    >>> from tenure.sources.contract import SOURCES
    >>> time_columns(SOURCES["survey_responses"])
    ['sent_at', 'responded_at']
    """
    return [word for word in re.findall(r"\w+", source.time) if source.column(word)]


def _filled(name: str) -> str:
    """Return the column that says whether the raw value is one, readable or not."""
    return quote(f"{name}?")


def _nothing(name: str) -> str:
    """Return the column that says whether the raw value says that there is none."""
    return quote(f"{name}~")


def _holds(check: Check) -> str:
    return f"coalesce({check.bad}, false)"
