"""What people say of scores stays beside them, signed, and an override ends when it should."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tenure.core.errors import DataError
from tenure.score.store.feedback import (
    Feedback,
    Override,
    add_feedback,
    add_override,
    feedback_of,
    overrides_of,
    standing_overrides,
)
from tenure.score.store.store import ScoreStore

NOW = datetime(2026, 1, 1, 12)
SAYS = Feedback("acc-1", "churn", "r1", "seats", "wrong", None, "Ada", NOW)
MEANS = Override("acc-1", "churn", "r1", "low", "they signed", NOW + timedelta(days=30), "Ada", NOW)
HOSTILE = "\0<script>alert(1)</script>\u202e=HYPERLINK()\U0001f600 '; DROP TABLE feedback; --"


def test_it_is_read_back_latest_first(store: ScoreStore) -> None:
    add_feedback(store, SAYS)
    later = replace(SAYS, verdict="note", driver=None, note=HOSTILE, at=NOW + timedelta(hours=1))
    written = add_feedback(store, later)
    assert written.note == HOSTILE.removeprefix("\0")
    assert feedback_of(store, "acc-1") == [written, SAYS]
    assert feedback_of(store, "acc-2") == []
    assert feedback_of(ScoreStore(store.engine, "other"), "acc-1") == []


def test_an_override_stands_until_its_end_or_the_next(store: ScoreStore) -> None:
    add_override(store, MEANS)
    add_override(store, replace(MEANS, account_id="acc-2", band="high"))
    newer = replace(MEANS, band="medium", at=NOW + timedelta(days=1), until=NOW + timedelta(days=2))
    add_override(store, newer)

    def standing(days: float) -> dict[str, str]:
        at = NOW + timedelta(days=days)
        found = standing_overrides(store, ["acc-1", "acc-2", "acc-3"], "churn", at)
        return {name: item.band for name, item in found.items()}

    assert standing(-1) == {}
    assert standing(0.5) == {"acc-1": "low", "acc-2": "high"}
    assert standing(1.5) == {"acc-1": "medium", "acc-2": "high"}
    assert standing(3) == {"acc-2": "high"}  # the newer one took the older one's place
    assert standing(31) == {}
    assert overrides_of(store, "acc-1") == [newer, MEANS]


@pytest.mark.parametrize(
    ("change", "thing"),
    [
        ({"verdict": "maybe"}, "verdict"),
        ({"driver": None}, "verdict"),
        ({"verdict": "note"}, "note"),
        ({"note": "x" * 4001}, "note"),
        ({"author": " \0 "}, "author"),
        ({"author": "x" * 201}, "author"),
    ],
)
def test_feedback_that_says_nothing_is_refused(
    store: ScoreStore, change: dict[str, str | None], thing: str
) -> None:
    with pytest.raises(DataError, match=f"^{thing}: "):
        add_feedback(store, replace(SAYS, **change))  # type: ignore[arg-type]
    assert feedback_of(store, "acc-1") == []


@pytest.mark.parametrize(
    ("change", "thing"),
    [({"band": "dire"}, "band"), ({"reason": " "}, "reason"), ({"until": NOW}, "until")],
)
def test_an_override_that_says_nothing_is_refused(
    store: ScoreStore, change: dict[str, object], thing: str
) -> None:
    with pytest.raises(DataError, match=f"^{thing}: "):
        add_override(store, replace(MEANS, **change))  # type: ignore[arg-type]
    assert overrides_of(store, "acc-1") == []
