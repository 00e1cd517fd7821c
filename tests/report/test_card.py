from __future__ import annotations

import re
from pathlib import Path

import pytest

from report.record import DRIVERS, HOSTILE, MODEL, STATES, beaten, no_claim, target, usable
from tenure.core.records.bundle import BundleSpec
from tenure.report.card import model_card

ROOT = Path(__file__).resolve().parents[2]
SPEC = BundleSpec.from_json(
    {
        "name": "acme",
        "target": "churn",
        "model_name": "acme-churn",
        "labels": {"horizon_days": 90, "gap_days": 0, "threshold": 0.1},
        "calendar": {"cadence": "monthly", "start": None, "end": None},
        "model_settings": {"seed": 7},
        "reads": {"tickets": ["priority"], "usage_events": ["event", "user_id"]},
        "fingerprint": "fedcba9876543210",
        "sql_hash": "aaaabbbbccccdddd",
        "trained_until": "2025-01-01",
        "versions": {"lightgbm": "4.7.0", "tenure": "0.1.0"},
    }
)


def headings(text: str) -> list[str]:
    return re.findall(r"^## (.+)$", text, re.MULTILINE)


@pytest.mark.parametrize("state", STATES)
def test_a_card_has_every_section_of_the_template(state: str) -> None:
    template = (ROOT / "docs" / "model-card-template.md").read_text(encoding="utf-8")
    assert headings(model_card("churn", STATES[state](), SPEC)) == headings(template)


def test_a_card_does_not_know_the_run() -> None:
    """It is part of the content hash, from which the version follows."""
    early = target(status="refused", model=None)
    late = target(status="champion", model=MODEL | {"version": "ffff", "path": "elsewhere"})
    assert model_card("churn", early, SPEC) == model_card("churn", late, SPEC)


def test_a_card_says_how_good_beside_what() -> None:
    text = model_card("churn", usable(), SPEC)
    assert "| AUC | higher | 0.720 [0.695, 0.745] | 0.500 [0.475, 0.525] |" in text
    assert "- Logistic regression: AUC 0.020 [0.005, 0.035] higher" in text
    assert "Summed up, the probabilities promised 324 churns" in text
    assert "base rate) churned within 90 days: 241 distinct churns" in text


def test_a_card_tells_of_a_baseline_that_wins_at_once() -> None:
    body = model_card("churn", beaten(), SPEC).partition("## Intended use")[0]
    assert "**Usable, but beaten.** Loses to logistic regression" in body


def test_a_card_claims_nothing_that_was_not_measured() -> None:
    text = model_card("churn", no_claim(), SPEC)
    assert "Not measured." in text
    assert "| AUC |" not in text


def test_a_card_says_its_limits_and_how_to_make_it_again() -> None:
    text = model_card("churn", usable(), SPEC)
    for words in (
        "They are not its causes",
        "It must not be used to decide about people",
        "Data fingerprint: fedcba9876543210",
        "Seed: 7",
        "`usage_events`: event, user_id",
        "lightgbm 4.7.0, tenure 0.1.0",
    ):
        assert words in text


def test_a_label_cannot_break_the_card() -> None:
    drivers = [DRIVERS[0] | {"label": HOSTILE + " | x"}, *DRIVERS[1:]]
    text = model_card("churn", target(drivers=drivers), SPEC)
    assert "<script>" not in text.replace("\\<script\\>", "")
    rows = [line for line in text.splitlines() if "alert" in line]
    assert [len(re.findall(r"(?<!\\)\|", row)) for row in rows] == [10, 5]  # a group, a driver


def test_a_card_tells_of_the_search_for_parameters() -> None:
    found = {"as_of": None, "trials": 40, "positives": 210, "gain": 0.0031}
    none = found | {"gain": 0.0}
    short = {"as_of": None, "trials": 0, "positives": 0, "gain": 0.0}
    told = {
        "Tuning: 40 trials, each judged by 210 outcomes; the best saves 0.0031": [short, found],
        "none was better than the default by more than chance": [found, none],
        "too few outcomes to search with": [short],
    }
    assert "Tuning" not in model_card("churn", usable(), SPEC)
    for said, searches in told.items():
        assert said in model_card("churn", target(tuning=searches), SPEC)
