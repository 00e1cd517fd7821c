"""The worlds on which accuracy is measured are the same as when they were chosen."""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path

import pandas as pd
import pytest

from house.tree import ROOT
from tenure.demo import write_world

SCRIPT = ROOT / "benchmarks" / "peers" / "accuracy_sets.py"
HASHES = {
    9001: "d763a961e37a241313e6614a14a78faa86785c83eadc946ef0d3ba807cb8673b",
    9002: "db8e29198a70ba06b573b93413486726bbbebaa23abedde5adac55d535d9d555",
    9003: "c6877c8f9c6ba75472f3e5b148744ff14b4d71d94831247cf3d1fc968289eddf",
}


def _content(folder: Path) -> str:
    """Return a hash of the values of all tables; floats by six digits, as processors differ."""
    found = hashlib.sha256()
    for path in sorted(folder.glob("*.parquet")):
        found.update(path.stem.encode())
        found.update(pd.read_parquet(path).to_csv(index=False, float_format="%.6g").encode())
    return found.hexdigest()


def test_the_seeds_are_the_frozen_ones() -> None:
    tree = ast.parse(SCRIPT.read_text(encoding="utf-8"))
    values = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    assert ast.literal_eval(values["FROZEN_SEEDS"]) == tuple(HASHES)


@pytest.mark.parametrize("seed", HASHES)
def test_a_frozen_seed_generates_what_it_did(seed: int, tmp_path: Path) -> None:
    write_world(tmp_path, accounts=60, months=8, seed=seed)
    assert _content(tmp_path) == HASHES[seed]
