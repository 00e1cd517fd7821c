"""Values as pages show them: money with its currency, shares in percent, times as dates."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tenure.report.sentences.formatting import NONE, count, number, percent, sentence, signed
from tenure.score.abstain import NEW, NOTICE, STALE, THIN

if TYPE_CHECKING:
    from tenure.core.records.account import AccountRecord
    from tenure.score.store.store import StoredRun, StoredScore

ABSTAINED = {
    NOTICE: "gave notice",
    STALE: "data too old",
    NEW: "too new",
    THIN: "too little data",
}
"""Why an account has no probability, in few words."""
ACRONYMS = frozenset({"nps", "csat", "ces", "csi", "mrr", "arr", "arpa", "arppu", "ltv", "fx"})
VERDICTS = {"useful": "useful", "wrong": "wrong", "known": "already known", "note": "note"}
HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Characters that control a screen, or turn the text around them."""
LONGEST = 200
"""Characters of a name that a page shows; the rest is cut off with a sign of it."""


def money(value: float | None, currency: str | None) -> str:
    """Return an amount with its currency.

    >>> money(-1234.4, "USD"), money(None, "USD"), money(12.0, None), money(3.21, "EUR")
    ('−1,234 USD', '–', '12 (currencies mixed)', '3.21 EUR')
    """
    if value is None:
        return NONE
    cents = 0 < abs(value) < 10 and value != int(value)
    return f"{number(value, 2) if cents else count(value)} {currency or '(currencies mixed)'}"


def points(change: float | None) -> str:
    """Return a change of a probability in percentage points, with its sign.

    >>> points(0.0412), points(-0.2), points(0.00001), points(None)
    ('+4.1 points', '−20.0 points', '0.0 points', '–')
    """
    return NONE if change is None else f"{signed(100 * change, 1)} points"


def named(name: str) -> str:
    """Return a name in code as people write it.

    >>> named("nps"), named("gross_revenue_retention"), named("ltv_profit")
    ('NPS', 'Gross revenue retention', 'LTV profit')
    """
    words = (word.upper() if word in ACRONYMS else word for word in name.split("_"))
    return sentence(" ".join(words))


def difference(value: float | None) -> str:
    """Return a whole difference with its sign.

    >>> difference(-3.2), difference(0.2), difference(None)
    ('−3', '0', '–')
    """
    return NONE if value is None else signed(value)


def date(moment: datetime | None) -> str:
    """Return a day as people write it.

    >>> date(datetime(2025, 7, 1)), date(None)
    ('1 Jul 2025', '–')
    """
    return NONE if moment is None else f"{moment.day} {moment:%b %Y}"


def clock(moment: datetime) -> str:
    """Return a time as people write it.

    >>> clock(datetime(2025, 7, 1, 9, 5))
    '1 Jul 2025, 09:05 UTC'
    """
    return f"{date(moment)}, {moment:%H:%M} UTC"


def moment_key(run: StoredRun | StoredScore) -> str:
    """Return what stands for a run in a link: its prediction time, short where it is midnight."""
    at = run.as_of
    return at.isoformat().removesuffix("T00:00:00")


def cut(text: str | None, longest: int = LONGEST) -> str:
    r"""Return a text cut short where it is very long, with a sign for each hidden character.

    >>> cut("a" * 300)[-2:], cut("a\x00b"), cut(None)
    ('a…', 'a\ufffdb', '–')
    """
    if text is None:
        return NONE
    plain = HIDDEN.sub("\ufffd", text[: longest + 1])
    return plain if len(plain) <= longest else plain[:longest] + "…"


def cell(value: str | float | bool | None) -> str:
    """Return a value of a source row; a time as a day where it is midnight.

    >>> cell("2025-07-01T00:00:00Z"), cell(2.0), cell(True), cell(None)
    ('2025-07-01', '2', 'yes', '–')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:,.6g}"
    return cut(value.removesuffix("T00:00:00Z") if value else value)


def bounds(lo: float | None, hi: float | None) -> str:
    """Return the bounds of a probability.

    >>> bounds(0.02, 0.131), bounds(None, None)
    ('2.0% to 13%', '')
    """
    return "" if lo is None or hi is None else f"{percent(lo)} to {percent(hi)}"


def weighted_health(record: AccountRecord) -> str:
    """Return the weighted health of an account beside the model's band; empty where it has none."""
    health = record.scorecards and record.scorecards.health
    if not health:
        return ""
    parts = ["weighted health " + (NONE if health.score is None else f"{health.score:.0f} of 100")]
    if health.trend is not None:
        parts.append(f"change {difference(health.trend)}")
    if health.coverage < 1:
        parts.append(f"{percent(health.coverage)} of it has data")
    scores = record.scores.scores if record.scores else ()
    band = next((one.band for one in scores if one.band), None)
    return ", ".join(parts) + (f"; the model’s band is {band}" if band else "")


def filters() -> dict[str, Any]:
    """Return what templates show values with, by name."""
    shows: tuple[Callable[..., str], ...] = (
        *(money, points, date, clock, percent, bounds, cut, moment_key, named, difference, cell),
        weighted_health,
    )
    return {
        **{show.__name__: show for show in shows},
        "verdict": lambda name: VERDICTS.get(name, name),
    }
