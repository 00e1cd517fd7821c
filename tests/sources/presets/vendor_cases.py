"""Small files after the vendors' documented columns, and what the contract's tables must hold."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Case:
    """Files of a vendor, and per table: the columns to look at, and the rows as text."""

    vendor: str
    files: dict[str, str]
    tables: dict[str, tuple[str, list[tuple[str | None, ...]]]]
    objects: set[str] = field(default_factory=set)
    name: str = ""


OWN = {
    "accounts.csv": "account_id,created_at\na1,2023-01-01\na2,2023-02-01\n",
    "subscriptions.csv": "account_id,started_at,mrr\na1,2023-01-05,100\na2,2023-02-05,50\n",
}
"""Accounts and subscriptions of a warehouse, beside which a support or survey tool is used."""

CASES = [
    Case(
        "stripe",
        {
            "customers.csv": (
                "id,created,email,name,delinquent,currency\n"
                "cus_1,1672531200,a@x.example,Ann,false,usd\n"
                "cus_2,1675209600,b@y.example,Bob,true,jpy\n"
            ),
            "subscriptions.csv": (
                "id,customer,start_date,current_period_end,trial_start,trial_end,ended_at,"
                "canceled_at,status,cancellation_details.reason,discount.coupon.percent_off\n"
                "sub_1,cus_1,1672617600,1704067200,1672617600,1673827200,1688169600,1685577600,"
                "canceled,cancellation_requested,25\n"
                "sub_2,cus_2,1675296000,1704067200,,,1682899200,1682899200,canceled,"
                "payment_failed,\n"
            ),
            "subscription_items.csv": (
                "id,subscription,quantity,price.id,price.unit_amount,price.currency,"
                "price.recurring.interval,price.recurring.interval_count,price.nickname\n"
                "si_1,sub_1,10,price_1,120000,usd,year,1,Team\n"
                "si_2,sub_1,1,price_2,3000,usd,month,3,Add-on\n"
                "si_3,sub_2,2,price_3,5000,jpy,month,1,Solo\n"
            ),
            "invoices.csv": (
                "id,customer,created,due_date,status_transitions.paid_at,"
                "status_transitions.voided_at,amount_due,currency,status\n"
                "in_1,cus_1,1672617600,1675209600,1673000000,,120000,usd,paid\n"
                "in_2,cus_2,1675296000,,,1677000000,10000,jpy,void\n"
                "in_3,cus_2,1675296000,,,,999,jpy,draft\n"
            ),
        },
        {
            "accounts": (
                "account_id, created_at, name",
                [
                    ("cus_1", "2023-01-01 00:00:00", "Ann"),
                    ("cus_2", "2023-02-01 00:00:00", "Bob"),
                ],
            ),
            "subscriptions": (
                "subscription_id, account_id, started_at, ended_at, mrr, discount, currency, "
                "seats, billing_period, notice_at, end_reason, status",
                [
                    (
                        "sub_1-si_1",
                        "cus_1",
                        "2023-01-02 00:00:00",
                        "2023-01-16 00:00:00",
                        "0.0",
                        None,
                        "USD",
                        "10",
                        None,
                        None,
                        None,
                        "trialing",
                    ),
                    (
                        "sub_1-si_1",
                        "cus_1",
                        "2023-01-16 00:00:00",
                        "2023-07-01 00:00:00",
                        "750.0",
                        "0.25",
                        "USD",
                        "10",
                        "12m",
                        "2023-06-01 00:00:00",
                        "voluntary",
                        "canceled",
                    ),
                    (
                        "sub_1-si_2",
                        "cus_1",
                        "2023-01-02 00:00:00",
                        "2023-01-16 00:00:00",
                        "0.0",
                        None,
                        "USD",
                        "1",
                        None,
                        None,
                        None,
                        "trialing",
                    ),
                    (
                        "sub_1-si_2",
                        "cus_1",
                        "2023-01-16 00:00:00",
                        "2023-07-01 00:00:00",
                        "7.5",
                        "0.25",
                        "USD",
                        "1",
                        "3m",
                        "2023-06-01 00:00:00",
                        "voluntary",
                        "canceled",
                    ),
                    (
                        "sub_2-si_3",
                        "cus_2",
                        "2023-02-02 00:00:00",
                        "2023-05-01 00:00:00",
                        "10000.0",
                        "0.0",
                        "JPY",
                        "2",
                        "1m",
                        None,
                        "involuntary",
                        "canceled",
                    ),
                ],
            ),
            "invoices": (
                "invoice_id, due_at, paid_at, amount, currency",
                [
                    ("in_1", "2023-02-01 00:00:00", "2023-01-06 10:13:20", "1200.0", "USD"),
                    ("in_2", None, "2023-02-21 17:20:00", "10000.0", "JPY"),
                ],
            ),
        },
        {"customer", "subscription", "item", "invoice"},
    ),
    Case(
        "stripe",
        {
            "stripe subscriptions.csv": (
                "id,Customer ID,Customer Email,Plan,Quantity,Currency,Interval,Amount,Status,"
                "Created (UTC),Start (UTC),Current Period End (UTC),Trial Start (UTC),"
                "Trial End (UTC),Canceled At (UTC),Ended At (UTC)\n"
                "sub_1,cus_1,a@x.example,Team,2,usd,year,600.00,active,2023-01-02 10:00,"
                "2023-01-02 10:00,2024-01-02 10:00,,,,\n"
            ),
        },
        {
            "accounts": ("account_id", [("cus_1",)]),
            "subscriptions": (
                "subscription_id, account_id, started_at, mrr, billing_period, seats",
                [("sub_1", "cus_1", "2023-01-02 10:00:00", "100.0", "12m", "2")],
            ),
        },
        {"exported"},
        "dashboard",
    ),
    Case(
        "stripe",
        {
            "subscription_history.csv": (
                "_fivetran_active,id,customer_id,start_date,current_period_end,canceled_at,"
                "ended_at,status,trial_start,trial_end,quantity,metadata\n"
                "false,sub_1,cus_1,2023-01-02 00:00:00,2023-02-02,,,active,,,1,\n"
                "true,sub_1,cus_1,2023-01-02 00:00:00,2023-03-02,,,active,,,1,\n"
            ),
            "subscription_item.csv": "id,plan_id,quantity,subscription_id\nsi_1,p_1,3,sub_1\n",
            "price.csv": (
                "id,active,currency,recurring_interval,recurring_interval_count,unit_amount,"
                "product_id,nickname\np_1,true,usd,month,1,1500,prod_1,Basic\n"
            ),
        },
        {"subscriptions": ("account_id, plan, mrr, seats", [("cus_1", "Basic", "45.0", "3")])},
        {"subscription", "item", "price"},
        "warehouse",
    ),
    Case(
        "chargebee",
        {
            "customers.csv": (
                "id,company,created_at,auto_collection,net_term_days\n"
                "c1,Ann Ltd,1672531200,on,0\nc2,Bob Ltd,1672531200,on,0\n"
            ),
            "subscriptions.csv": (
                "id,customer_id,plan_id,plan_quantity,plan_unit_price,billing_period,"
                "billing_period_unit,started_at,trial_end,activated_at,current_term_end,"
                "cancelled_at,cancel_schedule_created_at,cancel_reason,status,currency_code,mrr\n"
                "s1,c1,team,5,24000,1,year,1672617600,1673827200,1673827200,1705363200,"
                "1688169600,1685577600,not_paid,cancelled,EUR,10000\n"
                "s2,c2,solo,1,900,1,month,1672617600,,1672617600,1705363200,,,,active,EUR,900\n"
            ),
            "invoices.csv": (
                "id,customer_id,date,due_date,paid_at,total,currency_code,status\n"
                "i1,c1,1673827200,1676505600,1674000000,120000,EUR,paid\n"
                "i2,c2,1673827200,1676505600,,900,EUR,pending\n"
            ),
        },
        {
            "subscriptions": (
                "subscription_id, started_at, ended_at, mrr, seats, billing_period, notice_at, "
                "end_reason, status",
                [
                    (
                        "s1",
                        "2023-01-02 00:00:00",
                        "2023-01-16 00:00:00",
                        "0.0",
                        "5",
                        None,
                        None,
                        None,
                        "trialing",
                    ),
                    (
                        "s1",
                        "2023-01-16 00:00:00",
                        "2023-07-01 00:00:00",
                        "100.0",
                        "5",
                        "12m",
                        "2023-06-01 00:00:00",
                        "involuntary",
                        "canceled",
                    ),
                    ("s2", "2023-01-02 00:00:00", None, "9.0", "1", "1m", None, None, "active"),
                ],
            ),
            "invoices": ("invoice_id, amount, paid_at", [("i1", "1200.0", "2023-01-18 00:00:00")]),
        },
        {"customer", "subscription", "invoice"},
    ),
    Case(
        "chargebee",
        {
            "customers.csv": "id,company,created_at,auto_collection\nc1,Ann Ltd,1672531200,on\n",
            "subscriptions.csv": (
                "id,customer_id,billing_period,billing_period_unit,started_at,activated_at,"
                "current_term_end,status,currency_code\n"
                "s1,c1,1,month,1672617600,1672617600,1705363200,active,USD\n"
            ),
            "subscription_items.csv": (
                "subscription_id,item_price_id,item_type,quantity,unit_price,amount\n"
                "s1,team-USD,plan,4,1000,4000\ns1,support-USD,addon,1,500,500\n"
            ),
        },
        {
            "subscriptions": (
                "subscription_id, plan, mrr, seats",
                [
                    ("s1-support-USD", "support-USD", "5.0", "1"),
                    ("s1-team-USD", "team-USD", "40.0", "4"),
                ],
            )
        },
        {"customer", "subscription", "item"},
        "items",
    ),
    Case(
        "recurly",
        {
            "recurly_accounts.csv": (
                "account_code,company,created_at,state,id\nacme,Acme,2023-01-01T00:00:00Z,"
                "active,k1\nbee,Bee,2023-01-01T00:00:00Z,active,k2\n"
            ),
            "recurly_subscriptions.csv": (
                "uuid,account_code,plan_code,plan_name,quantity,unit_amount,subtotal,currency,"
                "state,activated_at,canceled_at,expires_at,trial_started_at,trial_ends_at,"
                "plan_interval_unit,plan_interval_length,expiration_reason\n"
                "u1,acme,gold,Gold,2,60.0,120.0,usd,expired,2023-01-01T00:00:00Z,"
                "2023-05-20T00:00:00Z,2023-07-01T00:00:00Z,,,months,6,canceled\n"
                "u2,bee,gold,Gold,1,30.0,30.0,usd,canceled,2023-01-10T00:00:00Z,"
                "2023-06-10T00:00:00Z,,2023-01-10T00:00:00Z,2023-01-24T00:00:00Z,months,1,\n"
            ),
            "recurly_invoices.csv": (
                "invoice_number,account_code,invoice_date,due_on,closed_at,invoice_total,"
                "currency,state,net_terms\n1001,acme,2023-01-01,2023-01-31,2023-01-20,120.0,usd,"
                "paid,30\n"
            ),
        },
        {
            "subscriptions": (
                "subscription_id, started_at, ended_at, mrr, notice_at, end_reason, status",
                [
                    (
                        "u1",
                        "2023-01-01 00:00:00",
                        "2023-07-01 00:00:00",
                        "20.0",
                        "2023-05-20 00:00:00",
                        "voluntary",
                        "canceled",
                    ),
                    (
                        "u2",
                        "2023-01-10 00:00:00",
                        "2023-01-24 00:00:00",
                        "0.0",
                        None,
                        None,
                        "trialing",
                    ),
                    (
                        "u2",
                        "2023-01-24 00:00:00",
                        None,
                        "30.0",
                        "2023-06-10 00:00:00",
                        None,
                        "non_renewing",
                    ),
                ],
            ),
            "invoices": (
                "invoice_id, due_at, paid_at, amount",
                [("1001", "2023-01-31 00:00:00", "2023-01-20 00:00:00", "120.0")],
            ),
        },
        {"account", "subscription", "invoice"},
    ),
    Case(
        "zuora",
        {
            "account.csv": (
                "id,account_number,name,created_date,currency,crm_id\n"
                "z1,A-1,Acme,2023-01-01T08:00:00Z,USD,001A\n"
            ),
            "subscription.csv": (
                "id,account_id,name,status,term_start_date,term_end_date,cancelled_date,"
                "cancel_reason\nsu1,z1,S-1,Active,2023-01-01,2024-01-01,,\n"
                "su2,z1,S-2,Draft,2023-01-01,2024-01-01,,\n"
            ),
            "rate_plan_charge.csv": (
                "id,subscription_id,account_id,charge_number,segment,effective_start_date,"
                "effective_end_date,mrr,quantity,billing_period,charge_type,name,"
                "transaction_currency\n"
                "r1,su1,z1,C-1,1,2023-01-01,2023-04-01,100,5,Annual,Recurring,Seats,USD\n"
                "r2,su1,z1,C-1,2,2023-04-01,2024-01-01,140,7,Annual,Recurring,Seats,USD\n"
                "r3,su1,z1,C-2,1,2023-01-01,2023-01-02,0,1,,OneTime,Setup,USD\n"
                "r4,su2,z1,C-3,1,2023-01-01,2024-01-01,900,1,Annual,Recurring,Seats,USD\n"
            ),
            "invoice.csv": (
                "id,account_id,invoice_number,invoice_date,due_date,amount,balance,status,"
                "transaction_currency\nv1,z1,INV-1,2023-01-01,2023-01-31,1200,0,Posted,USD\n"
                "v2,z1,INV-2,2023-01-01,2023-01-31,7,7,Draft,USD\n"
            ),
        },
        {
            "subscriptions": (
                "subscription_id, started_at, ended_at, mrr, seats, billing_period",
                [
                    ("C-1", "2023-01-01 00:00:00", "2023-04-01 00:00:00", "100.0", "5", "12m"),
                    ("C-1", "2023-04-01 00:00:00", None, "140.0", "7", "12m"),
                ],
            ),
            "invoices": ("invoice_id, amount", [("v1", "1200.0")]),
        },
        {"account", "subscription", "charge", "invoice"},
    ),
    Case(
        "paddle",
        {
            "customers.csv": (
                "id,name,email,marketing_consent,locale,created_at\n"
                "ctm_1,Acme,a@x.example,false,en,2023-01-01T00:00:00Z\n"
            ),
            "subscriptions.csv": (
                "id,status,customer_id,currency_code,started_at,first_billed_at,canceled_at,"
                "billing_cycle.interval,billing_cycle.frequency\n"
                "sub_1,canceled,ctm_1,EUR,2023-01-01T00:00:00Z,2023-01-15T00:00:00Z,"
                "2023-06-15T00:00:00Z,year,1\n"
            ),
            "subscription_items.csv": (
                "subscription_id,price_id,unit_price.amount,quantity\nsub_1,pri_1,12000,3\n"
            ),
            "transactions.csv": (
                "id,customer_id,subscription_id,billed_at,completed_at,currency_code,"
                "details.totals.grand_total,status\n"
                "txn_1,ctm_1,sub_1,2023-01-15T00:00:00Z,2023-01-15T00:05:00Z,EUR,36000,completed\n"
                "txn_2,ctm_1,sub_1,,,EUR,36000,draft\n"
            ),
        },
        {
            "subscriptions": (
                "subscription_id, started_at, ended_at, mrr, status, seats",
                [
                    (
                        "sub_1-pri_1",
                        "2023-01-01 00:00:00",
                        "2023-01-15 00:00:00",
                        "0.0",
                        "trialing",
                        "3",
                    ),
                    (
                        "sub_1-pri_1",
                        "2023-01-15 00:00:00",
                        "2023-06-15 00:00:00",
                        "30.0",
                        "canceled",
                        "3",
                    ),
                ],
            ),
            "invoices": (
                "invoice_id, amount, paid_at",
                [("txn_1", "360.0", "2023-01-15 00:05:00")],
            ),
        },
        {"customer", "subscription", "item", "transaction"},
    ),
    Case(
        "salesforce",
        {
            "Account.csv": (
                "Id,IsDeleted,MasterRecordId,Name,Type,BillingCountry,Industry,NumberOfEmployees,"
                "OwnerId,CreatedDate\n"
                "001A,false,,Acme,Enterprise,DE,Retail,40,005A,2023-01-01T10:00:00.000+0000\n"
            ),
            "Contract.csv": (
                "Id,AccountId,ContractNumber,StartDate,EndDate,ContractTerm,Status,ARR__c,Seats__c\n"
                "800A,001A,00000101,2023-01-01,2023-06-30,6,Activated,2400,4\n"
                "800B,001A,00000102,2023-07-01,2024-06-30,12,Draft,9600,4\n"
            ),
            "Case.csv": (
                "Id,CaseNumber,AccountId,Type,Reason,Origin,Priority,IsClosed,IsEscalated,"
                "CreatedDate,ClosedDate,Status\n"
                "500A,00001001,001A,Problem,,Web,High,true,false,2023-02-01T10:00:00.000Z,"
                "2023-02-03T10:00:00.000Z,Closed\n"
            ),
            "Task.csv": (
                "Id,AccountId,WhoId,WhatId,Subject,ActivityDate,CompletedDateTime,IsClosed,"
                "TaskSubtype,OwnerId\n"
                "00TA,001A,,,Call,2023-03-01,2023-03-01T15:00:00.000Z,true,Call,005A\n"
                "00TB,001A,,,Later,2023-09-01,,false,Call,005A\n"
            ),
            "Event.csv": (
                "Id,AccountId,Subject,StartDateTime,EndDateTime,DurationInMinutes,OwnerId,"
                "EventSubtype\n00UA,001A,QBR,2023-04-01T09:00:00.000Z,2023-04-01T10:00:00.000Z,"
                "60,005A,Event\n"
            ),
        },
        {
            "accounts": (
                "account_id, segment, country, employees, owner",
                [("001A", "Enterprise", "DE", "40", "005A")],
            ),
            "subscriptions": (
                "subscription_id, started_at, ended_at, mrr, seats, billing_period",
                [("800A", "2023-01-01 00:00:00", "2023-07-01 00:00:00", "200.0", "4", "6m")],
            ),
            "tickets": (
                "ticket_id, priority, category, resolved_at",
                [("500A", "high", "Problem", "2023-02-03 10:00:00")],
            ),
            "touchpoints": (
                "kind, occurred_at",
                [("call", "2023-03-01 15:00:00"), ("event", "2023-04-01 09:00:00")],
            ),
        },
        {"account", "contract", "ticket", "task", "event"},
    ),
    Case(
        "hubspot",
        OWN
        | {
            "hubspot_tickets.csv": (
                "Ticket ID,Ticket name,Ticket status,Priority,Category,Create date,Close date,"
                "Associated Company IDs\n"
                "9,Help,Closed,URGENT,Billing,2023-03-01 10:00,2023-03-02 10:00,a1;a2\n"
            ),
            "calls.csv": "hs_object_id,hs_timestamp,hubspot_owner_id,company_id\n1,"
            "2023-03-05T10:00:00Z,77,a1\n",
            "meetings.csv": "hs_object_id,hs_timestamp,hubspot_owner_id,company_id\n2,"
            "2023-03-06T10:00:00Z,77,a2\n",
            "feedback_submissions.csv": (
                "hs_object_id,hs_submission_timestamp,hs_survey_type,hs_value,hs_content,"
                "hs_contact_id,company_id\n5,2023-03-07T10:00:00Z,NPS,9,Nice,c1,a2\n"
            ),
        },
        {
            "tickets": (
                "ticket_id, account_id, priority, category, resolved_at",
                [("9", "a1", "urgent", "Billing", "2023-03-02 10:00:00")],
            ),
            "touchpoints": (
                "account_id, kind, owner",
                [("a1", "call", "77"), ("a2", "meeting", "77")],
            ),
            "survey_responses": (
                "response_id, account_id, survey_type, score, responded_at",
                [("5", "a2", "nps", "9.0", "2023-03-07 10:00:00")],
            ),
        },
        {"ticket", "activity", "feedback"},
    ),
    Case(
        "zendesk",
        OWN
        | {
            "zendesk tickets.csv": (
                "Id,Subject,Requester id,Organization,Created at,Solved at,Priority,Ticket type,"
                "Satisfaction Score,First reply time in minutes\n"
                "7,Hi,55,a1,2023-03-01 10:00,2023-03-02 10:00,High,Problem,Good,90\n"
            ),
        },
        {
            "tickets": (
                "ticket_id, account_id, first_responded_at, resolved_at, priority, category",
                [("7", "a1", "2023-03-01 11:30:00", "2023-03-02 10:00:00", "high", "Problem")],
            )
        },
        {"ticket"},
        "views",
    ),
    Case(
        "zendesk",
        OWN
        | {
            "ticket.csv": (
                "id,created_at,requester_id,organization_id,status,priority,type\n"
                "7,2023-03-01 10:00,55,a1,closed,high,problem\n"
                "8,2023-03-01 10:00,55,a2,open,low,question\n"
                "9,2023-03-01 10:00,55,a2,pending,low,task\n"
            ),
            "ticket_field_history.csv": (
                "field_name,ticket_id,updated,user_id,value\n"
                "status,7,2023-03-01 10:00,1,open\nstatus,7,2023-03-02 10:00,1,solved\n"
                "status,7,2023-03-03 10:00,1,open\nstatus,7,2023-03-04 10:00,1,solved\n"
                "priority,7,2023-03-04 11:00,1,high\nstatus,7,2023-03-08 10:00,1,closed\n"
                "status,8,2023-03-02 10:00,1,solved\nstatus,8,2023-03-03 10:00,1,open\n"
            ),
        },
        {
            "tickets": (
                "ticket_id, account_id, opened_at, resolved_at",
                [
                    ("7", "a1", "2023-03-01 10:00:00", "2023-03-04 10:00:00"),
                    ("8", "a2", "2023-03-01 10:00:00", None),
                    ("9", "a2", "2023-03-01 10:00:00", None),
                ],
            )
        },
        {"ticket", "change"},
        "histories",
    ),
    Case(
        "intercom",
        OWN
        | {
            "conversations.csv": (
                "id,created_at,updated_at,waiting_since,state,priority,source.type,"
                "contacts.companies.id,statistics.first_admin_reply_at,statistics.last_close_at,"
                "conversation_rating.rating,conversation_rating.created_at\n"
                "11,1677664800,1677700000,,closed,priority,email,a2,1677666000,1677751200,5,"
                "1677760000\n12,1677664800,1677700000,,open,not_priority,chat,a1,,,,\n"
            ),
        },
        {
            "tickets": (
                "ticket_id, account_id, opened_at, first_responded_at, resolved_at, priority, "
                "csat_score, csat_at",
                [
                    (
                        "11",
                        "a2",
                        "2023-03-01 10:00:00",
                        "2023-03-01 10:20:00",
                        "2023-03-02 10:00:00",
                        "urgent",
                        "5.0",
                        "2023-03-02 12:26:40",
                    ),
                    ("12", "a1", "2023-03-01 10:00:00", None, None, "normal", None, None),
                ],
            )
        },
        {"conversation"},
    ),
    Case(
        "freshdesk",
        OWN
        | {
            "tickets.json": (
                '[{"id": 1, "priority": 4, "status": 5, "company_id": "a1", "type": "Incident", '
                '"fr_escalated": false, "responder_id": 3, "created_at": "2023-03-01T10:00:00Z", '
                '"stats": {"resolved_at": "2023-03-02T10:00:00Z", '
                '"first_responded_at": "2023-03-01T11:00:00Z"}}, '
                '{"id": 2, "priority": 1, "status": 2, "company_id": "a2", "type": null, '
                '"fr_escalated": false, "responder_id": 3, "created_at": "2023-03-03T10:00:00Z", '
                '"stats": {"resolved_at": null, "first_responded_at": null}}]'
            ),
        },
        {
            "tickets": (
                "ticket_id, account_id, priority, category, first_responded_at, resolved_at",
                [
                    ("1", "a1", "urgent", "Incident", "2023-03-01 11:00:00", "2023-03-02 10:00:00"),
                    ("2", "a2", "low", None, None, None),
                ],
            )
        },
        {"ticket"},
    ),
    Case(
        "jira",
        OWN
        | {
            "jira.csv": (
                "Summary,Issue key,Issue id,Issue Type,Status,Priority,Created,Resolved,"
                "Component/s,Custom field (Organizations)\n"
                "Help,SUP-1,10001,Incident,Done,Highest,01/Mar/23 10:00 AM,02/Mar/23 9:30 AM,"
                "Login,a1\n"
                "Help,SUP-2,10002,Incident,Open,Low,15/Mar/23 1:00 PM,,Login,a2\n"
            ),
        },
        {
            "tickets": (
                "ticket_id, account_id, opened_at, resolved_at, priority, category",
                [
                    (
                        "SUP-1",
                        "a1",
                        "2023-03-01 10:00:00",
                        "2023-03-02 09:30:00",
                        "urgent",
                        "Login",
                    ),
                    ("SUP-2", "a2", "2023-03-15 13:00:00", None, "low", "Login"),
                ],
            )
        },
        {"issue"},
    ),
    Case(
        "segment",
        OWN
        | {
            "tracks.csv": (
                "id,anonymous_id,user_id,event,event_text,timestamp,received_at,sent_at\n"
                "m1,x,u1,report_viewed,Report Viewed,2023-03-01 10:00:00,2023-03-01 10:00:05,\n"
                "m2,x,u2,report_viewed,Report Viewed,2023-03-01 11:00:00,2023-03-02 11:00:00,\n"
            ),
            "groups.csv": (
                "id,group_id,user_id,received_at,name\n"
                "g1,a2,u1,2023-01-01 00:00:00,x\ng2,a1,u1,2023-02-01 00:00:00,x\n"
                "g3,a2,u2,2023-02-01 00:00:00,x\n"
            ),
        },
        {
            "usage_events": (
                "event_id, account_id, user_id, event, occurred_at, known_at",
                [
                    (
                        "m1",
                        "a1",
                        "u1",
                        "report_viewed",
                        "2023-03-01 10:00:00",
                        "2023-03-01 10:00:05",
                    ),
                    (
                        "m2",
                        "a2",
                        "u2",
                        "report_viewed",
                        "2023-03-01 11:00:00",
                        "2023-03-02 11:00:00",
                    ),
                ],
            )
        },
        {"track", "member"},
    ),
    Case(
        "mixpanel",
        OWN
        | {
            "export.jsonl": (
                '{"event": "Report Viewed", "properties": {"time": 1677664800, "distinct_id": '
                '"u1", "$insert_id": "i1", "company_id": "a1", "quantity": 3}}\n'
                '{"event": "Login", "properties": {"time": 1677668400, "distinct_id": "u2", '
                '"$insert_id": "i2", "company_id": "a2", "quantity": 1}}\n'
            ),
        },
        {
            "usage_events": (
                "event_id, account_id, user_id, event, occurred_at, quantity",
                [
                    ("i1", "a1", "u1", "Report Viewed", "2023-03-01 10:00:00", "3.0"),
                    ("i2", "a2", "u2", "Login", "2023-03-01 11:00:00", "1.0"),
                ],
            )
        },
        {"event"},
    ),
    Case(
        "posthog",
        OWN
        | {
            "events.csv": (
                "uuid,event,properties,distinct_id,timestamp,_inserted_at\n"
                'e1,report,"{""$groups"": {""company"": ""a1""}, ""$group_0"": ""a1""}",u1,'
                "2023-03-01T10:00:00Z,2023-03-01T10:01:00Z\n"
                'e2,$identify,"{""$group_0"": ""a1""}",u1,2023-03-01T10:00:00Z,'
                "2023-03-01T10:01:00Z\n"
                'e3,login,"{""$group_0"": ""a2""}",u2,2023-03-01T11:00:00Z,'
                "2023-03-01T11:01:00Z\n"
            ),
        },
        {
            "usage_events": (
                "event_id, account_id, user_id, event, known_at",
                [
                    ("e1", "a1", "u1", "report", "2023-03-01 10:01:00"),
                    ("e3", "a2", "u2", "login", "2023-03-01 11:01:00"),
                ],
            )
        },
        {"event"},
    ),
    Case(
        "amplitude",
        OWN
        | {
            "amplitude.json": (
                '{"uuid": "e1", "event_type": "report", "event_time": "2023-03-01 10:00:00.5", '
                '"user_id": "u1", "amplitude_id": 5, "device_id": "d", "server_received_time": '
                '"2023-03-01 10:00:02", "groups": {"company": ["a1"]}}\n'
                '{"uuid": "e2", "event_type": "login", "event_time": "2023-03-01 11:00:00.5", '
                '"user_id": "u2", "amplitude_id": 6, "device_id": "d", "server_received_time": '
                '"2023-03-01 11:00:02", "groups": {"company": ["a2"]}}\n'
            ),
        },
        {
            "usage_events": (
                "event_id, account_id, user_id, event, occurred_at",
                [
                    ("e1", "a1", "u1", "report", "2023-03-01 10:00:00.5"),
                    ("e2", "a2", "u2", "login", "2023-03-01 11:00:00.5"),
                ],
            )
        },
        {"event"},
    ),
    Case(
        "pendo",
        OWN
        | {
            "feature_event.csv": (
                "account_id,visitor_id,feature_id,num_events,num_minutes,timestamp,app_id\n"
                "a1,v1,f1,4,2,2023-03-01 10:00:00,1\n"
            ),
            "page_event.csv": (
                "account_id,visitor_id,page_id,num_events,num_minutes,timestamp,app_id\n"
                "a2,v2,p1,2,2,2023-03-02 10:00:00,1\n"
            ),
        },
        {
            "usage_events": (
                "account_id, user_id, event, quantity",
                [("a1", "v1", "f1", "4.0"), ("a2", "v2", "p1", "2.0")],
            )
        },
        {"activity"},
    ),
    Case(
        "delighted",
        OWN
        | {
            "delighted.json": (
                '[{"id": "1", "person": "10", "survey_type": "nps", "score": 9, "comment": null, '
                '"permalink": "x", "created_at": 1677664800, "person_properties": '
                '{"account": "a1"}}, {"id": "2", "person": "11", "survey_type": "nps", '
                '"score": 2, "comment": "Slow", "permalink": "x", "created_at": 1677668400, '
                '"person_properties": {"account": "a2"}}]'
            ),
        },
        {
            "survey_responses": (
                "response_id, account_id, respondent_id, survey_type, score, responded_at, comment",
                [
                    ("1", "a1", "10", "nps", "9.0", "2023-03-01 10:00:00", None),
                    ("2", "a2", "11", "nps", "2.0", "2023-03-01 11:00:00", "Slow"),
                ],
            )
        },
        {"response"},
    ),
    Case(
        "qualtrics",
        OWN
        | {
            "qualtrics.csv": (
                "StartDate,EndDate,RecordedDate,ResponseId,Finished,RecipientEmail,"
                "ExternalReference,DistributionChannel,UserLanguage,Q1_NPS_GROUP,Q1_NPS\n"
                "Start Date,End Date,Recorded Date,Response ID,Finished,Email,Ref,Channel,Lang,"
                '"Would you recommend us? - Group","Would you recommend us?"\n'
                '"{""ImportId"":""startDate""}",x,x,x,x,x,x,x,x,x,x\n'
                "2023-03-01 09:58:00,2023-03-01 10:00:00,2023-03-01 10:00:01,R_1,True,b@x.example,"
                "a1,email,EN,Promoter,10\n"
                "2023-03-02 09:58:00,2023-03-02 10:00:00,2023-03-02 10:00:01,R_2,True,c@x.example,"
                "a2,email,EN,Detractor,3\n"
            ),
        },
        {
            "survey_responses": (
                "response_id, account_id, survey_type, score, responded_at",
                [
                    ("R_1", "a1", "nps", "10.0", "2023-03-01 10:00:01"),
                    ("R_2", "a2", "nps", "3.0", "2023-03-02 10:00:01"),
                ],
            )
        },
        {"response"},
    ),
    Case(
        "surveymonkey",
        OWN
        | {
            "surveymonkey.csv": (
                "Respondent ID,Collector ID,Start Date,End Date,IP Address,Email Address,"
                "Custom Data 1,How likely is it that you would recommend this company to a friend "
                "or colleague?\n,,,,,,,Response\n"
                "118,40,03/21/2023 09:58:00 AM,03/21/2023 10:00:00 AM,,b@x.example,a1,9\n"
                "119,40,03/01/2023 01:58:00 PM,03/01/2023 02:00:00 PM,,c@x.example,a2,6\n"
            ),
        },
        {
            "survey_responses": (
                "response_id, account_id, survey_type, score, responded_at",
                [
                    ("118", "a1", "nps", "9.0", "2023-03-21 10:00:00"),
                    ("119", "a2", "nps", "6.0", "2023-03-01 14:00:00"),
                ],
            )
        },
        {"response"},
    ),
    Case(
        "typeform",
        OWN
        | {
            "typeform.csv": (
                "#,How likely are you to recommend us to a friend or colleague?,Why?,account_id,"
                "Response Type,Start Date (UTC),Submit Date (UTC),Network ID\n"
                "t1,8,Fine,a1,completed,2023-03-01 09:58:00,2023-03-01 10:00:00,n\n"
                "t2,3,,a2,completed,2023-03-01 09:58:00,2023-03-02 10:00:00,n\n"
                "t3,,,a2,started,2023-03-05 09:58:00,,n\n"
            ),
        },
        {
            "survey_responses": (
                "response_id, account_id, score, responded_at, comment",
                [
                    ("t1", "a1", "8.0", "2023-03-01 10:00:00", "Fine"),
                    ("t2", "a2", "3.0", "2023-03-02 10:00:00", None),
                ],
            )
        },
        {"response"},
    ),
    Case(
        "generic_crm",
        {
            "customers.csv": (
                "Customer No,Customer,Customer since,Tier,Account Manager\n"
                "17,Acme,01/02/2023,Gold,Jo\n18,Bee,25/03/2023,Silver,Jo\n"
            ),
            "contracts.csv": (
                "Contract No,Customer No,Start date,End date,Annual value,Product,Seats\n"
                "1,17,05/02/2023,,1200,Team,5\n2,18,26/03/2023,30/09/2023,600,Solo,1\n"
            ),
            "meetings.csv": "Customer No,Date,Type,User\n17,13/05/2023,QBR,Jo\n",
        },
        {
            "accounts": (
                "account_id, created_at, name, segment, owner",
                [
                    ("17", "2023-02-01 00:00:00", "Acme", "Gold", "Jo"),
                    ("18", "2023-03-25 00:00:00", "Bee", "Silver", "Jo"),
                ],
            ),
            "subscriptions": (
                "subscription_id, account_id, started_at, ended_at, mrr, plan",
                [
                    ("1", "17", "2023-02-05 00:00:00", None, "100.0", "Team"),
                    ("2", "18", "2023-03-26 00:00:00", None, "50.0", "Solo"),
                ],
            ),
            "touchpoints": (
                "account_id, kind, occurred_at",
                [("17", "QBR", "2023-05-13 00:00:00")],
            ),
        },
        {"account", "contract", "activity"},
    ),
    Case(
        "warehouse",
        {
            "dim_accounts.csv": "customer_id,signup_date,tier\nk1,2023-01-01,smb\n",
            "fct_subscriptions.csv": (
                "customer_id,start_date,end_date,monthly_recurring_revenue,plan_name\n"
                "k1,2023-01-02,,80,Team\n"
            ),
            "events.csv": "customer_id,user_id,event_name,event_time\nk1,u1,login,2023-02-01\n",
            "invoices.csv": "invoice_number,customer_id,invoice_date,paid_date,total\n"
            "9,k1,2023-01-02,2023-01-20,80\n",
        },
        {
            "subscriptions": (
                "account_id, started_at, mrr, plan",
                [("k1", "2023-01-02 00:00:00", "80.0", "Team")],
            ),
            "usage_events": ("account_id, user_id, event", [("k1", "u1", "login")]),
            "invoices": ("invoice_id, paid_at, amount", [("9", "2023-01-20 00:00:00", "80.0")]),
        },
        {"account", "subscription", "event", "invoice"},
    ),
]
