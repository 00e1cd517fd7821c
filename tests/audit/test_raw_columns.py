"""Raw columns as features, by declaration."""

from __future__ import annotations

from features.past import EVERYTHING
from tenure.audit.raw_columns import raw_family
from tenure.features.plan.plan import resolve_plan


def test_every_raw_column_is_a_feature_that_knows_its_column() -> None:
    found = resolve_plan([raw_family(EVERYTHING)], EVERYTHING).specs
    groups = {spec.group for spec in found.values()}
    assert {"tickets.category", "usage_events.event", "subscriptions.status"} <= groups
    assert "tickets.ticket_id" not in groups
    assert "tickets.opened_at" not in groups
    assert not any(group.startswith(("accounts.", "fx_rates.")) for group in groups)
    assert found["raw_tickets_category_last"].text
    assert "raw_usage_events_event_last" not in found
    assert found["raw_tickets_csat_score_filled"].unit == "count"


def test_late_columns_keep_their_clocks() -> None:
    measured = resolve_plan([raw_family(EVERYTHING)], EVERYTHING).measured
    clocks = {item.spec.name: item.clocks for item in measured}
    assert clocks["raw_tickets_csat_score_last"] == ("csat_at",)
    assert clocks["raw_tickets_category_last"] == ()
