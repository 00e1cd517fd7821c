"""The contract's tables as data.

To add a table, add a `Source` to `SOURCES`: its key, the SQL expression of its event time, its
columns (a late one names the clock that says when it became known) and the checks that its rows
must keep.  Loading, the data report and the point-in-time cut read nothing else.

>>> SOURCES["tickets"].late["csat_score"]
'csat_at'
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from tenure.core.spec import Check, Column, Computed, Source
from tenure.sources import coerce, terms

OPTIONAL_KEYS = frozenset({"event_id"})
DEFAULTS = MappingProxyType({("subscriptions", "subscription_id"): "account_id"})
CONSTANT = frozenset({"segment", "industry", "country", "employees"})
SAYS_BY_EMPTINESS = frozenset({("subscriptions", "ended_at")})
"""Columns that say something where they are empty in every row: nothing has ended yet."""
PLANNED = frozenset({"subscriptions", "touchpoints", "invoices"})
"""Tables whose rows may be written before they happen."""


def _before(column: str, start: str, fix: str) -> Check:
    """Return the check that a late time does not precede the time of its row."""
    return Check(
        reason=f"{column}_before_{start}",
        bad=f"{column}__known < {start}",
        rule=f"{column} must not be before {start}",
        fix=fix,
        action="empty",
        column=column,
        needs=(column, start),
    )


def _due_before(column: str, start: str) -> Check:
    """Return the check that a due date does not lie before the day of its row."""
    check = _before(column, start, "check which of the two columns is mapped")
    return replace(check, bad=f"{column} < date_trunc('day', {start})")


def _not_negative(column: str) -> Check:
    return Check(
        reason=f"negative_{column.removesuffix('_days')}",
        bad=f"{column} < 0",
        rule=f"{column} must be 0 or more",
        action="empty",
        column=column,
        needs=(column,),
    )


_STANDARD = "CASE survey_type WHEN 'nps' THEN {} WHEN 'csat' THEN {} WHEN 'ces' THEN {} END"
_SCALE_LOW = f"coalesce(scale_min, {_STANDARD.format(0, 1, 1)})"
_SCALE_HIGH = f"coalesce(scale_max, {_STANDARD.format(10, 5, 7)})"


ACCOUNTS = Source(
    name="accounts",
    key=("account_id", "valid_from"),
    time="coalesce(valid_from, created_at)",
    required=True,
    open_ended=True,
    columns=(
        Column("account_id", "id", required=True),
        Column("created_at", "time", required=True),
        Column("valid_from", "time"),
        Column("name", "text"),
        Column("segment", "text"),
        Column("industry", "text"),
        Column("country", "text"),
        Column("employees", "integer"),
        Column("owner", "text"),
    ),
)

SUBSCRIPTIONS = Source(
    name="subscriptions",
    key=("subscription_id", "started_at"),
    time="started_at",
    ends="ended_at",
    required=True,
    columns=(
        Column("subscription_id", "id", required=True),
        Column("account_id", "id", required=True),
        Column("started_at", "time", required=True),
        Column("ended_at", "time", clock="ended_at"),
        Column("plan", "text"),
        Column("mrr", "number", required=True),
        Column("list_mrr", "number"),
        Column("discount", "number"),
        Column("currency", "text"),
        Column("seats", "integer"),
        Column("billing_period", "text"),
        Column("renews_at", "time", future=True),
        Column("notice_period_days", "integer"),
        Column("notice_at", "time", clock="notice_at"),
        Column("end_reason", "text", clock="ended_at"),
        Column("status", "text"),
        Column("status_at", "time", clock="status_at"),
    ),
    checks=(
        Check("negative_mrr", "mrr < 0", "mrr must be 0 or more", needs=("mrr",)),
        Check(
            "discount_off_scale",
            "discount < 0 OR discount > 1",
            "discount is a share of the list price, 0 to 1",
            fix="a percentage is mapped as `discount: CAST(your_column AS DOUBLE) / 100`",
            needs=("discount",),
        ),
        *map(_not_negative, ("list_mrr", "seats", "notice_period_days")),
        _before("ended_at", "started_at", "the row counts as running until its end is corrected"),
        _due_before("renews_at", "started_at"),
        Check(
            "zero_length",
            "ended_at = started_at",
            "rows that end when they start cover no time",
            action="warn",
            needs=("ended_at",),
        ),
    ),
    computed=(
        Computed("paid", "flag", terms.PAID),
        Computed(
            "list_price",
            "number",
            "coalesce(list_mrr, CASE WHEN discount < 1 THEN mrr / (1 - discount) END, mrr)",
        ),
        Computed("exchange_rate", "number", "exchange_rate"),
        Computed("renewal_overwritten", "flag", terms.OVERWRITTEN),
        Computed("term_anchor", "time", terms.TERM_ANCHOR),
        Computed("term_months", "integer", terms.TERM_MONTHS),
        Computed("term_end", "time", terms.TERM_END, moving=True),
        Computed("term_start", "time", terms.TERM_START, moving=True),
    ),
)

USAGE_EVENTS = Source(
    name="usage_events",
    key=("event_id",),
    time="occurred_at",
    columns=(
        Column("event_id", "id"),
        Column("account_id", "id", required=True),
        Column("subscription_id", "id"),
        Column("user_id", "id"),
        Column("event", "text", required=True),
        Column("occurred_at", "time", required=True),
        Column("quantity", "number"),
    ),
)

TICKETS = Source(
    name="tickets",
    key=("ticket_id",),
    time="opened_at",
    ends="resolved_at",
    columns=(
        Column("ticket_id", "id", required=True),
        Column("account_id", "id", required=True),
        Column("opened_at", "time", required=True),
        Column("first_responded_at", "time", clock="first_responded_at"),
        Column("resolved_at", "time", clock="resolved_at"),
        Column("priority", "text"),
        Column("category", "text"),
        Column("escalated_at", "time", clock="escalated_at"),
        Column("reopened_at", "time", clock="reopened_at"),
        Column("csat_score", "number", clock="csat_at"),
        Column("csat_at", "time", clock="csat_at"),
    ),
    checks=tuple(
        _before(column, "opened_at", "check which time columns are mapped, and their zones")
        for column in (
            *("first_responded_at", "resolved_at", "escalated_at"),
            *("reopened_at", "csat_at"),
        )
    ),
)

SURVEY_RESPONSES = Source(
    name="survey_responses",
    key=("response_id",),
    time="coalesce(sent_at, responded_at)",
    columns=(
        Column("response_id", "id", required=True),
        Column("account_id", "id", required=True),
        Column("respondent_id", "id"),
        Column("survey_type", "text", required=True),
        Column("score", "number", clock="responded_at"),
        Column("scale_min", "number"),
        Column("scale_max", "number"),
        Column("sent_at", "time"),
        Column("responded_at", "time", clock="responded_at"),
        Column("comment", "text", clock="responded_at"),
    ),
    checks=(
        _before("responded_at", "sent_at", "check which time columns are mapped, and their zones"),
        Check(
            "score_off_scale",
            f"score < {_SCALE_LOW} OR score > {_SCALE_HIGH}",
            "a score lies on its scale; undeclared, nps is 0–10, csat 1–5 and ces 1–7",
            fix="map scale_min and scale_max",
            action="empty",
            column="score",
            needs=("score",),
        ),
    ),
    computed=(
        Computed("scale_low", "number", _SCALE_LOW),
        Computed("scale_high", "number", _SCALE_HIGH),
    ),
)

INVOICES = Source(
    name="invoices",
    key=("invoice_id",),
    time="issued_at",
    columns=(
        Column("invoice_id", "id", required=True),
        Column("account_id", "id", required=True),
        Column("issued_at", "time", required=True),
        Column("due_at", "time", future=True),
        Column("paid_at", "time", clock="paid_at"),
        Column("failed_at", "time", clock="failed_at"),
        Column("disputed_at", "time", clock="disputed_at"),
        Column("amount", "number", required=True),
        Column("currency", "text"),
    ),
    ends="paid_at",
    computed=(
        Computed("due_by", "time", coerce.known("due_at")),
        Computed("exchange_rate", "number", "exchange_rate"),
    ),
    checks=(
        _before("paid_at", "issued_at", "map the date on which the invoice was settled"),
        _before("failed_at", "issued_at", "map the first time that a payment failed"),
        _before("disputed_at", "issued_at", "map the time at which the account objected"),
        _due_before("due_at", "issued_at"),
    ),
)

TOUCHPOINTS = Source(
    name="touchpoints",
    key=(),
    time="occurred_at",
    columns=(
        Column("account_id", "id", required=True),
        Column("occurred_at", "time", required=True),
        Column("kind", "text", required=True),
        Column("owner", "text"),
        Column("note", "text"),
    ),
)

FX_RATES = Source(
    name="fx_rates",
    key=("currency", "date"),
    time='"date"',
    columns=(
        Column("currency", "text", required=True),
        Column("date", "time", required=True),
        Column("rate", "number", required=True),
    ),
    checks=(Check("rate_not_positive", "NOT rate > 0", "rate must be above 0", needs=("rate",)),),
)

MERGERS = Source(
    name="mergers",
    key=("account_id",),
    time='"at"',
    columns=(
        Column("account_id", "id", required=True),
        Column("into_account_id", "id", required=True),
        Column("at", "time", required=True),
    ),
    checks=(
        Check(
            "merged_into_itself",
            "account_id = into_account_id",
            "an account merges into another one",
            fix="check which of the two columns is mapped",
            needs=("into_account_id",),
        ),
    ),
)

SOURCES: dict[str, Source] = {
    source.name: source
    for source in (
        *(ACCOUNTS, SUBSCRIPTIONS, USAGE_EVENTS, TICKETS, SURVEY_RESPONSES, INVOICES),
        *(TOUCHPOINTS, FX_RATES, MERGERS),
    )
}


def filling(name: str) -> str:
    """Return what to do about a table without a row."""
    return "fill it" if SOURCES[name].required else "leave it out of the config, or fill it"
