"""The history of some demo accounts as five exports, and the same history in the contract's tables.

HubSpot has the companies and the activities, Stripe customers, subscriptions, items and invoices,
Zendesk organizations, tickets, metrics and ratings, Segment the tracks, Delighted the responses.
A file of one system has the id of another only where companies really keep them: in a property of
HubSpot and the external id of Zendesk (the id of their own product, which Segment has as group),
in the metadata of Stripe's customers, and in the domain of an e-mail address.

What an export cannot carry is left out of both sides:

* Stripe: pauses, the list price of a monthly term, the renewal date that was agreed (it is
  overwritten), the reasons `non_renewal`, `upgrade` and `downgrade`, which subscription continues
  another (each term at one price is one of its own, with the trial before it), the price of a
  trial, an add-on without a quantity, notice on the last day, money below a cent;
* HubSpot: attributes without a property, and notes;
* Zendesk: seconds until the first reply, escalations, more than four types of tickets, and how
  good or bad a good or bad rating was;
* Delighted: surveys that nobody answered, and when a survey was sent.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from tenure.demo import write_world

ACCOUNTS, MONTHS, SEED = 300, 12, 7

HISTORY = {
    "companies": """
        SELECT account_id AS app_id,
          row_number() OVER (ORDER BY account_id) * 17 + 9000000000 AS id,
          replace(account_id, 'acc-', 'company-') || '.example' AS domain,
          * EXCLUDE (account_id, region)
        FROM demo_accounts
    """,
    "terms": """
        WITH paid AS (
          SELECT * FROM demo_subscriptions WHERE status = 'active'
        ), trial AS (
          SELECT * FROM demo_subscriptions WHERE status = 'trialing'
        )
        SELECT 'sub_' || md5(coalesce(p.subscription_id, t.subscription_id)
            || coalesce(p.started_at, t.started_at)) AS id,
          coalesce(p.account_id, t.account_id) AS app_id,
          t.started_at AS trial_start,
          CASE WHEN t.started_at IS NOT NULL THEN coalesce(t.ended_at, t.renews_at) END
            AS trial_end,
          coalesce(t.started_at, p.started_at) AS started_at,
          CASE WHEN p.started_at IS NULL THEN t.ended_at ELSE p.ended_at END AS ended_at,
          coalesce(p.plan, t.plan) AS plan, round(coalesce(p.list_mrr, 10), 2) AS price,
          CAST(round(coalesce(p.discount, 0) * 100) AS INTEGER) AS percent_off,
          coalesce(p.currency, t.currency) AS currency,
          coalesce(p.seats, t.seats, 1) AS seats,
          coalesce(p.billing_period, 'monthly') AS billing_period,
          CASE WHEN p.notice_at < coalesce(p.ended_at, '2100-01-01') THEN p.notice_at END
            AS notice_at,
          CASE WHEN p.end_reason IN ('voluntary', 'non_renewal') THEN 'cancellation_requested'
            WHEN p.end_reason = 'involuntary' THEN 'payment_failed' END AS reason,
          p.started_at IS NOT NULL AS pays
        FROM paid AS p FULL JOIN trial AS t
          ON t.account_id = p.account_id AND t.ended_at = p.started_at AND p.plan <> 'Add-on'
    """,
    "tickets": """
        SELECT CAST(ltrim(ticket_id, 'tic-0') AS INTEGER) AS id, account_id AS app_id, opened_at,
          date_diff('second', opened_at, first_responded_at) // 60 AS reply_minutes, resolved_at,
          priority, CASE category WHEN 'how_to' THEN 'question' WHEN 'bug' THEN 'problem'
            WHEN 'access' THEN 'incident' ELSE 'task' END AS type,
          csat_score >= 4 AS good, csat_at
        FROM demo_tickets
    """,
    "answers": "SELECT * FROM demo_survey_responses WHERE score IS NOT NULL",
    "calls": "SELECT * FROM demo_touchpoints",
    "bills": """
        SELECT * REPLACE (CAST(round(amount * 100) AS BIGINT) AS amount) FROM demo_invoices
    """,
    "events": "SELECT * FROM demo_usage_events",
}
"""What happened: the demo's tables without what no export carries."""

