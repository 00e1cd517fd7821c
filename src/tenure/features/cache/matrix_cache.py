"""Features of past prediction times, kept between runs.

A prediction time is kept under a fingerprint of all rows that it can see, in the columns that the
features read.  So a later run computes the new prediction times alone, and a row that is filled in
afterwards makes the prediction times that see it be computed anew, and no others.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tenure.core.files import digest, replacing
from tenure.core.progress import SILENT, Progress
from tenure.core.steps import quote
from tenure.core.times import EPOCH, show
from tenure.engine import Engine
from tenure.features.compute.batches import source_rows
from tenure.features.compute.history_start import history_starts
from tenure.features.compute.matrix import FeatureMatrix, build
from tenure.features.compute.source_query import SourceQuery, source_queries
from tenure.features.plan.plan import Plan, read_columns
from tenure.sources.contract import SOURCES

WORTH_ROWS = 200_000
"""Rows of the longest source below which computing features costs no more than looking them up."""
MOST_PLANS = 4
STATE = b"tenure"
Fingerprints = dict[str, str]
"""Source → fingerprint of the rows that one prediction time can see."""


def build_cached(
    engine: Engine,
    snapshots: pd.DataFrame,
    plan: Plan,
    folder: Path | None,
    *,
    since: Mapping[str, datetime] | None = None,
    progress: Progress = SILENT,
) -> FeatureMatrix:
    """Compute the features of snapshots, or take them from an earlier run where nothing changed.

    Args:
        engine: Holds the canonical tables.
        snapshots: See `build`.
        plan: Which features.
        folder: Where features are kept; None keeps none.
        since: See `FeatureMatrix`.
        progress: Told what is kept, what is computed, and which source changed.

    Returns:
        What `build` returns, bit for bit.
    """
    if folder is None or not len(snapshots) or not _worth(engine, plan):
        return build(engine, snapshots, plan, since=since, progress=progress)
    rows = snapshots.reset_index(drop=True)
    progress.stage("looking for features of earlier runs")
    cutoffs = [stamp.to_pydatetime() for stamp in sorted(rows["as_of"].unique())]
    starts = history_starts(engine, plan, cutoffs)
    shelf = _Shelf(folder / _plan_digest(engine, plan))
    seen = visible(engine, plan, cutoffs, starts)
    parts, lacking, changed = [], {}, set()
    for as_of, fingerprints in seen.items():
        values_then, sources = shelf.find(as_of, fingerprints, rows[rows["as_of"] == as_of])
        changed |= sources
        if values_then is None:
            lacking[as_of] = fingerprints
        else:
            parts.append(values_then)
    _tell(progress, len(parts), len(lacking), changed)
    if lacking:
        wanted = rows["as_of"].isin(list(lacking))
        fresh = build(engine, rows[wanted], plan, progress=progress).values
        fresh.index = rows.index[wanted]
        for as_of, fingerprints in lacking.items():
            mine = rows.index[rows["as_of"] == as_of]
            shelf.keep(as_of, fingerprints, rows.loc[mine, "account_id"], fresh.loc[mine])
        parts.append(fresh)
    shelf.tidy()
    values = pd.concat(parts).loc[rows.index] if len(parts) > 1 else parts[0].loc[rows.index]
    known = {source: days[-1] for source, days in starts.items() if days[-1] is not None}
    return FeatureMatrix(rows, values[list(plan.specs)], plan.described, dict(since or {}), known)


def _worth(engine: Engine, plan: Plan) -> bool:
    return max(source_rows(engine, plan).values(), default=0) >= WORTH_ROWS


def visible(
    engine: Engine, plan: Plan, cutoffs: Sequence[datetime], starts: Mapping[str, Sequence[Any]]
) -> dict[datetime, Fingerprints]:
    """Return what each prediction time can see, in order.

    Windows that reach further back than the `starts` of `history_starts` are missing.
    """
    views: dict[datetime, Fingerprints] = {cutoff: {} for cutoff in cutoffs}
    for query in source_queries(plan, cutoffs):
        lines = [_sums(engine, sql, len(cutoffs)) for sql in _hash_queries(query)]
        for number, view in enumerate(views.values()):
            start = str(starts.get(query.source, [None] * len(cutoffs))[number])
            text = [f"{line[number]}" for line in lines]
            view[query.source] = digest(view.get(query.source, ""), start, *text)
    return views


def _hash_queries(query: SourceQuery) -> list[str]:
    """Return SELECTs of (seen, rows, total, mix): hashes of rows by who sees them first."""
    timeline, source = query.timeline, SOURCES[query.source]
    groups: dict[tuple[tuple[str, ...], bool], set[str]] = {}
    for item in query.features:
        columns = groups.setdefault((item.clocks, item.feature.running), set())
        columns |= {*read_columns(item.feature), "account_id", "event_time"}
    queries = []
    for (clocks, running), columns in groups.items():
        moments = ["known_at", *(f"{clock}__known" for clock in clocks)]
        # That a row has ended is seen when its end is known; its values before stay.
        read = sorted(columns - ({source.ends} if running and source.ends else set()))
        queries.append(_hash_query(query.source, timeline.seen_sql(moments), read))
        if running:
            ended = timeline.seen_sql([*moments, f"{source.ends}__known"])
            queries.append(_hash_query(query.source, ended, read))
    return queries


def _hash_query(source: str, seen: str, columns: list[str]) -> str:
    row = f"hash({', '.join(quote(name) for name in columns)})"
    return (
        f"SELECT seen, count(*) AS rows, sum(CAST(h AS HUGEINT)) AS total, bit_xor(h) AS mix "
        f"FROM (SELECT {seen} AS seen, {row} AS h FROM {source}) AS hashed GROUP BY seen"
    )


def _sums(engine: Engine, sql: str, size: int) -> list[tuple[int, int, int]]:
    """Return, per prediction time, the rows seen by then and two sums of their hashes."""
    firsts = {row["seen"]: row for row in engine.fetch(sql).to_pylist()}
    seen, rows, total, mix = [], 0, 0, 0
    for number in range(size):
        if first := firsts.get(number):
            rows, total, mix = rows + first["rows"], total + int(first["total"]), mix ^ first["mix"]
        seen.append((rows, total, mix))
    return seen


def _plan_digest(engine: Engine, plan: Plan) -> str:
    """Return a hash of how features are computed, by which engine and version."""
    texts = [query.step.sql for query in source_queries(plan, [EPOCH])]
    formulas = [f"{item.spec.name}={item.formula}" for item in plan.computed]
    settings = [
        f"{item.spec.name} {item.feature.lag} {item.feature.default} {item.aggregate} {item.member}"
        for item in plan.measured
    ]
    probe = engine.value("SELECT hash('tenure', 1) AS h")
    return digest(version("tenure"), engine.dialect, str(probe), *texts, *formulas, *settings)


def _tell(progress: Progress, reused: int, lacking: int, changed: set[str]) -> None:
    if reused:
        progress.note(f"features of {reused} prediction times kept from an earlier run")
    if changed:
        named = ", ".join(sorted(changed))
        progress.note(f"rows known by then changed in {named}: {lacking} prediction times anew")


class _Shelf:
    """One folder of Parquet files, one per prediction time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(
        self, as_of: datetime, seen: Fingerprints, snapshots: pd.DataFrame
    ) -> tuple[pd.DataFrame | None, set[str]]:
        """Return the stored features of some snapshots; else None, and the sources that changed."""
        path = self._path(as_of)
        try:
            state = json.loads(pq.read_schema(path).metadata[STATE])
            changed = {name for name, print_ in seen.items() if state.get(name) != print_}
            if changed:
                return None, changed
            table = pq.read_table(path)
        except (OSError, pa.ArrowException, KeyError, TypeError, ValueError):
            return None, set()
        accounts = pd.Index(table.column("account_id").to_pylist())
        place = accounts.get_indexer(snapshots["account_id"])
        if (place < 0).any():
            return None, set()
        table = table.drop_columns(["account_id"]).take(place)
        columns = dict(zip(table.column_names, map(_values, table.columns), strict=True))
        return pd.DataFrame(columns).set_axis(snapshots.index), set()

    def keep(
        self, as_of: datetime, seen: Fingerprints, accounts: pd.Series[str], values: pd.DataFrame
    ) -> None:
        """Keep the features of one prediction time."""
        columns = {"account_id": pa.array(accounts.tolist(), pa.string())}
        for name, column in values.items():
            if column.dtype == np.float32:
                columns[str(name)] = pa.array(column.to_numpy())
            else:
                columns[str(name)] = pa.array(column.tolist(), pa.string()).dictionary_encode()
        state = {STATE: json.dumps(seen).encode()}
        with replacing(self._path(as_of)) as temporary:
            pq.write_table(pa.table(columns).replace_schema_metadata(state), temporary)

    def tidy(self) -> None:
        """Delete the features of plans that have not been used in a while."""
        with suppress(FileNotFoundError):  # another run may delete what this one looks at
            os.utime(self._folder)
            plans = [path for path in self._folder.parent.iterdir() if path.is_dir()]
            for old in sorted(plans, key=lambda path: path.stat().st_mtime)[:-MOST_PLANS]:
                shutil.rmtree(old, ignore_errors=True)

    def _path(self, as_of: datetime) -> Path:
        return self._folder / f"{show(as_of).replace(':', '')}.parquet"


def _values(column: pa.ChunkedArray) -> pd.Series[Any]:
    if pa.types.is_floating(column.type):
        return pd.Series(column.to_numpy())
    # Named, so that pandas does not choose a type by the values at hand.
    return pd.Series(column.to_pylist(), dtype=object)
