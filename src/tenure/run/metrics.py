"""`tenure metrics`: the customer-success metrics of a period."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tenure.core.config import Config
from tenure.core.files import write_table
from tenure.core.progress import SILENT, Progress
from tenure.core.records.metrics import Metric, MetricsRecord
from tenure.report.workbook.workbook import ALWAYS, write_workbook
from tenure.run.outcomes import with_kept_scores
from tenure.run.prepare import loaded
from tenure.success.interpret import MetricsRequest, check_request, metrics
from tenure.success.query import DIMENSIONS, constants

if TYPE_CHECKING:
    import pandas as pd


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


def metrics_frame(record: MetricsRecord) -> pd.DataFrame:
    """Return metrics as rows of a table; `group` is JSON, dates are text."""
    import pandas as pd

    rows = [row.to_json() for row in record.metrics]
    frame = pd.DataFrame(rows, columns=list(Metric.model_fields))
    numbers = ["value", "numerator", "denominator", "lo", "hi"]
    frame[numbers] = frame[numbers].astype("float64")
    return frame.assign(group=[json.dumps(group, sort_keys=True) for group in frame["group"]])