EXPORTS = {
    "hubspot_companies.csv": """
        SELECT id AS "Record ID", 'Company ' || app_id AS "Company name", domain AS
          "Company Domain Name", app_id AS "Product account ID", created_at AS "Create Date",
          industry AS "Industry", country AS "Country/Region", employees AS "Number of Employees",
          owner AS "Company owner", segment AS "Customer segment", 'customer' AS "Lifecycle Stage"
        FROM companies
    """,
    "hubspot_activities.csv": """
        SELECT row_number() OVER () AS "Record ID", occurred_at AS "Activity date",
          upper(kind) AS "Activity type", calls.owner AS "Activity assigned to",
          id || CASE WHEN id % 2 = 0 THEN ';1' ELSE '' END AS "Associated Company IDs"
        FROM calls JOIN companies ON app_id = account_id
    """,
    "stripe_customers.csv": """
        SELECT 'cus_' || md5(app_id) AS id, epoch(created_at)::BIGINT AS created,
          'billing@' || domain AS email, false AS delinquent,
          json_object('hubspot_company', id::VARCHAR) AS metadata
        FROM companies
    """,
    "stripe_subscriptions.csv": """
        SELECT id, 'cus_' || md5(app_id) AS customer, epoch(started_at)::BIGINT AS created,
          epoch(started_at)::BIGINT AS start_date, epoch(trial_start)::BIGINT AS trial_start,
          epoch(trial_end)::BIGINT AS trial_end, epoch(ended_at)::BIGINT AS ended_at,
          epoch(coalesce(notice_at, ended_at))::BIGINT AS canceled_at,
          epoch(TIMESTAMP '2030-01-01')::BIGINT AS current_period_end,
          CASE WHEN ended_at IS NOT NULL THEN 'canceled'
            WHEN NOT pays THEN 'trialing' ELSE 'active' END AS status,
          percent_off AS "discount.coupon.percent_off",
          reason AS "cancellation_details.reason"
        FROM terms
    """,
    "stripe_subscription_items.csv": """
        SELECT 'si_' || right(id, 12) AS id, id AS subscription, seats AS quantity,
          'price_' || right(id, 12) AS "price.id", plan AS "price.nickname",
          lower(currency) AS "price.currency",
          CASE billing_period WHEN 'annual' THEN 'year' ELSE 'month' END
            AS "price.recurring.interval",
          1 AS "price.recurring.interval_count",
          CAST(price * 100 * CASE billing_period WHEN 'annual' THEN 12 ELSE 1 END
            / seats AS DECIMAL(18, 10)) AS "price.unit_amount_decimal"
        FROM terms
    """,
    "stripe_invoices.csv": """
        SELECT replace(invoice_id, 'inv-', 'in_') AS id, 'cus_' || md5(account_id) AS customer,
          epoch(issued_at)::BIGINT AS created, epoch(due_at)::BIGINT AS due_date,
          epoch(paid_at)::BIGINT AS "status_transitions.paid_at", amount AS amount_due,
          lower(currency) AS currency, CASE WHEN paid_at IS NULL THEN 'open' ELSE 'paid' END
            AS status
        FROM bills
    """,
    "zendesk_organizations.csv": """
        SELECT id * 3 AS id, 'Company ' || app_id AS name, app_id AS external_id,
          '[]' AS domain_names, false AS shared_tickets
        FROM companies
    """,
    "zendesk_tickets.csv": """
        SELECT t.id, strftime(opened_at, '%Y-%m-%dT%H:%M:%SZ') AS created_at, c.id * 3
          AS organization_id, t.id + 500 AS requester_id, priority, type, 'solved' AS status
        FROM tickets AS t JOIN companies AS c USING (app_id)
    """,
    "zendesk_ticket_metrics.csv": """
        SELECT id AS ticket_id, strftime(resolved_at, '%Y-%m-%dT%H:%M:%SZ') AS solved_at,
          reply_minutes AS "reply_time_in_minutes.calendar"
        FROM tickets
    """,
    "zendesk_satisfaction_ratings.csv": """
        SELECT id + 70000 AS id, id AS ticket_id, CASE WHEN good THEN 'good' ELSE 'bad' END
          AS score, strftime(csat_at, '%Y-%m-%dT%H:%M:%SZ') AS created_at
        FROM tickets WHERE csat_at IS NOT NULL
        UNION ALL SELECT id + 90000, id, 'offered', strftime(resolved_at, '%Y-%m-%dT%H:%M:%SZ')
        FROM tickets WHERE csat_at IS NULL AND resolved_at IS NOT NULL
    """,
    "segment_tracks.parquet": """
        SELECT event_id AS id, user_id, account_id AS context_group_id, event,
          occurred_at AS timestamp, known_at AS received_at,
          json_object('quantity', quantity) AS properties
        FROM events
    """,
    "delighted_responses.csv": """
        SELECT response_id AS id, respondent_id AS person, respondent_id || '@' || domain
          AS person_email, survey_type, CAST(score AS INTEGER) AS score, comment,
          'delighted.example/r/' || response_id AS permalink,
          epoch(responded_at)::BIGINT AS created_at
        FROM answers JOIN companies ON app_id = account_id
    """,
}
"""File → what it holds."""

