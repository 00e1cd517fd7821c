"""What `tenure metrics` came to, in lines for a terminal."""

from __future__ import annotations

from tenure.core.records.metrics import Metric, MetricsRecord
from tenure.report.sentences.formatting import count, percent
from tenure.report.tables.layout import aligned, table
from tenure.success.definitions import METRICS


def metrics_lines(record: MetricsRecord) -> list[str]:
    """Return the metrics as a table, and below it why some have no value."""
    spans = {(row.period_from, row.period_to) for row in record.metrics}
    several, grouped = len(spans) > 1, any(row.group for row in record.metrics)
    head = [] if several else [f"{start} to {end} (exclusive)" for start, end in spans]
    shown = table(
        "",
        record.metrics,
        ("metric", lambda row: row.name),
        *([("from", lambda row: row.period_from)] if several else []),
        *([("group", lambda row: ", ".join(row.group.values()))] if grouped else []),
        (">value", lambda row: _shown(row, row.value)),
        ("", lambda row: row.currency or ""),
        (">95 %", _bounds),
        (">n", lambda row: count(row.n)),
        ("method", lambda row: row.method),
    )
    reasons = dict.fromkeys(f"{row.name}: {row.reason}" for row in record.metrics if row.reason)
    return [f"as of {record.as_of}", *head, *aligned(shown), *reasons]


def _shown(row: Metric, value: float | None) -> str:
    if METRICS[row.name].unit == "share" and not row.method.startswith("mean_answer"):
        return percent(value)
    return "–" if value is None else f"{value:,.2f}"


def _bounds(row: Metric) -> str:
    return "" if row.lo is None else f"{_shown(row, row.lo)} to {_shown(row, row.hi)}"
