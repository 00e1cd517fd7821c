from __future__ import annotations

import pytest

from tenure.core.errors import ConfigError
from tenure.core.fragments import (
    Aggregate,
    check_condition,
    check_scalar,
    columns_of,
    parse_aggregate,
)

COLUMNS = frozenset({"quantity", "event", "opened_at", "csat_score", "Two Words"})

REFUSED = [
    ("quantitty > 1", "unknown column `quantitty`", "did you mean `quantity`?"),
    ("rowid > 1", "unknown column `rowid`", "known: "),
    ("t.quantity > 1", "without a table", "t.quantity"),
    ("opened_at < now()", "clock or chance", "NOW()"),
    ("opened_at < current_timestamp", "clock or chance", "CURRENT_TIMESTAMP"),
    ("opened_at < current_date", "clock or chance", "CURRENT_DATE"),
    ("opened_at < today()", "clock or chance", "use columns"),
    ("opened_at < localtimestamp", "clock or chance", "use columns"),
    ("opened_at < transaction_timestamp()", "clock or chance", "TRANSACTION_TIMESTAMP"),
    ("date_diff('day', opened_at, now()) > 3", "clock or chance", "NOW()"),
    ("random() < 0.5", "clock or chance", "RANDOM()"),
    ("event = gen_random_uuid()", "clock or chance", "UUID()"),
    ("age(opened_at) > interval 1 day", "unknown function", "AGE"),
    ("quantity > (select 1)", "sub-query", "SELECT 1"),
    ("exists (select 1)", "sub-query", "SELECT 1"),
    ("event in (select event from usage_events)", "sub-query", "usage_events"),
    ("sum(quantity) over () > 1", "window function", "OVER"),
    ("row_number() = 1", "window function", "ROW_NUMBER"),
    ("lag(quantity) > 1", "aggregate", "LAG"),
    ("sum(quantity) > 1", "aggregate", "SUM(quantity)"),
    ("quantity > 1; drop table accounts", "several statements", "drop table"),
    ("quantity > 1;", "several statements", "quantity > 1;"),
    ("quantity from tickets", "one expression", "quantity from tickets"),
    ("quantity, event", "one expression", "quantity, event"),
    ("distinct quantity", "one expression", "distinct quantity"),
    ("quantity > 1 limit 1", "one expression", "limit 1"),
    ("quantity > 1 union select 1", "one expression", "union"),
    ("quantity > 1 as big", "alias", "quantity > 1 as big"),
    ("*", "star", "*"),
    ("columns(*) > 1", "star", "*"),
    ("shell('rm')", "unknown function", "SHELL"),
    ("getenv('HOME') = event", "unknown function", "GETENV"),
    ("? = quantity", "parameter", "?"),
    ("$1 = quantity", "parameter", "$1"),
    ("unnest([1, 2]) = quantity", "must not make rows", "UNNEST"),
    ("quantity > 1 -- and more", "comment", "-- and more"),
    ("quantity > 1 /* and more */", "comment", "and more"),
    ("quantity >", "not valid SQL", "quantity >"),
    ("quantity > 1) or (1 = 1", "not valid SQL", "or (1 = 1"),
    ("", "one expression", ""),
]


@pytest.mark.parametrize(("text", "rule", "detail"), REFUSED, ids=[item[0] for item in REFUSED])
def test_what_reaches_past_its_row_is_refused(text: str, rule: str, detail: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_condition(text, COLUMNS, (), "feature `x`: where")
    message = str(caught.value)
    assert message.startswith("feature `x`: where: ")
    assert rule in message
    assert detail in message


@pytest.mark.parametrize(
    "text",
    [
        "quantity > 1 and event in ('a', 'b')",
        "lower(event) like '%x%' or event is null",
        "case when quantity > 1 then 1 else 0 end = 1",
        "cast(opened_at as date) = date '2024-01-01'",
        "date_trunc('month', opened_at) < timestamp '2024-01-01 00:00:00'",
        '"Two Words" = 1',
        "event = '; drop table accounts -- '",
    ],
)
def test_a_condition_on_one_row_is_kept_as_written(text: str) -> None:
    assert check_condition(text, COLUMNS, (), "here") == text


@pytest.mark.parametrize(
    "text", ["csat_score is null", "not (csat_score is null)", "coalesce(csat_score is null, true)"]
)
def test_a_late_column_cannot_be_absent(text: str) -> None:
    with pytest.raises(ConfigError, match=r"late column `csat_score` for absence.*running"):
        check_condition(text, COLUMNS, {"csat_score"}, "here")


def test_a_late_column_may_be_there() -> None:
    text = "csat_score is not null"
    assert check_condition(text, COLUMNS, {"csat_score"}, "here") == text


def test_without_a_list_any_column_may_be_read() -> None:
    assert check_scalar("anything + 1", None, "here") == "anything + 1"
    assert columns_of('anything + "Two Words"') == {"anything", "Two Words"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("count(*)", Aggregate("count", None)),
        ("count(quantity)", Aggregate("count", "quantity")),
        ("COUNT(DISTINCT lower(event))", Aggregate("distinct", "LOWER(event)")),
        ("sum(quantity * 2)", Aggregate("sum", "quantity * 2")),
        ("avg(quantity)", Aggregate("avg", "quantity")),
        ("min(quantity)", Aggregate("min", "quantity")),
        ("max(quantity)", Aggregate("max", "quantity")),
        ("last(event)", Aggregate("last", "event")),
        ("days_since(last(opened_at))", Aggregate("last", "opened_at", "since")),
        ("days_until(min(opened_at))", Aggregate("min", "opened_at", "until")),
    ],
)
def test_aggregates(text: str, expected: Aggregate) -> None:
    assert parse_aggregate(text, COLUMNS, "here") == expected


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("quantity", "must be an aggregate"),
        ("sum(quantity) + 1", "must be an aggregate"),
        ("median(quantity)", "must be an aggregate"),
        ("sum(quantity) over ()", "must be an aggregate"),
        ("max(quantity) filter (where quantity > 1)", "must be an aggregate"),
        ("count(*) as n", "alias"),
        ("sum(*)", "`sum` needs a column"),
        ("sum(distinct quantity)", "`distinct` goes with count"),
        ("count(distinct quantity, event)", "`distinct` goes with count"),
        ("max(quantity, 2)", "`max` takes one expression"),
        ("last(event order by quantity)", "order"),
        ("min(sum(quantity))", "aggregate here"),
        ("count(distinct unnest([1, 2]))", "must not make rows"),
        ("sum((select 1))", "sub-query"),
        ("avg(nowhere)", "unknown column `nowhere`"),
        ("max(now())", "clock"),
        ("days_since(opened_at)", "must be an aggregate"),
        ("days_since(count(*))", "take min, max or last of a time"),
        ("days_since(max(opened_at), 1)", "takes one aggregate"),
        ("days_since(avg(opened_at))", "take min, max or last of a time"),
    ],
)
def test_what_is_no_aggregate_is_refused(text: str, rule: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_aggregate(text, COLUMNS, "feature `x`: aggregate")
    assert "feature `x`: aggregate" in str(caught.value)
    assert rule in str(caught.value)
