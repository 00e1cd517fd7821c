"""SQL of what one subscription row says: whether it is paid, and when its terms begin and end.

A row may be a subscription, a term or a month, and its renewal date the one that was agreed or one
that is written anew at each renewal: the terms are the same.  Their ends read `as_of`, the time
that they are about.
"""

from __future__ import annotations

from tenure.core.fragments import rename_columns

NEVER_PAID = ("trialing", "incomplete", "draft")
"""States that nothing precedes: a row that is in one of them has never been paid."""
LAPSED = ("paused", "unpaid")
"""States that a paid row falls into."""
ENDED = "canceled"
"""The state of a row that has ended; it says when only with an end or with `status_at`."""


def _listed(words: tuple[str, ...]) -> str:
    return f"({', '.join(map(repr, words))})"


IS_LAPSED = f"mrr > 0 AND coalesce(status, '') IN {_listed(LAPSED)}"
IS_ENDED = f"mrr > 0 AND coalesce(status, '') = '{ENDED}' AND ended_at IS NULL"
PAID = (
    f"mrr > 0 AND coalesce(status, '') NOT IN {_listed(NEVER_PAID)} "
    f"AND NOT coalesce(status IN {_listed(LAPSED)} AND status_at <= started_at, false)"
)
"""Whether a row was ever paid for."""

TERM_MONTHS = "CAST(rtrim(billing_period, 'm') AS INTEGER)"
FIRST_TERM_END = f"(started_at + to_months({TERM_MONTHS}))"
OVERWRITTEN = (
    f"coalesce(renews_at >= {FIRST_TERM_END} + to_days(15 * {TERM_MONTHS}) "
    "OR date_trunc('day', renews_at) = horizon_day, false)"
)
"""Whether a renewal date is not the one that was agreed when the row started: it lies a period and
a half or more after the start, or all rows have the day on which observation stopped."""
TERM_ANCHOR = (
    f"CASE WHEN {OVERWRITTEN} OR coalesce(renews_at = {FIRST_TERM_END}, renews_at IS NULL) "
    "THEN started_at ELSE renews_at END"
)
"""The date that terms are counted from, in whole periods: a row's start, or its renewal date."""

_MONTHS = "date_diff('month', term_anchor, as_of)"
_WHOLE = f"CAST(greatest(0, {_MONTHS} - {_MONTHS} % term_months) AS INTEGER)"
_REACHED = f"(term_anchor + to_months({_WHOLE}))"
_AHEAD = f"{_REACHED} >= as_of AND {_REACHED} > started_at"
TERM_END = (
    f"CASE WHEN {_AHEAD} THEN {_REACHED} ELSE term_anchor + to_months({_WHOLE} + term_months) END"
)
"""When the term ends that runs at `as_of`; null where no period is known and the date is past."""
TERM_START = (
    f"coalesce(CASE WHEN {_AHEAD} THEN least(CASE WHEN {_WHOLE} = 0 THEN started_at END, "
    f"term_anchor + to_months({_WHOLE} - term_months)) ELSE {_REACHED} END, started_at)"
)
"""When the term began that runs at `as_of`."""


def term_end(moment: str) -> str:
    """Return SQL of when the term ends that runs at a moment.

    The moment is a time column beside `started_at`, `term_anchor` and `term_months`.
    """
    return rename_columns(TERM_END, {"as_of": moment})


NOTICE_UNTIL = term_end("notice_at")
"""When a notice takes effect: the end of the term that it was given in."""
