"""Features that are kept between runs are those that would have been computed."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from contract.changes import CHANGES
from features.past import CUTOFFS, Past, Recorded, differences, past
from tenure.features.cache import matrix_cache as cache
from tenure.features.cache.matrix_cache import build_cached
from tenure.features.compute.matrix import FeatureMatrix, build

AT = CUTOFFS[6]


@pytest.fixture(autouse=True)
def _even_small_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "WORTH_ROWS", 0)


class Run:
    """One run over a world, with what it said."""

    def __init__(self, world: Past, folder: Path, cutoffs: Any = CUTOFFS) -> None:
        asked = pd.DataFrame(
            [(account, cutoff) for cutoff in cutoffs for account in world.accounts],
            columns=["account_id", "as_of"],
        ).astype({"as_of": "datetime64[us]"})
        progress = Recorded()
        engine = world.engine()
        try:
            plan = world.plan()
            self.kept = build_cached(engine, asked, plan, folder, progress=progress)
            self.fresh: FeatureMatrix = build(engine, asked, plan)
        finally:
            engine.close()
        self.lines, self.queries = progress.notes, progress.steps
        assert differences(self.kept, self.fresh) == {}
        assert self.kept.begins == self.fresh.begins
        assert list(self.kept.values.dtypes) == list(self.fresh.values.dtypes)

    @property
    def reused(self) -> int:
        found = [line.split()[2] for line in self.lines if "kept from" in line]
        return int(found[0]) if found else 0


def test_a_second_run_computes_nothing(tmp_path: Path) -> None:
    world = past(31, 12)
    assert Run(world, tmp_path).reused == 0
    again = Run(world, tmp_path)
    assert again.reused == len(CUTOFFS)
    assert again.queries == []


def test_a_new_prediction_time_costs_itself(tmp_path: Path) -> None:
    world = past(31, 12)
    Run(world, tmp_path, CUTOFFS[:-1])
    assert Run(world, tmp_path).reused == len(CUTOFFS) - 1


@pytest.mark.parametrize("change", CHANGES)
def test_what_a_prediction_time_cannot_see_leaves_it_kept(change: str, tmp_path: Path) -> None:
    world = past(31, 12)
    Run(world, tmp_path)
    changed = CHANGES[change](world, AT, random.Random(3))
    after = Run(changed, tmp_path)
    assert after.reused >= sum(cutoff <= AT for cutoff in CUTOFFS)


def test_a_row_filled_in_afterwards_counts_from_when_it_is_seen(tmp_path: Path) -> None:
    world = past(31, 12)
    Run(world, tmp_path)
    row = dict(next(row for row in world.rows["tickets"] if row["event_time"] < AT))
    late = row | {
        "ticket_id": "filled-in",
        "event_time": AT - timedelta(days=3),
        "known_at": AT - timedelta(days=2),
    }
    after = Run(world.plus({"tickets": [late]}), tmp_path)
    assert after.reused == sum(cutoff <= late["known_at"] for cutoff in CUTOFFS)
    assert any("changed in tickets" in line for line in after.lines)


def test_another_plan_shares_nothing(tmp_path: Path) -> None:
    Run(past(31, 12), tmp_path)
    lacking = past(31, 12)
    fewer = Past(lacking.rows, lacking.schemas, {**lacking.columns, "invoices": frozenset()})
    assert Run(fewer, tmp_path).reused == 0
    assert len(list(tmp_path.iterdir())) == 2


def test_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    world = past(31, 12)
    Run(world, tmp_path)
    (first, *_) = sorted(tmp_path.rglob("*.parquet"))
    first.write_bytes(first.read_bytes()[:100])
    assert Run(world, tmp_path).reused == len(CUTOFFS) - 1
    assert Run(world, tmp_path).reused == len(CUTOFFS)


def test_old_plans_are_forgotten(tmp_path: Path) -> None:
    for number in range(cache.MOST_PLANS + 2):
        (tmp_path / f"old{number}").mkdir()
    Run(past(31, 12), tmp_path)
    assert len(list(tmp_path.iterdir())) == cache.MOST_PLANS


def test_small_tables_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "WORTH_ROWS", 10**9)
    assert Run(past(31, 12), tmp_path).reused == 0
    assert not list(tmp_path.iterdir())
