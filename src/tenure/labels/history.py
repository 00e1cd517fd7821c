"""Why the history that a data set gives is shorter than what it holds, in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from tenure.core.config import Config
from tenure.core.records.data import RemarkRecord
from tenure.core.spec import Target
from tenure.core.times import DAY, days, literal, show
from tenure.labels.snapshots import (
    WARM_UP,
    earliest_paid,
    earliest_usage,
    prediction_times,
    snapshots,
    times_between,
)
from tenure.sources.dataset import Dataset

SOME, MUCH = 0.2, 0.5
"""Share of all prediction times from which on it is noted, and red, that they are left out."""


def late_usage(config: Config, dataset: Dataset) -> RemarkRecord | None:
    """Return what a usage log that begins late costs, None where it costs nothing.

    Without `calendar.start` the first prediction time lies 90 days after the log begins, also
    where accounts have paid for longer.
    """
    paid, used = earliest_paid(dataset), earliest_usage(dataset)
    if config.calendar.start is not None or paid is None or used is None or used <= paid:
        return None
    times = prediction_times(config, dataset)
    last = times[0] - DAY if times else dataset.observed_until
    lost = times_between(paid + WARM_UP, last, config.calendar.cadence)
    if not lost or (share := len(lost) / (len(lost) + len(times))) < SOME:
        return None
    rows = len(snapshots(dataset, lost))
    if not rows:
        return None
    none = "" if times else f"; observation stops at {show(dataset.observed_until)}, before it"
    many = f"{len(lost):,} prediction {'time' if len(lost) == 1 else 'times'}"
    text = (
        f"the log begins at {show(_day(used))}, and the calendar {WARM_UP.days} days later{none}: "
        f"{many} from {show(lost[0])} on at which accounts pay ({rows:,} snapshots) are left out. "
        f"`calendar: {{start: {show(lost[0])}}}` uses them; "
        "what the log says is missing in the features of that time"
    )
    return RemarkRecord(code="late_log", text=text, rows=rows, share=share, red=share >= MUCH)


def unsettled_ends(config: Config, dataset: Dataset) -> str:
    """Return when paid time ended, where all of it is too late for a label to be known; else ''."""
    settings = config.labels
    wait = days(settings.gap_days + settings.horizon_days + settings.winback_gap_days)
    settled = dataset.observed_until - wait
    row = dataset.engine.row(
        "SELECT count(*) AS ends, min(last) AS first, max(last) AS latest FROM (SELECT account_id, "
        f"max(coalesce(ended_at, {literal(datetime(9000, 1, 1))})) AS last "  # noqa: DTZ001 - UTC
        "FROM subscriptions WHERE paid GROUP BY 1) WHERE year(last) < 9000"
    )
    remarks = dataset.report.tables["subscriptions"].remarks
    due = next((item.rows for item in remarks if item.code == "due_date"), 0)
    if not row["ends"] + due or (row["ends"] and row["first"] <= settled):
        return ""
    parts = []
    if row["ends"]:
        span = f"from {show(_day(row['first']))} to {show(_day(row['latest']))}"
        parts.append(f"{row['ends']:,} accounts stop paying, all {span}")
    if due:
        until = show(dataset.observed_until)
        parts.append(f"{due:,} rows end at or after {until}, where observation stops")
    return (
        f"The data hold ends that no label knows yet: {'; '.join(parts)}. Labels are known of "
        f"prediction times up to {show(settled)} (observed_until less horizon, gap and "
        f"winback_gap_days, {wait.days} days). A table of one moment in time, with who left just "
        "before the export, cannot train a model of the future: give the history of the "
        "subscriptions, and data.observed_until where the export is of a later day."
    )


def why_short(config: Config, dataset: Dataset, target: Target) -> str:
    """Return what keeps a target from having labels, in whole sentences; '' where nothing does."""
    log = late_usage(config, dataset)
    late = f"In usage_events {log.text}." if log else ""
    ends = unsettled_ends(config, dataset) if target.outcome == "churn" else ""
    return " ".join(filter(None, (late, ends)))


def with_history(config: Config, dataset: Dataset) -> Dataset:
    """Return the data set with what its history lacks in its report."""
    log = late_usage(config, dataset)
    if log is None:
        return dataset
    report = dataset.report
    usage = report.tables["usage_events"]
    usage = usage.model_copy(update={"remarks": (*usage.remarks, log)})
    changes: dict[str, object] = {"tables": {**report.tables, "usage_events": usage}}
    if log.red:
        changes["red"] = (*report.red, f"usage_events: {log.text}")
    return replace(dataset, report=report.model_copy(update=changes))


def _day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
