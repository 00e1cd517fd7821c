"""Words that mean something: what the contract calls a thing, and what vendors call the same.

A word is compared in its plain spelling: lower case, and `_` for everything that is no letter or
digit (`P1 - Critical` is `p1_critical`).  To teach a word, add it to what it means.

>>> VOCABULARIES["tickets", "priority"].meaning("P1 - Critical")
'urgent'
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

NOTHING = (
    *("", "null", "nan", "nat", "none", "nil", "\\n", "\\\\n", "undefined", "n/a", "#n/a", "n.a."),
    *("-", "--", "—", "(not set)", "(null)", "[null]", "<null>", "(none)", "<na>", "(blank)"),
    *("(empty)", "not set", "#null!", "#value!", "#ref!", "(not provided)", "?"),
    "00000000-0000-0000-0000-000000000000",
)
"""What exports write where there is nothing; in lower case."""
NO_TIME = (*NOTHING, "na", "never", "infinity", "-infinity", "∞", "open", "ongoing", "present")
"""The same for times and numbers, which no name can be mistaken for (NA may be Namibia)."""


@dataclass(frozen=True)
class Vocabulary:
    """The words of a column."""

    words: Mapping[str, tuple[str, ...]]
    """The contract's word → the plain spellings of what vendors call it."""
    patterns: Mapping[str, str] = field(default_factory=dict)
    """The contract's word → a regular expression that the plain spelling may match where no
    spelling is listed."""
    open: bool = False
    """Whether a word that means none of these stays as it is, else the value is emptied."""
    hint: str = ""
    """What to do about a word that is not known."""

    @property
    def spellings(self) -> dict[str, str]:
        """Return plain spelling → the contract's word."""
        listed = {spelling: word for word, names in self.words.items() for spelling in names}
        return {word: word for word in self.words} | listed

    def meaning(self, text: str) -> str | None:
        """Return the contract's word for a text, None where it means none of them."""
        spelling = plain(text)
        if spelling in self.spellings:
            return self.spellings[spelling]
        matches = (word for word, form in self.patterns.items() if re.search(form, spelling))
        return next(matches, None)


def plain(text: str) -> str:
    """Return the plain spelling of a text.

    >>> plain(" Not-paid ")
    'not_paid'
    """
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def _split(words: str) -> tuple[str, ...]:
    return tuple(words.split())


_LEVEL = "p|s|sev|severity|prio|priority|level"

