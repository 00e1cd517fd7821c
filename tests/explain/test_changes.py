"""The parts of a change add up to it, whatever changed."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
from scipy.special import expit

from tenure.explain.changes import Bridge, ScoredPoint, book_change, score_change

SIGNALS = ("use", "seats_used", "survey_answers", "late_payment", "renewal")
LABELS = dict(zip(SIGNALS, ("Use", "Seats", "Surveys", "Late", "Term"), strict=True))
SLOPES = {"old": 0.9, "new": 1.1}


def point(dice: np.random.Generator, account: str, model: str, month: int) -> ScoredPoint:
    """Return a score as the store gives it: contributions are rounded to 32 bits."""
    exact = dice.normal(size=len(SIGNALS))
    base = {"old": -2.0, "new": -1.7}[model]
    log_odds = float(exact.sum() + base)
    stored = exact.astype(np.float32).astype(np.float64).tolist()
    return ScoredPoint(
        account,
        "churn",
        "90",
        datetime(2025, month, 1),
        model,
        chance(model, log_odds),
        log_odds,
        float(np.float32(base)),
        dict(zip(SIGNALS, stored, strict=True)),
        {"use": f"Use in month {month}"},
    )


def chance(model: str, log_odds: float) -> float:
    return float(expit(SLOPES[model] * log_odds - 0.1))


@pytest.mark.parametrize("case", ["same model", "other model", "part of an event", "model gone"])
def test_parts_add_up_to_the_move_of_a_thousand_pairs(case: str) -> None:
    dice = np.random.default_rng(7)
    for number in range(1_000):
        account = f"a{number}"
        before = point(dice, account, "old", 5)
        after = point(dice, account, "old" if case == "same model" else "new", 6)
        bridge = None
        if case in {"other model", "part of an event"}:
            calibrated = (lambda odds: chance("old", odds)) if case == "other model" else None
            bridge = Bridge(point(dice, account, "old", 6), calibrated)
        change = score_change(before, after, LABELS, bridge)
        assert sum(part.log_odds for part in change.parts) == pytest.approx(change.move, abs=1e-9)
        assert sum(part.points for part in change.parts) == pytest.approx(change.points, abs=1e-9)
        kinds = {part.kind for part in change.parts}
        expected = {"same model": {"data"}, "model gone": {"all"}}
        assert kinds == expected.get(case, {"data", "model", "base_rate"})
        sizes = [abs(part.log_odds) for part in change.parts]
        assert sizes == sorted(sizes, reverse=True)


def test_a_part_is_the_change_of_its_signal() -> None:
    dice = np.random.default_rng(1)
    before, after = (point(dice, "a", "old", month) for month in (5, 6))
    parts = {part.code: part for part in score_change(before, after, LABELS).parts}
    for name in SIGNALS:
        moved = after.contributions[name] - before.contributions[name]
        assert parts[name].log_odds == pytest.approx(moved, abs=1e-6)
        assert np.sign(parts[name].points) == np.sign(moved)
        assert parts[name].label == LABELS[name]
    assert (parts["use"].before, parts["use"].after) == ("Use in month 5", "Use in month 6")
    assert parts["renewal"].before == ""


def test_another_model_on_the_same_data_is_no_change_of_data() -> None:
    dice = np.random.default_rng(2)
    before = point(dice, "a", "old", 5)
    after = point(dice, "a", "new", 6)
    change = score_change(before, after, LABELS, Bridge(before, lambda odds: chance("old", odds)))
    parts = {part.kind: part for part in change.parts}
    assert set(parts) == {"model", "base_rate"}
    assert parts["base_rate"].log_odds == pytest.approx(0.3, abs=1e-6)
    assert parts["base_rate"].points > 0


def test_nothing_moved() -> None:
    same = point(np.random.default_rng(3), "a", "old", 5)
    change = score_change(same, same, LABELS)
    assert (change.move, change.points) == (0, 0)
    assert all(abs(part.log_odds) < 1e-6 for part in change.parts)


def test_a_book_says_who_moved_most_who_came_and_who_went() -> None:
    dice = np.random.default_rng(4)
    before = {name: point(dice, name, "old", 5) for name in "abcd"}
    after = {name: point(dice, name, "old", 6) for name in "bcde"}
    book = book_change(before, after, LABELS)
    assert (book.appeared, book.gone) == (("e",), ("a",))
    assert {change.account_id for change in book.changes} == set("bcd")
    moves = [abs(change.points) for change in book.changes]
    assert moves == sorted(moves, reverse=True)
    means = [mean for _, mean in book.drivers]
    assert means == sorted(means, reverse=True)
    assert {label for label, _ in book.drivers} == set(LABELS.values())
