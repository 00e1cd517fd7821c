"""Features by featuretools from the checked raw tables, and LightGBM as it comes on them.

    python -m peers.accuracy_featuretools FOLDER OUT

Deep feature synthesis with its default primitives, for the same accounts at the same times; a row
counts from when it was seen and a late column from its own clock.  Usage is read in one window of
365 days, of 91 where there are millions of events; the other tables are read whole.  One prediction
time is made after another and kept in ``FOLDER/../featuretools-<hash of the tables>``, for other
targets and for a run that was stopped.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, replace
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
ROW = "row_no"

Types = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Moment:
    """The part of the tables that one prediction time may see.

    Attributes:
        folder: Where the tables stand.
        said: Their description, ``tables.json``.
        names: Those to read beside the accounts.
        time: The prediction time.
        window: Days of the past that are read; None for all of it.
    """

    folder: Path
    said: dict[str, Any]
    names: tuple[str, ...]
    time: pd.Timestamp
    window: int | None

    def rows(self, name: str) -> pd.DataFrame:
        """Return the rows of a table that were seen, and a day more: featuretools cuts exactly."""
        day = pd.Timedelta(1, "D")
        seen = [("seen_at", "<", self.time + day)]
        if self.window is not None:
            seen.append(("seen_at", ">=", self.time - pd.Timedelta(self.window, "D") - day))
        found = pd.read_parquet(self.folder / f"{name}.parquet", filters=seen)
        return found.drop(columns=PROSE, errors="ignore")

    def entities(self, types: Types | None = None) -> ft.EntitySet:
        """Return accounts with the tables.

        Args:
            types: The columns to take and their types, by table; by default as the rows tell.
        """
        found = ft.EntitySet("raw")
        accounts = pd.read_parquet(self.folder / "accounts.parquet").drop(columns="seen_at")
        accounts = accounts.drop_duplicates("account_id")
        found.add_dataframe(
            dataframe_name="accounts",
            dataframe=accounts,
            index="account_id",
            logical_types=types["accounts"] if types else words(accounts),
        )
        for name in self.names:
            rows = self.rows(name)
            # Each row has an id of its own: counting its values is counting rows, at a high price.
            rows = rows[[*types[name]]] if types else rows.drop(columns=own_ids(rows))
            late = {
                clock: [column for column in columns if column in rows.columns]
                for clock, columns in self.said[name]["late"].items()
                if clock in rows.columns
            }
            found.add_dataframe(
                dataframe_name=name,
                dataframe=rows,
                index=ROW,
                make_index=True,
                logical_types=types[name] if types else words(rows),
                time_index="seen_at",
                secondary_time_index=late or None,
            )
            found = found.add_relationship("accounts", "account_id", name, "account_id")
        return found


def own_ids(frame: pd.DataFrame) -> list[str]:
    """Return the columns of ids that no two rows share."""
    return [name for name in words(frame) if name != "account_id" and frame[name].is_unique]


def words(frame: pd.DataFrame) -> dict[str, Any]:
    """Return the type of ids and words: featuretools would add up an id that is made of digits."""
    return {name: "Categorical" for name in frame.columns if frame[name].dtype == object}


class Synthesis:
    """Deep feature synthesis over some tables, one prediction time after another.

    What is made, and of which types, follows from the latest prediction time.  At any other only
    the rows that it may see are read: all rows of all times at once do not fit into memory.

    Args:
        latest: The latest prediction time.
    """

    def __init__(self, latest: Moment) -> None:
        self.latest = latest
        data = latest.entities()
        self.definitions = ft.dfs(
            entityset=data, target_dataframe_name="accounts", max_depth=DEPTH, features_only=True
        )
        self.types: Types = {
            frame.ww.name: {
                name: kind for name, kind in frame.ww.logical_types.items() if name != ROW
            }
            for frame in data.dataframes
        }

    def at(self, time: pd.Timestamp, accounts: pd.Series[str]) -> pd.DataFrame:
        """Return the features of some accounts at a prediction time: numbers, words as strings."""
        window = self.latest.window
        found = ft.calculate_feature_matrix(
            self.definitions,
            replace(self.latest, time=time).entities(self.types),
            cutoff_time=pd.DataFrame({"account_id": accounts.to_numpy(), "time": time}),
            training_window=None if window is None else ft.Timedelta(window, "d"),
            include_cutoff_time=False,
            n_jobs=1,
        )
        kinds = {item.get_name(): item.column_schema for item in self.definitions}
        values = {
            name: plain(found[name], number=kinds[name].is_numeric or kinds[name].is_boolean)
            for name in found.columns
        }
        return pd.DataFrame(values).set_axis(found.index.astype(str))


def plain(column: pd.Series[Any], *, number: bool) -> Any:
    """Return a column as numbers with NaN, or as strings."""
    if number:
        return column.astype("Float32").to_numpy(dtype=np.float32, na_value=np.nan)
    return column.astype(object).where(column.notna(), None).astype(str).to_numpy()


def syntheses(tables: Path, latest: pd.Timestamp) -> tuple[list[Synthesis], int]:
    """Return what makes the features of each time, and the days of usage that are read."""
    said = json.loads((tables / "tables.json").read_text(encoding="utf-8"))
    others = tuple(name for name in said if name not in ("accounts", USAGE))
    found = [Synthesis(Moment(tables, said, others, latest, None))] if others else []
    window = LONG
    if USAGE in said:
        window = SHORT if said[USAGE]["rows"] > MANY else LONG
        found.append(Synthesis(Moment(tables, said, (USAGE,), latest, window)))
    return found, window


def kept_features(rows: Rows) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return one row per asked account and time; each time is made once and kept in a file."""
    tables = rows.folder.parent / "tables"
    content = checksum(sorted(tables.glob("*.parquet")))
    folder = rows.folder.parent / f"featuretools-{content}"
    folder.mkdir(exist_ok=True)
    asked = pd.concat([rows.train[KEYS], rows.test[KEYS]])
    makers: list[Synthesis] = []
    found: list[pd.DataFrame] = []
    seconds, window = 0.0, 0
    for moment, part in asked.groupby("as_of"):
        place = folder / f"{moment:%Y%m%d}.parquet"
        made = pd.read_parquet(place) if place.exists() else None
        if made is None or not part["account_id"].isin(made["account_id"]).all():
            started = time.perf_counter()
            if not makers:
                makers, window = syntheses(tables, asked["as_of"].max())
            made = together(makers, moment, part["account_id"])
            made.attrs = {"seconds": time.perf_counter() - started, "window": window}
            made.to_parquet(place.with_suffix(".part"), index=False)
            place.with_suffix(".part").rename(place)
        seconds, window = seconds + made.attrs["seconds"], made.attrs["window"]
        found.append(made)
    values = pd.concat(found, ignore_index=True)
    said = {"feature_seconds": seconds, "usage_window_days": window}
    return values, said | {"features": values.shape[1] - len(KEYS)}


def together(
    makers: list[Synthesis], moment: pd.Timestamp, accounts: pd.Series[str]
) -> pd.DataFrame:
    """Return the features of all makers beside each other, each once, with their keys."""
    found = makers[0].at(moment, accounts)
    for maker in makers[1:]:
        more = maker.at(moment, accounts)
        found = found.join(more[[name for name in more.columns if name not in found.columns]])
    return found.rename_axis("account_id").reset_index().assign(as_of=moment)


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
    measured(rows, out, lambda some: fitting(some, found), said)


if __name__ == "__main__":
    main()
