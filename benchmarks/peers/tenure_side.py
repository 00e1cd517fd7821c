"""Tenure's side of the feature benchmark.

    python peers/tenure_side.py load FOLDER            # read and check the tables, write them
    python peers/tenure_side.py load_hive FOLDER       # the same from a partitioned folder
    python peers/tenure_side.py build FOLDER OUT       # default families → matrix
    python peers/tenure_side.py same FOLDER OUT        # the columns of the hand-written sides alone
    python peers/tenure_side.py few FOLDER OUT         # the columns that featuretools gives
    python peers/tenure_side.py small FOLDER OUT       # tickets and surveys alone
    python peers/tenure_side.py loaded FOLDER OUT      # load and build in one process
    python peers/tenure_side.py day_before FOLDER      # all but the last day, nothing kept
    python peers/tenure_side.py new_day FOLDER OUT     # its file arrives: one later cut-off

`load` writes the checked tables to ``FOLDER/canonical`` as Parquet sorted by time; `build` and
`same` read those, as every other side does.  `day_before` and `new_day` start from the raw files of
a folder by month, as `tenure score` does, and keep what it keeps.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
from common import EVENTS, FEW, MEMORY, SMALL, STAGES, THREADS, USAGE, report, stage, write_table
from world import CUTOFFS, NEW_DAY

from tenure.core.config import Config, DataConfig, EngineConfig, PathConfig
from tenure.core.spec import Feature
from tenure.engine import Engine, open_engine
from tenure.features.compute.categories import choose_categories
from tenure.features.compute.history_start import history_starts
from tenure.features.compute.matrix import FeatureMatrix, build
from tenure.features.plan.plan import Plan, config_families, resolve_plan
from tenure.labels.snapshots import snapshots
from tenure.sources.dataset import Dataset
from tenure.sources.load import load

Columns = Mapping[str, frozenset[str]]
DAY_BEFORE = NEW_DAY - timedelta(days=1)


def config_of(folder: Path, *, hive: bool = False) -> Config:
    parts = str(folder / "usage_events_hive" / "*" / "*.parquet")
    tables: dict[str, Any] = {"usage_events": parts} if hive else {}
    return Config(
        name="speed",
        data=DataConfig(path=str(folder), tables=tables, observed_until=NEW_DAY, cache=False),
        engine=EngineConfig(threads=THREADS, memory_limit=MEMORY),
    )


def read(config: Config, engine: Engine, *, thorough: bool = True) -> Dataset:
    with stage("load"):
        return load(config, engine, thorough=thorough)


def days(folder: Path, until: datetime) -> tuple[Config, pd.DataFrame]:
    """Return the config of the growing folder as it stands at a day, and who is asked then."""
    growing = folder / "days"
    parts = str(growing / "usage_events" / "*" / "*.parquet")
    config = Config(
        name="speed",
        data=DataConfig(path=str(folder), tables={"usage_events": parts}, observed_until=until),
        engine=EngineConfig(threads=THREADS, memory_limit=MEMORY),
        paths=PathConfig(runs=growing / "runs"),
    )
    return config, asked(folder, "new_day").assign(as_of=until)


def begin(folder: Path) -> None:
    """Make the growing folder anew, without its last day."""
    growing, months = folder / "days", sorted((folder / "usage_events_hive").glob("month=*"))
    shutil.rmtree(growing, ignore_errors=True)
    for month in months[:-1]:
        place = growing / "usage_events" / month.name
        place.mkdir(parents=True)
        for file in month.glob("*.parquet"):
            (place / file.name).symlink_to(file.resolve())
    arrive(folder, "before", f"occurred_at < TIMESTAMP '{DAY_BEFORE}'")


def arrive(folder: Path, name: str, which: str) -> None:
    """Write some rows of the last month into the growing folder."""
    month = max((folder / "usage_events_hive").glob("month=*"))
    place = folder / "days" / "usage_events" / month.name
    place.mkdir(exist_ok=True)
    rows = f"SELECT * FROM read_parquet('{month}/*.parquet', hive_partitioning=false)"
    duckdb.sql(f"COPY ({rows} WHERE {which}) TO '{place / name}.parquet' (COMPRESSION zstd)")


def score_day(folder: Path, until: datetime, out: Path | None) -> tuple[int, int]:
    """Load the growing folder and build one cut-off; return rows and columns."""
    config, rows = days(folder, until)
    engine = open_engine(config)
    try:
        dataset = read(config, engine, thorough=False)
        # What a model knows: the names of events, and when each history began.
        resolved = planned(engine, dataset.columns)
        STAGES.pop("choose")
        first = {name: day[0] for name, day in history_starts(engine, resolved, [until]).items()}
        known = {name: day for name, day in first.items() if day}
        with stage("build"):
            found = build(engine, rows, resolved, known_begins=known)
        if out is not None:
            write(found, out)
        return len(rows), len(found.values.columns)
    finally:
        engine.close()


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


def planned(engine: Engine, columns: Columns, only: tuple[str, ...] = ()) -> Plan:
    """Return the default features, or some columns and what they are computed from.

    For these the event names are told, as the other sides know them; else they are chosen.
    """
    families = config_families(Config(name="speed", data=DataConfig(path=".")).features)
    if not only:
        with stage("choose"):
            members = choose_categories(engine, families, columns, CUTOFFS)
        return resolve_plan(families, columns, members=members.values)
    by_event = [
        item.name
        for family in families
        for item in family.features
        if isinstance(item, Feature) and item.each == "event"
    ]
    resolved = resolve_plan(families, columns, members=dict.fromkeys(by_event, EVENTS))
    missing = sorted(set(only) - set(resolved.specs))
    if missing:
        raise SystemExit(f"Tenure has no column {missing}")
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
    if mode == "day_before":
        begin(folder)
        return score_day(folder, DAY_BEFORE, None)
    if mode == "new_day":
        arrive(folder, "day", f"occurred_at >= TIMESTAMP '{DAY_BEFORE}'")
        return score_day(folder, NEW_DAY, out)
    config = config_of(folder, hive=mode == "load_hive")
    engine = open_engine(config)
    try:
        if mode.startswith("load"):
            dataset = read(config, engine)
            if mode == "load":
                write_after(folder, dataset)
            if mode != "loaded":
                return 0, 0
            columns: Columns = dataset.columns
        else:
            columns = attached(folder, engine)
        only = {"same": USAGE, "few": FEW, "small": SMALL}.get(mode, ())
        resolved = planned(engine, columns, only)
        rows = asked(folder)
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
