"""What a column means, and what many of them have in common."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a column means."""

    text: str
    """What it is."""
    absent: str
    """What happens where the column, or a value of it, is absent."""
    origin: str
    """Which field of which export it usually is."""
    unit: str = ""
    """Unit or form of its values; empty where there is none."""


REJECTED = "required: a row without it is rejected"
KEY_ABSENT = (
    "required: a row without it is rejected; of rows with the same key the first known counts"
)
ACCOUNT = Meaning(
    "the account that the row belongs to, spelled as in `accounts`",
    "required: rows of no known account are rejected, and the report says how the ids differ",
    "Stripe `customer`, Zendesk `organization_id`, Salesforce `AccountId`, HubSpot `companyId`, "
    "Segment `group_id`",
)
CURRENCY = Meaning(
    "the currency of the amounts of the row",
    "one currency is taken for all; several need `fx_rates`, or amounts stand side by side as bare "
    "numbers, which the report says in red",
    "Stripe `currency`, Chargebee `currency_code`, Zuora `Currency`",
    "ISO 4217 code, such as USD",
)
WITHOUT = "features of it are absent"
SHOWN = "nothing changes: it is shown, and never a feature"
GROUP = "features and groups by it are absent; it is taken as constant unless the config says else"
