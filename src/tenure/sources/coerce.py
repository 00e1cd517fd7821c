"""SQL that turns a column of the user into one of the contract, or null where it cannot.

Nothing is guessed.  Text is read as a time only if it is ISO 8601 or in the declared format;
numbers are read as times only if declared `epoch_s` or `epoch_ms`.  A time without a zone is in
the configured zone; a date without a time is midnight UTC.  **A value that falls exactly on
midnight counts as a date without a time**, whatever the type of its column: the rule looks at one
value, so neither other rows nor the way a table travels (text, Parquet, JSON) can change it, and
it only ever makes a fact known later, by less than a day.

>>> coerce("opened_on", "DATE", "text")
'CAST(opened_on AS VARCHAR)'
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from tenure.core.spec import Kind
from tenure.core.steps import text_literal
from tenure.sources.contract import END_REASONS, SURVEY_TYPES

EPOCHS = {"epoch_s": 1_000_000, "epoch_ms": 1_000}
NOTHING = "('', 'null', 'nan', 'nat', 'none')"
_DAY = r"(19|20|21)\d{2}-\d{2}-\d{2}"
_CLOCK = r"[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?"
_OFFSET = r"(Z|z| ?UTC|[+-]\d{2}(:?\d{2})?)"
_FULL = f"{_DAY}({_CLOCK}{_OFFSET}?)?"
_ZONED = f"{_DAY}{_CLOCK}{_OFFSET}"
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_NUMBERS = (*_INTEGERS, *(f"U{name}" for name in _INTEGERS), "FLOAT", "DOUBLE", "DECIMAL")


def base_type(sql_type: str) -> str:
    """Return a SQL type's family: VARCHAR, TIMESTAMP, TIMESTAMPTZ, DATE, BOOLEAN, a number or ''.

    >>> base_type("DECIMAL(18,3)"), base_type("TIMESTAMP_NS"), base_type("INTEGER[]")
    ('DECIMAL', 'TIMESTAMP', '')
    """
    name = sql_type.upper().strip('"')
    if name.endswith("]"):
        return ""
    if name in ("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ"):
        return "TIMESTAMPTZ"
    if name.startswith("TIMESTAMP"):
        return "TIMESTAMP"
    if name.startswith(("VARCHAR", "ENUM", "UUID", "NULL")):
        return "VARCHAR"
    name = name.split("(")[0]
    return name if name in (*_NUMBERS, "DATE", "BOOLEAN") else ""


def refusal(sql_type: str, kind: Kind, form: str | None) -> tuple[str, str] | None:
    """Return the rule and the fix where a type can never be read as a kind, else None."""
    family = base_type(sql_type)
    if not family:
        return f"cannot be read from type {sql_type}", "map an expression that gives one value"
    if kind == "time":
        if family == "BOOLEAN":
            return "must be a time", "map another column"
        if family in _NUMBERS and form in (None, "iso"):
            return (
                "is a number, and which time it means is not declared",
                "declare `formats: {…: epoch_s}`, `epoch_ms` or a strptime format",
            )
    elif family in ("DATE", "TIMESTAMP", "TIMESTAMPTZ") and kind in ("number", "integer", "flag"):
        return f"must be a {kind}, not a time", "map another column"
    return None


def has_value(expression: str, sql_type: str, kind: Kind) -> str:
    """Return SQL that is true where there is a value, readable or not.

    The year 9999, with which warehouses say "no end yet", counts as no time at all.
    """
    family = base_type(sql_type)
    if family == "VARCHAR":
        text = f"lower(trim({_cast(expression, sql_type, 'VARCHAR')}))"
        never = f" AND NOT starts_with({text}, '9999-')" if kind == "time" else ""
        return f"coalesce({text} NOT IN {NOTHING}{never}, false)"
    if family in ("DATE", "TIMESTAMP", "TIMESTAMPTZ"):
        return f"coalesce(year({expression}) < 9999, false)"
    if family in ("DOUBLE", "FLOAT"):
        return f"({expression} IS NOT NULL AND NOT isnan({expression}))"
    return f"({expression} IS NOT NULL)"


def coerce(
    expression: str, sql_type: str, kind: Kind, *, form: str | None = None, zone: str = "UTC"
) -> str:
    """Return SQL of the coerced value: VARCHAR, TIMESTAMP (UTC), DOUBLE, BIGINT or BOOLEAN.

    Args:
        expression: SQL of the value to read.
        sql_type: Its SQL type.
        kind: What it has to become.
        form: Declared format of a time: `iso`, `epoch_s`, `epoch_ms` or a strptime format.
        zone: Zone of times written without one.
    """
    family = base_type(sql_type)
    if kind == "time":
        return _time(expression, sql_type, form, zone)
    if kind == "number":
        return _number(expression, family)
    if kind == "integer" and family in _INTEGERS:
        return _cast(expression, family, "BIGINT")
    if kind == "integer":
        number = _number(expression, family)
        whole = f"CAST({number} AS DOUBLE)"
        return f"CASE WHEN {whole} = round({whole}) THEN TRY_CAST({whole} AS BIGINT) END"
    if kind == "flag":
        return _flag(expression, family)
    return _text(expression, sql_type)


def _cast(expression: str, sql_type: str, to: str) -> str:
    return expression if sql_type == to else f"CAST({expression} AS {to})"


def _text(expression: str, sql_type: str) -> str:
    family = base_type(sql_type)
    if family in ("DOUBLE", "FLOAT"):
        whole = f"CAST(TRY_CAST({expression} AS BIGINT) AS VARCHAR)"
        other = f"CAST({expression} AS VARCHAR)"
        return (
            f"CASE WHEN isfinite({expression}) THEN CASE WHEN {expression} = round({expression}) "
            f"AND abs({expression}) < 9e15 THEN {whole} ELSE {other} END END"
        )
    if family == "VARCHAR":
        return f"nullif(trim({_cast(expression, sql_type, 'VARCHAR')}), '')"
    return f"CAST({expression} AS VARCHAR)"


def identifier(expression: str, sql_type: str) -> str:
    """Return SQL of an id: as text, and without the `.0` that a detour over floats leaves."""
    text = _text(expression, sql_type)
    if base_type(sql_type) != "VARCHAR":
        return text
    whole = f"ends_with({text}, '.0') AND TRY_CAST({text} AS DOUBLE) IS NOT NULL"
    return f"CASE WHEN {whole} THEN left({text}, -2) ELSE {text} END"


def _number(expression: str, family: str) -> str:
    if family == "VARCHAR":
        text = f"trim(CAST({expression} AS VARCHAR))"
        expression = f"CASE WHEN NOT starts_with({text}, '_') THEN TRY_CAST({text} AS DOUBLE) END"
    elif family not in ("DOUBLE", "FLOAT"):
        return f"CAST({expression} AS DOUBLE)"
    plain = expression if family == "VARCHAR" else _cast(expression, family, "DOUBLE")
    return f"CASE WHEN isfinite({expression}) THEN {plain} END"


def _flag(expression: str, family: str) -> str:
    if family == "BOOLEAN":
        return expression
    text = f"lower(trim(CAST({expression} AS VARCHAR)))"
    return (
        f"CASE WHEN {text} IN ('true', 't', 'yes', 'y', '1', '1.0') THEN true "
        f"WHEN {text} IN ('false', 'f', 'no', 'n', '0', '0.0') THEN false END"
    )


def _time(expression: str, sql_type: str, form: str | None, zone: str) -> str:
    family = base_type(sql_type)
    if family == "DATE":
        moment = f"CAST({expression} AS TIMESTAMP)"
    elif family == "TIMESTAMP":
        moment = _local(_cast(expression, sql_type, "TIMESTAMP"), zone)
    elif family == "TIMESTAMPTZ":
        moment = f"({expression} AT TIME ZONE 'UTC')"
    elif form in EPOCHS:
        number = f"TRY_CAST({expression} AS DOUBLE)"
        moment = f"make_timestamp(TRY_CAST(round({number} * {EPOCHS[form]}) AS BIGINT))"
    elif form in (None, "iso"):
        return _iso(f"trim(CAST({expression} AS VARCHAR))", zone)
    else:
        parsed = f"try_strptime(trim(CAST({expression} AS VARCHAR)), {text_literal(form or '')})"
        zoned = "%z" in (form or "") or "%Z" in (form or "")
        moment = f"({parsed} AT TIME ZONE 'UTC')" if zoned else _local(parsed, zone)
    low, high = "TIMESTAMP '1900-01-01'", "TIMESTAMP '2200-01-01'"
    return f"CASE WHEN {moment} BETWEEN {low} AND {high} THEN {moment} END"


def _iso(text: str, zone: str) -> str:
    whole = f"regexp_full_match({text}, '{_FULL}')"
    utc = f"(TRY_CAST({text} AS TIMESTAMPTZ) AT TIME ZONE 'UTC')"
    if zone == "UTC":
        return f"CASE WHEN {whole} THEN {utc} END"
    naive = _local(f"TRY_CAST({text} AS TIMESTAMP)", zone)
    zoned = f"regexp_full_match({text}, '{_ZONED}')"
    return f"CASE WHEN {zoned} THEN {utc} WHEN {whole} THEN {naive} END"


def _local(moment: str, zone: str) -> str:
    """Return a naive time of a zone in UTC; midnight is a date and stays as it is."""
    if zone == "UTC":
        return moment
    shifted = f"({moment} AT TIME ZONE {text_literal(zone)}) AT TIME ZONE 'UTC'"
    return f"CASE WHEN {moment} = date_trunc('day', {moment}) THEN {moment} ELSE {shifted} END"


def known(moment: str) -> str:
    """Return SQL of when a fact of that time can have been seen: the time, or its day's end."""
    return (
        f"CASE WHEN {moment} = date_trunc('day', {moment}) "
        f"THEN {moment} + INTERVAL 86399999999 MICROSECOND ELSE {moment} END"
    )


