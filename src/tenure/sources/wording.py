"""SQL that brings the words of a column to those of the contract."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tenure.core.steps import text_literal
from tenure.sources.coerce import listed
from tenure.sources.words import PERIODS, VOCABULARIES, Vocabulary


def _months(plain: str) -> str:
    """Return SQL of a billing period in months (`1m`, `12m`) from words, numbers or ISO 8601."""
    words = [word for names in PERIODS.values() for word in names]
    lengths = [length for length, names in PERIODS.items() for _ in names]
    named = f"{lengths}[list_position([{', '.join(map(text_literal, words))}], {plain})]"
    number = f"trim({plain}, 'pmonthsyear')"
    length = f"TRY_CAST({number} AS UTINYINT) * CASE WHEN contains({plain}, 'y') THEN 12 ELSE 1 END"
    months = f"nullif(coalesce({named}, CASE WHEN NOT contains({plain}, '.') THEN {length} END), 0)"
    return f"CAST({months} AS VARCHAR) || 'm'"


def _same(text: str) -> str:
    return text


@dataclass(frozen=True)
class Wording:
    """How words that the contract fixes are brought to one spelling."""

    spell: Callable[[str], str]
    """SQL of the plain spelling of a text."""
    choose: Callable[[str], str] = _same
    """SQL of the contract's word from the plain spelling; null where it is none."""
    closed: bool = False
    """Whether a word that is none of the contract's is emptied."""

    @property
    def picks(self) -> bool:
        """Return whether a plain spelling may stand for another word."""
        return self.choose is not _same


def _vocabulary(words: Vocabulary) -> Wording:
    """Return how the words of a vocabulary are brought to those of the contract."""
    spellings: dict[str, list[str]] = {}
    for spelling, word in words.spellings.items():
        spellings.setdefault(word, []).append(spelling)

    def choose(text: str) -> str:
        cases = [
            f"WHEN {text} IN {listed(names)} THEN '{word}'" for word, names in spellings.items()
        ]
        cases += [
            f"WHEN regexp_matches({text}, '{form}') THEN '{word}'"
            for word, form in words.patterns.items()
        ]
        return f"CASE {' '.join(cases)} {f'ELSE {text} ' if words.open else ''}END"

    return Wording(_plain, choose, closed=not words.open)


_upper = "upper({})".format
_plain = "trim(regexp_replace(lower({}), '[^a-z0-9]+', '_', 'g'), '_')".format
_period = (
    "replace(replace(replace(replace(lower({}), ' ', ''), '-', ''), '_', ''), '.0', '')".format
)
WORDINGS: dict[tuple[str, str], Wording] = {
    ("subscriptions", "billing_period"): Wording(_period, _months, closed=True),
    ("subscriptions", "currency"): Wording(_upper),
    ("invoices", "currency"): Wording(_upper),
    ("fx_rates", "currency"): Wording(_upper),
    **{place: _vocabulary(words) for place, words in VOCABULARIES.items()},
}
