from __future__ import annotations

import re

import pytest
from demo_planted import Decoy, Planted, decoys, planted_drivers, world_card


def test_each_target_has_its_drivers() -> None:
    assert 5 <= len(planted_drivers("churn")) <= 7
    assert 4 <= len(planted_drivers("expansion")) <= 6
    assert planted_drivers() == planted_drivers("churn") + planted_drivers("expansion")


def test_no_pattern_is_both_a_driver_and_a_decoy() -> None:
    shown = [
        "events_trend_28d_vs_84d",
        "seat_utilisation",
        "days_to_renewal",
        "nps_last",
        "mean_resolution_hours_84d",
        "invoices_late_182d",
        "distinct_events_28d",
        "tenure_days",
    ]
    assert all(driver.matches(shown) for driver in planted_drivers())
    assert not any(decoy.matches(shown) for decoy in decoys())


@pytest.mark.parametrize("decoy", decoys(), ids=lambda decoy: decoy.name)
def test_decoys_are_told_from_drivers(decoy: Decoy) -> None:
    names = ["region", "owner", "industry", "country", "ticket_category", "event_tip_shown_84d"]
    names.append("touchpoints_84d")
    mine = [name for name in names if decoy.matches([name])]
    assert len(mine) == 1
    assert not any(driver.matches(mine) for driver in planted_drivers())


def test_the_card_names_everything_that_was_planted() -> None:
    card = world_card("## Measured\n")
    things: list[Planted | Decoy] = [*planted_drivers(), *decoys()]
    for thing in things:
        assert re.search(rf"^\| {thing.name} \| {re.escape(thing.sentence)} \|", card, re.MULTILINE)
    assert card.endswith("## Measured\n")
