"""Write the rows of one data set that every side of the accuracy benchmark gets.

    python -m peers.accuracy_rows SET FOLDER CODE

For each target FOLDER gets ``<target>/train.parquet`` (keys, label, features), ``test.parquet``
(keys, features), ``truth.parquet`` (keys, what happened) and ``rows.json``; beside them
``tables/*.parquet`` with ``tables.json``, the checked raw tables for a side that makes its own
features, and ``oracle.parquet`` where the world's true probabilities are known.

Test rows are those of the latest quarter of the labelled prediction times, three at least.
Training rows are those whose label was known at the first of them.  CODE names the state of the
code, to be written down.
"""

from __future__ import annotations

import json
import math
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from peers.accuracy_sets import SETS, DataSet
from peers.accuracy_side import KEYS, LABEL, checksum

from tenure.core.progress import StageLines
from tenure.features import peer_percentile as standing
from tenure.labels.splits import check_embargo
from tenure.run.prepare import Prepared, loaded, prepare
from tenure.sources.contract import SOURCES
from tenure.sources.dataset import Dataset

KEPT = ["label_known_at", "outcome_id"]
LEAST_CUTOFFS = 3
SHARE = 0.25


def write_rows(chosen: DataSet, folder: Path, code: str) -> None:
    """Prepare a data set and write the rows of each target, the raw tables and the truth."""
    config = chosen.config(folder)
    with loaded(config, StageLines(), thorough=False) as dataset:
        prepared = prepare(config, dataset)
        write_tables(dataset, folder / "tables")
    for target in chosen.targets:
        split = split_of(prepared.labels[target])
        said = write_target(prepared, target, split, folder / target)
        said |= {"code": code, "prepared_at": datetime.now(UTC).isoformat(timespec="seconds")}
        text = json.dumps(said, indent=1) + "\n"
        (folder / target / "rows.json").write_text(text, encoding="utf-8")
        if chosen.seed is not None and not (folder / "oracle.parquet").exists():
            times = np.sort(prepared.labels[target]["as_of"].unique())
            chosen.write_oracle(folder, pd.DatetimeIndex(times[times >= split]))


def split_of(rows: pd.DataFrame) -> pd.Timestamp:
    """Return the first prediction time of the test rows."""
    labelled = np.sort(rows.loc[rows["label"].notna(), "as_of"].unique())
    taken = max(LEAST_CUTOFFS, math.ceil(SHARE * len(labelled)))
    return pd.Timestamp(labelled[-taken])


def write_target(
    prepared: Prepared, target: str, split: pd.Timestamp, folder: Path
) -> dict[str, Any]:
    """Write the rows of one target and return what is to be said of them."""
    rows, values = prepared.labels[target], prepared.matrix.values
    later = [name for name, start in prepared.matrix.since.items() if start > split]
    values = values.drop(columns=later)
    labelled = rows["label"].notna()
    train = np.flatnonzero(labelled & (rows["label_known_at"] <= split))
    test = np.flatnonzero(labelled & (rows["as_of"] >= split))
    check_embargo(rows.iloc[train], rows.iloc[test])
    ranked = prepared.plan.ranked
    # A model of Tenure learns these from its training rows; here every side is given them.
    places = standing.apply(values, standing.fit(values.iloc[train], ranked))
    features = pd.concat([values, places], axis=1)
    folder.mkdir(parents=True, exist_ok=True)
    known = rows[[*KEYS, *KEPT, LABEL]]
    _write(pd.concat([known.iloc[train], features.iloc[train]], axis=1), folder / "train.parquet")
    shown = rows[KEYS]
    _write(pd.concat([shown.iloc[test], features.iloc[test]], axis=1), folder / "test.parquet")
    _write(known.iloc[test], folder / "truth.parquet")
    return {
        "target": target,
        "split": str(split.date()),
        "train": _counts(rows.iloc[train]),
        "test": _counts(rows.iloc[test]),
        "columns": list(map(str, features.columns)),
        "text": [str(name) for name in values.columns if values[name].dtype == object],
        "standing": list(map(str, places.columns)),
        "ranked": [asdict(item) for item in ranked],
        "since": {
            name: str(start) for name, start in prepared.matrix.since.items() if name not in later
        },
        "checksum": checksum(folder / f"{part}.parquet" for part in ("train", "test", "truth")),
    }


def write_tables(dataset: Dataset, folder: Path) -> None:
    """Write the usable columns of the checked tables, with when each row and late column was seen.

    ``tables.json`` gives the rows of each table and, per clock, the columns that it reveals.
    """
    folder.mkdir(parents=True, exist_ok=True)
    said: dict[str, Any] = {}
    for name, columns in dataset.columns.items():
        source = SOURCES[name]
        late = {column: clock for column, clock in source.late.items() if column in columns}
        clocks = sorted({f"{clock}__known" for clock in late.values()})
        found = set(dataset.engine.columns(name))
        wanted = [*sorted(columns & found), *(clock for clock in clocks if clock in found)]
        seen = "GREATEST(event_time, known_at) AS seen_at"
        sql = f"SELECT {seen}, {', '.join(wanted)} FROM {name} ORDER BY ALL"
        dataset.engine.write(sql, str(folder / f"{name}.parquet"))
        reveals: dict[str, list[str]] = {}
        for column, clock in sorted(late.items()):
            reveals.setdefault(f"{clock}__known", []).append(column)
        rows = dataset.engine.fetch(f"SELECT count(*) AS n FROM {name}").column("n")[0].as_py()
        said[name] = {"rows": rows, "late": reveals}
    (folder / "tables.json").write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


def _counts(rows: pd.DataFrame) -> dict[str, Any]:
    positive = rows[rows["label"] == 1]
    moments = sorted(str(moment.date()) for moment in rows["as_of"].unique())
    return {
        "rows": len(rows),
        "accounts": int(rows["account_id"].nunique()),
        "positives": len(positive),
        "events": int(positive["outcome_id"].nunique()),
        "cutoffs": len(moments),
        "first": moments[0],
        "last": moments[-1],
    }


def _write(frame: pd.DataFrame, path: Path) -> None:
    frame.reset_index(drop=True).to_parquet(path, index=False)


if __name__ == "__main__":
    write_rows(SETS[sys.argv[1]], Path(sys.argv[2]), sys.argv[3])
