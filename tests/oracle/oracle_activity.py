"""The metrics of renewals, answers, use, tickets and kept scores once more, slowly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from oracle.oracle_labels import months_later
from oracle.oracle_metrics import (
    BANDS,
    DAY,
    EARLY,
    FOREVER,
    Named,
    Period,
    Row,
    Values,
    average,
    middle,
    runs,
    share,
)

HOUR = timedelta(hours=1)


def _dues(period: Period) -> list[Row]:
    """The ends of terms at which a row of a subscription still ran, and what follows each."""
    world, result = period.world, []
    longest = max((row["notice_days"] or 0 for row in period.rows), default=0)
    low, high = period.start - EARLY, period.end + longest * DAY
    for row in period.paid:
        anchor, months = row["term_anchor"], row["term_months"]
        if anchor is None:
            continue
        steps = range(600) if months else range(1)
        for due in (months_later(anchor, step * (months or 0)) for step in steps):
            if due >= high or (row["end"] is not None and row["end"] < due):
                break
            if due > row["started_at"] and due >= low:
                notice = row["notice_days"]
                deadline = None if notice is None else due - notice * DAY
                own = {"row": row, "due": due, "mrr": row["mrr"], "deadline": deadline}
                result.append(own | _own(row, due, period.paid, world.grace_days))
    return result


def _own(row: Row, due: datetime, paid: list[Row], grace: int) -> Row:
    """How the same subscription goes on after a due date."""
    key = ("account_id", "subscription_id", "currency")
    after = [
        other
        for other in paid
        if all(other[name] == row[name] for name in key)
        and (other["end"] is None or other["end"] > due)
        and other["started_at"] <= due + grace * DAY
    ]
    on_time = sum(other["mrr"] for other in after if other["started_at"] <= due)
    if not after:
        return {"own": None, "on_time": on_time, "booked": None, "late": False}
    first = min(after, key=lambda other: other["started_at"])
    goes_on = first["started_at"] < due and first["started_at"] == row["started_at"]
    booked = due if goes_on else min(first["started_at"], first["booked_at"])
    late = first["started_at"] > due
    return {"own": first["mrr"], "on_time": on_time, "booked": booked, "late": late}


def _renewals(period: Period) -> list[Row]:
    """Contracts by account, currency and due date, with what was renewed of them."""
    grace = period.world.grace_days * DAY
    firsts: dict[tuple[str, str, str], Row] = {}
    for row in sorted(period.paid, key=lambda row: row["started_at"]):
        firsts.setdefault((row["account_id"], row["subscription_id"], row["currency"]), row)
    grouped: dict[tuple[str, str, datetime], list[Row]] = defaultdict(list)
    for one in _dues(period):
        grouped[one["row"]["account_id"], one["row"]["currency"], one["due"]].append(one)
    result = []
    for (account, currency, due), contracts in grouped.items():
        ended = [one for one in contracts if one["own"] is None]
        fresh = [
            row
            for (name, _, money), row in firsts.items()
            if ended and (name, money) == (account, currency)
            and due <= row["started_at"] <= due + grace
        ]  # fmt: skip
        late = sum(one["own"] for one in contracts if one["late"])
        late += sum(row["mrr"] for row in fresh if row["started_at"] > due)
        booked = [one["booked"] for one in contracts if one["booked"] is not None]
        booked += [min(row["started_at"], row["booked_at"]) for row in fresh]
        deadlines = [one["deadline"] for one in contracts if one["deadline"] is not None]
        decided = any(one["row"]["reason"] is not None for one in ended)
        result.append(
            {
                "account": account,
                "currency": currency,
                "due": due,
                "contracts": len(contracts),
                "mrr": sum(one["mrr"] for one in contracts),
                "renewed": sum(one["own"] or 0 for one in contracts)
                + sum(row["mrr"] for row in fresh),
                "late": late,
                "lapsed": sum(max(one["mrr"] - one["on_time"], 0) for one in contracts),
                "booked": min(booked, default=None),
                "deadline": min(deadlines, default=None),
                "open": bool(ended)
                and not fresh
                and not decided
                and due + grace >= period.world.until,
            }
        )
    return result


def renewal_metrics(period: Period) -> Values:
    """What came due, what was renewed, and what was lost when, by currency."""
    result, renewals = Values(), _renewals(period)
    moves = period.moves(period.start, period.end)
    for currency in sorted({row["currency"] for row in period.paid}):
        own = [row for row in renewals if row["currency"] == currency]
        due = [row for row in own if period.within(row["due"])]
        closed = [row for row in due if not row["open"]]
        booked = [row for row in own if period.within(row["booked"])]
        base = sum(row["mrr"] for row in closed)
        capped = sum(min(row["renewed"], row["mrr"]) for row in closed)
        lapsed: dict[str, float] = defaultdict(float)
        for row in due:
            lapsed[period.world.joint(row["account"], period.end)] += row["lapsed"]
        lost = {
            row["account"]: -float(row["churn"] + row["contraction"])
            for row in moves
            if row["currency"] == currency and row["churn"] + row["contraction"] < 0
        }
        at_renewal = sum(min(amount, lapsed[name]) for name, amount in lost.items())
        values: Named = {
            ("available_to_renew", "due_date"): sum(row["mrr"] for row in due),
            ("gross_renewal_rate", "due_date"): share(capped, base),
            ("gross_renewal_rate", "booking_date"): share(
                sum(min(row["renewed"], row["mrr"]) for row in booked), base
            ),
            ("net_renewal_rate", "due_date"): share(sum(row["renewed"] for row in closed), base),
            ("net_renewal_rate", "booking_date"): share(
                sum(row["renewed"] for row in booked), base
            ),
            ("renewal_loss", "due_date"): base - capped,
            ("late_renewal_rate", "due_date"): share(
                sum(min(row["late"], row["mrr"]) for row in closed), base
            ),
            ("slipped_renewals", "due_date"): sum(row["mrr"] for row in due if row["open"]),
            ("loss_at_renewal", "due_date"): at_renewal,
            ("loss_mid_term", "due_date"): sum(lost.values()) - at_renewal,
            ("opt_out_mrr", "due_date"): sum(
                row["mrr"] for row in own if period.within(row["deadline"])
            ),
        }
        result |= {(*name, currency): value for name, value in values.items()}
    return result


def voice_metrics(period: Period) -> Values:
    """What was answered, by the last answer of each respondent."""
    world, last = period.world, {}
    surveys = world.known("survey_responses")
    for row in sorted(surveys, key=lambda r: (r["responded_at"] or FOREVER, r["response_id"])):
        if row["score"] is None or not period.within(world.late(row, "responded_at")):
            continue
        account = world.owner(row["account_id"], row["event_time"])
        who = row["respondent_id"] or row["response_id"]
        last[account, row["survey_type"], who] = row
    by_kind: dict[str, list[Row]] = defaultdict(list)
    for row in last.values():
        by_kind[row["survey_type"]].append(row)
    nps = [row["score"] for row in by_kind["nps"] if _scale(row) == (0, 10)]
    csat = [row["score"] for row in by_kind["csat"] if _scale(row) == (1, 5)]
    points = sum(score >= 9 for score in nps) - sum(score <= 6 for score in nps)
    declared = [row for row in by_kind["csat"] if _scale(row) in world.thresholds]
    happy = sum(row["score"] >= world.thresholds[_scale(row)] for row in declared)
    sent = [row for row in surveys if period.within(row["sent_at"])]
    answered = sum(world.late(row, "responded_at") is not None for row in sent)
    values: Named = {
        ("nps", "last_answer"): 100 * points / len(nps) if nps else None,
        ("csat", "top_two"): share(sum(score >= 4 for score in csat), len(csat)),
        ("csat", "declared"): share(happy, len(declared)) if _unmixed(declared) else None,
        ("csat", "mean"): _mean_answer(by_kind["csat"]),
        ("csi", "mean"): _mean_answer(by_kind["csi"]),
        ("response_rate", "sent"): share(answered, len(sent)),
        ("non_response_rate", "sent"): share(len(sent) - answered, len(sent)),
    }
    values |= _effort(by_kind["ces"])
    return {(*name, None): value for name, value in values.items()}


def _scale(row: Row) -> tuple[float, float]:
    return row["scale_low"], row["scale_high"]


def _unmixed(rows: list[Row]) -> bool:
    return len({_scale(row) for row in rows}) <= 1


def _mean_answer(rows: list[Row]) -> float | None:
    return average(row["score"] for row in rows) if _unmixed(rows) else None


def _effort(rows: list[Row]) -> Named:
    """Ease from 1 to 7, or effort from 1 to 5, never both."""
    effort = [row["score"] for row in rows if _scale(row) == (1, 5)]
    ease = [row["score"] for row in rows if _scale(row) == (1, 7)]
    values: Named = {("ces", "share_agree"): share(sum(one >= 4 for one in effort), len(effort))}
    others = ("mean", "share_easy", "net_easy")
    if not _unmixed(rows):
        return values | dict.fromkeys([("ces", one) for one in (*others, "mean_answer")])
    easy = sum(one >= 5 for one in ease) + sum(one <= 2 for one in effort)
    hard = sum(one <= 3 for one in ease) + sum(one >= 4 for one in effort)
    count = len(ease) + len(effort)
    return values | {
        ("ces", "mean"): average(
            [(one - 1) / 6 for one in ease] + [(5 - one) / 4 for one in effort]
        ),
        ("ces", "share_easy"): share(easy, count),
        ("ces", "net_easy"): share(easy - hard, count),
        ("ces", "mean_answer"): _mean_answer(rows),
    }


def use_metrics(period: Period) -> Values:
    """How much of what is paid for is used, and how soon."""
    world = period.world
    log = [
        row | {"account_id": world.owner(row["account_id"], row["occurred_at"])}
        for row in world.known("usage_events")
    ]
    within = [row for row in log if period.within(row["occurred_at"])]
    users, events = defaultdict(set), defaultdict(set)
    days = set()
    for row in within:
        events[row["account_id"]].add(row["event"])
        if row["user_id"] is not None:
            users[row["account_id"]].add(row["user_id"])
            days.add((row["account_id"], row["user_id"], row["occurred_at"].date()))
    seats: dict[str, float | None] = {}
    for row in period.paid:
        if runs(row, period.end):
            own = seats.get(row["account_id"])
            seats[row["account_id"]] = own if row["seats"] is None else (own or 0) + row["seats"]
    seated = {name: number for name, number in seats.items() if number}
    kinds = {row["event"] for row in within}
    breadth = [len(events[name]) for name in seats] if kinds else []
    values: Named = {
        ("seat_utilisation", "users"): share(
            sum(len(users[name]) for name in seated), sum(seated.values())
        ),
        ("stickiness", "mean_of_days"): share(
            len(days) / period.days, sum(map(len, users.values()))
        ),
        ("adoption_breadth", "share"): share(sum(breadth), len(breadth) * len(kinds)),
        ("adoption_breadth", "events"): share(sum(breadth), len(breadth)),
    }
    values |= _first_use(period, log)
    return {(*name, None): value for name, value in values.items()}


def _first_use(period: Period, log: list[Row]) -> Named:
    world, wish = period.world, period.world.activation_event
    launches, worths, mature, active = [], [], 0, 0
    for account, first in period.first.items():
        if not period.within(first):
            continue
        used = [r for r in log if r["account_id"] == account and r["occurred_at"] >= first]
        worth = [row["occurred_at"] for row in used if wish in (None, row["event"])]
        launches += [(min(row["occurred_at"] for row in used) - first) / DAY] if used else []
        worths += [(min(worth) - first) / DAY] if worth else []
        over = first + world.activation_days * DAY
        mature += over <= world.until
        active += over <= world.until and bool(worth) and min(worth) < over
    return {
        ("activation_rate", "first_days"): share(active, mature),
        ("time_to_launch_days", "mean"): average(launches),
        ("time_to_launch_days", "median"): middle(launches),
        ("time_to_value_days", "mean"): average(worths),
        ("time_to_value_days", "median"): middle(worths),
    }


def support_metrics(period: Period) -> Values:
    """Tickets: how many, how fast, how bad."""
    world, tickets = period.world, []
    times = ("first_responded_at", "resolved_at", "escalated_at", "reopened_at")
    for row in world.known("tickets"):
        tickets.append(row | {name: world.late(row, name) for name in times})
    opened = [row for row in tickets if period.within(row["opened_at"])]
    resolved = [row for row in tickets if period.within(row["resolved_at"])]
    waiting = [
        row
        for row in tickets
        if row["opened_at"] < period.end
        and (row["resolved_at"] is None or row["resolved_at"] >= period.end)
    ]
    scores = [row["csat_score"] for row in opened if row["csat_score"] is not None]

    def hours(rows: Iterable[Row], name: str) -> list[float]:
        return [(r[name] - r["opened_at"]) / HOUR for r in rows if r[name] is not None]

    def having(name: str) -> float | None:
        return share(sum(row[name] is not None for row in opened), len(opened))

    values: Named = {
        ("tickets_opened", "opened"): len(opened),
        ("ticket_backlog", "end"): len(waiting),
        ("first_response_hours", "mean"): average(hours(opened, "first_responded_at")),
        ("first_response_hours", "median"): middle(hours(opened, "first_responded_at")),
        ("resolution_hours", "mean"): average(hours(resolved, "resolved_at")),
        ("resolution_hours", "median"): middle(hours(resolved, "resolved_at")),
        ("escalation_rate", "opened"): having("escalated_at"),
        ("reopen_rate", "opened"): having("reopened_at"),
        ("ticket_csat", "top_two"): share(sum(one >= 4 for one in scores), len(scores)),
    }
    return {(*name, None): value for name, value in values.items()}


def score_metrics(period: Period) -> Values:
    """How kept scores compare with what happened."""
    rows = [row for row in period.world.tables["scores"] if period.within(row["as_of"])]
    green = [row for row in rows if row["band_rank"] == 0]
    risky = [row for row in rows if row["band_rank"] >= row["risk_rank"]]
    lost = [row for row in rows if row["outcome"]]
    flagged = [row for row in lost if row["band_rank"] >= row["risk_rank"]]
    treated = [row for row in risky if row["treated"]]
    alone = [row for row in risky if row["treated"] is False]

    def stayed(among: list[Row]) -> list[Row]:
        return [row for row in among if not row["outcome"]]

    shares = {
        "false_green_rate": ([row for row in green if row["outcome"]], green),
        "save_rate": (stayed(risky), risky),
        "save_rate_treated": (stayed(treated), treated),
        "save_rate_untreated": (stayed(alone), alone),
        "loss_detection_rate": (flagged, lost),
        "surprise_loss_rate": ([row for row in lost if row not in flagged], lost),
    }
    result = Values()
    currencies = sorted({row["currency"] for row in rows})
    for name, (part, whole) in shares.items():
        result[name, "scores", None] = share(len(part), len(whole))
        for currency in currencies:
            result[f"{name}_mrr", "mrr", currency] = share(
                *(sum(r["mrr"] for r in one if r["currency"] == currency) for one in (part, whole))
            )
    for currency in currencies:
        result |= _called([row for row in rows if row["currency"] == currency], currency)
    at_risk, safe = (share(sum(r["outcome"] for r in one), len(one)) for one in (risky, green))
    lift = None if at_risk is None or safe is None else share(at_risk, safe)
    return result | {("band_lift", "scores", None): lift} | _migration(rows)


def _called(rows: list[Row], currency: str) -> Values:
    result = Values()
    called = sum(row["probability"] * row["mrr"] for row in rows)
    actual = sum(row["mrr"] for row in rows if row["outcome"])
    count, churned = sum(row["probability"] for row in rows), sum(row["outcome"] for row in rows)
    for method, (call, happened, base) in {
        "actual": (called, actual, actual),
        "called": (called, actual, called),
        "accounts": (count, churned, churned),
    }.items():
        result["forecast_bias", method, currency] = share(call - happened, base)
        result["forecast_accuracy", method, currency] = share(base - abs(call - happened), base)
    return result


def _migration(rows: list[Row]) -> Values:
    """Where scores stand at the end of their horizon: of those whose band is known then."""
    seen = [r for r in rows if r["paired"] and (r["outcome"] or r["after_rank"] is not None)]

    def moved(among: list[Row], is_so: Any) -> float | None:
        return share(sum(bool(is_so(row)) for row in among), len(among))

    def to(row: Row) -> int:
        return 99 if row["outcome"] else int(row["after_rank"])

    not_worst = [row for row in seen if row["band_rank"] < row["worst_rank"]]
    not_best = [row for row in seen if row["band_rank"] > 0]
    calm = [row for row in seen if row["band_rank"] < row["risk_rank"]]
    risky = [row for row in seen if row["band_rank"] >= row["risk_rank"]]
    values: Named = {
        ("band_stability", "scores"): moved(seen, lambda r: to(r) == r["band_rank"]),
        ("band_improvement", "scores"): moved(not_best, lambda r: to(r) < r["band_rank"]),
        ("band_degradation", "scores"): moved(
            not_worst, lambda r: not r["outcome"] and to(r) > r["band_rank"]
        ),
        ("band_degradation", "with_churn"): moved(not_worst, lambda r: to(r) > r["band_rank"]),
        ("band_slide", "scores"): moved(calm, lambda r: to(r) >= r["risk_rank"]),
        ("band_rescue", "scores"): moved(risky, lambda r: to(r) < r["risk_rank"]),
    }
    for place, band in enumerate(BANDS):
        own = [row for row in seen if row["band_rank"] == place]
        for end, name in enumerate(BANDS):
            values[f"band_{band}_to_{name}", "scores"] = moved(own, lambda r, end=end: to(r) == end)
        values[f"band_{band}_to_churned", "scores"] = moved(own, lambda r: r["outcome"])
    return {(*name, None): value for name, value in values.items()}
