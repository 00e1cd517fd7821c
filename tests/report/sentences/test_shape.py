"""What is said of leaks of shape, and that nothing is said of what is as usual."""

from __future__ import annotations

from typing import Any

import pytest

from report.audit_record import audit
from report.record import changed, record, usable
from report.test_card import SPEC
from tenure.core.records.shape import LifetimeRecord, ShapeRecord
from tenure.report.card import model_card
from tenure.report.html import render, render_audit
from tenure.report.sentences import audit as audit_sentences
from tenure.report.sentences.shape import lifetime, shape_warnings
from tenure.report.text import train_lines

SPREAD: dict[str, Any] = {
    "table": "usage_events",
    "kind": "spread",
    "accounts": 2198,
    "from_days": 317,
    "early_days": 60,
    "early": {"value": -0.5, "lo": -0.6, "hi": -0.4},
    "growth": {"value": 0.11, "lo": 0.08, "hi": 0.14},
    "highest": 147,
    "at_highest": 0.79,
    "lives_differ": 2.0,
    "allowed": False,
}
SKILL: dict[str, Any] = {
    "folds": 13,
    "latest": 3,
    "before": 0.83,
    "lately": 0.72,
    "change": {"value": -0.11, "lo": -0.14, "hi": -0.07},
    "lost": 0.32,
    "falls": True,
    "drifting": True,
}
DIRECTIONS: dict[str, Any] = {
    "declared": 40,
    "share": 0.31,
    "limit": 0.15,
    "suspicious": True,
    "columns": [
        {
            "column": name,
            "source": "usage_events",
            "declared": declared,
            "association": -0.8 * declared,
            "auc": {"value": 0.44, "lo": 0.42, "hi": 0.46},
            "share": 0.1,
        }
        for name, declared in (("events_168d", -1), ("usual_gap_days_168d", 1))
    ],
}


def table(**changes: Any) -> LifetimeRecord:
    return LifetimeRecord.from_json(SPREAD | changes)


def test_a_table_made_for_whole_lives_is_named_first_with_its_figures_and_ways_out() -> None:
    text = lifetime(table())
    assert text.startswith("usage_events: its rows tell how long an account will live. Of 2,198")
    assert "has 29% fewer rows in its first 60 days (elasticity −0.50 [−0.60, −0.40])" in text
    assert "with twice the life has 7.9% more rows in all, where 100% is usual" in text
    assert "79% have nearly the same number, 147" in text
    assert "allow it by name (audit.allow: [usage_events])" in text


def test_a_table_that_is_cut_off_is_told_of_in_other_words() -> None:
    text = lifetime(table(kind="cut_off"))
    assert text.startswith("usage_events: its rows seem to be cut off at a number: 79% of 2,198")
    assert "(147), though long lives among them last 2.0 times as long as short ones" in text


def test_a_table_that_is_allowed_is_not_advised_about() -> None:
    text = lifetime(table(allowed=True))
    assert text.endswith(". It is allowed by name.")
    assert "audit.allow" not in text


@pytest.mark.parametrize(
    ("drifting", "words"),
    [
        (True, "as there the mean prediction rises against what happens. Else it may be a signal"),
        (False, "and here it does not. Look for a signal that has died"),
    ],
)
def test_a_fall_in_skill_is_told_from_ordinary_decay(drifting: bool, words: str) -> None:
    [text] = shape_warnings(ShapeRecord.from_json({"skill": SKILL | {"drifting": drifting}}))
    assert "AUC 0.83 at 10 prediction times, 0.72 at the latest 3 (−0.11 [−0.14, −0.07])" in text
    assert "32% of its lead over chance" in text
    assert words in text


def test_drivers_against_their_direction_are_named_with_their_tables() -> None:
    [text] = shape_warnings(ShapeRecord.from_json({"directions": DIRECTIONS}))
    assert "carry 31% of what moves the scores (suspicious from 15%)" in text
    assert "events_168d (more of it goes with churn) and usual_gap_days_168d (less of it" in text
    assert "Find out how usage_events came about" in text


def test_what_is_as_usual_is_worth_no_word() -> None:
    usual = {"skill": SKILL | {"falls": False}, "directions": DIRECTIONS | {"suspicious": False}}
    assert shape_warnings(ShapeRecord.from_json(usual)) == []
    assert shape_warnings(None) == []


def test_doubts_stand_red_in_terminal_report_and_card() -> None:
    doubtful = {"lifetimes": [SPREAD | {"allowed": True}], "skill": SKILL, "directions": DIRECTIONS}
    whole = record({"churn": changed(usable(), {"shape": doubtful})})
    lines = train_lines(whole)
    assert sum(line.startswith("  RED  ") for line in lines) == 3
    assert any("RED  usage_events: its rows tell how long" in line for line in lines)
    page = render(whole)
    assert "Red: this puts the results in doubt" in page
    assert "drivers against their declared direction carry 31%" in page
    assert "Red: this puts" not in render(record({"churn": usable()}))
    card = model_card("churn", whole.targets["churn"], SPEC)
    assert card.count("**Red.** ") == 3
    assert "**Red.**" not in model_card("churn", usable(), SPEC)


def test_the_audit_names_the_table_first_and_in_red() -> None:
    doubts = audit(status="doubts", lifetimes=[SPREAD])
    assert audit_sentences.headline(doubts).more == ("Look at usage_events first.",)
    assert (
        audit_sentences.lifetimes(doubts) == "usage_events: rows made for lives of a known length."
    )
    assert audit_sentences.lines(doubts)[-1].startswith("RED  usage_events: its rows tell")
    assert "Rows against lifetimes" in render_audit(doubts)
    assert audit_sentences.lifetimes(audit()) == "The data was not audited."
    allowed = audit(lifetimes=[SPREAD | {"allowed": True}])
    assert audit_sentences.lifetimes(allowed) == "usage_events: allowed by name."
    assert not any(line.startswith("RED") for line in audit_sentences.lines(allowed))
    assert audit_sentences.lifetimes(audit(lifetimes=[])) == (
        "The rows of an account grow with its life."
    )
