"""Why metrics have no value: tables and columns that are missing, and periods not observed."""

from __future__ import annotations

from tenure.core.sections import MetricsConfig
from tenure.core.times import show
from tenure.sources.dataset import Dataset
from tenure.success.declarations import MetricDeclaration
from tenure.success.periods import Period
from tenure.success.scores.relation import SCORED

SPORADIC = ("usage_events", "tickets", "survey_responses")
"""Tables whose first and last row say when they were written."""
UNTRAINED = " (`tenure train CONFIG` before it, where no champion stands)"
SCORELESS = "needs kept scores whose outcome is known: run `tenure score` each month"


def missing_input(
    metric: MetricDeclaration, dataset: Dataset, settings: MetricsConfig
) -> str | None:
    """Return which input a metric lacks, in words; None where it has all it needs."""
    for need in metric.needs:
        table = need.partition(".")[0]
        options = [one if "." in one else f"{table}.{one}" for one in need.split("|")]
        options = options if "." in need else [need]
        if not any(_stands(one, dataset, settings) for one in options):
            if table == SCORED:
                return SCORELESS
            named = dict.fromkeys(_in_words(one, dataset) for one in options)
            return f"needs {' or '.join(named)}"
    return None


def _stands(need: str, dataset: Dataset, settings: MetricsConfig) -> bool:
    table, _, column = need.partition(".")
    if table == "metrics":
        return getattr(settings, column) is not None
    return dataset.has(table, *([column] if column else []))


def _in_words(need: str, dataset: Dataset) -> str:
    table = need.partition(".")[0]
    if table == "metrics":
        return f"`{need}` in the config"
    return need if dataset.has(table) else f"the table {table}"


class Coverage:
    """When each table was written.

    Args:
        dataset: Loaded tables.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._until = dataset.observed_until
        tables = [name for name in SPORADIC if dataset.has(name)]
        sql = " UNION ALL ".join(
            f"SELECT '{name}' AS name, min(event_time) AS first, max(event_time) AS last "
            f"FROM {name}"
            for name in tables
        )
        rows = dataset.engine.fetch(sql).to_pylist() if tables else []
        self._spans = {row["name"]: (row["first"], row["last"]) for row in rows}

    def reason(self, metric: MetricDeclaration, period: Period) -> str | None:
        """Return why a metric cannot be measured in a period; None where it can."""
        if period.end > self._until:
            return (
                f"the period ends at {show(period.end)}, after observation stopped at "
                f"{show(self._until)}"
            )
        for table in dict.fromkeys(need.partition(".")[0] for need in metric.needs):
            first, last = self._spans.get(table, (period.start, period.start))
            if first is None:
                return f"the table {table} has no rows"
            if first >= period.end or last < period.start:
                span = (
                    f"{show(first.replace(microsecond=0))} to {show(last.replace(microsecond=0))}"
                )
                return f"the table {table} covers {span}, which is outside the period"
        return None
