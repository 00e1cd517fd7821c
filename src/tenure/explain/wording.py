"""Values, labels and facts in words.  A driver is associated with the outcome, not its cause.

In the sentence of a declaration ``{value}`` stands for the value; a unit of days or hours may
follow it.  ``word(s)`` and ``(person|people)`` go by whether the value is one, ``{above|below}`` by
its sign; the value is then told without it.
"""

from __future__ import annotations

import math
import re
from calendar import month_name
from collections.abc import Callable
from functools import lru_cache

from tenure.core.spec import Unit
from tenure.features.plan.columns import FeatureSpec

UNKNOWN = "no data"
EFFECT = "; associated with a"
"""How the end of a driver's sentence begins: which probability it goes with."""
YEARS = 730
"""Days from which a length of time is told in years."""
DAYS = 48
"""Hours from which a length of time is told in days."""
TERMS = {"1m": "monthly", "3m": "quarterly", "6m": "half-yearly", "12m": "annual"}
SIGN = re.compile(r"\{([a-z ]+)\|([a-z ]+)\}")
PLURAL = re.compile(r"\(([a-z]*)\|([a-z]+)\)")
VALUE = re.compile(r"\{(?:value|past)\}")
TIMED = re.compile(r"\{(?:value|past)\}(?: days| hours)?")


def show(value: object, unit: Unit, currency: str = "") -> str:
    """Return a feature value for people.

    >>> show(0.456, "share"), show(1234.5, "money", "EUR"), show(1.0, "count"), show(None, "days")
    ('46%', 'EUR 1,234', '1', 'no data')
    >>> show(1.2, "days"), show(635.0, "days"), show(310.3, "hours"), show(5.0, "score")
    ('1 day', '635 days', '13 days', '5')

    The value is a number, a word, or None; the currency of money is empty where it is not known.
    """
    if value is None:
        return UNKNOWN
    if isinstance(value, str):
        return term(value) if unit == "term" else value
    number = float(value)  # type: ignore[arg-type]
    if math.isnan(number):
        return UNKNOWN
    if unit == "text":
        return str(value)
    return _shown(number, unit, currency)


def statement(sentence: str) -> str:
    """Return what a driver's sentence says of the account, without the probability it goes with.

    >>> statement("No usage; as before; associated with a higher probability of churn.")
    'No usage; as before'
    """
    return sentence.rsplit(EFFECT, 1)[0]


def term(period: str) -> str:
    """Return the length of a term for people.

    >>> term("1m"), term("12m"), term("18m"), term("custom")
    ('monthly', 'annual', '18-month', 'custom')
    """
    months = re.fullmatch(r"(\d+)m", period)
    return TERMS.get(period, f"{months[1]}-month" if months else period)


@lru_cache(maxsize=65_536)
def _shown(number: float, unit: Unit, currency: str) -> str:
    if not math.isfinite(number):
        return "very many" if number > 0 else "very few"
    if unit == "money":
        decimals = 0 if abs(number) >= 100 or number == round(number) else 2
        return f"{currency} {number:z,.{decimals}f}".strip()
    if unit == "month" and 1 <= number <= 12:
        return month_name[round(number)]
    if unit in _SHOWN:
        return _SHOWN[unit](number)
    decimals = 0 if abs(number) >= 100 else 1 if abs(number) >= 10 or unit == "score" else 2
    return _bare(f"{number:z,.{decimals}f}")


