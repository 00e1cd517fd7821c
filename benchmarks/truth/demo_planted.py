"""What was planted in the demo world, drivers and decoys, and its description as Markdown.

The patterns are regular expressions over feature names; any feature that matches one expresses
the driver.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from tenure.demo.parameters import BOOK, CONTRACTS, EVENTS, KEY_EVENT


@dataclass(frozen=True, slots=True)
class Planted:
    """A driver that acts on an outcome by itself.

    Attributes:
        target: Target that it acts on.
        name: Short name.
        sentence: What was planted, in plain words.
        direction: 1 if more of the named thing raises the probability, -1 if it lowers it.
        features: Patterns of the feature names that express it.
    """

    target: Literal["churn", "expansion"]
    name: str
    sentence: str
    direction: Literal[-1, 1]
    features: tuple[str, ...]

    def matches(self, features: Iterable[str]) -> bool:
        """Return whether one of the features expresses the driver."""
        return _any(self.features, features)


@dataclass(frozen=True, slots=True)
class Decoy:
    """Something in the tables that looks telling and moves neither outcome.

    Attributes:
        name: Short name.
        sentence: What it is.
        features: Patterns of the feature names that express it.
    """

    name: str
    sentence: str
    features: tuple[str, ...]

    def matches(self, features: Iterable[str]) -> bool:
        """Return whether one of the features expresses the decoy."""
        return _any(self.features, features)


DRIVERS = (
    Planted(
        "churn",
        "renewal_near",
        "Annual accounts decide in the sixty days before their term ends, monthly ones at the end"
        " of each month.",
        1,
        (r"^days_to_renewal", r"^billing_period$"),
    ),
    Planted(
        "churn",
        "falling_use",
        "Usage that falls, over the last month and over the last quarter, makes leaving likelier.",
        1,
        (r"^events_trend", r"^events_change", r"^active_days_trend"),
    ),
    Planted(
        "churn",
        "slow_support",
        "Tickets open for more than five days hurt at once and, two to fourteen weeks later,"
        " again; more so near a renewal and in the first four months.",
        1,
        (
            r"^mean_resolution_hours",
            r"^oldest_open_ticket",
            r"^open_tickets",
            r"^tickets_escalated",
        ),
    ),
    Planted(
        "churn",
        "unhappy",
        "A last NPS answer of 6 or less makes leaving likelier, 9 or 10 less likely.",
        1,
        (r"^nps_",),
    ),
    Planted(
        "churn",
        "late_payment",
        "Who paid late in the last half year pays late again, is cut off when an invoice stays"
        " unpaid for four weeks, and leaves more often.",
        1,
        (r"^invoices_late", r"^mean_days_to_pay", r"^days_overdue", r"^unpaid_"),
    ),
    Planted(
        "churn",
        "idle_seats",
        "The smaller the share of paid seats in use, the likelier the account leaves.",
        1,
        (r"^seat_utilisation", r"^price_per_active_user"),
    ),
    Planted(
        "expansion",
        "full_seats",
        "The larger the share of paid seats in use, the likelier the account buys more.",
        1,
        (r"^seat_utilisation", r"^price_per_active_user"),
    ),
    Planted(
        "expansion",
        "rising_use",
        "Usage that rises, over the last month and the last quarter, makes expansion likelier.",
        1,
        (r"^events_trend", r"^events_change", r"^active_days_trend"),
    ),
    Planted(
        "expansion",
        "broad_use",
        "Each further kind of event in use makes expansion likelier.",
        1,
        (r"^distinct_events",),
    ),
    Planted(
        "expansion",
        "promoters",
        "A last NPS answer of 9 or 10 makes expansion likelier, 6 or less less likely.",
        1,
        (r"^nps_",),
    ),
    Planted(
        "expansion",
        "first_year",
        "Accounts in the first year of their spell expand more often.",
        1,
        (r"^tenure_days", r"^account_age_days", r"^days_since_first_event"),
    ),
)

DECOYS = (
    Decoy("region", "An account attribute drawn at random.", (r"^region$",)),
    Decoy("owner", "The person in charge, drawn at random.", (r"^owner",)),
    Decoy("industry", "The industry, drawn at random.", (r"^industry$",)),
    Decoy(
        "country", "The country; it sets the currency and the office hours only.", (r"^country$",)
    ),
    Decoy(
        "ticket_category",
        "What a ticket is about, drawn at random.",
        (r"category",),
    ),
    Decoy(
        "tip_shown",
        "An event that the product fires by itself, at a rate of the account's own.",
        (r"tip_shown",),
    ),
    Decoy(
        "touchpoints",
        "Calls, mails and meetings by routine, spread evenly over paid time.",
        (r"touchpoint",),
    ),
)


def planted_drivers(target: str | None = None) -> tuple[Planted, ...]:
    """Return the planted drivers of one target, or of all."""
    return tuple(driver for driver in DRIVERS if target in (None, driver.target))


def decoys() -> tuple[Decoy, ...]:
    """Return the columns that look telling and move no outcome."""
    return DECOYS


def _any(patterns: tuple[str, ...], features: Iterable[str]) -> bool:
    return any(re.search(pattern, feature) for feature in features for pattern in patterns)


INTRODUCTION = f"""\
# The demo world

