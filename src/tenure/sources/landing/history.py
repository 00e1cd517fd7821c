"""Rows of the contract from the daily copies of a table that is overwritten.

What was seen on a day is known from then on and changes nothing before it:

* accounts: one row of what never changes, valid from the start, and one for each change, valid from
  when it was seen;
* subscriptions: a row for each state that lasted, from when it was seen to when another was seen.
  An end that lies before it was seen, and a notice, are dated by that; so is the end of a row that
  has gone.  Later corrections of an end that has passed are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from tenure.core.steps import quote
from tenure.core.times import literal
from tenure.sources.raw_columns import RawColumns

OWN = ("account_id", "created_at", "name")
"""Columns of an account that hold from its start."""
LATE = ("ended_at", "end_reason", "notice_at")
"""Columns of a subscription that are filled while its row lasts."""
NOT_TERMS = (*LATE, "subscription_id", "started_at", "status_at", "known_at")


def account_history(raw: RawColumns, constant: set[str], until: datetime | None) -> str:
    """Return a SELECT of account rows with `valid_from` and `known_at`.

    `raw` are the mapped columns, over rows that also carry `_key`, `_seen_at` and `_gone`; what was
    seen at or after `until` is left out, and `constant` attributes never change.
    """
    values = ", ".join(f"{quote(name)} := {quote(name)}" for name in raw.types)
    rows = (
        f"SELECT *, {_first(raw)}, CAST(to_json(struct_pack({values})) AS VARCHAR) AS _values "
        f"FROM {quote(raw.raw)} WHERE NOT _gone{_before(until)} QUALIFY _values IS DISTINCT FROM "
        "lag(_values) OVER (PARTITION BY _key ORDER BY _seen_at)"
    )
    held = {*OWN, *constant}
    clocks = {"valid_from": "_moment", "known_at": "_moment"}
    base = {
        name: quote(name) if name in held else f"CAST(NULL AS {kind})"
        for name, kind in raw.types.items()
    }
    base |= {"valid_from": "CAST(NULL AS TIMESTAMPTZ)"}
    base["known_at"] = "CASE WHEN _seen_at > _begun THEN _moment END"
    versions = {name: quote(name) for name in raw.types} | clocks
    timed = f"SELECT *, _seen_at AT TIME ZONE 'UTC' AS _moment FROM ({rows})"
    first = "QUALIFY row_number() OVER (PARTITION BY _key ORDER BY _seen_at) = 1"
    return (
        f"SELECT {_listed(base)} FROM ({timed}) {first} "
        f"UNION ALL BY NAME SELECT {_listed(versions)} FROM ({timed})"
    )


def subscription_history(raw: RawColumns, until: datetime | None) -> str:
    """Return a SELECT of subscription rows, each state that lasted as a row of its own.

    `raw` and `until` are those of `account_history`.
    """
    values = {name: quote(name) for name in raw.types}
    values["started_at"] = _zoned("CASE WHEN _part = 1 THEN _start ELSE _seen_at END")
    values["known_at"] = _zoned(
        f"CASE WHEN _part > 1 OR _seen_at > _begun THEN _seen_at ELSE {_typed(raw, 'known_at')} END"
    )
    values["ended_at"] = _zoned("least(_e, _closed, _next)")
    # An end that is seen ahead is a due date, known from then on.
    values["renews_at"] = _zoned(
        f"coalesce({_typed(raw, 'renews_at')}, CASE WHEN _e > _seen_at THEN _e END)"
    )
    values["notice_at"] = _zoned("_notice")
    if "end_reason" in raw.types:
        values["end_reason"] = (
            "CASE WHEN (_next IS NULL OR _closed <= _next OR _e <= _next) "
            "AND _reason_seen <= least(_e, _closed, _next) THEN _reason END"
        )
    if "status" in raw.types and "status_at" not in raw.types:
        values["status_at"] = _zoned("_seen_at")
    return (
        f"SELECT {_listed(values)} FROM (SELECT *, lead(_seen_at) OVER "
        f"(PARTITION BY _key ORDER BY _part) AS _next FROM ({_parts(raw, until)}) WHERE _starts)"
    )


def _parts(raw: RawColumns, until: datetime | None) -> str:
    """Return a SELECT of copies, numbered by the state that they belong to."""
    terms = ", ".join(
        f"{quote(name)} := {quote(name)}" for name in raw.types if name not in NOT_TERMS
    )
    reason = quote("end_reason") if "end_reason" in raw.types else "CAST(NULL AS VARCHAR)"
    seen = (
        f"SELECT *, {_first(raw)}, {_typed(raw, 'started_at')} AS _start, "
        f"{_typed(raw, 'ended_at')} AS _e, {_typed(raw, 'notice_at')} AS _n, {reason} AS _r, "
        f"CAST(to_json(struct_pack({terms})) AS VARCHAR) AS _terms "
        f"FROM {quote(raw.raw)} WHERE true{_before(until)}"
    )
    # Before the first copy nobody knew an end that lay ahead of it.
    ahead = (
        "* REPLACE (_seen_at - INTERVAL 1 MICROSECOND AS _seen_at, CAST(NULL AS TIMESTAMP) AS _e)"
    )
    copied = (
        f"WITH copied AS ({seen}) SELECT * FROM copied UNION ALL "
        f"SELECT {ahead} FROM copied WHERE _seen_at = _begun AND _e > _seen_at"
    )
    lived = f"SELECT *, NOT _gone AND (_e IS NULL OR _e > _seen_at) AS _live FROM ({copied})"
    lagged = ", ".join(
        f"lag({name}) OVER copies AS {name}_before"
        for name in ("_seen_at", "_live", "_terms", "_e", "_n")
    )
    copies = "WINDOW copies AS (PARTITION BY _key ORDER BY _seen_at)"
    starts = (
        "CASE WHEN _seen_at_before IS NULL THEN NOT _gone WHEN NOT _live THEN false "
        "ELSE NOT _live_before OR _terms <> _terms_before OR _e IS DISTINCT FROM _e_before "
        "OR (_n_before IS NOT NULL AND _n IS DISTINCT FROM _n_before) END"
    )
    notice = (
        "CASE WHEN _seen_at_before IS NULL OR _n IS NULL OR _n = _n_before THEN _n "
        "ELSE greatest(_n, _seen_at) END"
    )
    numbered = (
        f"SELECT *, {notice} AS _noticed, sum(CAST(_starts AS INTEGER)) OVER copies AS _part "
        f"FROM (SELECT *, {starts} AS _starts FROM (SELECT *, {lagged} FROM ({lived}) {copies})) "
        f"{copies}"
    )
    closed = "FILTER (NOT _live AND NOT _starts) OVER part"
    lasting = "(_live OR _starts OR _live_before)"
    noticed = f"FILTER ({lasting}) OVER part"
    worded = f"FILTER ({lasting} AND _r IS NOT NULL) OVER part"
    return (
        f"SELECT *, min(_seen_at) {closed} AS _closed, "
        f"arg_min(_noticed, _seen_at) {noticed} AS _notice, "
        f"arg_min(_r, _seen_at) {worded} AS _reason, min(_seen_at) {worded} AS _reason_seen "
        f"FROM ({numbered}) WINDOW part AS (PARTITION BY _key, _part)"
    )


def _first(raw: RawColumns) -> str:
    """Return SQL of when the first copy of all was taken."""
    return f"(SELECT min(_seen_at) FROM {quote(raw.raw)}) AS _begun"


def _before(until: datetime | None) -> str:
    return f" AND _seen_at < {literal(until)}" if until else ""


def _typed(raw: RawColumns, name: str) -> str:
    return raw.coerced(name) if name in raw.types else "CAST(NULL AS TIMESTAMP)"


def _zoned(moment: str) -> str:
    return f"({moment}) AT TIME ZONE 'UTC'"


def _listed(values: Mapping[str, str]) -> str:
    return ", ".join(f"{sql} AS {quote(name)}" for name, sql in values.items())
