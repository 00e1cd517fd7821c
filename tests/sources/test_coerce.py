"""What a value as found becomes, type by type; what cannot be read becomes null."""

from __future__ import annotations

from datetime import datetime

import pytest

from tenure.engine import Engine
from tenure.sources import coerce
from tenure.sources.wording import WORDINGS

MARCH = datetime(2024, 3, 1)
TEN = datetime(2024, 3, 1, 10)


def value(engine: Engine, sql: str):
    return engine.fetch(f"SELECT {sql} AS value").to_pylist()[0]["value"]


def text(content: str | None) -> str:
    return "CAST(NULL AS VARCHAR)" if content is None else "'" + content.replace("'", "''") + "'"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ("2024-03-01", MARCH),
        (" 2024-03-01 ", MARCH),
        ("2024-03-01 10:00", TEN),
        ("2024-03-01T10:00:00", TEN),
        ("2024-03-01T10:00:00Z", TEN),
        ("2024-03-01 10:00:00 UTC", TEN),
        ("2024-03-01T10:00:00.250000Z", datetime(2024, 3, 1, 10, 0, 0, 250_000)),
        ("2024-03-01T10:00:00.123456789Z", datetime(2024, 3, 1, 10, 0, 0, 123_456)),
        ("2024-03-01T12:00:00+02:00", TEN),
        ("2024-03-01T12:00:00+0200", TEN),
        ("2024-03-01T05:30:00-04:30", TEN),
        ("2024-03-01T12:00+02", TEN),
        ("2024-02-29", datetime(2024, 2, 29)),
        ("2023-02-29", None),
        ("2024-13-01", None),
        ("03/04/2024", None),
        ("2024/03/01", None),
        ("20240301", None),
        ("1709287200", None),
        ("2024-3-1", None),
        ("2024-03-01 10", None),
        ("9999-12-31", None),
        ("infinity", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_times_from_text(engine: Engine, found: str | None, expected: datetime | None) -> None:
    assert value(engine, coerce.coerce(text(found), "VARCHAR", "time")) == expected


@pytest.mark.parametrize(
    ("sql", "sql_type", "form", "expected"),
    [
        ("DATE '2024-03-01'", "DATE", None, MARCH),
        ("TIMESTAMP '2024-03-01 10:00'", "TIMESTAMP", None, TEN),
        ("TIMESTAMP_NS '2024-03-01 10:00'", "TIMESTAMP_NS", None, TEN),
        ("TIMESTAMPTZ '2024-03-01 12:00+02'", "TIMESTAMP WITH TIME ZONE", None, TEN),
        ("1709287200", "BIGINT", "epoch_s", TEN),
        ("1709287200.5", "DOUBLE", "epoch_s", datetime(2024, 3, 1, 10, 0, 0, 500_000)),
        ("1709287200000", "BIGINT", "epoch_ms", TEN),
        ("'1709287200'", "VARCHAR", "epoch_s", TEN),
        ("1709287200000", "BIGINT", "epoch_s", None),
        ("20240301", "INTEGER", "%Y%m%d", MARCH),
        ("'03/04/2024'", "VARCHAR", "%d/%m/%Y", datetime(2024, 4, 3)),
        ("'03/04/2024'", "VARCHAR", "%m/%d/%Y", datetime(2024, 3, 4)),
        ("'01.03.2024 12:00 +0200'", "VARCHAR", "%d.%m.%Y %H:%M %z", TEN),
        ("'2024-03-01'", "VARCHAR", "iso", MARCH),
        ("DATE '9999-12-31'", "DATE", None, None),
    ],
)
def test_times_from_other_types(engine: Engine, sql, sql_type, form, expected) -> None:
    assert value(engine, coerce.coerce(f"({sql})", sql_type, "time", form=form)) == expected


@pytest.mark.parametrize(
    ("sql", "sql_type", "expected"),
    [
        ("'2024-03-01T05:00:00'", "VARCHAR", TEN),
        ("'2024-03-01T10:00:00Z'", "VARCHAR", TEN),
        ("'2024-03-01'", "VARCHAR", MARCH),
        ("'2024-03-01 00:00:00'", "VARCHAR", MARCH),
        ("TIMESTAMP '2024-03-01 05:00'", "TIMESTAMP", TEN),
        ("TIMESTAMP '2024-03-01 00:00'", "TIMESTAMP", MARCH),
        ("DATE '2024-03-01'", "DATE", MARCH),
        ("TIMESTAMPTZ '2024-03-01 10:00+00'", "TIMESTAMPTZ", TEN),
    ],
)
def test_a_time_without_a_zone_is_in_the_declared_one(
    engine: Engine, sql: str, sql_type: str, expected: datetime
) -> None:
    sql = coerce.coerce(f"({sql})", sql_type, "time", zone="America/New_York")
    assert value(engine, sql) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (datetime(2024, 3, 1), datetime(2024, 3, 1, 23, 59, 59, 999_999)),
        (datetime(2024, 3, 1, 0, 0, 0, 1), datetime(2024, 3, 1, 0, 0, 0, 1)),
        (TEN, TEN),
    ],
)
def test_a_date_is_known_when_its_day_is_over(
    engine: Engine, found: datetime, expected: datetime
) -> None:
    assert value(engine, coerce.known(f"TIMESTAMP '{found}'")) == expected


