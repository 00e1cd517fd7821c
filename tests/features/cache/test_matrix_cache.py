"""Features that are kept between runs are those that would have been computed."""

from __future__ import annotations

import random
import shutil
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from contract.changes import CHANGES
from features.past import CUTOFFS, Past, Recorded, differences, past, rows_of
from tenure.features.cache import matrix_cache as cache
from tenure.features.cache.matrix_cache import build_cached
from tenure.features.compute.matrix import FeatureMatrix, build

AT = CUTOFFS[6]


@pytest.fixture(autouse=True)
def _even_small_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "WORTH_ROWS", 0)


class Run:
    """One run over a world, with what it said; computed afresh, the rows are the same."""

    def __init__(
        self, world: Past, folder: Path, cutoffs: Any = CUTOFFS, *, fresh: FeatureMatrix | None
    ) -> None:
        snapshots = pd.DataFrame(
            [(account, cutoff) for cutoff in cutoffs for account in world.accounts],
            columns=["account_id", "as_of"],
        ).astype({"as_of": "datetime64[us]"})
        progress = Recorded()
        engine = world.engine()
        try:
            plan = world.plan()
            self.kept = build_cached(engine, snapshots, plan, folder, progress=progress)
            self.fresh = fresh or build(engine, snapshots, plan)
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


WORLD = partial(past, 31, 12)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    folder = tmp_path_factory.mktemp("first")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "WORTH_ROWS", 0)
        return folder, Run(WORLD(), folder, fresh=None)


@pytest.fixture
def folder(first: tuple[Path, Run], tmp_path: Path) -> Path:
    """What a first run over the world left."""
    shutil.copytree(first[0], tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def fresh(first: tuple[Path, Run]) -> FeatureMatrix:
    return first[1].fresh


def test_a_second_run_computes_nothing(
    first: tuple[Path, Run], folder: Path, fresh: FeatureMatrix
) -> None:
    assert first[1].reused == 0
    again = Run(WORLD(), folder, fresh=fresh)
    assert again.reused == len(CUTOFFS)
    assert again.queries == []


def test_a_new_prediction_time_costs_itself(tmp_path: Path, fresh: FeatureMatrix) -> None:
    earlier = rows_of(fresh, fresh.rows["as_of"] < CUTOFFS[-1])
    Run(WORLD(), tmp_path, CUTOFFS[:-1], fresh=earlier)
    assert Run(WORLD(), tmp_path, fresh=fresh).reused == len(CUTOFFS) - 1


@pytest.mark.parametrize("change", CHANGES)
def test_what_a_prediction_time_cannot_see_leaves_it_kept(change: str, folder: Path) -> None:
    changed = CHANGES[change](WORLD(), AT, random.Random(3))
    after = Run(changed, folder, fresh=None)
    assert after.reused >= sum(cutoff <= AT for cutoff in CUTOFFS)


def test_a_row_filled_in_afterwards_counts_from_when_it_is_seen(folder: Path) -> None:
    world = WORLD()
    row = dict(next(row for row in world.rows["tickets"] if row["event_time"] < AT))
    late = row | {
        "ticket_id": "filled-in",
        "event_time": AT - timedelta(days=3),
        "known_at": AT - timedelta(days=2),
    }
    after = Run(world.plus({"tickets": [late]}), folder, fresh=None)
    assert after.reused == sum(cutoff <= late["known_at"] for cutoff in CUTOFFS)
    assert any("changed in tickets" in line for line in after.lines)


def test_another_plan_shares_nothing(folder: Path) -> None:
    world = WORLD()
    fewer = Past(world.rows, world.schemas, {**world.columns, "invoices": frozenset()})
    assert Run(fewer, folder, fresh=None).reused == 0
    assert len(list(folder.iterdir())) == 2


def test_a_damaged_file_is_made_anew(folder: Path, fresh: FeatureMatrix) -> None:
    (damaged, *_) = sorted(folder.rglob("*.parquet"))
    damaged.write_bytes(damaged.read_bytes()[:100])
    assert Run(WORLD(), folder, fresh=fresh).reused == len(CUTOFFS) - 1
    assert Run(WORLD(), folder, fresh=fresh).reused == len(CUTOFFS)


def test_old_plans_are_forgotten(folder: Path, fresh: FeatureMatrix) -> None:
    for number in range(cache.MOST_PLANS + 2):
        (folder / f"old{number}").mkdir()
    for path in folder.glob("[!o]*/*.parquet"):
        path.unlink()
    Run(WORLD(), folder, fresh=fresh)
    assert len(list(folder.iterdir())) == cache.MOST_PLANS


def test_a_shelf_that_another_run_removed_is_filled_anew(
    folder: Path, fresh: FeatureMatrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shelf,) = folder.iterdir()
    tidy = cache._Shelf.tidy

    def late(own: Any) -> None:
        shutil.rmtree(shelf)
        tidy(own)

    with monkeypatch.context() as patch:
        patch.setattr(cache._Shelf, "tidy", late)
        assert Run(WORLD(), folder, fresh=fresh).reused == len(CUTOFFS)
    assert Run(WORLD(), folder, fresh=fresh).reused == 0
    assert Run(WORLD(), folder, fresh=fresh).reused == len(CUTOFFS)


def test_a_file_that_goes_while_it_is_read_is_made_anew(
    folder: Path, fresh: FeatureMatrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, *_ = sorted(folder.rglob("*.parquet"))
    read = pq.read_table

    def late(path: Path) -> Any:
        gone.unlink(missing_ok=True)
        return read(path)

    with monkeypatch.context() as patch:
        patch.setattr(pq, "read_table", late)
        assert Run(WORLD(), folder, fresh=fresh).reused == len(CUTOFFS) - 1
    assert Run(WORLD(), folder, fresh=fresh).reused == len(CUTOFFS)


def test_small_tables_are_not_kept(
    tmp_path: Path, fresh: FeatureMatrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "WORTH_ROWS", 10**9)
    assert Run(WORLD(), tmp_path, fresh=fresh).reused == 0
    assert not list(tmp_path.iterdir())
