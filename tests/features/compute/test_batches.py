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
    whole = world.matrix(CUTOFFS)
    calls = []
    cogroup = DuckDBEngine.cogroup

    def counted(engine: DuckDBEngine, *given: object) -> object:
        calls.append(given)
        return cogroup(engine, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(DuckDBEngine, "scatters", True)
    monkeypatch.setattr(DuckDBEngine, "cogroup", counted)
    monkeypatch.setattr(blocks, "SCATTERED_ROWS", max(1, rows))
    assert differences(whole, world.matrix(CUTOFFS)) == {}
    assert len(calls) == len(source_queries(world.plan(), CUTOFFS))


def test_accounts_without_any_row_have_their_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    world = past(2, 12)
    whole = world.matrix(CUTOFFS, [NOBODY, "nor this one", world.accounts[0]])
    monkeypatch.setattr(DuckDBEngine, "scatters", True)
    monkeypatch.setattr(blocks, "SCATTERED_ROWS", 1)
    again = world.matrix(CUTOFFS, [NOBODY, "nor this one", world.accounts[0]])
    assert differences(whole, again) == {}
