"""The description of the demo world as Markdown."""

from __future__ import annotations

from tenure.demo.parameters import BOOK, CONTRACTS, EVENTS, KEY_EVENT
from tenure.demo.planted import decoys, planted_drivers

INTRODUCTION = f"""\
# The demo world

`tenure demo` trains on a simulated subscription business whose truth is known. It is written by
`tenure.demo.write_world(folder, accounts=1500, months=42, seed=0)`: the contract's tables
as Parquet, from 2022-01-01 on. The same seed gives the same bytes.

```python
from pathlib import Path
from tenure.demo import decoys, planted_drivers, write_oracle, write_world

world = write_world(Path("world"), seed=0)   # accounts.parquet, subscriptions.parquet …
write_oracle(Path("oracle"), seed=0)         # oracle.parquet: the true probabilities
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

`oracle.parquet` holds account_id, as_of, target, horizon_days (90) and probability for every first
of the month and every account that pays and has not given notice. Rates depend on what the tables
show until that moment (users, pace and kinds in use through counts of events) and on chance
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
