"""Every column without a clock is named, with what was done about it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from tenure.audit.clocks import clockless
from tenure.core.config import make_config
from tenure.core.records.audit import ClockRecord
from tenure.engine.duckdb import DuckDBEngine
from tenure.features.families import FAMILIES
from tenure.features.plan.plan import resolve_plan
from tenure.sources.load import load
from worlds import tiny_world, write_world


def found(tmp_path: Path) -> dict[tuple[str, str], ClockRecord]:
    world = tiny_world()
    world["tickets"] = world["tickets"].drop_columns(["csat_at"])
    regions = pa.array(["north"] * world["accounts"].num_rows)
    world["accounts"] = world["accounts"].append_column("region", regions)
    folder = write_world(world, tmp_path)
    authored = {
        "data": {
            "path": str(folder),
            "changing_attributes": ["industry"],
            "tables": {
                "invoices": {
                    "path": f"{folder}/invoices.parquet",
                    "assumptions": {"paid_at": "the day after the bank's file"},
                }
            },
        }
    }
    config = make_config(authored, base=tmp_path)
    engine = DuckDBEngine(threads=1, memory_limit="1GB")
    try:
        dataset = load(config, engine)
        resolved = resolve_plan(FAMILIES.values(), dataset.columns)
        items = clockless(dataset, resolved)
    finally:
        engine.close()
    assert len({(item.table, item.column) for item in items}) == len(items)
    return {(item.table, item.column): item for item in items}


def test_what_was_done_about_each_column(tmp_path: Path) -> None:
    said = found(tmp_path)
    done = {key: item.done for key, item in said.items()}
    assert done["tickets", "csat_score"] == "not_used"
    assert "`csat_at`" in said["tickets", "csat_score"].text
    assert done["invoices", "paid_at"] == "assumed"
    assert said["invoices", "paid_at"].text == "the day after the bank's file"
    assert done["accounts", "industry"] == "excluded"
    assert done["accounts", "region"] == "excluded"
    assert done["accounts", "segment"] == "constant"
    assert done["invoices", "due_at"] == "due_date"
    assert done["tickets", "priority"] == "with_row"
    assert ("tickets", "resolved_at") not in done
    assert ("usage_events", "occurred_at") not in done


def test_what_a_computed_column_stands_on_is_named_too(tmp_path: Path) -> None:
    said = found(tmp_path)
    assert said["subscriptions", "status"].done == "with_row"
    assert "mrr" in said["subscriptions", "status"].features
    assert said["accounts", "segment"].features == ("segment",)
