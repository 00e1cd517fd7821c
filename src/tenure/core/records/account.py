"""What `tenure account` prints: everything known about one account at a time."""

from __future__ import annotations

from tenure.core.records.base import Record, Time
from tenure.core.records.scorecards import AccountScorecards

Scalar = str | float | bool | None


class Contract(Record):
    """One row of the account's subscriptions, as known then.

    Attributes:
        running: Whether it ran then.
        renews_at: When its term ends, of a running row.
        notice_by: Until when it can be ended: the end of the term less the notice period.

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
    notice_by: Time | None = None


class AccountScore(Record):
    """A kept score of the account.

    Attributes:
        target: What is predicted.
        horizon: Days, as text, or ``renewal``.
        probability: Calibrated, with the bounds `lo` and `hi`; None where it abstains.
        base_rate: Share of outcomes that the model learnt from.
        change: Since the kept run with the prediction time before.
        risk_band: By the thresholds alone, of churn.
        band: As it is shown: it rises at once and falls slowly; of churn under the main horizon.
        band_since: The kept run from which it has stood.
        rank: Place in the book by risk, 1 is the highest.
        amount_at_risk: Probability of churn × MRR.
        expected_amount: Expected expansion MRR.
        abstain_reason: Why there is no probability.
        model_version: Of the model.
        drivers: What moves the score most, strongest first, by the fields of the flat rows.
    """

    target: str
    horizon: str
    horizon_days: int
    probability: float | None = None
    lo: float | None = None
    hi: float | None = None
    base_rate: float
    change: float | None = None
    risk_band: str | None = None
    band: str | None = None
    band_since: Time | None = None
    rank: int | None = None
    amount_at_risk: float | None = None
    expected_amount: float | None = None
    abstain_reason: str | None = None
    model_version: str
    drivers: tuple[dict[str, Scalar], ...]


class AccountScores(Record):
    """The account's scores in the latest kept run up to then.

    Attributes:
        as_of: Prediction time of the run.
        scored_at: When it was scored.
        run_id: Which run.
        scores: By target and horizon.
    """

    as_of: Time
    scored_at: Time
    run_id: str
    scores: tuple[AccountScore, ...]


class UsageWeek(Record):
    """Use in seven days: events and distinct users."""

    week_from: Time
    events: int
    users: int


class UsageTrend(Record):
    """How the account uses the product.

    Attributes:
        last_at: The last event that was known; None where there is none.
        events_28d: Events of the 28 days before.
        events_before: Of the 28 days before those.
        users_28d: Distinct users of the 28 days before.
        weeks: The twelve weeks before, oldest first.
    """

    last_at: Time | None = None
    events_28d: int
    events_before: int
    users_28d: int
    weeks: tuple[UsageWeek, ...]


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
    """Something that happened.

    Attributes:
        at: When.
        kind: ``contract``, ``ticket``, ``survey``, ``invoice`` or ``touchpoint``.
        text: What, in words.
    """

    at: Time
    kind: str
    text: str


class AccountRecord(Record):
    """Everything known about an account at a prediction time.

    Attributes:
        account_id: Whose.
        as_of: Only what happened and was known before it counts.
        created_at: When the account was created.
        name: What it is called; None where that is not known.
        owner: Who looks after it.
        segment: Its segment.
        attributes: Further attributes of the table `accounts` as known then.
        paying: Whether a paid subscription ran then.
        standing: In words whether it pays, gave notice, has left or has not begun to pay.
        mrr: What it paid per month, in `currency`.
        currency: None where it has none or several.
        seats: Paid seats.
        renews_at: The earliest end of a term that ran; the end where notice was given.
        notice_by: Until when it can end its contract.
        notice_given: Whether it had given notice.
        contracts: Rows of its subscriptions, running ones first, then the latest.
        scores: Of the latest kept run; None where there is none.
        scorecards: None where it did not pay.
        usage: None without the table.
        open_tickets: Latest first; the others likewise.
        surveys: Its last answers.
        unpaid_invoices: What was issued and not paid.
        touchpoints: The last ones.
        timeline: What happened in the 90 days before, latest first.
        earlier: Entries of these days that are not in the timeline.
        missing: What cannot be shown → why, with the next step.
    """

    account_id: str
    as_of: Time
    created_at: Time | None = None
    name: str | None = None
    owner: str | None = None
    segment: str | None = None
    attributes: dict[str, Scalar]
    paying: bool
    standing: str
    mrr: float | None = None
    currency: str | None = None
    seats: float | None = None
    renews_at: Time | None = None
    notice_by: Time | None = None
    notice_given: bool = False
    contracts: tuple[Contract, ...]
    scores: AccountScores | None = None
    scorecards: AccountScorecards | None = None
    usage: UsageTrend | None = None
    open_tickets: tuple[OpenTicket, ...]
    surveys: tuple[SurveyAnswer, ...]
    unpaid_invoices: tuple[UnpaidInvoice, ...]
    touchpoints: tuple[Touchpoint, ...]
    timeline: tuple[TimelineEntry, ...]
    earlier: int = 0
    missing: dict[str, str]
