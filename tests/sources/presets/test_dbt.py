"""The source tables of public dbt packages are recognised by their columns, and no others are."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tenure.sources.presets.declared import presets
from tenure.sources.presets.raw_tables import RawColumn, RawTable
from tenure.sources.presets.recognise import recognised

PACKAGES: dict[str, dict[str, str]] = yaml.safe_load(
    Path(__file__).with_name("dbt_columns.yaml").read_text(encoding="utf-8")
)
OBJECTS = {
    "amplitude": {"amplitude_event": "event"},
    "hubspot": {
        "company": "company",
        "contact": "contact",
        "engagement_call": "activity",
        "engagement_company": "activity_company",
        "engagement_meeting": "activity",
        "engagement_note": "activity",
        "ticket": "ticket",
        "ticket_company": "ticket_company",
    },
    "intercom": {
        "company_history": "company",
        "contact_history": "contact",
        "contact_company_history": "contact_company",
        "conversation_history": "conversation",
        "conversation_contact_history": "conversation_contact",
    },
    "jira": {"issue": "issue", "priority": "level"},
    "mixpanel": {"event": "event"},
    "paddle": {
        "customer": "customer",
        "subscription": "subscription",
        "transaction": "transaction",
    },
    "posthog": {"events": "event"},
    "segment": {"tracks": "track", "groups": "member"},
    "pendo": {
        "account_history": "account",
        "event": "activity",
        "feature_event": "activity",
        "page_event": "activity",
    },
    "qualtrics": {
        "survey_response": "response",
        "question": "question",
        "question_response": "answer",
        "distribution_contact": "distribution",
    },
    "recurly": {
        "account_history": "account",
        "subscription_history": "subscription",
        "plan_history": "plan",
        "invoice_history": "invoice",
    },
    "salesforce": {
        "sf_account": "account",
        "sf_contact": "contact",
        "sf_event": "event",
        "sf_task": "task",
    },
    "stripe": {
        "customer": "customer",
        "subscription": "subscription",
        "subscription_history": "subscription",
        "subscription_item": "item",
        "price": "price",
        "plan": "price",
        "subscription_discount": "discount",
        "coupon": "coupon",
    },
    "zendesk": {
        "organization": "organization",
        "ticket": "ticket",
        "ticket_field_history": "change",
        "user": "user",
    },
    "zuora": {
        "zuora_account": "account",
        "zuora_subscription": "subscription",
        "zuora_rate_plan_charge": "charge",
        "zuora_invoice": "invoice",
    },
}
"""Package → table → which object of the preset of the package's name it is."""
ELSEWHERE = {("salesforce", "sf_user"): ("warehouse", "person")}
"""Tables of people, which only say to whom an e-mail address belongs."""


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("upper", [False, True], ids=["", "in capitals"])
def test_tables_are_what_they_are(package: str, upper: bool) -> None:
    every = presets().values()
    seen = {}
    for table, names in PACKAGES[package].items():
        columns = (names.upper() if upper else names).split()
        raw = RawTable(
            f"{table}.csv", "", tuple(RawColumn(name, "", "VARCHAR") for name in columns)
        )
        match = recognised(raw, every)
        seen[table] = (match.preset.name, match.object.name) if match else None
    expected: dict[str, tuple[str, str] | None] = dict.fromkeys(PACKAGES[package])
    expected |= {table: (package, name) for table, name in OBJECTS[package].items()}
    expected |= {table: other for (name, table), other in ELSEWHERE.items() if name == package}
    assert seen == expected