`tenure demo` trains on a simulated subscription business whose truth is known. It is written by
`tenure.demo.write_world(folder, accounts=1500, months=42, seed=0)`: the contract's tables
as Parquet, from 2022-01-01 on. The same seed gives the same bytes.

```python
from pathlib import Path
from tenure.demo import write_world

world = write_world(Path("world"), seed=0)   # accounts.parquet, subscriptions.parquet …
```

## What happens in it

* {BOOK.running_at_start:.0%} of the accounts pay on the first day; the others arrive all through.
  {BOOK.trial:.0%} of these begin with a trial of {BOOK.trial_days} days. {BOOK.annual:.0%} have
  annual terms, the others monthly ones. A row of `subscriptions` is one term at one price.
* Accounts have seats, and users who join and leave. {len(EVENTS)} kinds of events
  (`{KEY_EVENT}` is the key feature), of which an account takes up more or fewer over time. Three
  events in a hundred become known hours or days after they happened.
* Tickets are mostly resolved within three days; those that are not stay open for weeks. NPS waves
  go out every quarter and most stay unanswered; CSAT and CES follow some tickets.
* Annual accounts may give notice in the last {CONTRACTS.notice_days} days of a term, or leave at
  its end without a word; monthly ones leave at the end of a month. An invoice that is unpaid for
  {CONTRACTS.give_up_days} days ends the subscription (involuntary churn). {CONTRACTS.returns:.0%}
  of those who leave come back, some within thirty days, which is no churn. A few pause.
* Accounts buy seats, a higher plan or an add-on, some below the 10 % that count as expansion. List
  prices rise once a year by up to {CONTRACTS.uplift:.0%}. Unused seats are given up at renewals.
* Unobserved: budget cuts and windfalls that nothing announces, lasting shifts of the pace of use
  that only the counts of events reveal. Slow drift of usage and of both base rates; weekends,
  summers and Decembers are quiet.
"""

TRUTH = """
## The true probabilities

`write_oracle(folder, seed=0)` in `benchmarks/truth/demo_truth.py` writes them; what was planted is
declared beside it, in `demo_planted.py`. `oracle.parquet` holds account_id, as_of, target,
horizon_days (90) and probability for every first of the month and every account that pays and has
not given notice. Rates depend on what the tables show until that moment (users, pace and kinds in
use through counts of events) and on chance
without memory, so the state of an account is copied, its chance redrawn, and the next 90 days are
lived through many times. Outcomes are those of the data contract: churn at the time of the
decision unless the account is back within 30 days, expansion as a list MRR at least 10 % higher
while still paying. No model can be expected to beat these probabilities.
"""


def world_card(measured: str = "") -> str:
    """Return the description of the demo world.

    Args:
        measured: Markdown of what was measured, put at the end.

    Returns:
        Markdown.
    """
    parts = [INTRODUCTION, "\n## What was planted\n"]
    for target in ("churn", "expansion"):
        parts.append(
            f"\n| driver of {target} | what it does | features that show it |\n|---|---|---|\n"
        )
        parts += [
            f"| {driver.name} | {driver.sentence} | {_patterns(driver.features)} |\n"
            for driver in planted_drivers(target)
        ]
    parts.append("\n| decoy | what it is | features that show it |\n|---|---|---|\n")
    parts += [
        f"| {decoy.name} | {decoy.sentence} | {_patterns(decoy.features)} |\n" for decoy in decoys()
    ]
    parts.append(TRUTH)
    if measured:
        parts.append(f"\n{measured}")
    return "".join(parts)


def _patterns(patterns: tuple[str, ...]) -> str:
    return ", ".join(f"`{pattern.strip('^$')}`" for pattern in patterns)
