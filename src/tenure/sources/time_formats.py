"""What to do about times that could not be read: formats that read all values of the column."""

from __future__ import annotations

from datetime import datetime

from tenure.core.steps import Step, quote
from tenure.engine import Engine
from tenure.sources import coerce
from tenure.sources.staging_sql import Layout

_DAYS = (
    *("%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d", "%d.%m.%Y", "%m-%d-%Y", "%d-%m-%Y", "%Y-%m-%d"),
    *("%Y.%m.%d", "%m/%d/%y", "%d/%m/%y", "%d.%m.%y", "%m-%d-%y", "%d-%m-%y"),
    *("%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y"),
    *("%d/%b/%Y", "%d/%b/%y"),
    *("%a %b %d %Y", "%a, %d %b %Y"),
)
_CLOCKS = (
    *("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p", ", %H:%M"),
    *(", %H:%M:%S", ", %I:%M %p", " %I:%M%p", " %H:%M:%S %z", " %H:%M:%S GMT", "T%H:%M:%S"),
)
_WHOLE = ("%Y%m%d", "%Y%m%d%H%M%S", "%Y%m", "%Y", "%Y-%m", "%m/%Y", "%Y%m%dT%H%M%SZ")
FORMATS = (*coerce.EPOCHS, *_WHOLE, *(day + clock for day in _DAYS for clock in _CLOCKS))
"""Formats that are tried, the likelier first."""
_VALUES, _SAMPLES = 5_000, 50
"""Different values of a column that are tried, and that choose what is tried."""
_SOONEST, _LATEST = "TIMESTAMP '1980-01-01'", "TIMESTAMP '2099-01-01'"
_SHEET = "CAST('1899-12-30' AS TIMESTAMP) + to_days(TRY_CAST(your_column AS INTEGER))"


def advice(layout: Layout, name: str, engine: Engine) -> tuple[str, str]:
    """Return a value of a time column that could not be read, and what to do about it."""
    kind, column = layout.types[name], quote(name)
    unread = coerce.coerce(column, kind, "time", form=layout.formats.get(name), zone=layout.zone)
    written = coerce.text(column, kind, words=False)
    values = (
        f"SELECT DISTINCT {column}, {written} AS written FROM {quote(layout.raw)} "
        f"WHERE {layout.has_value(name)} AND {unread} IS NULL ORDER BY ALL LIMIT {_VALUES}"
    )
    engine.run([Step("_unread_times", values)])
    samples = engine.fetch(f"SELECT written FROM _unread_times LIMIT {_SAMPLES}")
    texts = [str(item) for item in samples.column(0).to_pylist()]
    forms = [form for form in FORMATS if any(_may_read(form, text) for text in texts)]
    items = [f"count(*) FILTER ({_reads(name, kind, form)})" for form in forms]
    sheet = "TRY_CAST(written AS DOUBLE) BETWEEN 29221 AND 73051"
    items += [f"count(*) FILTER ({sheet})", "count(*)"]
    counted = engine.value(f"SELECT [{', '.join(items)}] FROM _unread_times")
    engine.drop("_unread_times")
    *counts, sheets, total = counted
    mixed = engine.fetch(
        f"SELECT 1 FROM {quote(layout.raw)} "
        f"WHERE {layout.has_value(name)} AND {unread} IS NOT NULL LIMIT 1"
    ).num_rows
    fix = _fix(name, dict(zip(forms, counts, strict=True)), sheets, total)
    if mixed and "formats: {" in fix:
        form = next(form for form, number in zip(forms, counts, strict=True) if number == total)
        fix = (
            f"the others are read: write all in one way ({_written(form)} reads these), e.g. by an "
            f"expression mapped to `{name}`"
        )
    return texts[0], fix


def formats_reading(table: str, value: str, sql_type: str, engine: Engine) -> list[str]:
    """Return the formats that read all times of a column, likelier first; `iso` is ISO 8601."""
    written = coerce.text(value, sql_type, words=False)
    rows = f"SELECT DISTINCT {value} AS v, {written} AS written FROM {table}"
    wanted = coerce.has_value("v", sql_type, "time", optional=True)
    engine.run([Step("_times", f"SELECT * FROM ({rows}) WHERE {wanted} LIMIT {_VALUES}")])
    texts = [
        str(item)
        for item in engine.fetch(f"SELECT written FROM _times LIMIT {_SAMPLES}")
        .column(0)
        .to_pylist()
    ]
    forms = [form for form in FORMATS if texts and all(_may_read(form, text) for text in texts)]
    if coerce.base_type(sql_type) == "VARCHAR":
        forms.insert(0, "iso")
    items = [f"count(*) FILTER ({_reads('v', sql_type, form)}) = count(*)" for form in forms]
    some, *whole = engine.value(f"SELECT [count(*) > 0, {', '.join(items)}] FROM _times")
    engine.drop("_times")
    return [form for form, every in zip(forms, whole, strict=True) if every and some]


def _may_read(form: str, text: str) -> bool:
    """Return whether a format may read a text; the engine then says whether it does."""
    if "%" not in form:
        return text.isdigit()
    try:
        moment = datetime.strptime(text, form)  # noqa: DTZ007 - only whether it can be read counts
    except ValueError:
        return False
    return form not in _WHOLE or len(moment.strftime(form)) == len(text)


def _reads(name: str, sql_type: str, form: str) -> str:
    """Return SQL that is true of a value that a format reads as a likely time."""
    moment = coerce.coerce(quote(name), sql_type, "time", form=form)
    return f"{moment} BETWEEN {_SOONEST} AND {_LATEST}"


def _fix(name: str, counts: dict[str, int], sheet: int, total: int) -> str:
    whole = [form for form, number in counts.items() if number == total]
    if whole:
        first = f"declare its format: `formats: {{{name}: {_written(whole[0])}}}`"
        other = other_order(whole[0])
        if other in whole and other != whole[0]:
            first += (
                f", or {_written(other)}: both read all its values, so ask which number is the "
                "month"
            )
        return first
    if sheet == total:
        return f"it holds day numbers of a spreadsheet: map `{name}: {_SHEET}`"
    best = max(counts, key=counts.__getitem__, default="")
    if best and counts[best]:
        read = f"the format {_written(best)} reads {counts[best] / total:.0%} of its values"
        return f"write all of them in one way; {read}"
    form = f"declare its format (`formats: {{{name}: '%d.%m.%Y'}}`)"
    return f"map an expression that gives a time to `{name}`, or another column, or {form}"


def other_order(form: str) -> str:
    """Return a format with day and month the other way round."""
    return form.translate(str.maketrans("dm", "md"))


def _written(form: str) -> str:
    return f"'{form}'" if "%" in form else form
