"""What is kept of parts that one prediction time sees whole changes no feature of a later one."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from features.past import MEMBERS, different
from features.test_cells import FAMILIES, everything_in_cells
from tenure.core.config import make_config
from tenure.engine import Engine, open_engine
from tenure.features.cache import closed_cells as closed
from tenure.features.compute.matrix import build_held
from tenure.features.plan.plan import resolve_plan
from tenure.sources import assemble as finish
from tenure.sources.cache import parts, pieces
from tenure.sources.cache import update as staging
from tenure.sources.dataset import Dataset
from tenure.sources.load import load
from worlds import month, random_world, write_world

ACCOUNTS = 12
FIRST, LAST = 6, 24


class History:
    """A growing folder of tables, usage events by month, asked at one time after another."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root, self.data, self.dice = root, root / "data", random.Random(seed)
        world = random_world(seed, ACCOUNTS, months=26, dirty=False)
        self.events = world.pop("usage_events").to_pandas()
        write_world(world, self.data)
        self.engines: list[Engine] = []
        self.told: list[str] = []

    def write(self, number: int, name: str = "x") -> None:
        """Write the events of one month: some of them became known much later."""
        low, high = month(number), month(number + 1)
        rows = self.events[self.events["occurred_at"].between(low, high, inclusive="left")]
        folder = self.data / "usage_events" / f"month={number:02}"
        folder.mkdir(parents=True, exist_ok=True)
        rows.to_parquet(folder / f"{name}.parquet", index=False)

    def load(self, until: datetime) -> Dataset:
        settings = {
            "data": {"path": str(self.data), "observed_until": until},
            "paths": {"runs": str(self.root / "runs")},
        }
        config = make_config(settings, base=self.root)
        self.engines.append(open_engine(config))
        return load(config, self.engines[-1], thorough=False)

    def same(self, at: datetime, until: datetime | None = None) -> None:
        """Build with and without what is kept, and compare every bit."""
        dataset = self.load(until or at)
        names = [f"r{number:03d}" for number in range(ACCOUNTS)]
        asked = pd.DataFrame({"account_id": names, "as_of": at}).astype({"as_of": "datetime64[us]"})
        resolved = resolve_plan(FAMILIES, dataset.columns, members=MEMBERS)
        plain = build_held(dataset.engine, asked, resolved)[0].frame()
        kept = build_held(dataset.engine, asked, resolved, pieces=dataset.pieces)[0].frame()
        assert {name: n for name in plain if (n := different(plain[name], kept[name]))} == {}

    @property
    def kept(self) -> list[Path]:
        """Return the files that are kept, the oldest first."""
        found = self.root.glob(f"runs/cache/staged/usage_events/*/**/*{pieces.SUFFIX}")
        return sorted(found, key=lambda path: path.stat().st_mtime_ns)


@pytest.fixture(params=[0])
def history(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[History]:
    everything_in_cells(monkeypatch)
    monkeypatch.setattr(closed, "LEAST_ROWS", 1)
    monkeypatch.setattr(parts, "SMALL_ROWS", 1)
    monkeypatch.setattr(staging, "PART_ROWS", 40)
    monkeypatch.setattr(finish, "LAZY_ROWS", 0)
    found = History(tmp_path, request.param)
    yield found
    for engine in found.engines:
        engine.close()


def grown(history: History, months: Sequence[int]) -> None:
    for number in months:
        history.write(number)


@pytest.mark.slow
@pytest.mark.parametrize("history", [1, 2], indirect=True)
def test_a_growing_history_gives_the_same_bits(history: History) -> None:
    grown(history, range(FIRST))
    for number in range(FIRST, LAST, 6):
        grown(history, range(number, number + 6))
        at = month(number + 6)
        history.same(at)
        history.same(at - timedelta(days=history.dice.randint(0, 40)), until=at)
        history.same(at + timedelta(microseconds=1))
    assert len(history.kept) > LAST / 4


def test_what_stays_is_kept_once(history: History) -> None:
    grown(history, range(LAST))
    history.same(month(LAST))
    before = {path: path.stat().st_ino for path in history.kept}
    grown(history, [LAST])
    history.same(month(LAST) + timedelta(days=1))
    after = {path: path.stat().st_ino for path in history.kept}
    single = {path for path in before if path.parent.parent.name != "usage_events"}
    assert single
    assert {path: after.get(path) for path in single} == {path: before[path] for path in single}


def test_a_row_that_is_filled_in_later_counts(history: History) -> None:
    grown(history, range(LAST))
    history.same(month(LAST))
    row = history.events.iloc[[0]].assign(
        event_id="late", occurred_at=month(3, 4), known_at=month(3, 5), event="login"
    )
    history.events = pd.concat([history.events, row], ignore_index=True)
    history.write(3)
    history.same(month(LAST))
    history.same(month(3, 4))


def test_unknown_accounts_and_repeated_keys(history: History) -> None:
    row: dict[str, Any] = {"occurred_at": month(2, 3), "known_at": month(2, 3), "event": "login"}
    strangers = history.events.iloc[:3].assign(
        event_id=["s1", "s2", "s3"], account_id="nobody", **row
    )
    history.events = pd.concat([history.events, strangers], ignore_index=True)
    grown(history, range(LAST))
    history.same(month(LAST))
    twice = history.events.iloc[[3]].assign(**row)
    history.events = pd.concat([history.events, twice], ignore_index=True)
    history.write(2)
    assert "usage_events" not in history.load(month(LAST)).pieces
    history.same(month(LAST))


def test_what_cannot_be_kept_is_read(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError("no space left on device")

    grown(history, range(LAST))
    monkeypatch.setattr(closed, "kept_table", full)
    history.same(month(LAST))
    assert history.kept == []


def test_what_is_no_longer_used_is_removed(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    grown(history, range(LAST))
    history.same(month(LAST))
    before = history.kept
    for path in before:
        os.utime(path, (0, 0))
    monkeypatch.setattr(pieces, "MOST", 1)
    grown(history, [LAST])
    history.same(month(LAST + 1))
    root = [path for path in before if path.parent.parent.name == "usage_events"]
    assert root
    assert not any(path.exists() for path in root)
    history.same(month(LAST + 1))
