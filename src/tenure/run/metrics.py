"""`tenure metrics`: the customer-success metrics of a period."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from tenure.core.config import Config
from tenure.core.files import write_table
from tenure.core.progress import SILENT, Progress
from tenure.core.records.base import Record
from tenure.core.records.metrics import Metric, MetricsRecord
from tenure.report.workbook.workbook import ALWAYS, write_workbook
from tenure.run.prepare import loaded
from tenure.sources.dataset import Dataset
from tenure.success.interpret import MetricsRequest, check_request, metrics
from tenure.success.query import DIMENSIONS, constants
from tenure.success.scores.relation import with_scores
from tenure.success.scores.settle import settle


def run_metrics(
    config: Config,
    request: MetricsRequest | None = None,
    out: Path | None = None,
    progress: Progress = SILENT,
) -> MetricsRecord:
    """Compute the customer-success metrics of a period.

    By default all, of the last full twelve months.  They are also written to `out`: .csv or
    .parquet, one row per metric, period and group, or .xlsx, a workbook with the rows behind them.

    Raises:
        ConfigError: If a metric, a method or a split does not exist, or the period is empty.
    """
    request = request or MetricsRequest()
    check_request(request)
    book = out if out is not None and out.suffix == ".xlsx" else None
    with loaded(config, progress, thorough=False) as dataset:
        scored = with_kept_scores(dataset, config)
        record = metrics(config, scored, request, progress, ALWAYS if book else ())
        if book:
            progress.stage("workbook")
            by = tuple(name for name in DIMENSIONS if name in request.by)
            write_workbook(record, by, constants(config), dataset.engine, book)
    if out is not None and not book:
        write_table(metrics_frame(record), out)
    return record


def with_kept_scores(dataset: Dataset, config: Config) -> Dataset:
    """Return a data set with the kept scores whose outcome is known, after writing new outcomes.

    Nothing is looked for where no store is, and none is made.
    """
    from tenure.score.store.database import stands
    from tenure.score.store.store import ScoreStore

    if not stands(config):
        return dataset
    with ScoreStore.open(config) as store:
        settle(store, dataset, config.labels)
        return with_scores(dataset, config, store)


def metrics_frame(record: MetricsRecord) -> pd.DataFrame:
    """Return metrics as rows of a table; `group` is JSON, dates are text."""
    numbers = ["value", "numerator", "denominator", "lo", "hi"]
    return grouped_frame(record.metrics, Metric, numbers)


def grouped_frame(
    rows: Iterable[Record], kind: type[Record], numbers: Sequence[str]
) -> pd.DataFrame:
    """Return records of one kind as rows of a table, in the order of their fields; `group` is JSON.

    `numbers` names the columns that are numbers also where all of them are missing.
    """
    frame = pd.DataFrame([row.to_json() for row in rows], columns=list(kind.model_fields))
    frame = frame.astype(dict.fromkeys(numbers, "float64"))
    return frame.assign(group=[json.dumps(group, sort_keys=True) for group in frame["group"]])
