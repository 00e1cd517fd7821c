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

from collections.abc import Iterable

from tenure.core.spec import Kind
from tenure.core.steps import text_literal
from tenure.sources.words import NO_TIME, NOTHING

KINDS: dict[Kind, str] = {
    "id": "an id",
    "text": "a text",
    "time": "a time",
    "number": "a number",
    "integer": "a whole number",
    "flag": "true or false",
}
"""What a value must be, in words."""
EPOCHS = {"epoch_s": 1_000_000.0, "epoch_ms": 1_000.0, "epoch_us": 1.0, "epoch_ns": 0.001}
"""Declared units of times since 1970, in microseconds."""
_NO_YEAR = r"(2099|2[1-9]\d\d|[3-9]\d{3})"
_MIDNIGHT = r"([t ](00:00|12:00:00 am).*)?"
_NEVER = "|".join(
    (
        r"0{1,4}[-/. ]0{1,2}[-/. ]0{1,4}([t ].*)?",
        rf"{_NO_YEAR}[-/. ]\d{{1,2}}[-/. ]\d{{1,2}}([t ].*)?",
        rf"{_NO_YEAR}(0[1-9]|1[0-2])[0-3]\d|0{{8}}|9{{8}}",
        rf"\w{{1,9}}[-/. ]\w{{1,9}}[-/., ]+{_NO_YEAR}([t ,].*)?",
        rf"(0001|1753|1900|1970)-01-01{_MIDNIGHT}|1899-12-30{_MIDNIGHT}",
        rf"0?1[-/.]0?1[-/.](0001|1753|1900|1970){_MIDNIGHT}",
    )
)
"""Dates with which exports say "never": in lower case, whole."""
BLANKS = " \t\r\n\u00a0\u200b\ufeff"
"""What may stand around a text without being a part of it."""
_SOONEST, _LATEST = "TIMESTAMP '1900-01-01'", "TIMESTAMP '2099-01-01'"
_LAST_EPOCH = 4_070_908_800
"""The first second of 2099."""
_DAY = r"(19|20|21)\d{2}-\d{2}-\d{2}"
_CLOCK = r"[T ]\d{1,2}:\d{2}(:\d{2}(\.\d{1,9})?)?"
_OFFSET = r"(Z|z| ?UTC|[+-]\d{2}(:?\d{2})?)"
_FULL = f"{_DAY}({_CLOCK}{_OFFSET}?)?"
_ZONED = f"{_DAY}{_CLOCK}{_OFFSET}"
_SPACED = rf"{_DAY}{_CLOCK} [+-]\d{{2}}(:?\d{{2}})?"
"""ISO 8601 but for a space before the offset."""
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
    if name in ("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ", "TIMESTAMPTZ_NS"):
        return "TIMESTAMPTZ"
    if name.startswith("TIMESTAMP"):
        return "TIMESTAMP"
    if name.startswith(("VARCHAR", "ENUM", "UUID", "NULL")):
        return "VARCHAR"
    name = name.split("(")[0]
    return name if name in (*_NUMBERS, "DATE", "BOOLEAN") else ""


def is_number(sql_type: str) -> bool:
    """Return whether a SQL type is one of numbers."""
    return base_type(sql_type) in _NUMBERS


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
                f"declare `formats: {{…: epoch_s}}` ({', '.join(EPOCHS)} or a strptime format)",
            )
    elif family in ("DATE", "TIMESTAMP", "TIMESTAMPTZ") and kind in ("number", "integer", "flag"):
        return f"must be {KINDS[kind]}, not a time", "map another column"
    return None


def is_nothing(expression: str, sql_type: str, kind: Kind, form: str | None = None) -> str:
    r"""Return SQL that is true where a value of an optional column says that there is none.

    That is a word such as `nan` or `\N`, and for times a date that nobody means: the year 0, 2099
    and later, the first day of a computer's calendar.
    """
    family = base_type(sql_type)
    if kind == "time" and family in ("DATE", "TIMESTAMP", "TIMESTAMPTZ"):
        moment = expression if family == "TIMESTAMP" else _time(expression, sql_type, None, "UTC")
        return f"({expression} IS NOT NULL AND NOT coalesce({_meant(moment)}, false))"
    if kind == "time" and form in EPOCHS:
        seconds = f"TRY_CAST({expression} AS DOUBLE) * {EPOCHS[form] / 1_000_000!r}"
        return f"coalesce({seconds} <= 0 OR {seconds} >= {_LAST_EPOCH}, false)"
    if family != "VARCHAR" and kind != "time":
        return "false"
    text = f"lower({_trimmed(expression, sql_type)})"
    words = NOTHING if kind in ("id", "text") else NO_TIME
    known = f"coalesce({text} IN {listed(words[1:])}, false)"
    if kind != "time":
        return known
    return f"({known} OR coalesce(regexp_full_match({text}, '{_NEVER}'), false))"


def listed(words: Iterable[str]) -> str:
    """Return SQL of a list of texts, for IN."""
    return f"({', '.join(map(text_literal, words))})"