_PERIODS = {
    1: ("monthly", "month", "permonth"),
    3: ("quarterly", "quarter", "perquarter"),
    6: ("semiannual", "semiannually", "halfyearly", "biannual"),
    12: ("annual", "annually", "yearly", "year", "peryear"),
    24: ("biennial", "biennially", "twoyears"),
}


def _months(plain: str) -> str:
    """Return SQL of a billing period in months (`1m`, `12m`) from words, numbers or ISO 8601."""
    words = [word for names in _PERIODS.values() for word in names]
    lengths = [length for length, names in _PERIODS.items() for _ in names]
    named = f"{lengths}[list_position([{', '.join(map(text_literal, words))}], {plain})]"
    number = f"trim({plain}, 'pmonthsyear')"
    length = f"TRY_CAST({number} AS UTINYINT) * CASE WHEN contains({plain}, 'y') THEN 12 ELSE 1 END"
    months = f"nullif(coalesce({named}, CASE WHEN NOT contains({plain}, '.') THEN {length} END), 0)"
    return f"CAST({months} AS VARCHAR) || 'm'"


def _one_of(names: tuple[str, ...]) -> Callable[[str], str]:
    choices = ", ".join(map(text_literal, names))
    return lambda text: f"CASE WHEN list_contains([{choices}], {text}) THEN {text} END"


