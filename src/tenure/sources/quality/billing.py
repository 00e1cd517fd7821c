"""What looks wrong in subscriptions beside their rows: states, currencies, annual amounts."""

from __future__ import annotations

from collections.abc import Iterator

from tenure.core.records.data import RemarkRecord
from tenure.core.times import literal
from tenure.sources.dataset import Dataset
from tenure.sources.quality.table_report import remark
from tenure.sources.terms import ENDED, NEVER_PAID
from tenure.sources.words import STATUS

MOST_WORDS = 4
"""Words that a sentence names at most."""
_TWELVEFOLD = "BETWEEN 11.4 AND 12.6"
_DEARER = 8
"""How much more an annual row may cost than a monthly one of its plan, before it is no price."""


def billing_remarks(dataset: Dataset) -> Iterator[RemarkRecord]:
    """Yield what puts the states and the amounts of subscriptions in doubt."""
    yield from _states(dataset)
    yield from _currencies(dataset)
    yield from _annual_amounts(dataset)


def _number(dataset: Dataset, sql: str) -> int:
    return int(dataset.engine.value(sql) or 0)


def _words(dataset: Dataset, column: str, condition: str) -> tuple[int, str]:
    """Return how many subscriptions meet a condition, and their most frequent words."""
    sql = f"SELECT {column} AS word, count(*) AS n FROM subscriptions WHERE {condition} GROUP BY 1"
    counted = sorted(
        ((row["n"], str(row["word"])) for row in dataset.engine.fetch(sql).to_pylist()),
        key=lambda item: (-item[0], item[1]),
    )
    named = [f"{word} {number:,}" for number, word in counted[:MOST_WORDS]]
    more = ["…"] if len(counted) > MOST_WORDS else []
    return sum(number for number, _ in counted), ", ".join(named + more)


def _states(dataset: Dataset) -> Iterator[RemarkRecord]:
    if not dataset.has("subscriptions", "status"):
        return
    total = _number(dataset, "SELECT count(*) FROM subscriptions")
    last = f"{literal(dataset.observed_until)} - INTERVAL 1 MICROSECOND"
    endless = (
        f"mrr > 0 AND status = '{ENDED}' AND status_at IS NULL "
        f"AND (ended_at IS NULL OR ended_at >= {last})"
    )
    if rows := _number(dataset, f"SELECT count(*) FROM subscriptions WHERE {endless}"):
        says, has, it = (
            ("row says", "has", "it counts") if rows == 1 else ("rows say", "have", "they count")
        )
        yield RemarkRecord(
            code="ended_without_end",
            text=(
                f"{rows:,} {says} {ENDED} (or expired, inactive, churned and the like) and {has} "
                f"no end: {it} as running until observation stops, so when the account left is "
                "not known. Map ended_at, or status_at (since when the status holds)"
            ),
            rows=rows,
            share=rows / total,
            red=True,
        )
    never = ", ".join(f"'{word}'" for word in NEVER_PAID if word != "trialing")
    rows, words = _words(dataset, "status", f"mrr > 0 AND status IN ({never})")
    if rows:
        text = f"rows have never begun, says their status ({words}): they never count as paid"
        yield remark("never_begun", text, rows, total)
    known = ", ".join(f"'{word}'" for word in STATUS.words)
    rows, words = _words(dataset, "status", f"status IS NOT NULL AND status NOT IN ({known})")
    if rows:
        text = f"rows have a status that is not known ({words}); {STATUS.hint}"
        yield remark("unknown_status", text, rows, total)


def _currencies(dataset: Dataset) -> Iterator[RemarkRecord]:
    """Yield what of the amounts cannot be compared."""
    if not dataset.has("subscriptions", "currency"):
        return
    rows, words = _words(dataset, "currency", "currency IS NOT NULL")
    if not dataset.has("fx_rates", "currency", "rate"):
        if words.count(",") + words.count("…"):
            text = (
                f"several currencies ({words} rows) and no table fx_rates: amounts of different "
                "currencies stand in one feature as bare numbers. Give fx_rates (currency, date, "
                "rate: what one unit is worth in your own currency)"
            )
            yield RemarkRecord(code="several_currencies", text=text, rows=rows, red=True)
        return
    rows, words = _words(dataset, "currency", "currency IS NOT NULL AND exchange_rate IS NULL")
    if rows:
        text = (
            f"rows have a currency without a rate that was known at their start ({words}): their "
            "amounts are missing in the features. Give fx_rates from the first start on"
        )
        yield remark("no_rate", text, rows, _number(dataset, "SELECT count(*) FROM subscriptions"))


ANNUAL = (
    "mrr is a price per month: an annual amount is mapped as `mrr: amount / 12`, or by "
    "billing_period with CASE"
)


def _annual_amounts(dataset: Dataset) -> Iterator[RemarkRecord]:
    """Yield signs that some `mrr` is the amount of a year."""
    jumps = (
        "SELECT count(*) FROM (SELECT mrr, seats, lag(mrr) OVER w AS before, "
        "lag(seats) OVER w AS seats_before FROM subscriptions WHERE paid "
        "WINDOW w AS (PARTITION BY account_id, subscription_id ORDER BY started_at)) "
        f"WHERE before > 0 AND (mrr / before {_TWELVEFOLD} OR before / mrr {_TWELVEFOLD}) "
        "AND seats IS NOT DISTINCT FROM seats_before"
    )
    if rows := _number(dataset, jumps):
        move = "price rises or falls" if rows == 1 else "prices rise or fall"
        text = f"{rows:,} {move} twelvefold from one row to the next; {ANNUAL}"
        yield RemarkRecord(code="twelvefold", text=text, rows=rows, red=True)
    if not dataset.has("subscriptions", "billing_period"):
        return
    price = "median(mrr / greatest(coalesce(seats, 1), 1))"
    dear = (
        "SELECT coalesce(sum(y.n), 0)::BIGINT FROM (SELECT plan, count(*) AS n, "
        f"{price} AS price FROM subscriptions WHERE paid AND billing_period = '12m' GROUP BY 1) AS "
        f"y JOIN (SELECT plan, {price} AS price FROM subscriptions WHERE paid "
        "AND billing_period = '1m' GROUP BY 1) AS m ON m.plan IS NOT DISTINCT FROM y.plan "
        f"WHERE y.price BETWEEN {_DEARER} * m.price AND 13 * m.price"
    )
    if rows := _number(dataset, dear):
        text = (
            f"{rows:,} annual rows cost {_DEARER} to 13 times a monthly row of their plan; {ANNUAL}"
        )
        yield RemarkRecord(code="annual_amount", text=text, rows=rows, red=True)
    if not dataset.has("invoices"):
        return
    one = (
        "SELECT s.account_id, s.subscription_id, s.started_at, count(i.amount) AS n "
        "FROM subscriptions AS s LEFT JOIN invoices AS i ON i.account_id = s.account_id "
        "AND i.issued_at >= s.started_at - INTERVAL 31 DAY "
        "AND i.issued_at <= s.started_at + INTERVAL 300 DAY "
        "AND abs(i.amount - s.mrr) <= 0.01 * s.mrr "
        "WHERE s.paid AND s.billing_period = '12m' GROUP BY 1, 2, 3"
    )
    alike = f"SELECT count(*) AS n, count(*) FILTER (n = 1) AS alike FROM ({one})"
    row = dataset.engine.row(alike)
    if row["alike"] > row["n"] / 2:
        text = f"{row['alike']:,} annual rows have the mrr of their one invoice of a year; {ANNUAL}"
        yield RemarkRecord(code="annual_invoice", text=text, rows=row["alike"], red=True)
