"""What `tenure metrics` came to, in lines for a terminal."""

from __future__ import annotations

from tenure.core.records.metrics import Metric, MetricsRecord
from tenure.report.sentences.formatting import NONE, count, percent
from tenure.report.sentences.values import money
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
        (">value", lambda row: metric_value(row, row.value)),
        (">95 %", metric_bounds),
        (">n", lambda row: count(row.n)),
        ("method", lambda row: row.method),
    )
    reasons: dict[str, dict[str, None]] = {}
    for row in record.metrics:
        if row.reason:
            reasons.setdefault(row.reason, {})[row.name] = None
    lacking = [f"{', '.join(names)}: {reason}" for reason, names in reasons.items()]
    return [f"as of {record.as_of}", *head, *aligned(shown), *lacking]


def metric_value(row: Metric, value: float | None) -> str:
    """Return a value of a metric, or one of its bounds, in its unit."""
    unit = METRICS[row.name].unit
    if value is None:
        return NONE
    if unit == "share" and not row.method.startswith("mean_answer"):
        return percent(value)
    if unit == "money":
        return money(value, row.currency)
    if unit == "count":
        return count(value)
    words = {"hours": " hours", "days": " days", "ratio": " ×"}
    return f"{value:z,.2f}{words.get(unit, '')}".replace("-", "−")


def metric_bounds(row: Metric) -> str:
    """Return the bounds of a metric, empty where it has none."""
    return "" if row.lo is None else f"{metric_value(row, row.lo)} to {metric_value(row, row.hi)}"
