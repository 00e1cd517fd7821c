"""The reference says of every declaration what the compiler does with it."""

from __future__ import annotations

import pandas as pd
import pytest

from tenure.core.errors import ConfigError
from tenure.core.spec import Derived, Family, Feature, Ranked
from tenure.features.families import FAMILIES
from tenure.features.reference_page import feature_table, fragment, missing, reference_page, row

COUNT = Feature("x", "tickets", "count(*)", "{value} x", where="priority = 'p1'", windows=(7, 28))


def test_a_row_says_it_all() -> None:
    assert row(COUNT) == (
        "| `x` | {value} x | `count(*) where priority = 'p1'` | `tickets` | 7, 28 | – | no "
        "| 0 without a row |"
    )


@pytest.mark.parametrize(
    ("aggregate", "how", "said"),
    [
        ("sum(seats)", {}, "0 without a row"),
        ("sum(seats)", {"running": True}, "missing without a row"),
        ("count(distinct plan)", {"running": True}, "0 without a row"),
        ("most(plan)", {}, "0 without a row"),
        ("avg(mrr)", {}, "missing without a row"),
        ("days_since(max(started_at))", {"default": 99}, "99 without a row"),
        ("longest_gap(started_at)", {}, "missing below two days with rows"),
    ],
)
def test_what_stands_where_nothing_is(aggregate: str, how: dict[str, float], said: str) -> None:
    assert missing(Feature("x", "subscriptions", aggregate, "{value}", **how)) == said  # type: ignore[arg-type]


def test_late_times_running_rows_lags_and_members_are_said() -> None:
    late = Feature("x", "tickets", "count(*)", "{value}", at="resolved_at", windows=(56,), lag=28)
    assert "`count(*)` by `resolved_at`" in row(late)
    assert "56, without the last 28" in row(late)
    each = Feature("x", "tickets", "count(*)", "{value}", running=True, each="category")
    assert fragment(each).endswith("over the rows running at `as_of`, for each chosen `category`")


def test_parts_of_others_are_marked() -> None:
    assert "no column" in row(Derived("x", "a / b", "{value}", hidden=True))
    assert "no column" not in row(Derived("x", "a / b", "{value}"))


def test_a_percentile_names_its_peers() -> None:
    found = fragment(Ranked("x", "events_28d", "{value}", edges=(30, 365)))
    assert found == "`percentile of events_28d` within segment and tenure_days cut at 30, 365"
    assert "all accounts" in fragment(Ranked("x", "y", "{value}", within=(), band=None))


def test_the_table_lists_a_family_and_all_of_them() -> None:
    table = feature_table("usage")
    assert set(table["family"]) == {"usage"}
    events = table.loc["events"]
    assert (events["source"], events["unit"], events["lever"]) == ("usage_events", "count", True)
    assert 28 in events["windows"]
    assert events["missing"] == "0 without a row"
    everything = feature_table()
    assert list(dict.fromkeys(everything["family"])) == list(FAMILIES)
    shown = [
        item.name
        for family in FAMILIES.values()
        for item in family.features
        if isinstance(item, Ranked) or not item.hidden
    ]
    assert list(everything.index) == shown
    pd.testing.assert_frame_equal(everything.loc[table.index], table)
    with pytest.raises(ConfigError, match="did you mean `usage`"):
        feature_table("usge")


def test_families_that_are_off_are_marked() -> None:
    families = [Family("one", "One", (COUNT,)), Family("two", "Two", (COUNT,))]
    page = reference_page(families, ["one"])
    assert "## One (`one`)\n" in page
    assert "## Two (`two`, off by default)\n" in page


def test_every_registered_declaration_has_one_row() -> None:
    lines = reference_page(FAMILIES.values()).splitlines()
    names = [line.split("`")[1] for line in lines if line.startswith("| `")]
    declared = [item.name for family in FAMILIES.values() for item in family.features]
    assert sorted(names) == sorted(declared)
