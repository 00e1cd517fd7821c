"""Every sentence of every registered feature, printed to be read: ``sentences.txt``."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from features.past import EVERYTHING, MEMBERS
from tenure.explain.comparison import Speaker
from tenure.explain.peers import EVERYONE
from tenure.explain.wording import SIGN, fact, label, signal_label
from tenure.features.families import FAMILIES
from tenure.features.plan.columns import FeatureSpec
from tenure.features.plan.plan import resolve_plan
from tenure.labels.targets import TARGETS

FILE = Path(__file__).with_name("sentences.txt")
VALUES = {"zero": 0.0, "one": 1.0, "many": 37.0, "huge": 1_234_567.0, "missing": None}
SHARES = {"zero": 0.0, "one": 1.0, "many": 0.37, "huge": 123.0, "missing": None}
ABOVE = {"above": 0.37, "all": 1.0, "none": 0.0, "missing": None}
MONTHS = {"many": 3.0, "missing": None}
YEARS = {"many": 2024.0, "missing": None}
FLAGS = {"zero": 0.0, "one": 1.0, "missing": None}
SPEAKER = Speaker(TARGETS["churn"], 90)
SPECS = resolve_plan(FAMILIES.values(), EVERYTHING, members=MEMBERS).described


def values(spec: FeatureSpec) -> dict[str, object]:
    """Return the values that a feature can have, by what they stand for."""
    if spec.text:
        return {"word": "12m" if spec.unit == "term" else "small", "missing": None}
    if spec.family == "level":
        return dict(ABOVE)
    known = {"share": SHARES, "month": MONTHS, "year": YEARS, "flag": FLAGS}.get(spec.unit, VALUES)
    named: dict[str, object] = dict(known)
    if SIGN.search(spec.sentence):
        named["negative"] = -0.37 if spec.unit == "share" else -37.0
    return named


def compared(spec: FeatureSpec) -> Iterator[tuple[str, str]]:
    """Yield what a value may be held against, in words."""
    many = values(spec).get("many", values(spec).get("word", 0.8))
    earlier = 0.74 if spec.unit == "share" else 52.0
    if spec.past:
        yield "past", SPEAKER.past(spec, earlier, "EUR")
        yield "past, none", SPEAKER.past(spec, 0.0, "EUR")
    yield "peers", SPEAKER.peers(spec, many, many, "EUR")
    yield "peers, no value", SPEAKER.peers(spec, None, many, "EUR")
    if SIGN.search(spec.sentence):
        yield (
            "peers, other sign",
            SPEAKER.peers(spec, many, -0.37 if spec.unit == "share" else -37.0, "EUR"),
        )
    yield "outcomes", SPEAKER.outcomes(0.124, 0.041, "12m")
    yield "outcomes, everyone", SPEAKER.outcomes(0.0, 0.041, EVERYONE)
    yield "nothing, usual", SPEAKER.nothing(True, ("active users", "open tickets"))
    yield "nothing", SPEAKER.nothing(False, ())


def page() -> Iterator[str]:
    """Yield the lines of the file."""
    for spec in SPECS.values():
        yield f"{spec.name} · {label(spec)} · signal {spec.group}: {signal_label(spec)}"
        for name, value in values(spec).items():
            yield f"  {name}: {fact(spec, value, 'EUR')}"
        many = next(iter(value for name, value in values(spec).items() if name != "zero"))
        for name, text in compared(spec):
            statement = fact(spec, None if name == "peers, no value" else many, "EUR")
            yield f"  {name}: {SPEAKER.sentence(statement, text, raises=True)}"


def test_every_sentence_is_as_it_was_read() -> None:
    text = "\n".join(page()) + "\n"
    if os.environ.get("TENURE_UPDATE_GOLDEN"):
        FILE.write_text(text, encoding="utf-8")
    assert text == FILE.read_text(encoding="utf-8"), (
        "sentences changed: TENURE_UPDATE_GOLDEN=1 pytest tests/explain/test_sentences.py, and "
        "read the difference"
    )


ONE = r"(?<![.,\d])1 (?:\w+ )?(?:days|events|users|seats|tickets|hours|years)\b"
WRONG = re.compile(rf"[{{}}|]|\(s\)|\bnan\b|  |{ONE}|\b(\w+) \1\b")


@pytest.mark.parametrize("family", sorted({spec.family for spec in SPECS.values()}))
def test_no_sentence_has_a_slip(family: str) -> None:
    for spec in SPECS.values():
        if spec.family != family:
            continue
        for value in (*values(spec).values(), np.float32(1.0)):
            if spec.text and isinstance(value, np.floating):
                continue
            text = fact(spec, value, "EUR")
            assert not WRONG.search(text), text
            assert text[:1].isupper() or text[:1] in "`0123456789-", text
        assert not WRONG.search(label(spec)), label(spec)


def test_every_feature_has_a_signal_with_a_label() -> None:
    specs = SPECS.values()
    assert [spec.name for spec in specs if spec.signal is None] == []
    levers = {spec.group for spec in specs if spec.lever}
    asks = {spec.group: spec.signal.ask for spec in specs if spec.signal}
    assert [group for group in sorted(levers) if not asks[group]] == [], "nothing to ask for"