def _same(text: str) -> str:
    return text


@dataclass(frozen=True)
class Wording:
    """How words that the contract fixes are brought to one spelling.

    Attributes:
        spell: SQL of the plain spelling of a text.
        choose: SQL of the contract's word from the plain spelling; null where it is none.
    """

    spell: Callable[[str], str]
    choose: Callable[[str], str] = _same

    @property
    def picks(self) -> bool:
        """Return whether a value may turn out to be none of the contract's words."""
        return self.choose is not _same


_upper = "upper({})".format
_lower = "replace(replace(lower({}), ' ', '_'), '-', '_')".format
_period = (
    "replace(replace(replace(replace(lower({}), ' ', ''), '-', ''), '_', ''), '.0', '')".format
)
WORDINGS: dict[tuple[str, str], Wording] = {
    ("subscriptions", "billing_period"): Wording(_period, _months),
    ("subscriptions", "currency"): Wording(_upper),
    ("subscriptions", "status"): Wording(_lower),
    ("subscriptions", "end_reason"): Wording(_lower, _one_of(END_REASONS)),
    ("invoices", "currency"): Wording(_upper),
    ("fx_rates", "currency"): Wording(_upper),
    ("tickets", "priority"): Wording(_lower),
    ("survey_responses", "survey_type"): Wording(_lower, _one_of(SURVEY_TYPES)),
}

_SLASHED = re.compile(r"\d{1,4}[/.]\d{1,2}[/.]\d{1,4}|\d{1,2}-\d{1,2}-\d{2,4}")


def format_fix(column: str, sample: str) -> str:
    """Return the advice for a time that could not be read.

    >>> format_fix("opened_at", "03/04/2024")
    "declare its format, e.g. `formats: {opened_at: '%d/%m/%Y'}`"
    """
    form = "%Y-%m-%d"
    if match := _SLASHED.match(sample):
        mark = next(letter for letter in match[0] if not letter.isdigit())
        parts = match[0].split(mark)
        year_first = len(parts[0]) == 4
        form = mark.join(("%Y", "%m", "%d") if year_first else ("%d", "%m", "%Y"))
    elif sample.isdigit() and len(sample) in (10, 13):
        unit = "s" if len(sample) == 10 else "ms"
        return f"declare its format: `formats: {{{column}: epoch_{unit}}}`"
    return f"declare its format, e.g. `formats: {{{column}: '{form}'}}`"
