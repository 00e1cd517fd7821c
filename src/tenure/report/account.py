"""What `tenure account` came to, on one screen of a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tenure.core.records.account import AccountRecord, AccountScore, Contract, UsageTrend
from tenure.explain.wording import statement
from tenure.report.sentences.formatting import NONE, counted, day, percent, plain
from tenure.report.sentences.values import difference, points, weighted_health
from tenure.report.tables.layout import aligned, table

BARS = " ▁▂▃▄▅▆▇█"
DRIVERS, LINES = 3, 8
"""Drivers of a score, and lines of a list, that are shown at most."""


def whole_account_lines(record: AccountRecord) -> list[str]:
    """Return everything known about an account as lines, parts without content left out."""
    parts = (
        _head(record),
        _contracts(record.contracts),
        _scores(record),
        _cards(record),
        _usage(record.usage) if record.usage else [],
        _open(record),
        _lately(record),
        [f"{plain(name)}: {why}" for name, why in record.missing.items()],
    )
    return [_printable(line) for part in parts for line in part]


def _printable(line: str) -> str:
    """Return a line without characters that would steer a terminal."""
    return "".join(one if one.isprintable() else " " for one in line)


def _head(record: AccountRecord) -> Iterator[str]:
    named = f" {record.name}" if record.name else ""
    yield f"{record.account_id}{named} as of {record.as_of}: {record.standing}"
    facts = {"segment": record.segment, "owner": record.owner} | record.attributes
    known = [f"{plain(name)} {_fact(value)}" for name, value in facts.items() if value is not None]
    yield ", ".join([*known, f"created {day(record.created_at)}"])
    if record.paying:
        unit = f" {record.currency}" if record.currency else ""
        seats = "" if record.seats is None else f", {counted(record.seats, 'seat')}"
        dates = f"{'ends' if record.notice_given else 'renews'} {day(record.renews_at)}"
        notice = f", can be ended until {day(record.notice_by)}" if record.notice_by else ""
        yield f"MRR {record.mrr or 0:,.2f}{unit}{seats}, {dates}{notice}"


def _fact(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _contracts(contracts: Sequence[Contract]) -> list[str]:
    shown = [one for one in contracts if one.running] or list(contracts[:1])
    return aligned(
        table(
            "",
            shown[:LINES],
            ("contract", lambda one: one.subscription_id),
            ("plan", lambda one: one.plan or NONE),
            (">MRR", lambda one: f"{one.mrr or 0:,.2f} {one.currency or ''}".rstrip()),
            (">seats", lambda one: NONE if one.seats is None else f"{one.seats:,.0f}"),
            ("since", lambda one: day(one.started_at)),
            ("until", lambda one: day(one.ended_at)),
            ("renews", lambda one: day(one.renews_at)),
            ("opt-out", lambda one: day(one.notice_by)),
        )
    )


def _scores(record: AccountRecord) -> Iterator[str]:
    if record.scores is None:
        return
    for one in record.scores.scores:
        yield _score(one)
        for driver in one.drivers[:DRIVERS]:
            sign = "+" if driver["direction"] == "raises" else "−"
            yield f"  {sign} {statement(str(driver['sentence']))}"


def _score(one: AccountScore) -> str:
    ahead = "renewal" if one.horizon == "renewal" else f"{one.horizon_days} days"
    head = f"{plain(one.target)} ({ahead})"
    if one.probability is None:
        return f"{head}: no probability, {plain(one.abstain_reason or 'not asked')}"
    bounds = f"{percent(one.lo)} to {percent(one.hi)}" if one.lo is not None else ""
    change = None if one.change is None else f"{points(one.change)} since the last run"
    band = f"band {one.band} since {day(one.band_since)}" if one.band else None
    base = f"base rate {percent(one.base_rate)}"
    return f"{head}: {percent(one.probability)} [{bounds}], " + ", ".join(
        filter(None, (base, change, band))
    )


def _cards(record: AccountRecord) -> Iterator[str]:
    cards = record.scorecards
    if cards is None:
        return
    yield f"scorecards, trend since {cards.compared_with}:"
    for card in cards.cards:
        listed = ", ".join(
            f"{plain(item.name)} {_points(item.score, item.trend)}"
            for item in card.measures
            if item.score is not None
        )
        yield f"  {plain(card.name)} {_points(card.score, card.trend)}: {listed or 'no data'}"
    if cards.customer_success is not None:
        yield f"  customer success {_points(100 * cards.customer_success, None)} ({cards.join})"
    if health := weighted_health(record):
        yield f"  {health}"


def _points(score: float | None, trend: float | None) -> str:
    moved = "" if trend is None or round(trend) == 0 else f" ({difference(trend)})"
    return NONE if score is None else f"{score:.0f}{moved}"


def _usage(usage: UsageTrend) -> Iterator[str]:
    most = max([week.events for week in usage.weeks] + [1])
    bars = "".join(BARS[round(8 * week.events / most)] for week in usage.weeks)
    yield (
        f"usage: {usage.events_28d:,} events in 28 days ({usage.events_before:,} before), "
        f"{counted(usage.users_28d, 'user')}, last {day(usage.last_at)}, 12 weeks {bars}"
    )


def _open(record: AccountRecord) -> Iterator[str]:
    if record.open_tickets:
        names = (
            " ".join(filter(None, (one.ticket_id, one.priority, one.category, day(one.opened_at))))
            for one in record.open_tickets[:LINES]
        )
        yield f"{counted(len(record.open_tickets), 'open ticket')}: {', '.join(names)}"
    if record.unpaid_invoices:
        owed = (
            f"{one.invoice_id} {one.amount or 0:,.2f} {one.currency or ''} due {day(one.due_at)}"
            for one in record.unpaid_invoices[:LINES]
        )
        yield f"{counted(len(record.unpaid_invoices), 'unpaid invoice')}: {', '.join(owed)}"
    if record.surveys:
        answers = (
            f"{one.survey_type.upper()} {one.score:g} ({day(one.responded_at)})"
            for one in record.surveys
        )
        yield f"last answers: {', '.join(answers)}"
    if record.touchpoints:
        spoken = (f"{plain(one.kind)} ({day(one.occurred_at)})" for one in record.touchpoints)
        yield f"last touchpoints: {', '.join(spoken)}"


def _lately(record: AccountRecord) -> Iterator[str]:
    if not record.timeline:
        return
    yield "lately:"
    for entry in record.timeline[:LINES]:
        yield f"  {day(entry.at)}  {entry.text}"
    rest = len(record.timeline) - LINES + record.earlier
    if rest > 0:
        yield f"  and {counted(rest, 'earlier entry', 'earlier entries')} of these 90 days"
