"""A mapped value is a column of theirs, or one scalar expression over them, and nothing else."""

from __future__ import annotations

import pytest

from tenure.sources.contract import SOURCES
from tenure.sources.mapping import map_columns

TICKETS = SOURCES["tickets"]
THEIRS = ["id", "Account_ID", "created", "hours", "first reply"]
MINE = {"ticket_id": "id", "opened_at": "created"}


def test_columns_are_taken_by_mapping_then_by_name() -> None:
    found = map_columns(TICKETS, THEIRS, MINE)
    assert found.problems == []
    assert found.columns == {
        "ticket_id": '"id"',
        "opened_at": '"created"',
        "account_id": '"Account_ID"',
    }


def test_a_column_with_a_blank_in_its_name_is_no_expression() -> None:
    found = map_columns(TICKETS, THEIRS, MINE | {"first_responded_at": "first reply"})
    assert found.columns["first_responded_at"] == '"first reply"'


def test_an_expression_over_their_columns() -> None:
    sql = "CAST(created AS DATE) + INTERVAL 1 DAY + to_hours(CAST(hours AS INTEGER))"
    found = map_columns(TICKETS, THEIRS, MINE | {"resolved_at": sql})
    assert found.problems == []
    assert found.columns["resolved_at"] == f"({sql}\n)"


def test_an_empty_mapping_leaves_a_column_out() -> None:
    found = map_columns(SOURCES["subscriptions"], ["account_id", "started_at", "mrr", "status"],
                        {"status": ""})  # fmt: skip
    assert "status" not in found.columns


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("creatd", "the table has no column `creatd` (found: creatd) → did you mean `created`?"),
        ("max(created)", "must not hold an aggregate"),
        ("max(created) OVER ()", "must not hold a window function"),
        ("(SELECT max(created) FROM other)", "must be one scalar expression"),
        ("created IN (SELECT 1)", "must not hold a sub-query"),
        ("now()", "must not call now"),
        ("current_date", "must not hold a clock or chance"),
        ("random()", "must not hold a clock or chance"),
        ("created; DROP TABLE x", "must be one scalar expression"),
        ("DROP TABLE x", "must be one scalar expression"),
        ("SELECT 1", "must be one scalar expression"),
        ("created +", "is neither a column nor valid SQL"),
        ("*", "must"),
    ],
)
def test_what_is_no_scalar_expression_is_refused(value: str, rule: str) -> None:
    found = map_columns(TICKETS, THEIRS, MINE | {"resolved_at": value})
    assert len(found.problems) == 1
    text = str(found.problems[0])
    assert text.startswith("data.tables.tickets.columns.resolved_at: ")
    assert rule in text


def test_a_name_that_the_contract_lacks() -> None:
    found = map_columns(TICKETS, THEIRS, MINE | {"resloved_at": "created"})
    assert str(found.problems[0]) == (
        "data.tables.tickets.columns.resloved_at: is not a column of tickets → "
        "did you mean `resolved_at`?"
    )


def test_accounts_carry_further_columns_as_attributes() -> None:
    theirs = ["account_id", "signup", "region", "tier"]
    found = map_columns(SOURCES["accounts"], theirs, {"created_at": "signup", "size": "tier"})
    assert found.problems == []
    assert found.columns == {
        "account_id": '"account_id"',
        "created_at": '"signup"',
        "size": '"tier"',
        "region": '"region"',
    }
