"""Features by featuretools from the checked raw tables, and LightGBM as it comes on them.

    python -m peers.accuracy_featuretools FOLDER OUT

Deep feature synthesis with its default primitives, for the same accounts at the same times; a row
counts from when it was seen and a late column from its own clock.  Usage is read in one window of
365 days, of 91 where there are millions of events; the other tables are read whole.  The features
of all prediction times are kept in ``FOLDER/../featuretools.parquet``, for the other targets and
for as long as the tables are the same.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import featuretools as ft
import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from peers.accuracy_side import KEYS, THREADS, Floats, Predictor, Rows, checksum, measured

USAGE = "usage_events"
MANY = 3_000_000
LONG, SHORT = 365, 91
DEPTH = 2
PROSE = ["comment", "note"]


def entities(folder: Path, names: list[str], said: dict[str, Any]) -> ft.EntitySet:
    """Return accounts with some of the tables."""
    found = ft.EntitySet("raw")
    accounts = pd.read_parquet(folder / "accounts.parquet").drop(columns="seen_at")
    accounts = accounts.drop_duplicates("account_id")
    found.add_dataframe(
        dataframe_name="accounts",
        dataframe=accounts,
        index="account_id",
        logical_types=words(accounts),
    )
    for name in names:
        rows = pd.read_parquet(folder / f"{name}.parquet").drop(columns=PROSE, errors="ignore")
        late = {
            clock: [column for column in columns if column in rows.columns]
            for clock, columns in said[name]["late"].items()
            if clock in rows.columns
        }
        # Each row has an id of its own: counting its values is counting rows, at a high price.
        rows = rows.drop(columns=own_ids(rows))
        found.add_dataframe(
            dataframe_name=name,
            dataframe=rows,
            index="row_no",
            make_index=True,
            logical_types=words(rows),
            time_index="seen_at",
            secondary_time_index=late or None,
        )
        found = found.add_relationship("accounts", "account_id", name, "account_id")
    return found


def own_ids(frame: pd.DataFrame) -> list[str]:
    """Return the columns of ids that no two rows share."""
    return [name for name in words(frame) if name != "account_id" and frame[name].is_unique]


def words(frame: pd.DataFrame) -> dict[str, str]:
    """Return the type of ids and words: featuretools would add up an id that is made of digits."""
    return {name: "Categorical" for name in frame.columns if frame[name].dtype == object}


def synthesis(data: ft.EntitySet, asked: pd.DataFrame, window: int | None) -> pd.DataFrame:
    """Return the features of accounts at prediction times."""
    found = ft.dfs(
        entityset=data,
        target_dataframe_name="accounts",
        cutoff_time=asked.rename(columns={"as_of": "time"}),
        training_window=None if window is None else ft.Timedelta(window, "d"),
        include_cutoff_time=False,
        cutoff_time_in_index=True,
        max_depth=DEPTH,
        n_jobs=1,
    )[0]
    found.columns = [str(name) for name in found.columns]
    return found


def features(folder: Path, asked: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return one row per asked account and time, and how they were made."""
    said = json.loads((folder / "tables.json").read_text(encoding="utf-8"))
    others = [name for name in said if name not in ("accounts", USAGE)]
    started = time.perf_counter()
    found = synthesis(entities(folder, others, said), asked, None)
    window = LONG
    if USAGE in said:
        window = SHORT if said[USAGE]["rows"] > MANY else LONG
        used = synthesis(entities(folder, [USAGE], said), asked, window)
        found = found.join(used[[name for name in used.columns if name not in found.columns]])
    seconds = time.perf_counter() - started
    found = found.reset_index().rename(columns={"time": "as_of"})
    return found, {"feature_seconds": seconds, "usage_window_days": window}


def kept_features(rows: Rows) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the features, read from the file where they stand for these rows and tables."""
    place, tables = rows.folder.parent / "featuretools.parquet", rows.folder.parent / "tables"
    content = checksum(sorted(tables.glob("*.parquet")))
    asked = pd.concat([rows.train[KEYS], rows.test[KEYS]]).sort_values(["as_of", "account_id"])
    if place.exists():
        said = json.loads(place.with_suffix(".json").read_text(encoding="utf-8"))
        found = pd.read_parquet(place)
        if said["tables"] == content and len(asked.merge(found[KEYS], on=KEYS)) == len(asked):
            return found, said
    found, said = features(tables, asked)
    found["account_id"] = found["account_id"].astype(str)
    said["tables"] = content
    said["features"] = found.shape[1] - len(KEYS)
    for name in found.columns:
        if name not in KEYS and not pd.api.types.is_numeric_dtype(found[name]):
            found[name] = found[name].astype(object).where(found[name].notna(), None).astype(str)
        elif name not in KEYS:
            found[name] = found[name].astype(np.float32)
    found.to_parquet(place, index=False)
    place.with_suffix(".json").write_text(json.dumps(said) + "\n", encoding="utf-8")
    return found, said


def fitting(rows: Rows, found: pd.DataFrame) -> Predictor:
    """Fit LightGBM with its defaults."""
    texts = [name for name in found.columns if name not in KEYS and found[name].dtype == object]
    train = rows.train[KEYS].merge(found, on=KEYS, how="left", validate="1:1")
    kinds = {name: pd.CategoricalDtype(sorted(train[name].dropna().unique())) for name in texts}
    names = [name for name in found.columns if name not in KEYS]

    def matrix(frame: pd.DataFrame) -> pd.DataFrame:
        values = frame[names].astype(kinds)
        return values.set_axis([f"f{place}" for place in range(len(names))], axis=1)

    model = LGBMClassifier(n_jobs=THREADS, random_state=0, verbosity=-1)
    model.fit(matrix(train), rows.labels)

    def predict(frame: pd.DataFrame) -> Floats:
        asked = frame[KEYS].merge(found, on=KEYS, how="left", validate="1:1")
        result: Floats = model.predict_proba(matrix(asked))[:, 1]
        return result

    return predict


def main() -> None:
    rows, out = Rows.read(Path(sys.argv[1])), Path(sys.argv[2])
    found, said = kept_features(rows)
    measured(rows, out, lambda: fitting(rows, found), said)


if __name__ == "__main__":
    main()