def has_value(
    expression: str,
    sql_type: str,
    kind: Kind,
    form: str | None = None,
    *,
    optional: bool = False,
) -> str:
    """Return SQL that is true where there is a value, readable or not.

    An `optional` column may be empty, so that some dates mean that it is.
    """
    family = base_type(sql_type)
    if kind == "time" and optional:
        text = f"nullif(trim({_cast(expression, sql_type, 'VARCHAR')}), '')"
        raw = text if family == "VARCHAR" else expression
        return f"({raw} IS NOT NULL AND NOT {is_nothing(expression, sql_type, kind, form)})"
    if family == "VARCHAR":
        text = f"lower(trim({_cast(expression, sql_type, 'VARCHAR')}))"
        words = listed(NOTHING if kind in ("id", "text") else NO_TIME)
        never = f" AND NOT starts_with({text}, '9999-')" if kind == "time" else ""
        return f"coalesce({text} NOT IN {words}{never}, false)"
    if family in ("DATE", "TIMESTAMP", "TIMESTAMPTZ"):
        day = f"CAST({expression} AS DATE)" if "_NS" in sql_type else expression
        return f"coalesce(year({day}) < 9999, false)"
    if family in ("DOUBLE", "FLOAT"):
        # `isnan` is false by the statistics of a Parquet file, which leave NaN out.
        return f"coalesce(isfinite({expression}) OR abs({expression}) = 'inf'::DOUBLE, false)"
    return f"({expression} IS NOT NULL)"


def coerce(
    expression: str,
    sql_type: str,
    kind: Kind,
    *,
    form: str | None = None,
    zone: str = "UTC",
    optional: bool = False,
) -> str:
    """Return SQL of the coerced value: VARCHAR, TIMESTAMP (UTC), DOUBLE, BIGINT or BOOLEAN.

    Args:
        expression: SQL of the value to read.
        sql_type: Its SQL type.
        kind: What it has to become.
        form: Declared format of a time: `iso`, `epoch_s`, `epoch_ms` or a strptime format.
        zone: Zone of times written without one.
        optional: Whether a time may be absent, so that some dates mean that it is.
    """
    family = base_type(sql_type)
    if kind == "time":
        moment = _time(expression, sql_type, form, zone)
        return f"CASE WHEN {_meant(moment)} THEN {moment} END" if optional else moment
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
    return text(expression, sql_type)


def _meant(moment: str) -> str:
    """Return SQL that is true of a time that is none of those with which exports say "never"."""
    return (
        f"({moment} > {_SOONEST} AND {moment} < {_LATEST} AND {moment} <> TIMESTAMP '1970-01-01')"
    )


def _cast(expression: str, sql_type: str, to: str) -> str:
    return expression if sql_type == to else f"CAST({expression} AS {to})"


def text(expression: str, sql_type: str, *, words: bool = True) -> str:
    """Return SQL of a text without spaces around it; null where there is none.

    With `words` a word such as `nan` says that there is none.
    """
    family = base_type(sql_type)
    if family in ("DOUBLE", "FLOAT"):
        whole = f"CAST(TRY_CAST({expression} AS BIGINT) AS VARCHAR)"
        other = f"CAST({expression} AS VARCHAR)"
        return (
            f"CASE WHEN isfinite({expression}) THEN CASE WHEN {expression} = round({expression}) "
            f"AND abs({expression}) < 9e15 THEN {whole} ELSE {other} END END"
        )
    if family == "VARCHAR":
        trimmed = _trimmed(expression, sql_type)
        if not words:
            return f"nullif({trimmed}, '')"
        return f"CASE WHEN lower({trimmed}) NOT IN {listed(NOTHING)} THEN {trimmed} END"
    return f"CAST({expression} AS VARCHAR)"


def _trimmed(expression: str, sql_type: str) -> str:
    return f"trim({_cast(expression, sql_type, 'VARCHAR')}, {text_literal(BLANKS)})"


def identifier(expression: str, sql_type: str) -> str:
    """Return SQL of an id: as text, and without the `.0` that a detour over floats leaves."""
    if base_type(sql_type) != "VARCHAR":
        return text(expression, sql_type)
    trimmed = _trimmed(expression, sql_type)
    whole = f"ends_with({trimmed}, '.0') AND TRY_CAST({trimmed} AS DOUBLE) IS NOT NULL"
    return (
        f"CASE WHEN lower({trimmed}) IN {listed(NOTHING)} THEN NULL "
        f"WHEN {whole} THEN left({trimmed}, -2) ELSE {trimmed} END"
    )


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
        instant = f"CAST({expression} AS TIMESTAMPTZ)" if "_NS" in sql_type else expression
        moment = f"({instant} AT TIME ZONE 'UTC')"
    elif form in EPOCHS:
        number = f"TRY_CAST({expression} AS DOUBLE)"
        moment = f"make_timestamp(TRY_CAST(round({number} * {EPOCHS[form]}) AS BIGINT))"
    elif form in (None, "iso"):
        return _iso(f"trim(CAST({expression} AS VARCHAR))", zone)
    else:
        written = text(expression, sql_type, words=False)
        parsed = f"try_strptime({written}, {text_literal(form or '')})"
        zoned = "%z" in (form or "") or "%Z" in (form or "")
        moment = f"({parsed} AT TIME ZONE 'UTC')" if zoned else _local(parsed, zone)
    low, high = "TIMESTAMP '1900-01-01'", "TIMESTAMP '2200-01-01'"
    return f"CASE WHEN {moment} BETWEEN {low} AND {high} THEN {moment} END"


def _iso(text: str, zone: str) -> str:
    whole = f"regexp_full_match({text}, '{_FULL}')"
    utc = f"(TRY_CAST({text} AS TIMESTAMPTZ) AT TIME ZONE 'UTC')"
    joined = f"replace(replace({text}, ' +', '+'), ' -', '-')"
    spaced = (
        f"WHEN regexp_full_match({text}, '{_SPACED}') "
        f"THEN (TRY_CAST({joined} AS TIMESTAMPTZ) AT TIME ZONE 'UTC')"
    )
    if zone == "UTC":
        return f"CASE WHEN {whole} THEN {utc} {spaced} END"
    naive = _local(f"TRY_CAST({text} AS TIMESTAMP)", zone)
    zoned = f"regexp_full_match({text}, '{_ZONED}')"
    return f"CASE WHEN {zoned} THEN {utc} WHEN {whole} THEN {naive} {spaced} END"


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