CONTRACT = {
    "accounts": """
        SELECT id::VARCHAR AS account_id, created_at, 'Company ' || app_id AS name, segment,
          industry, country, employees, owner
        FROM companies
    """,
    "subscriptions": """
        SELECT t.id AS subscription_id, c.id::VARCHAR AS account_id, trial_start AS started_at,
          trial_end AS ended_at, plan, 0.0 AS mrr, NULL AS discount, currency, seats,
          NULL AS billing_period, NULL AS notice_at, NULL AS end_reason, 'trialing' AS status
        FROM terms AS t JOIN companies AS c USING (app_id) WHERE trial_start IS NOT NULL
        UNION ALL
        SELECT t.id, c.id::VARCHAR, coalesce(trial_end, started_at), ended_at, plan,
          round(price * (1 - percent_off / 100), 2), percent_off / 100, currency, seats,
          billing_period, notice_at, CASE reason WHEN 'cancellation_requested' THEN 'voluntary'
            WHEN 'payment_failed' THEN 'involuntary' END,
          CASE WHEN ended_at IS NULL THEN 'active' ELSE 'canceled' END
        FROM terms AS t JOIN companies AS c USING (app_id) WHERE pays
    """,
    "usage_events": """
        SELECT event_id, c.id::VARCHAR AS account_id, user_id, event, occurred_at, quantity,
          known_at
        FROM events JOIN companies AS c ON app_id = account_id
    """,
    "tickets": """
        SELECT t.id::VARCHAR AS ticket_id, c.id::VARCHAR AS account_id, opened_at,
          opened_at + to_minutes(reply_minutes) AS first_responded_at, resolved_at, priority,
          type AS category, CAST(good AS DOUBLE) AS csat_score, csat_at
        FROM tickets AS t JOIN companies AS c USING (app_id)
    """,
    "survey_responses": """
        SELECT response_id, c.id::VARCHAR AS account_id, respondent_id, survey_type, score,
          responded_at, comment
        FROM answers JOIN companies AS c ON app_id = account_id
    """,
    "invoices": """
        SELECT invoice_id, c.id::VARCHAR AS account_id, issued_at, due_at, paid_at,
          amount / 100 AS amount, currency
        FROM bills JOIN companies AS c ON app_id = account_id
    """,
    "touchpoints": """
        SELECT c.id::VARCHAR AS account_id, occurred_at, kind, calls.owner
        FROM calls JOIN companies AS c ON app_id = account_id
    """,
}
"""Table of the contract → the same history."""


def write_histories(folder: Path) -> tuple[Path, Path]:
    """Write both; return the folder of the exports and that of the contract's tables."""
    write_world(folder / "demo", accounts=ACCOUNTS, months=MONTHS, seed=SEED)
    exports, contract = folder / "exports", folder / "contract"
    exports.mkdir()
    contract.mkdir()
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for path in sorted((folder / "demo").glob("*.parquet")):
            connection.execute(f"CREATE VIEW demo_{path.stem} AS FROM '{path}'")
        for name, sql in HISTORY.items():
            connection.execute(f"CREATE TABLE {name} AS {sql}")
        for name, sql in EXPORTS.items():
            connection.execute(f"COPY ({sql}) TO '{exports / name}'")
        for name, sql in CONTRACT.items():
            connection.execute(f"COPY ({sql}) TO '{contract / name}.parquet'")
    return exports, contract
