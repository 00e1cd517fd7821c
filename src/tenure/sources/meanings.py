"""What every column of the contract means; messages and docs/data.md are made from it.

A new column of `tenure.sources.contract` needs a line here: what it is, its unit where it has one,
what happens without it, and which field of which export it usually is.

>>> MEANINGS["subscriptions"]["mrr"].unit
'money per month'
"""

from __future__ import annotations

from collections.abc import Mapping

from tenure.sources.meaning import (
    ACCOUNT,
    CURRENCY,
    GROUP,
    KEY_ABSENT,
    REJECTED,
    SHOWN,
    WITHOUT,
    Meaning,
)

ACCOUNTS = {
    "account_id": Meaning(
        "the customer that is asked about: a company, as one id in all tables",
        KEY_ABSENT,
        "Salesforce `Account.Id`, HubSpot `companyId`, Stripe `customer.id`, Segment `group_id`",
    ),
    "created_at": Meaning(
        "when the account came to be: signed up, or was first recorded",
        "the first `started_at` among its subscriptions stands in, and the report says so",
        "Salesforce `CreatedDate`, HubSpot `createdate`, Stripe `customer.created`",
    ),
    "valid_from": Meaning(
        "since when the row's attributes hold, where they have a history (one row per change)",
        "there is one row per account, its attributes are today's, and the audit names them",
        "a snapshot or SCD2 table: `dbt_valid_from`, Salesforce `AccountHistory.CreatedDate`",
    ),
    "name": Meaning("what people call the account", SHOWN, "Salesforce `Name`, HubSpot `name`"),
    "segment": Meaning("the group it belongs to, such as small", GROUP, "a CRM field of your own"),
    "industry": Meaning("the trade it is in", GROUP, "Salesforce `Industry`, HubSpot `industry`"),
    "country": Meaning(
        "where it is", GROUP, "Salesforce `BillingCountry`, HubSpot `country`, Stripe `address`"
    ),
    "employees": Meaning(
        "how many people work there",
        "features per employee are absent",
        "Salesforce `NumberOfEmployees`, HubSpot `numberofemployees`",
        "people",
    ),
    "owner": Meaning(
        "who looks after it", SHOWN, "Salesforce `OwnerId`, HubSpot `hubspot_owner_id`"
    ),
}
SUBSCRIPTIONS = {
    "subscription_id": Meaning(
        "the subscription; where it has items, the item too, so that the key tells rows apart",
        "`account_id` stands in where the column is not mapped",
        "Stripe `subscription_item.id`, Chargebee `subscription.id`, Zuora `RatePlanCharge.Id`",
    ),
    "account_id": ACCOUNT,
    "started_at": Meaning(
        "when the period of the row begins; a change of price ends a row and starts the next",
        REJECTED,
        "Stripe `start_date`, Chargebee `started_at`, Recurly `activated_at`, Zuora "
        "`EffectiveStartDate`",
    ),
    "ended_at": Meaning(
        "the first moment that is no longer paid for (exclusive). Where rows that follow each "
        "other show that the last paid day is written, it is moved to the day after, and the "
        "report says so; `data.tables.subscriptions.ended_at` states which. A date from 2099 on, "
        "in the year 0 or 1900-01-01 is no end",
        "the row runs; what ends at or after `observed_until` is a due date and no end",
        "Stripe `ended_at` (not `canceled_at`), Chargebee `cancelled_at`, Recurly `expires_at`, "
        "Zuora `EffectiveEndDate`",
    ),
    "plan": Meaning(
        "what is subscribed to",
        "the plan is no feature",
        "Stripe `price.nickname`, Chargebee `item_price_id`, Zuora `ProductRatePlan.Name`",
    ),
    "mrr": Meaning(
        "what is paid for a month, net of discounts and taxes; a yearly amount is divided by 12. "
        "0 is not paid",
        REJECTED,
        "Stripe `quantity * unit_amount / 100` (by `recurring.interval`), Chargebee `mrr / 100`, "
        "Zuora `MRR`",
        "money per month",
    ),
    "list_mrr": Meaning(
        "what a month would cost at the monthly term's price, before any discount",
        "`mrr / (1 - discount)` stands in, else `mrr`; a change of term then counts as no change",
        "a price list joined to the plan",
        "money per month",
    ),
    "discount": Meaning(
        "share off the list price",
        "`mrr` is taken to be the list price, unless `list_mrr` is mapped",
        "Stripe `coupon.percent_off / 100`, Zuora `DiscountPercentage / 100`",
        "share, 0 to 1",
    ),
    "currency": CURRENCY,
    "seats": Meaning(
        "how many seats are paid for",
        "features per seat are absent",
        "Stripe `quantity`, Chargebee `item_quantity`, Zuora `Quantity`",
        "seats",
    ),
    "billing_period": Meaning(
        "how long a term is: renewals are counted in it where no date is agreed",
        "there is no renewal date but `renews_at`",
        "Stripe `recurring.interval`, Chargebee `billing_period_unit`, Zuora `BillingPeriod`",
        "months; weeks are not read",
    ),
    "renews_at": Meaning(
        "the renewal date that was agreed when the row began, not one that is written anew since",
        "whole periods from `started_at` on",
        "Zuora `TermEndDate`, Salesforce `Contract.EndDate`; not Stripe `current_period_end`",
    ),
    "notice_period_days": Meaning(
        "how many days before the end of its term the contract has to be ended, else it renews",
        "`metrics.notice_period_days` stands in; without it there is no opt-out deadline",
        "Salesforce `Contract.OwnerExpirationNotice`, a field of your contracts",
        "days",
    ),
    "notice_at": Meaning(
        "when notice was given, or the cancellation asked for",
        "churn is dated by `ended_at`",
        "Stripe `canceled_at`, Chargebee `cancel_schedule_created_at`, Recurly `canceled_at`",
    ),
    "end_reason": Meaning(
        "why the row ended",
        "involuntary churn cannot be told from voluntary",
        "Stripe `cancellation_details.reason`, Chargebee `cancel_reason`, Recurly "
        "`expiration_reason`",
    ),
    "status": Meaning(
        "the state the row is in today. `trialing`, `incomplete` and `draft` were never paid; "
        "`paused`, `unpaid` and `canceled` ended what was paid, since `status_at`; all others pay",
        "every row with `mrr` above 0 is paid until it ends",
        "Stripe, Chargebee, Recurly, Paddle `status`, Zuora `Status`",
    ),
    "status_at": Meaning(
        "since when the status holds",
        "the status is that of `observed_until`: a canceled row without an end runs until then, "
        "which the report says in red",
        "`updated_at` of your application's table, where nothing else changes it",
    ),
}
USAGE_EVENTS = {
    "event_id": Meaning(
        "the event", "copies of an event count again", "Segment `messageId`, PostHog `uuid`"
    ),
    "account_id": ACCOUNT,
    "subscription_id": Meaning(
        "the subscription that was used",
        "nothing is compared with the time of a subscription",
        "your product's log",
    ),
    "user_id": Meaning(
        "who did it. `nan`, `undefined`, `(not set)` and the like are nobody",
        "features of people, of seats in use and of users are absent",
        "Segment `userId`, Mixpanel `distinct_id`, Amplitude `user_id`, Pendo `visitorId`",
    ),
    "event": Meaning(
        "what was done; the most used ones are features of their own",
        REJECTED,
        "Segment, PostHog `event`, Amplitude `event_type`, Pendo `featureId`",
    ),
    "occurred_at": Meaning(
        "when it was done, by the server's clock if there is one",
        REJECTED,
        "Segment `timestamp`, Mixpanel `time`, Amplitude `event_time`",
    ),
    "quantity": Meaning(
        "how much was done", "an event counts once", "a property of the event", "your own unit"
    ),
}
TICKETS = {
    "ticket_id": Meaning(
        "the ticket", KEY_ABSENT, "Zendesk `id`, Jira `key`, Salesforce `Case.Id`"
    ),
    "account_id": ACCOUNT,
    "opened_at": Meaning(
        "when it was opened", REJECTED, "Zendesk, Intercom `created_at`, Jira `created`"
    ),
    "first_responded_at": Meaning(
        "when somebody first answered",
        "response times are absent",
        "Zendesk `metric_set.reply_time` added to `created_at`, Intercom `first_admin_reply_at`",
    ),
    "resolved_at": Meaning(
        "when it was resolved; empty while it is open",
        "open tickets and resolution times are absent",
        "Zendesk `solved_at`, Jira `resolutiondate`, Salesforce `ClosedDate`",
    ),
    "priority": Meaning(
        "how urgent it is",
        "features of urgent tickets are absent; so they are where most words are not known",
        "Zendesk, Freshdesk, Jira, ServiceNow, Intercom `priority`",
    ),
    "category": Meaning(
        "what it is about; the most used ones are features of their own",
        "there are none by category",
        "Zendesk `type` or a tag, Jira `components`, Salesforce `Type`",
    ),
    "escalated_at": Meaning("when it was escalated", WITHOUT, "Salesforce `IsEscalated`, dated"),
    "reopened_at": Meaning("when it was opened again", WITHOUT, "Zendesk ticket audits"),
    "csat_score": Meaning(
        "how content the requester was with the ticket",
        WITHOUT,
        "Zendesk `satisfaction_rating.score`, Intercom `conversation_rating.rating`",
        "your own scale; one for all tickets",
    ),
    "csat_at": Meaning(
        "when that was said",
        "`csat_score` is not used: when it became known is not known",
        "Zendesk `satisfaction_rating.created_at`",
    ),
}
SURVEY_RESPONSES = {
    "response_id": Meaning(
        "the survey as sent to one person, answered or not",
        KEY_ABSENT,
        "Delighted, SurveyMonkey `id`, Qualtrics `ResponseId`, Typeform `response_id`",
    ),
    "account_id": ACCOUNT,
    "respondent_id": Meaning("who was asked", "people are not counted", "Delighted `person.id`"),
    "survey_type": Meaning(
        "what was asked; no vendor has such a column: `survey_type: {value: nps}`",
        REJECTED,
        "the name of the survey, or a constant",
    ),
    "score": Meaning(
        "the answer; empty where there is none",
        "the survey counts as not answered",
        "Delighted `score`, Qualtrics, Typeform: the answer to the question",
        "points on its scale: nps 0–10, csat 1–5, ces 1–7, unless said otherwise",
    ),
    "scale_min": Meaning("the lowest answer possible", "the type's usual", "a constant", "points"),
    "scale_max": Meaning("the highest answer possible", "the type's usual", "a constant", "points"),
    "sent_at": Meaning(
        "when it was sent",
        "`responded_at` is the time of the row, and how many answer is not known",
        "Delighted `survey_sent_at`, Qualtrics `distributionHistory.sentAt`",
    ),
    "responded_at": Meaning(
        "when it was answered",
        "the score is not used: when it became known is not known",
        "Delighted `created_at`, Qualtrics `RecordedDate`, Typeform `submitted_at`",
    ),
    "comment": Meaning("what was written with it", SHOWN, "Delighted `comment`"),
}
INVOICES = {
    "invoice_id": Meaning(
        "the invoice", KEY_ABSENT, "Stripe, Chargebee `id`, Zuora `InvoiceNumber`"
    ),
    "account_id": ACCOUNT,
    "issued_at": Meaning(
        "when it was issued", REJECTED, "Stripe `created`, Chargebee `date`, Zuora `InvoiceDate`"
    ),
    "due_at": Meaning(
        "when it is due; a date without a time is the end of that day, so a payment on the due "
        "day is not late",
        "nothing is late",
        "Stripe `due_date`, Chargebee `due_date`, Zuora `DueDate`",
    ),
    "paid_at": Meaning(
        "when it was settled; empty while it is open",
        "times to pay and open amounts are absent",
        "Stripe `status_transitions.paid_at`, Chargebee `paid_at`",
    ),
    "failed_at": Meaning(
        "when a payment of it first failed",
        WITHOUT,
        "Stripe event `invoice.payment_failed`, Recurly `transactions.created_at`",
    ),
    "disputed_at": Meaning("when the account objected", WITHOUT, "Stripe `dispute.created`"),
    "amount": Meaning(
        "what it asks for", REJECTED, "Stripe `amount_due / 100`, Chargebee `total / 100`", "money"
    ),
    "currency": CURRENCY,
}
TOUCHPOINTS = {
    "account_id": ACCOUNT,
    "occurred_at": Meaning(
        "when it took place; what is booked ahead is set aside",
        REJECTED,
        "Salesforce `ActivityDate`, HubSpot `hs_timestamp`",
    ),
    "kind": Meaning(
        "what it was, such as call or qbr; the most used ones are features of their own",
        REJECTED,
        "Salesforce `Type`, HubSpot `hs_activity_type`",
    ),
    "owner": Meaning("who did it", SHOWN, "Salesforce `OwnerId`"),
    "note": Meaning("what was noted", SHOWN, "Salesforce `Description`"),
}
FX_RATES = {
    "currency": Meaning("the currency", KEY_ABSENT, "your finance system", "ISO 4217 code"),
    "date": Meaning("since when the rate holds", KEY_ABSENT, "your finance system"),
    "rate": Meaning(
        "what one unit is worth in your own currency. Features of money are converted by the rate "
        "last known when the row became known; a currency without any rate is your own",
        REJECTED,
        "your finance system, the European Central Bank",
        "own currency per unit",
    ),
}
MERGERS = {
    "account_id": Meaning(
        "the account that became part of another one",
        KEY_ABSENT,
        "a CRM merge log: Salesforce `MasterRecordId` set on the losing record, HubSpot "
        "`hs_merged_object_ids`",
    ),
    "into_account_id": Meaning(
        "the account that it became part of, one that had not itself merged by then",
        REJECTED,
        "the winning record of the merge",
    ),
    "at": Meaning(
        "since when the rows of the first count for the second in customer-success metrics: what "
        "the two pay less together is contraction of the joint account, and nobody churned",
        REJECTED,
        "the time of the merge",
    ),
}
MEANINGS: Mapping[str, Mapping[str, Meaning]] = {
    "accounts": ACCOUNTS,
    "subscriptions": SUBSCRIPTIONS,
    "usage_events": USAGE_EVENTS,
    "tickets": TICKETS,
    "survey_responses": SURVEY_RESPONSES,
    "invoices": INVOICES,
    "touchpoints": TOUCHPOINTS,
    "fx_rates": FX_RATES,
    "mergers": MERGERS,
}
