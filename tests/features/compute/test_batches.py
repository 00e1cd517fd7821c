"""The fold in blocks that travel gives what the fold in one process gives."""

from __future__ import annotations

import pytest

from features.past import CUTOFFS, NOBODY, differences, past
from tenure.engine.duckdb import DuckDBEngine
from tenure.features.compute import batches as blocks
from tenure.features.compute.source_query import source_queries


@pytest.mark.parametrize("rows", [0, 20])
def test_scattered_values_are_the_same_bits(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    world = past(1, 12)
    times = CUTOFFS[::4]
    accounts = [*world.accounts, NOBODY, "nor this one"]
    whole = world.matrix(times, accounts)
    calls = []
    cogroup = DuckDBEngine.cogroup

    def counted(engine: DuckDBEngine, *given: object) -> object:
        calls.append(given)
        return cogroup(engine, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(DuckDBEngine, "scatters", True)
    monkeypatch.setattr(DuckDBEngine, "cogroup", counted)
    monkeypatch.setattr(blocks, "SCATTERED_ROWS", max(1, rows))
    assert differences(whole, world.matrix(times, accounts)) == {}
    assert len(calls) == len(source_queries(world.plan(), times))
