from __future__ import annotations

from report.record import changed, data
from tenure.report.tables.data import data_view, rules


def test_dirty_tables_stand_first() -> None:
    found = data_view(data(dirty=True))
    assert [table["name"] for table in found["tables"]] == [
        "usage_events",
        "tickets",
        "accounts",
        "subscriptions",
    ]


def test_an_unused_column_is_said_once() -> None:
    tickets = next(table for table in data_view(data())["tables"] if table["name"] == "tickets")
    assert tickets["unused"] == ["csat_score (needs its clock csat_at)"]
    assert tickets["notes"] == []


def test_counts_that_stand_in_a_list_are_not_repeated() -> None:
    tables = {table["name"]: table for table in data_view(data())["tables"]}
    assert tables["subscriptions"]["notes"] == ["0.3 % of rows end when they start"]


def test_a_reason_comes_with_its_rule_and_the_next_step() -> None:
    assert rules("subscriptions")["negative_mrr"] == "mrr must be 0 or more"
    assert rules("survey_responses")["score_off_scale"].endswith("map scale_min and scale_max")
    assert rules("no such table")["duplicate_key"].endswith("the first known is kept")


def test_a_table_with_many_rejects_is_red() -> None:
    changes = {"tables.accounts.rows_in": 1_000, "tables.accounts.rows_rejected": 100}
    overview = data_view(changed(data(), changes))["overview"]
    assert overview is not None
    tones = {row[0].text: row[3].tone for row in overview.rows}
    assert tones == {"accounts": "bad", "subscriptions": "", "usage_events": "", "tickets": ""}


def test_a_report_without_tables_has_no_overview() -> None:
    assert data_view(changed(data(), {"tables": {}}))["overview"] is None
