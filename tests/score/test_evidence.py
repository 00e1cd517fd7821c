"""Evidence is the rows that made a value: by the same cut, and as they were known then."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest

from score.small_world import World
from tenure.core.times import as_utc
from tenure.explain.evidence import EvidenceRequest, evidence, evidence_of
from tenure.features.compute.source_rows import parts_of
from tenure.labels.snapshots import snapshots
from tenure.score.evidence import evidence_behind
from tenure.score.score import features
from tenure.score.scored import Scored

EARLIER = timedelta(days=100)


@pytest.mark.parametrize("ago", [timedelta(0), EARLIER])
def test_as_many_rows_as_the_value_counts(world: World, ago: timedelta) -> None:
    model = world.models["churn"]
    as_of = world.dataset.observed_until - ago
    paid = snapshots(world.dataset, [as_of]).sort_values("account_id").head(3)
    values = features(world.dataset, paid, {"churn": model}).values
    counted = [
        item.spec.name
        for item in model.plan.measured
        if item.feature.aggregate == "count(*)" and item.spec.name in values
    ]
    assert {model.plan.described[name].source for name in counted} >= {"usage_events", "tickets"}
    compared = 0
    for name in counted:
        for row, account in enumerate(paid["account_id"]):
            value = values[name].iloc[row]
            if np.isnan(value):
                continue
            request = EvidenceRequest(account, as_of, 3)
            (table,) = evidence(world.dataset.engine, model.plan, name, request).tables
            assert table.total == value, (name, account)
            assert len(table.rows) == min(3, table.total)
            assert table.hidden == table.total - len(table.rows)
            compared += table.total
    assert compared > 100


def test_nothing_that_was_not_known_then_is_shown(world: World) -> None:
    model, as_of = world.models["churn"], world.dataset.observed_until - EARLIER
    paid = snapshots(world.dataset, [as_of])["account_id"].tolist()[:25]
    due = {"due_at", "renews_at"}
    shown = 0
    for name in ("tickets_182d", "unpaid_invoices", "nps_last", "seats", "events_28d"):
        if name not in model.plan.described:
            continue
        for account in paid:
            request = EvidenceRequest(account, as_of, 50)
            for table in evidence(world.dataset.engine, model.plan, name, request).tables:
                times = [at for at, c in enumerate(table.columns) if c.endswith("_at")]
                for row in table.rows:
                    for at in times:
                        if row[at] is not None and table.columns[at] not in due:
                            assert as_utc(str(row[at])) < as_of, (name, table.columns[at])
                            shown += 1
    assert shown > 50


def test_a_value_made_of_two_dates_that_move_has_its_rows(world: World) -> None:
    model, as_of = world.models["churn"], world.dataset.observed_until
    accounts = snapshots(world.dataset, [as_of])["account_id"].tolist()[:5]
    names = [
        name
        for name in model.plan.described
        if len({column for item in parts_of(model.plan, name) for column in item.moving}) > 1
    ]
    assert names
    for name in names:
        totals = [
            sum(table.total for table in behind.tables)
            for account in accounts
            for behind in evidence_of(
                world.dataset.engine, model.plan, [name], EvidenceRequest(account, as_of)
            )
        ]
        assert any(totals), name


def test_newest_rows_come_first(world: World) -> None:
    model, as_of = world.models["churn"], world.dataset.observed_until
    account = snapshots(world.dataset, [as_of])["account_id"].iloc[0]
    request = EvidenceRequest(account, as_of, 20)
    (table,) = evidence(world.dataset.engine, model.plan, "events_168d", request).tables
    times = [row[table.columns.index("occurred_at")] for row in table.rows]
    assert len(times) > 1
    assert times == sorted(times, key=str, reverse=True)


def test_every_driver_of_a_score_has_its_rows(world: World, scored: Scored) -> None:
    rows = scored.rows.iloc[scored.main("churn").rows]
    account = rows.loc[rows["driver_5_code"].notna(), "account_id"].iloc[0]
    until = world.dataset.observed_until
    one = _only(world, account, until)
    behind = evidence_behind(world.dataset.engine, one, 5)[account]
    row = one.rows.iloc[0]
    for target in ("churn", "expansion"):
        prefix = "" if target == "churn" else "expansion_"
        codes = [row[f"{prefix}driver_{number}_code"] for number in range(1, 6)]
        assert [item.code for item in behind[target]] == [c for c in codes if isinstance(c, str)]
        assert all(item.tables for item in behind[target])


def _only(world: World, account: str, as_of: datetime) -> Scored:
    from tenure.score.score import score

    return score(world.dataset, world.models, world.config, as_of, accounts=[account])
