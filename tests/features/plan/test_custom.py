"""Features of a user's own, declared in a config, go the same road as the registered ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from features.compare import disagreements
from features.past import CUTOFFS, NOBODY, awkward, past
from tenure.core.config import FeatureConfig
from tenure.core.errors import ConfigError
from tenure.core.spec import Family
from tenure.features.families import FAMILIES
from tenure.features.plan.plan import config_families, from_json, resolve_plan, to_json

OWN: list[dict[str, Any]] = [
    {
        "name": "exports",
        "source": "usage_events",
        "aggregate": "count(*)",
        "where": "lower(event) = 'export' and quantity >= 1",
        "windows": [14, 56],
        "sentence": "{value} exports in the last {window}",
    },
    {
        "name": "largest",
        "source": "usage_events",
        "aggregate": "max(quantity)",
        "windows": [30],
        "default": -1,
        "sentence": "a largest use of {value} in the last {window}",
    },
    {
        "name": "smallest",
        "source": "usage_events",
        "aggregate": "min(quantity)",
        "sentence": "a smallest use of {value}",
    },
    {
        "name": "used",
        "source": "usage_events",
        "aggregate": "sum(quantity)",
        "default": 7,
        "sentence": "a use of {value}",
    },
    {
        "name": "users",
        "source": "usage_events",
        "aggregate": "count(distinct user_id)",
        "default": -2,
        "sentence": "{value} users",
    },
    {
        "name": "calls",
        "source": "touchpoints",
        "aggregate": "count(*)",
        "windows": [90],
        "default": -3,
        "sentence": "{value} calls in the last {window}",
    },
    {
        "name": "quiet",
        "source": "touchpoints",
        "aggregate": "days_since(max(event_time))",
        "default": 9999,
        "sentence": "{value} quiet days",
    },
    {
        "name": "rating",
        "source": "tickets",
        "aggregate": "last(csat_score)",
        "where": "priority is not null",
        "default": 3,
        "sentence": "a rating of {value}",
    },
    {
        "name": "last_reply",
        "source": "tickets",
        "aggregate": "days_since(last(first_responded_at))",
        "sentence": "{value} days since the last reply",
    },
    {
        "name": "resolved",
        "source": "tickets",
        "aggregate": "count(*)",
        "at": "resolved_at",
        "windows": [30],
        "sentence": "{value} tickets resolved in the last {window}",
    },
    {
        "name": "ended_because",
        "source": "subscriptions",
        "aggregate": "count(*)",
        "each": "end_reason",
        "sentence": "{value} ends as {member}",
    },
    {
        "name": "urgent_open_users",
        "source": "tickets",
        "aggregate": "count(distinct category)",
        "running": True,
        "sentence": "{value} kinds of open tickets",
    },
    {
        "name": "open_days",
        "source": "tickets",
        "aggregate": "count(distinct cast(opened_at as date))",
        "running": True,
        "sentence": "open tickets of {value} days",
    },
    {
        "name": "top_open",
        "source": "tickets",
        "aggregate": "most(category)",
        "running": True,
        "sentence": "{value} open tickets of the most frequent kind",
    },
    {
        "name": "earlier_users",
        "source": "usage_events",
        "aggregate": "count(distinct user_id)",
        "windows": [40],
        "lag": 7,
        "sentence": "{value} users in the last {window} without the last {lag}",
    },
    {
        "name": "earlier_days",
        "source": "usage_events",
        "aggregate": "count(distinct cast(event_time as date))",
        "windows": [40],
        "lag": 7,
        "sentence": "{value} days in the last {window} without the last {lag}",
    },
    {
        "name": "earlier_silence",
        "source": "usage_events",
        "aggregate": "longest_gap(event_time)",
        "windows": [90],
        "lag": 30,
        "sentence": "{value} silent days in the last {window} without the last {lag}",
    },
    {
        "name": "silence_ever",
        "source": "usage_events",
        "aggregate": "longest_gap(event_time)",
        "default": -4,
        "sentence": "{value} silent days",
    },
    {
        "name": "earlier_top",
        "source": "usage_events",
        "aggregate": "days_since(top(user_id))",
        "windows": [120],
        "lag": 30,
        "sentence": "{value} days since the top user in the last {window} without the last {lag}",
    },
    {
        "name": "top_reason",
        "source": "subscriptions",
        "aggregate": "most(end_reason)",
        "windows": [200],
        "sentence": "{value} ends for one reason in the last {window}",
    },
    {
        "name": "resolved_earlier",
        "source": "tickets",
        "aggregate": "count(*)",
        "windows": [60],
        "lag": 20,
        "at": "resolved_at",
        "sentence": "{value} tickets resolved in the last {window} without the last {lag}",
    },
    {
        "name": "largest_earlier",
        "source": "usage_events",
        "aggregate": "max(quantity)",
        "windows": [60],
        "lag": 20,
        "sentence": "a largest use of {value} in the last {window} without the last {lag}",
    },
    {
        "name": "last_earlier",
        "source": "usage_events",
        "aggregate": "last(event)",
        "windows": [60],
        "lag": 20,
        "unit": "text",
        "sentence": "{value} in the last {window} without the last {lag}",
    },
    {
        "name": "exports_share",
        "formula": "coalesce(exports_14d / exports_56d, 0.25) - least(1, users)",
        "sentence": "{value} of the exports",
    },
    {
        "name": "exports_score",
        "formula": "ln(exports_share + 10) * abs(0 - quiet)",
        "sentence": "an export score of {value}",
    },
]
MEMBERS = {"ended_because": ("upgrade", "voluntary")}


def family() -> Family:
    return config_families(FeatureConfig(families=[], custom=OWN))[-1]


def test_own_features_follow_the_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("features.past", "features.compare"):
        monkeypatch.setattr(f"{module}.MEMBERS", MEMBERS)
    world = past(11, 25)
    # The restatement of `least` and `ln` over missing values is checked with the fragments.
    kept = tuple(item for item in family().features if not item.name.startswith("exports_s"))
    measured = [replace(family(), features=kept)]
    assert disagreements(world, CUTOFFS, families=measured) == {}
    assert disagreements(world, awkward(world, 3), families=measured) == {}


def test_a_default_stands_where_no_row_counts() -> None:
    values = past(11, 25).matrix(CUTOFFS[:1], [NOBODY], families=[family()]).values
    expected = {
        "largest_30d": -1,
        "used": 7,
        "users": -2,
        "calls_90d": -3,
        "quiet": 9999,
        "rating": 3,
    }
    assert values[list(expected)].iloc[0].to_dict() == expected


def test_own_features_stand_in_the_plan_beside_the_others() -> None:
    families = config_families(FeatureConfig(families=["usage"], custom=OWN))
    assert [item.name for item in families] == ["usage", "custom"]
    found = resolve_plan(families, past(11, 25).columns, members=MEMBERS)
    names = list(found.specs)
    assert {"exports_14d", "exports_56d", "exports_share", "ended_because_upgrade"} <= set(names)
    assert names.index("exports_share") < names.index("exports_score")
    assert found.specs["exports_14d"].sentence == "{value} exports in the last 14 days"
    assert found.specs["ended_because_upgrade"].sentence == "{value} ends as upgrade"
    assert found.specs["exports_share"].source == "usage_events"


def test_declarations_survive_a_bundle() -> None:
    families = config_families(FeatureConfig(custom=OWN))
    names = {item.name for found in families for item in found.features}
    again = from_json(to_json(families, names))
    assert [found.features for found in again] == [found.features for found in families]
    columns = past(11, 25).columns
    assert resolve_plan(again, columns).measured == resolve_plan(families, columns).measured


def feature(**other: Any) -> dict[str, Any]:
    basis = {"name": "mine", "source": "tickets", "aggregate": "count(*)", "sentence": "{value} x"}
    return {key: value for key, value in (basis | other).items() if value is not None}


BAD = [
    (feature(sentence=None), ["features.custom.0.sentence", "required"]),
    (feature(windw=[3]), ["features.custom.0.windw: unknown key", "did you mean `windows`?"]),
    (feature(windows=["a"]), ["features.custom.0.windows.0", "integer"]),
    (feature(windows=[0]), ["feature `mine`: windows", "days ≥ 1", "(0,)"]),
    (feature(unit="apples"), ["features.custom.0.unit", "'count'"]),
    (feature(direction=2), ["features.custom.0.direction"]),
    (feature(source="ticket"), ["feature `mine`: source", "ticket", "did you mean `tickets`?"]),
    (feature(aggregate="count"), ["feature `mine`: aggregate", "count(*), count(x)"]),
    (feature(aggregate="avg(csat)"), ["feature `mine`: aggregate", "did you mean `csat_at`?"]),
    (feature(aggregate="avg(priority)"), ["feature `mine`: aggregate", "`avg` needs numbers"]),
    (feature(aggregate="max(opened_at)"), ["feature `mine`: aggregate", "days_since(…)"]),
    (feature(aggregate="days_since(max(csat_score))"), ["aggregate", "need a time", "csat_score"]),
    (feature(where="opened_at < now()"), ["feature `mine`: where", "clock"]),
    (feature(where="resolved_at is null"), ["feature `mine`: where", "running: true"]),
    (feature(where="prority = 'x'"), ["feature `mine`: where", "did you mean `priority`?"]),
    (feature(at="opened_at"), ["feature `mine`: at", "must be a late time", "opened_at"]),
    (feature(each="prority"), ["feature `mine`: each", "did you mean `priority`?"]),
    (feature(running=True, windows=[7]), ["feature `mine`: running", "no window"]),
    (feature(running=True, source="touchpoints"), ["feature `mine`: running", "rows end"]),
    (feature(sentence="x"), ["feature `mine`: sentence", "{value}"]),
    (feature(name="tickets", windows=[28]), ["feature `tickets_28d`", "declared twice"]),
    ({"name": "d", "formula": "a +", "sentence": "{value}"}, ["feature `d`: formula", "a +"]),
    (
        {"name": "d", "formula": "tickets_28d > 1", "sentence": "{value}"},
        ["feature `d`: formula", "arithmetic"],
    ),
    ({"name": "d", "formula": "plan", "sentence": "{value}"}, ["feature `d`: formula", "numbers"]),
    (
        {"name": "d", "formula": "tickets_28d", "sentence": "x"},
        ["feature `d`: sentence", "{value}"],
    ),
    ({"name": "d", "formula": "1", "sentense": "x"}, ["features.custom.0"]),
]


@pytest.mark.parametrize(("authored", "parts"), BAD, ids=[parts[0] for _, parts in BAD])
def test_a_bad_declaration_names_its_place(authored: dict[str, Any], parts: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve_plan(config_families(FeatureConfig(custom=[authored])), past(11, 25).columns)
    for part in parts:
        assert part in str(caught.value)


def test_an_unknown_family_comes_with_a_suggestion() -> None:
    with pytest.raises(ConfigError, match=r"features\.families.*did you mean `support`"):
        config_families(FeatureConfig(families=["suport"]))


def test_what_the_data_lack_is_absent_with_the_reason() -> None:
    columns = {name: found for name, found in past(11, 25).columns.items() if name != "invoices"}
    columns["tickets"] -= {"csat_score", "csat_at"}
    columns["usage_events"] -= {"user_id"}
    found = resolve_plan(FAMILIES.values(), columns)
    reasons = {item.name: item.reason for item in found.absent}
    assert reasons["invoices"] == "there is no table `invoices`"
    assert reasons["invoices_late_share_182d"].startswith("its part `invoices_")
    assert reasons["ticket_csat_mean"] == "`tickets` has no `csat_score`"
    assert reasons["active_users"] == "`usage_events` has no `user_id`"
    assert reasons["seat_utilisation"] == "its part `active_users_28d` is absent"
    assert not {"invoices_182d", "ticket_csat_last", "seat_utilisation"} & set(found.specs)
    assert "tickets_28d" in found.specs


@pytest.mark.parametrize("name", ["events_28d", "events", "events_trend"])
def test_columns_features_and_groups_can_be_left_out(name: str) -> None:
    found = resolve_plan(FAMILIES.values(), past(11, 25).columns, exclude=[name])
    assert name not in found.specs
    assert name not in found.bases.values()
    assert name not in {spec.group for spec in found.specs.values()}
    assert "active_users_28d" in found.specs


def test_a_plan_can_be_narrowed_to_what_a_model_reads() -> None:
    world = past(11, 25)
    found = world.plan().only(["seat_utilisation", "nps_last"])
    assert set(found.specs) == {"seat_utilisation", "active_users_28d", "seats", "nps_last"}
    assert {item.feature.source for item in found.measured} == {
        "usage_events",
        "subscriptions",
        "survey_responses",
    }


def test_constant_attributes_are_words_or_numbers() -> None:
    world = past(11, 25)
    given = {"tier one": ("a", "b", None), "floors": (1, 2, None)}
    rows = [
        row | {name: values[index % 3] for name, values in given.items()}
        for index, row in enumerate(world.rows["accounts"])
    ]
    schema = world.schemas["accounts"]
    schema = schema.append(pa.field("tier one", pa.string())).append(pa.field("floors", pa.int64()))
    world = replace(
        world,
        rows={**world.rows, "accounts": tuple(rows)},
        schemas={**world.schemas, "accounts": schema},
        columns={**world.columns, "accounts": world.columns["accounts"] | set(given)},
    )
    families = config_families(FeatureConfig(families=[]), {"tier one": False, "floors": True})
    matrix = world.matrix(CUTOFFS[-1:], families=families)
    assert {name: spec.unit for name, spec in matrix.specs.items()} == {
        "tier one": "text",
        "floors": "number",
    }
    expected = {row["account_id"]: (row["tier one"], row["floors"]) for row in rows}
    found = zip(
        matrix.rows["account_id"], matrix.values["tier one"], matrix.values["floors"], strict=True
    )
    for account, tier, floors in found:
        if account != NOBODY:
            assert (tier, None if floors != floors else floors) == expected[account]