def _bare(text: str) -> str:
    """Return a number without decimals that say nothing."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def _share(number: float) -> str:
    percent = 100 * number
    if 0 < abs(percent) < 0.5:
        return "less than 1%"
    return f"{percent:z,.0f}%"


def _length(number: float, unit: str) -> str:
    if unit == "hours":
        if abs(number) >= DAYS:
            return _length(number / 24, "days")
        return _counted(number, "hour")
    if abs(number) >= YEARS:
        return f"{_bare(f'{number / 365.25:,.1f}')} years"
    return _counted(number, "day")


def _counted(number: float, unit: str) -> str:
    if 0 < abs(number) < 1:
        return f"less than {'an' if unit == 'hour' else 'a'} {unit}"
    text = f"{number:z,.0f}"
    return f"{text} {unit}" if text.lstrip("-") == "1" else f"{text} {unit}s"


_SHOWN: dict[str, Callable[[float], str]] = {
    "share": _share,
    "days": lambda number: _length(number, "days"),
    "hours": lambda number: _length(number, "hours"),
    "flag": lambda number: "yes" if number else "no",
    "year": lambda number: f"{number:.0f}",
    "count": lambda number: f"{number:z,.0f}",
}


def fact(spec: FeatureSpec, value: object, currency: str = "") -> str:
    """Return what is so, as the beginning of a sentence.

    >>> def words(sentence, unit, value, **other):
    ...     spec = FeatureSpec("x", "f", sentence, unit, 0, True, False, "x", None, "t", **other)
    ...     return fact(spec, value)
    >>> words("{value} active user(s) in the last 28 days", "count", 1.0)
    '1 active user in the last 28 days'
    >>> words("{value} active user(s) in the last 28 days", "count", 0.0)
    'No active users in the last 28 days'
    >>> words("a score {value} {above|below} the mean", "score", -2.0)
    'A score 2 below the mean'
    >>> words("{value} days since the last use", "days", None, missing="never used so far")
    'Never used so far'
    """
    return stated(spec, value, show(value, spec.unit, currency), currency)


def stated(spec: FeatureSpec, value: object, shown: str, currency: str = "") -> str:
    """Return what is so, as `fact` does, of a value that is in words already."""
    if shown == UNKNOWN:
        return _capital(spec.missing or f"not known: {uncapital(named(spec.sentence))}")
    number = None if isinstance(value, str) else float(value)  # type: ignore[arg-type]
    if number is not None and spec.zero and _nothing(number, shown, spec.unit):
        return _capital(spec.zero)
    text = filled(spec.sentence, number, shown, spec.unit, currency)
    return text if text[0].isupper() else _capital(text)


def _nothing(number: float, shown: str, unit: Unit) -> bool:
    """Return whether a value is none, to the digits that are told."""
    if unit in {"days", "hours"}:
        return abs(number) < 1
    return number == 0 or shown == "0"


MARK = "\0"


@lru_cache(maxsize=4096)
def _forms(text: str, unit: Unit) -> tuple[tuple[str, str], tuple[str, str] | None]:
    """Return a sentence with a mark in the place of the value, for one and for more.

    Where it goes by the sign, the same of a negative value comes after.
    """
    if SIGN.search(text) is None:
        return _counted_forms(text, unit), None
    above, below = (SIGN.sub(rf"\g<{number}>", text) for number in (1, 2))
    return _counted_forms(above, unit), _counted_forms(below, unit)


def _counted_forms(text: str, unit: Unit) -> tuple[str, str]:
    mark = "" if unit == "flag" else MARK
    marked = (TIMED if unit in {"days", "hours"} else VALUE).sub(mark, text)
    one = PLURAL.sub(lambda match: match[1], marked.replace("(s)", ""))
    return one, PLURAL.sub(lambda match: match[2], marked.replace("(s)", "s"))


def filled(text: str, number: float | None, shown: str, unit: Unit, currency: str = "") -> str:
    """Return a sentence with a value in it.

    `number` is the value, None where it is a word, and `shown` the value in words; the currency is
    that of money.
    """
    forms, below = _forms(text, unit)
    if below is not None and number is not None:
        shown = show(abs(number), unit, currency)
        forms = below if number < 0 else forms
    one = shown == "1" or shown.endswith(" 1")
    form = forms[0] if one else forms[1]
    if number == 0 and form.startswith(MARK):
        if unit == "count":
            shown = "none" if text.startswith("{past}") else "no"
        elif unit == "share" and form.startswith(f"{MARK} of "):
            shown = "none"
    return form.replace(MARK, shown)


def label(spec: FeatureSpec) -> str:
    """Return what a feature is called in a list, from its sentence.

    >>> def called(sentence):
    ...     return label(FeatureSpec("x", "f", sentence, "count", 0, True, False, "x", None, "t"))
    >>> called("{value} active user(s) in the last 28 days")
    'Active users in the last 28 days'
    >>> called("usage in the last 28 days at {value} of its 84-day pace")
    'Usage in the last 28 days against its 84-day pace'
    >>> called("{value} of the paid seats active in the last 28 days")
    'Share of the paid seats active in the last 28 days'
    >>> called("a last NPS answer {value} {above|below} the year's mean")
    "Last NPS answer against the year's mean"
    >>> called("{value} days {before|after} the renewal date"), called("a term of {value} days")
    ('Days to the renewal date', 'Term (days)')
    >>> called("a last NPS answer of {value} of 10")
    'Last NPS answer'
    """
    return named(spec.sentence)


@lru_cache(maxsize=4096)
def named(text: str) -> str:
    """Return what a sentence is about, without the value."""
    text = PLURAL.sub(lambda match: match[2], text.replace("(s)", "s"))
    text = re.sub(r" of \{value\} of \d+\b", "", text)
    text = re.sub(r"^\{value\} of (the|those)\b", r"share of \1", text)
    text = re.sub(r"^\{value\} \{more\|[a-z ]+\}", "more", text)
    text = re.sub(r"\{(up|rising)\|[a-z ]+\}", "", text)
    text = re.sub(r"^\{value\} days \{before\|after\}", "days to", text)
    text = re.sub(rf"^\{{value\}}( days)?( [a-z ]+)? {SIGN.pattern}", r"\2 against", text)
    text = re.sub(rf"\{{value\}}( [a-z ]+)? {SIGN.pattern}", "against", text)
    text = re.sub(r"\babove \{value\} of\b", "among", text)
    text = re.sub(r"\bover \{value\} of\b", "over", text)
    text = re.sub(r"\b(at|by|for) \{value\} of\b", "against", text)
    if unit := re.search(r"\S( by| for| of)? \{value\} (days|hours)\b", text):
        rest = text[unit.end() :]
        text = f"{text[: unit.start() + 1]}{rest} ({unit[2]})"
    text = re.sub(r"(\b(at|of|by|in) )?\{value\}( of\b)?", "", text)
    text = re.sub(r"^(the|a|an) ", "", re.sub(r"\s+", " ", text).strip())
    return _capital(text)


def signal_label(spec: FeatureSpec) -> str:
    """Return what the signal of a feature is called in a list."""
    return spec.signal.label if spec.signal else label(spec)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def uncapital(text: str) -> str:
    """Return a label as it stands within a sentence.

    >>> uncapital("A user"), uncapital("NPS answers")
    ('a user', 'NPS answers')
    """
    return text if text[:2].isalpha() and text[:2].isupper() else text[:1].lower() + text[1:]
