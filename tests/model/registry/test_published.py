"""Which published bundles wait to be compared with the champion."""

from __future__ import annotations

from dataclasses import replace

import pytest

from champions import set_champion
from tenure.core.records.bundle import BundleMetrics
from tenure.core.records.evaluation import Verdict
from tenure.model.bundle.bundle import write_bundle
from tenure.model.registry.published import challengers, published_bundles, waiting


def dated(bundle, day, **verdict):
    said = {"status": "usable", "sentences": ("Usable.",), "promotable": True, **verdict}
    return replace(
        bundle,
        metrics=BundleMetrics(verdict=Verdict(**said)),
        card=f"# made on {day}\n",
        run={"created_at": f"2024-01-{day:02d}"},
    )


@pytest.fixture
def home(bundle, tmp_path):
    """Three bundles, published in an order of their own."""
    made = {day: dated(bundle, day, promotable=day != 20) for day in (20, 5, 10)}
    for one in made.values():
        write_bundle(one, tmp_path, "churn")
    return tmp_path, {day: one.version for day, one in made.items()}


def test_in_the_order_they_were_made(home):
    root, version = home
    found = published_bundles(root, "churn")
    assert [item.version for item in found] == [version[5], version[10], version[20]]
    assert [item.promotable for item in found] == [True, True, False]
    assert published_bundles(root, "expansion") == ()


def test_later_than_the_champion_and_never_champion(home):
    root, version = home
    assert waiting(root, "churn") == version[10]
    set_champion(root, "churn", version[5], "first", "ann")
    assert [item.version for item in challengers(root, "churn")] == [version[20], version[10]]
    assert waiting(root, "churn") == version[10]
    set_champion(root, "churn", version[10], "better", "ann")
    assert waiting(root, "churn") is None
    set_champion(root, "churn", version[5], "back", "ann")
    assert [item.version for item in challengers(root, "churn")] == [version[20]]


def test_a_tie_goes_by_the_files(bundle, tmp_path):
    for name in ("one", "other"):
        same = replace(dated(bundle, 7), card=name)
        write_bundle(same, tmp_path, "churn")
    assert [item.version for item in published_bundles(tmp_path, "churn")][-1] == same.version


def test_what_is_damaged_does_not_wait(home):
    root, version = home
    (root / "churn" / version[10] / "run.json").write_text("{")
    assert waiting(root, "churn") == version[5]
    (root / "churn" / "champion.json").write_text("{")
    assert waiting(root, "churn") == version[5]
