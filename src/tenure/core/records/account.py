"""What `tenure account` prints: everything known about one account at a time."""

from __future__ import annotations

from tenure.core.records.base import Record, Time
from tenure.core.records.scorecards import AccountScorecards

Scalar = str | float | bool | None


class Contract(Record):
    """One row of the account's subscriptions, as known then.

    The others are those of the contract's table.
    """

    subscription_id: str
    plan: str | None = None
    mrr: float | None = None
    currency: str | None = None
    seats: float | None = None
    billing_period: str | None = None
    started_at: Time
    ended_at: Time | None = None
    end_reason: str | None = None
    notice_at: Time | None = None
    paid: bool
    running: bool
    renews_at: Time | None = None
    """When its term ends, of a running row."""
    notice_by: Time | None = None
    """Until when it can be ended: the end of the term less the notice period."""


class AccountScore(Record):
    """A kept score of the account."""

    target: str
    horizon: str
    """Days, as text, or ``renewal``."""
    horizon_days: int
    probability: float | None = None
    """Calibrated, with the bounds `lo` and `hi`; None where it abstains."""
    lo: float | None = None
    hi: float | None = None
    base_rate: float
    """Share of outcomes that the model learnt from."""
    change: float | None = None
    """Since the kept run with the prediction time before."""
    risk_band: str | None = None
    """By the thresholds alone, of churn."""
    band: str | None = None
    """As it is shown: it rises at once and falls slowly; of churn under the main horizon."""
    band_since: Time | None = None
    """The kept run from which it has stood."""
    rank: int | None = None
    """Place in the book by risk, 1 is the highest."""
    amount_at_risk: float | None = None
    """Probability of churn × MRR."""
    expected_amount: float | None = None
    """Expected expansion MRR."""
    abstain_reason: str | None = None
    """Why there is no probability."""
    model_version: str
    drivers: tuple[dict[str, Scalar], ...]
    """What moves the score most, strongest first, by the fields of the flat rows."""


class AccountScores(Record):
    """The account's scores in the latest kept run up to then."""

    as_of: Time
    """Prediction time of the run."""
    scored_at: Time
    run_id: str
    scores: tuple[AccountScore, ...]
    """By target and horizon."""


class UsageWeek(Record):
    """Use in seven days: events and distinct users."""

    week_from: Time
    events: int
    users: int


class UsageTrend(Record):
    """How the account uses the product."""

    last_at: Time | None = None
    """The last event that was known; None where there is none."""
    events_28d: int
    """Events of the 28 days before."""
    events_before: int
    """Of the 28 days before those."""
    users_28d: int
    """Distinct users of the 28 days before."""
    weeks: tuple[UsageWeek, ...]
    """The twelve weeks before, oldest first."""


class OpenTicket(Record):
    """A ticket that was open then."""

    ticket_id: str
    opened_at: Time
    priority: str | None = None
    category: str | None = None
    first_responded_at: Time | None = None
    escalated_at: Time | None = None


class SurveyAnswer(Record):
    """An answer to a survey, on its scale."""

    response_id: str
    survey_type: str
    score: float
    scale_low: float | None = None
    scale_high: float | None = None
    responded_at: Time
    respondent_id: str | None = None
    comment: str | None = None


class UnpaidInvoice(Record):
    """An invoice that was not paid then; `overdue_days` is below 0 before its due date."""

    invoice_id: str
    issued_at: Time
    due_at: Time | None = None
    amount: float | None = None
    currency: str | None = None
    overdue_days: int | None = None


class Touchpoint(Record):
    """Somebody spoke with the account."""

    occurred_at: Time
    kind: str
    owner: str | None = None
    note: str | None = None


class TimelineEntry(Record):
    """Something that happened."""

    at: Time
    kind: str
    """``contract``, ``ticket``, ``survey``, ``invoice`` or ``touchpoint``."""
    text: str
    """What, in words."""


class AccountRecord(Record):
    """Everything known about an account at a prediction time."""

    account_id: str
    as_of: Time
    """Only what happened and was known before it counts."""
    created_at: Time | None = None
    """When the account was created."""
    name: str | None = None
    """What it is called; None where that is not known."""
    owner: str | None = None
    """Who looks after it."""
    segment: str | None = None
    attributes: dict[str, Scalar]
    """Further attributes of the table `accounts` as known then."""
    paying: bool
    """Whether a paid subscription ran then."""
    standing: str
    """In words whether it pays, gave notice, has left or has not begun to pay."""
    mrr: float | None = None
    """What it paid per month, in `currency`."""
    currency: str | None = None
    """None where it has none or several."""
    seats: float | None = None
    """Paid seats."""
    renews_at: Time | None = None
    """The earliest end of a term that ran; the end where notice was given."""
    notice_by: Time | None = None
    """Until when it can end its contract."""
    notice_given: bool = False
    """Whether it had given notice."""
    contracts: tuple[Contract, ...]
    """Rows of its subscriptions, running ones first, then the latest."""
    scores: AccountScores | None = None
    """Of the latest kept run; None where there is none."""
    scorecards: AccountScorecards | None = None
    """None where it did not pay."""
    usage: UsageTrend | None = None
    """None without the table."""
    open_tickets: tuple[OpenTicket, ...]
    """Latest first; the others likewise."""
    surveys: tuple[SurveyAnswer, ...]
    """Its last answers."""
    unpaid_invoices: tuple[UnpaidInvoice, ...]
    """What was issued and not paid."""
    touchpoints: tuple[Touchpoint, ...]
    """The last ones."""
    timeline: tuple[TimelineEntry, ...]
    """What happened in the 90 days before, latest first."""
    earlier: int = 0
    """Entries of these days that are not in the timeline."""
    missing: dict[str, str]
    """What cannot be shown → why, with the next step."""
