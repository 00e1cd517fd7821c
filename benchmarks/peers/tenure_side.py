"""Tenure's side of the feature benchmark.

    python peers/tenure_side.py load FOLDER            # read and check the tables, write them
    python peers/tenure_side.py build FOLDER OUT       # default families → matrix
    python peers/tenure_side.py same FOLDER OUT        # the columns of the hand-written sides alone
    python peers/tenure_side.py few FOLDER OUT         # the columns that featuretools gives
    python peers/tenure_side.py loaded FOLDER OUT      # load and build in one process
    python peers/tenure_side.py new_day FOLDER OUT     # one later cut-off, as scoring builds it

`load` writes the checked tables to ``FOLDER/canonical`` as Parquet sorted by time; `build`, `same`
and `new_day` read those, as every other side does.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
from common import FEW, MEMORY, STAGES, THREADS, USAGE, report, stage, write_table
from world import CUTOFFS, NEW_DAY

from tenure.core.config import Config, DataConfig, EngineConfig
from tenure.engine import Engine, open_engine
from tenure.features.matrix import FeatureMatrix, build
from tenure.features.members import choose
from tenure.features.plan import Plan, declared, plan
from tenure.labels.snapshots import snapshots
from tenure.sources.dataset import Dataset
from tenure.sources.load import load

Columns = Mapping[str, frozenset[str]]


def config_of(folder: Path) -> Config:
    return Config(
        name="speed",
        data=DataConfig(path=str(folder), observed_until=NEW_DAY),
        engine=EngineConfig(threads=THREADS, memory_limit=MEMORY),
    )


def read(folder: Path, engine: Engine) -> Dataset:
    with stage("load"):
        return load(config_of(folder), engine)


def write_canonical(folder: Path, dataset: Dataset) -> None:
    """Write what every side reads: the checked tables and who is asked when."""
    for name, moments in (("snapshots", CUTOFFS), ("new_day", (NEW_DAY,))):
        snapshots(dataset, moments).to_parquet(folder / f"{name}.parquet", index=False)
    target = folder / "canonical"
    target.mkdir(exist_ok=True)
    for name in dataset.columns:
        path = target / f"{name}.parquet"
        dataset.engine.write(f"SELECT * FROM {name} ORDER BY event_time", str(path))
    listed = {name: sorted(columns) for name, columns in dataset.columns.items()}
    (target / "columns.json").write_text(json.dumps(listed))


def attached(folder: Path, engine: Engine) -> Columns:
    """Make the checked tables known to an engine and return their usable columns."""
    listed = json.loads((folder / "canonical" / "columns.json").read_text())
    for name in listed:
        engine.attach(name, str(folder / "canonical" / f"{name}.parquet"))
    return {name: frozenset(columns) for name, columns in listed.items()}


def planned(engine: Engine, columns: Columns, only: frozenset[str] = frozenset()) -> Plan:
    families = declared(Config(name="speed", data=DataConfig(path=".")).features)
    with stage("choose"):
        members = choose(engine, families, columns, CUTOFFS)
    resolved = plan(families, columns, members=members.values)
    if not only:
        return resolved
    missing = only - set(resolved.specs)
    if missing:
        raise SystemExit(f"Tenure has no column {sorted(missing)}")
    return resolved.only(only)


def asked(folder: Path, name: str = "snapshots") -> pd.DataFrame:
    return pd.read_parquet(folder / f"{name}.parquet").astype({"account_id": "str"})


def write(found: FeatureMatrix, out: Path) -> None:
    with stage("write"):
        table = pa.Table.from_pandas(
            pd.concat([found.rows[["account_id", "as_of"]], found.values], axis=1),
            preserve_index=False,
        )
        write_table(table, out)


def run(mode: str, folder: Path, out: Path) -> tuple[int, int]:
    """Return rows and columns of what was written."""
    engine = open_engine(config_of(folder))
    try:
        if mode == "load":
            write_after(folder, read(folder, engine))
            return 0, 0
        columns = read(folder, engine).columns if mode == "loaded" else attached(folder, engine)
        only = frozenset({"same": USAGE, "few": FEW}.get(mode, ()))
        resolved = planned(engine, columns, only)
        if mode == "new_day":
            STAGES.clear()
        rows = asked(folder, "new_day" if mode == "new_day" else "snapshots")
        with stage("build"):
            found = build(engine, rows, resolved)
        write(found, out)
        return len(found.rows), len(found.values.columns)
    finally:
        engine.close()


def write_after(folder: Path, dataset: Dataset) -> None:
    """Write the checked tables; not part of what loading costs."""
    started = time.perf_counter()
    write_canonical(folder, dataset)
    STAGES["(not counted) write canonical tables"] = time.perf_counter() - started


def main() -> None:
    mode, folder = sys.argv[1], Path(sys.argv[2])
    out = Path(sys.argv[3]) if len(sys.argv) > 3 else folder / "unused.parquet"
    rows, columns = run(mode, folder, out)
    seconds = sum(took for name, took in STAGES.items() if not name.startswith("("))
    report(seconds, rows, columns)


if __name__ == "__main__":
    main()