STATUS = Vocabulary(
    {
        "active": _split(
            "live running current paid paying open subscribed enabled activated in_force renewed "
            "ok good_standing valid in_term"
        ),
        "past_due": _split("overdue in_grace_period grace_period grace dunning late"),
        "non_renewing": _split("pending_cancellation pending_cancel cancel_at_period_end"),
        "trialing": _split("trial in_trial trialling free_trial trial_active"),
        "incomplete": _split("incomplete_expired trial_expired trial_ended"),
        "draft": _split(
            "pending future scheduled quote pending_activation not_started pending_acceptance "
            "upcoming created proposed requested not_active_yet in_approval in_approval_process "
            "awaiting_approval prospect"
        ),
        "paused": _split("suspended on_hold hold frozen pause halted"),
        "unpaid": _split("delinquent in_default defaulted payment_failed failed"),
        "canceled": _split(
            "cancelled expired churned inactive terminated ended closed deactivated disabled "
            "deleted lost finished completed stopped canceled_by_user cancelled_by_user "
            "cancelled_by_customer lapsed transferred former archived void refunded not_renewed "
            "cancel"
        ),
    },
    open=True,
    hint="a word that is not known counts as paid: map status to one of the contract's",
)
PRIORITY = Vocabulary(
    {
        "urgent": _split(
            "critical blocker highest emergency showstopper very_high true immediate disaster top "
            "urgente major_incident yes priority p0 p1 s0 s1 sev0 sev1 sev_0 sev_1 severity_1"
        ),
        "high": _split("major important elevated"),
        "normal": _split(
            "medium moderate standard default minor regular average not_priority false no "
            "undecided p2 p3 sev2 sev3"
        ),
        "low": _split("lowest trivial planning very_low cosmetic question p4 p5 sev4 sev5"),
    },
    {
        "urgent": (f"(^|_)(urgent|critical|blocker|highest|emergency)(_|$)|^({_LEVEL})_?[01](_|$)"),
        "high": "(^|_)(high|major)(_|$)",
        "normal": f"(^|_)(normal|medium|moderate|minor)(_|$)|^({_LEVEL})_?[23](_|$)",
        "low": f"(^|_)(low|lowest|trivial|planning)(_|$)|^({_LEVEL})_?[45](_|$)",
    },
    hint=(
        "a bare number is not read, for 1 is critical in ServiceNow and low in Freshdesk: map "
        "`priority: \"'p' || priority\"` where 1 is the most urgent"
    ),
)
SURVEY_TYPE = Vocabulary(
    {
        "nps": _split("net_promoter_score net_promoter netpromoter rnps tnps"),
        "csat": _split("customer_satisfaction satisfaction c_sat customer_satisfaction_score"),
        "ces": _split("customer_effort customer_effort_score effort effort_score"),
        "csi": _split("customer_satisfaction_index satisfaction_index"),
    },
    {
        "nps": r"(^|_)(nps|net_promoter)(_|$)",
        "csi": r"(^|_)(csi|satisfaction_index)(_|$)",
        "csat": r"(^|_)(csat|c_sat|customer_satisfaction)(_|$)",
        "ces": r"(^|_)(ces|customer_effort|effort_score)(_|$)",
    },
    hint="where all rows are of one type, map it as a constant: `survey_type: {value: nps}`",
)
END_REASON = Vocabulary(
    {
        "voluntary": _split(
            "too_expensive customer_request canceled cancelled cancellation cancellation_requested "
            "cancel user_request requested_by_customer customer_cancelled customer_service "
            "low_quality missing_features switched_service unused too_complex price pricing budget "
            "competitor other switched no_longer_needed not_needed order_change churned churn user "
            "customer merchant lost_to_competitor product support value voluntary_churn "
            "canceled_by_user cancelled_by_user cancelled_by_customer"
        ),
        "involuntary": _split(
            "payment_failed failed_payment payment_failure nonpayment non_payment not_paid unpaid "
            "no_card card_declined card_expired expired_card dunning delinquent past_due "
            "payment_disputed chargeback fraud fraud_review_failed non_compliant_customer "
            "tax_calculation_failed currency_incompatible_with_gateway non_compliant_eu_customer "
            "billing_error insufficient_funds max_failed_attempts bankruptcy out_of_business "
            "involuntary_churn tax_location_invalid bad_debt nonpayment_gift"
        ),
        "non_renewal": _split(
            "nonrenewal not_renewed no_renewal non_renewed expired expiration end_of_term term_end "
            "term_ended contract_ended contract_expired lapsed did_not_renew declined_renewal "
            "fixed_term expiry"
        ),
        "upgrade": _split("upgraded upsell plan_upgrade expansion cross_sell"),
        "downgrade": _split("downgraded downsell plan_downgrade contraction"),
    },
    {
        "involuntary": r"(^|_)(payment_fail(ed|ure)|non_?payment|not_paid|dunning|chargeback)(_|$)",
        "non_renewal": r"(^|_)(non_?renewal|not_renew(ed|ing)?|end_of_term)(_|$)",
    },
    hint="map it: `end_reason: CASE your_column WHEN 'your word' THEN 'voluntary' … END`",
)
VOCABULARIES: dict[tuple[str, str], Vocabulary] = {
    ("subscriptions", "status"): STATUS,
    ("subscriptions", "end_reason"): END_REASON,
    ("tickets", "priority"): PRIORITY,
    ("survey_responses", "survey_type"): SURVEY_TYPE,
}
PERIODS = {
    1: _split("monthly month permonth mo everymonth monthtomonth p1m months"),
    3: _split("quarterly quarter perquarter everyquarter threemonths quarterlypaid"),
    6: _split("semiannual semiannually halfyearly biannual halfyear sixmonths"),
    12: _split("annual annually yearly year peryear everyyear oneyear yr"),
    24: _split("biennial biennially twoyears twoyear 2years"),
    36: _split("triennial threeyears threeyear 3years"),
}
"""Billing period in months → what vendors call it, without spaces, hyphens and underscores."""