@pytest.mark.parametrize(
    ("sql", "sql_type", "kind", "expected"),
    [
        ("'12.5'", "VARCHAR", "number", 12.5),
        ("' 12 '", "VARCHAR", "number", 12.0),
        ("'1e3'", "VARCHAR", "number", 1000.0),
        ("'-3'", "VARCHAR", "number", -3.0),
        ("'1,5'", "VARCHAR", "number", None),
        ("'$5'", "VARCHAR", "number", None),
        ("'nan'", "VARCHAR", "number", None),
        ("'inf'", "VARCHAR", "number", None),
        ("'NaN'::DOUBLE", "DOUBLE", "number", None),
        ("'inf'::DOUBLE", "DOUBLE", "number", None),
        ("0.5::FLOAT", "FLOAT", "number", 0.5),
        ("12.50::DECIMAL(9,2)", "DECIMAL(9,2)", "number", 12.5),
        ("7", "INTEGER", "number", 7.0),
        ("true", "BOOLEAN", "number", 1.0),
        ("'12'", "VARCHAR", "integer", 12),
        ("'12.0'", "VARCHAR", "integer", 12),
        ("'12.5'", "VARCHAR", "integer", None),
        ("'many'", "VARCHAR", "integer", None),
        ("7.0::DOUBLE", "DOUBLE", "integer", 7),
        ("7.5::DOUBLE", "DOUBLE", "integer", None),
        ("7::TINYINT", "TINYINT", "integer", 7),
        ("'Yes'", "VARCHAR", "flag", True),
        ("'true'", "VARCHAR", "flag", True),
        ("'1'", "VARCHAR", "flag", True),
        ("'no'", "VARCHAR", "flag", False),
        ("'FALSE'", "VARCHAR", "flag", False),
        ("0", "INTEGER", "flag", False),
        ("'maybe'", "VARCHAR", "flag", None),
        ("false", "BOOLEAN", "flag", False),
        ("' smb '", "VARCHAR", "text", "smb"),
        ("'  '", "VARCHAR", "text", None),
        ("'None'", "VARCHAR", "text", None),
        ("3.0::DOUBLE", "DOUBLE", "text", "3"),
        ("3.5::DOUBLE", "DOUBLE", "text", "3.5"),
        ("true", "BOOLEAN", "text", "true"),
    ],
)
def test_numbers_flags_and_text(engine: Engine, sql, sql_type, kind, expected) -> None:
    assert value(engine, coerce.coerce(f"({sql})", sql_type, kind)) == expected


@pytest.mark.parametrize(
    ("sql", "sql_type", "expected"),
    [
        ("'  A-1 '", "VARCHAR", "A-1"),
        ("'007'", "VARCHAR", "007"),
        ("'17.0'", "VARCHAR", "17"),
        ("'v1.0'", "VARCHAR", "v1.0"),
        ("17", "BIGINT", "17"),
        ("17.0::DOUBLE", "DOUBLE", "17"),
        ("'NaN'::DOUBLE", "DOUBLE", None),
        ("''", "VARCHAR", None),
    ],
)
def test_ids_are_text(engine: Engine, sql: str, sql_type: str, expected: str | None) -> None:
    assert value(engine, coerce.identifier(f"({sql})", sql_type)) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ("Monthly", "1m"),
        ("quarterly", "3m"),
        ("semi-annual", "6m"),
        ("Annual", "12m"),
        ("yearly", "12m"),
        ("1", "1m"),
        ("3", "3m"),
        ("6.0", "6m"),
        ("12", "12m"),
        ("12m", "12m"),
        ("P1M", "1m"),
        ("P1Y", "12m"),
        ("3 months", "3m"),
        ("2 years", "24m"),
        ("1.5", None),
        ("0", None),
        ("weekly", None),
        ("P7D", None),
        ("", None),
    ],
)
def test_billing_periods(engine: Engine, found: str, expected: str | None) -> None:
    words = WORDINGS["subscriptions", "billing_period"]
    assert value(engine, words.choose(words.spell(text(found)))) == expected


@pytest.mark.parametrize(
    ("column", "found", "expected"),
    [
        (("subscriptions", "end_reason"), "Non-Renewal", "non_renewal"),
        (("subscriptions", "end_reason"), "it was raining", None),
        (("subscriptions", "status"), "In Trial", "trialing"),
        (("subscriptions", "currency"), "usd", "USD"),
        (("survey_responses", "survey_type"), "NPS", "nps"),
        (("survey_responses", "survey_type"), "pulse", None),
        (("tickets", "priority"), "Urgent", "urgent"),
    ],
)
def test_words_are_brought_to_one_spelling(engine: Engine, column, found, expected) -> None:
    words = WORDINGS[column]
    assert value(engine, words.choose(words.spell(text(found)))) == expected


@pytest.mark.parametrize(
    ("sql_type", "kind", "form", "part"),
    [
        ("INTEGER[]", "text", None, "cannot be read from type INTEGER[]"),
        ("STRUCT(a INTEGER)", "text", None, "cannot be read from type"),
        ("BIGINT", "time", None, "is a number, and which time it means is not declared"),
        ("BIGINT", "time", "epoch_s", None),
        ("BOOLEAN", "time", None, "must be a time"),
        ("DATE", "number", None, "must be a number, not a time"),
        ("VARCHAR", "number", None, None),
    ],
)
def test_types_that_can_never_be_read(sql_type, kind, form, part) -> None:
    refusal = coerce.refusal(sql_type, kind, form)
    assert (refusal is None) if part is None else (refusal is not None and part in refusal[0])
