"""`tenure scorecards`: the scorecards of all accounts, and the client health map."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import pandas as pd

from tenure.core.config import Config
from tenure.core.files import write_table
from tenure.core.progress import SILENT, Progress
from tenure.core.records.scorecards import HealthMap
from tenure.run.account import compared_moments
from tenure.run.prepare import loaded
from tenure.score.store.lists import ListStore
from tenure.success.scorecards.bands import still_bands
from tenure.success.scorecards.cards import COMPOSED, SUCCESS, CardTable, card_table
from tenure.success.scorecards.shown import health_map

MapKind = Literal["health", "experience"]


@dataclass(frozen=True)
class BookScorecards:
    """The scorecards of a book."""

    rows: pd.DataFrame
    """One row per account that pays, see `scorecard_rows`."""
    map: HealthMap


def run_scorecards(
    config: Config,
    moments: tuple[datetime | None, datetime | None] = (None, None),
    kind: MapKind = "health",
    out: Path | None = None,
    progress: Progress = SILENT,
) -> BookScorecards:
    """Return the scorecards of all accounts that pay at a time, and their health map.

    Args:
        config: The run.
        moments: The time (when observation stopped by default), and the earlier one that trends
            refer to (`success.trend_days` before by default).
        kind: Of the map: health and revenue, or experience and outcomes.
        out: Where the rows are also written, .csv or .parquet.
        progress: Told of each stage.

    Raises:
        DataError: If the time lies past the data.
    """
    with loaded(config, progress, thorough=False) as dataset, ListStore.open(config) as store:
        both = compared_moments(config, dataset, *moments)
        progress.stage("scorecards")
        horizon = str(config.labels.horizon_days)
        runs = {moment: store.latest(moment) for moment in both}
        scores = {
            moment: store.book(run, horizon) for moment, run in runs.items() if run is not None
        }
        table = card_table(config, dataset, both, scores)
        run = runs[both[0]]
        bands = None if run is None else still_bands(store, config, run.as_of)["band"]
        shown = health_map(table, kind, config, both[0], bands)
    rows = scorecard_rows(table, both, bands)
    if out is not None:
        write_table(rows, out)
    return BookScorecards(rows, shown)


def scorecard_rows(
    table: CardTable, moments: tuple[datetime, datetime], bands: pd.Series[str] | None
) -> pd.DataFrame:
    """Return scorecards as rows of a table.

    Columns: account_id, as_of, compared_with, mrr, currency, band; of each measure and score its
    points, 0 to 100 (`customer_success`: 0 to 1), and ``<name>_trend``; of each composed score
    ``<name>_coverage``.
    """
    points = table.points
    shown = None if bands is None else bands.reindex(points.index).to_numpy()
    head = {
        "account_id": points.index.astype("str"),
        "as_of": pd.Timestamp(moments[0]),
        "compared_with": pd.Timestamp(moments[1]),
        "mrr": table.accounts["mrr"].to_numpy(),
        "currency": table.accounts["currency"].to_numpy(),
        "band": shown,
    }
    columns = {}
    for name in points.columns:
        columns[name] = points[name].to_numpy()
        columns[f"{name}_trend"] = table.change[name].to_numpy()
        if name in COMPOSED:
            columns[f"{name}_coverage"] = table.coverage[name].to_numpy()
    order = (*COMPOSED, SUCCESS, *(item.name for item in table.measures.measures))
    wanted = [
        column
        for name in order
        for column in (name, f"{name}_trend", f"{name}_coverage")
        if column in columns
    ]
    return pd.DataFrame(head | {name: columns[name] for name in wanted}).reset_index(drop=True)
