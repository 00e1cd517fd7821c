"""How often the same past was used to choose."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tenure.core.records.bundle import BundleMetrics
from tenure.core.records.evaluation import FoldMetrics
from tenure.model.bundle.bundle import write_bundle
from tenure.model.registry.ledger import Contest, note_contest, past_uses

ONE = Contest("a" * 12, "b" * 12, "2024-01-01", "2024-04-01")
LATER = replace(ONE, challenger="c" * 12, first="2024-04-01", last="2024-08-01")


def uses(root, first, last, contest=None) -> tuple[int, int]:
    used = past_uses(root, "churn", first, last, contest)
    assert (used.first, used.last) == (first, last)
    return used.contests, used.recipes


def backtested(bundle, recipe, *months):
    folds = tuple(
        FoldMetrics(as_of=f"2024-{month:02d}-01", fold=place, base_rate=0.1)
        for place, month in enumerate(months)
    )
    return replace(
        bundle,
        metrics=BundleMetrics(folds=folds),
        spec=bundle.spec.model_copy(update={"recipe": recipe}),
        run={"created_at": "2024-09-01"},
    )


def test_nothing_was_used_at_first(tmp_path):
    assert uses(tmp_path, "2024-01-01", "2024-03-01") == (0, 0)


def test_contests_count_where_their_times_overlap(tmp_path):
    for contest in (ONE, LATER):
        note_contest(tmp_path, "churn", contest)
    assert uses(tmp_path, "2024-01-01", "2024-02-01") == (1, 0)
    assert uses(tmp_path, "2024-02-01", "2024-05-01") == (2, 0)
    assert uses(tmp_path, "2024-09-01", "2024-10-01") == (0, 0)
    assert uses(tmp_path, "2024-04-02", "2024-10-01") == (1, 0)


def test_the_one_decided_now_counts_once(tmp_path):
    assert uses(tmp_path, "2024-01-01", "2024-04-01", ONE) == (1, 0)
    note_contest(tmp_path, "churn", ONE)
    note_contest(tmp_path, "churn", ONE)
    assert uses(tmp_path, "2024-01-01", "2024-04-01", ONE) == (1, 0)
    assert len((tmp_path / "churn" / "contests.jsonl").read_text().splitlines()) == 1
    assert uses(tmp_path, "2024-01-01", "2024-04-01", LATER) == (2, 0)


@pytest.mark.parametrize(("first", "last", "recipes"), [(1, 3, 2), (6, 7, 1), (8, 9, 0)])
def test_recipes_are_those_of_the_published_bundles(bundle, second, tmp_path, first, last, recipes):
    for one in (
        backtested(bundle, "r1", 1, 2, 3),
        backtested(bundle, "r1", 2, 3, 4),
        backtested(second, "r2", 3, 4, 6),
        backtested(second, "r3"),
    ):
        write_bundle(one, tmp_path, "churn")
    assert uses(tmp_path, f"2024-{first:02d}-01", f"2024-{last:02d}-01") == (0, recipes)
