"""Movements of public data sets tie to the cent, where the sets are at hand."""

from __future__ import annotations

import os
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from tenure.core.config import make_config
from tenure.core.times import literal
from tenure.engine import open_engine
from tenure.sources.load import load
from tenure.success.build import build
from tenure.success.periods import metric_period
from tenure.success.states import MOVEMENTS, MOVES

CONFIGS = Path(__file__).parents[2] / "configs"
DATA = CONFIGS / os.environ.get("TENURE_TESTDATA", "../../shared/data")
FOLDERS = {"churnsim": "churnsim_crm6", "saas_growth": "saas_growth"}


@pytest.mark.slow
@pytest.mark.parametrize("name", FOLDERS)
def test_movements_tie_to_the_cent(name: str, tmp_path: Path) -> None:
    folder = DATA / FOLDERS[name]
    if not folder.is_dir():
        pytest.skip(f"no data at {folder}: set TENURE_TESTDATA")
    text = (CONFIGS / f"{name}.yaml").read_text(encoding="utf-8")
    data = yaml.safe_load(text.replace("${TENURE_TESTDATA:-../../shared/data}", str(DATA)))["data"]
    tables = {table: place for table, place in data["tables"].items() if table != "usage_events"}
    config = make_config({"data": {**data, "tables": tables, "cache": False}}, base=CONFIGS)
    engine = open_engine(config)
    try:
        dataset = load(config, engine, thorough=False)
        year = metric_period(None, None, dataset.observed_until)
        build(config, dataset, year.split(1), None, {"money"})
        rows: list[dict[str, Any]] = engine.fetch(f"SELECT * FROM {MOVES}").to_pylist()
        assert len(rows) > 5_000
        for row in rows:
            assert row["start_mrr"] + sum(row[name] for name in MOVEMENTS) == row["end_mrr"]
        for before, after in pairwise(year.split(1)):
            ends = sum(row["end_mrr"] for row in rows if row["from_at"] == before.start)
            starts = sum(row["start_mrr"] for row in rows if row["from_at"] == after.start)
            assert ends == starts > 0
        running = (
            "SELECT CAST(sum(CAST(mrr AS DECIMAL(18, 6))) AS DECIMAL(18, 2)) AS mrr "
            f"FROM subscriptions WHERE paid AND started_at < {literal(year.end)} "
            f"AND NOT coalesce(ended_at < {literal(year.end)}, false)"
        )
        total = sum(row["end_mrr"] for row in rows if row["to_at"] == year.end)
        (plain,) = engine.fetch(running).column("mrr").to_pylist()
        assert total.quantize(Decimal("0.01")) == plain
    finally:
        engine.close()
