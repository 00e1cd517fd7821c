"""One account as an offline page, and the pictures that it shares with the analysts' pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tenure.core.times import as_utc
from tenure.labels.targets import TARGETS
from tenure.report.charts.timeline import Point, bar_svg, line_svg
from tenure.report.html import filled
from tenure.report.sentences.formatting import count, percent
from tenure.report.sentences.values import bounds, date, money

if TYPE_CHECKING:
    from tenure.core.records.account import AccountRecord, UsageTrend
    from tenure.score.store.store import StoredScore


def render_account(record: AccountRecord, history: Sequence[StoredScore]) -> str:
    """Return the page of an account.

    `history` are its scores of churn under the main horizon, by prediction time.
    """
    scores = record.scores.scores if record.scores else ()
    return filled(
        "account_report.html.j2",
        record=record,
        as_of=as_utc(record.as_of),
        scores=[(TARGETS[item.target].event, item) for item in scores],
        main=next((item for item in scores if item.target == "churn"), None),
        history=history,
        chart=history_svg(history),
        paid=mrr_svg(history),
        usage=usage_svg(record.usage),
    )


def history_svg(history: Sequence[StoredScore]) -> str:
    """Return the probability over the runs as a picture; empty where there is none to draw."""
    points = [
        Point(
            item.as_of,
            item.probability,
            item.lo,
            item.hi,
            item.band or "",
            f"{date(item.as_of)}: {percent(item.probability)} ({bounds(item.lo, item.hi)})",
        )
        for item in history
    ]
    if not any(point.value is not None for point in points):
        return ""
    title = f"Probability of churn at {len(points)} prediction times, with its bounds"
    return line_svg(points, title, percent, history[-1].base_rate)


def mrr_svg(history: Sequence[StoredScore]) -> str:
    """Return what an account paid at the runs as a picture; empty where that is not known."""
    points = [
        Point(
            item.as_of,
            item.mrr,
            text=f"{date(item.as_of)}: {money(item.mrr, item.currency)} a month",
        )
        for item in history
    ]
    if not any(point.value for point in points):
        return ""
    unit = history[-1].currency or "several currencies"
    return line_svg(points, f"MRR at {len(points)} prediction times, {unit}", count)


def usage_svg(usage: UsageTrend | None) -> str:
    """Return the weeks of use as bars; empty where there are none."""
    if usage is None or not any(week.events for week in usage.weeks):
        return ""
    weeks = [
        Point(
            as_utc(week.week_from),
            week.events,
            text=f"{week.events:,} events, {week.users:,} users",
        )
        for week in usage.weeks
    ]
    return bar_svg(weeks, "Events in each of the last twelve weeks", count)


def one_per_time(scores: Sequence[StoredScore]) -> list[StoredScore]:
    """Return scores of which there is one per target and prediction time: that of the last run."""
    last = {(item.target, item.as_of): item for item in scores}
    return list(last.values())
