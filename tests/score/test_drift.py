"""A scored book beside the last known prediction times: what is called unlike, and what is not."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from tenure.core.records.over_time import FoldSpan
from tenure.core.records.score_drift import BookDrift
from tenure.report.sentences.drift import drift_sentences
from tenure.score.drift import book_drift, drift_reference
from tenure.score.scored import Scored
from tenure.score.unseen import COLUMNS, no_words

MONTHS = pd.date_range("2023-01-01", periods=20, freq="MS")
ACCOUNTS = 400
SPAN = FoldSpan.from_json(
    {
        "since": "2024-02-01",
        "until": "2024-04-01",
        "folds": 3,
        "n": 3 * ACCOUNTS,
        "positives": 120,
        "observed_rate": 0.1,
        "mean_probability": 0.102,
        "calibration_gap": {"value": 0.002, "lo": -0.012, "hi": 0.016},
    }
)


def book(rng: np.random.Generator, month: int = 0, *, wave: float = 0.0) -> pd.DataFrame:
    """Inputs of one month; usage moves with the season, and the accounts grow older."""
    return pd.DataFrame(
        {
            "usage": rng.normal(wave * np.sin(month / 2), 1, ACCOUNTS),
            "noise": np.where(rng.random(ACCOUNTS) < 0.2, np.nan, rng.normal(size=ACCOUNTS)),
            "plan": rng.choice(["basic", "pro"], ACCOUNTS, p=[0.7, 0.3]).astype(object),
        }
    )


def reference(*, wave: float = 0.0, unasked: float = 0.0) -> dict[str, Any]:
    """The reference; a share of the accounts, whose usage is far higher, is never asked."""
    rng = np.random.default_rng(0)
    frames = [book(rng, month, wave=wave) for month in range(len(MONTHS))]
    rows = pd.DataFrame(
        {
            "account_id": np.tile([f"a{number}" for number in range(ACCOUNTS)], len(MONTHS)),
            "as_of": np.repeat(MONTHS, ACCOUNTS),
            "label": 0.0,
        }
    )
    values = pd.concat(frames, ignore_index=True)
    aside = np.tile(np.arange(ACCOUNTS) < unasked * ACCOUNTS, len(MONTHS))
    values.loc[aside, "usage"] += 5
    rows.loc[aside, "label"] = np.nan
    predictions = rows[rows["as_of"].between("2023-08-01", SPAN.until)].copy()
    predictions["probability"] = rng.beta(1, 9, len(predictions))
    stored = drift_reference(values, rows, predictions, SPAN)
    return cast("dict[str, Any]", json.loads(json.dumps(stored)))


def scored(
    inputs: pd.DataFrame,
    chances: np.ndarray,
    stored: dict[str, Any] | None,
    words: pd.DataFrame | None = None,
) -> Scored:
    """What `book_drift` reads of scores."""
    bundle = SimpleNamespace(reference={} if stored is None else {"latest": stored})
    return cast(
        "Scored",
        SimpleNamespace(
            rows=pd.DataFrame({"churn_probability": chances}),
            models={"churn": SimpleNamespace(bundle=bundle)},
            main=lambda _: SimpleNamespace(rows=np.arange(len(chances))),
            values=lambda _: inputs,
            unseen=no_words() if words is None else words,
        ),
    )


def drifted(
    inputs: pd.DataFrame, scale: float = 1.0, stored: dict[str, Any] | None = None
) -> BookDrift:
    chances = np.clip(scale * np.random.default_rng(9).beta(1, 9, len(inputs)), 0, 1)
    drift = book_drift(scored(inputs, chances, stored or reference()), "churn")
    assert drift is not None
    return BookDrift.from_json(drift.to_json())


def test_a_book_as_before_is_worth_no_word() -> None:
    stored = reference()
    for seed in range(10):
        drift = drifted(book(np.random.default_rng(100 + seed)), stored=stored)
        assert (drift.off, drift.scores, drift.inputs) == (False, None, ())
        assert drift_sentences("churn", drift) == []
    assert (drift.accounts, drift.compared, drift.observed_rate) == (ACCOUNTS, 3, 0.1)


def test_predictions_far_above_what_happens_are_said() -> None:
    drift = drifted(book(np.random.default_rng(1)), scale=1.8)
    assert drift.off
    assert drift.gap.above
    first, spread = drift_sentences("churn", drift)
    assert first.startswith("churn: predictions are far above what happens: on average 1")
    assert "%, where 10.0% churned (from 2024-02-01 to 2024-04-01, the last known" in first
    assert spread.startswith("churn: probabilities are spread unlike those from 2024-02-01")


def test_a_gap_within_chance_is_not_off() -> None:
    assert not drifted(book(np.random.default_rng(1)), scale=1.12).off


def test_an_input_that_moves_is_named_and_the_others_are_not() -> None:
    inputs = book(np.random.default_rng(1))
    inputs["usage"] += 0.8
    inputs.loc[:199, "noise"] = np.nan
    drift = drifted(inputs)
    assert {item.column for item in drift.inputs} == {"usage", "noise"}
    assert all(item.psi > item.limit for item in drift.inputs)
    (sentence,) = drift_sentences("churn", drift)
    assert sentence.startswith("churn: 2 of 3 inputs are distributed unlike from 2024-02-01")


def test_a_move_as_large_as_those_of_every_season_is_usual() -> None:
    inputs = book(np.random.default_rng(1))
    inputs["usage"] += 0.6
    assert [item.column for item in drifted(inputs).inputs] == ["usage"]
    assert drifted(inputs, stored=reference(wave=0.8)).inputs == ()


def test_accounts_that_were_not_asked_are_no_part_of_what_was() -> None:
    inputs = book(np.random.default_rng(1))
    assert drifted(inputs, stored=reference(unasked=0.4)).inputs == ()


def test_fewer_accounts_have_to_move_further() -> None:
    inputs = book(np.random.default_rng(1))
    inputs["usage"] += 0.5
    assert [item.column for item in drifted(inputs).inputs] == ["usage"]
    assert drifted(inputs.head(20)).inputs == ()


def test_what_the_model_never_saw_is_counted() -> None:
    inputs = book(np.random.default_rng(1))
    inputs["usage"] = inputs["usage"].clip(-2, 2)
    inputs.loc[:1, "plan"] = "ultra"
    inputs.loc[:9, "usage"] = 50.0
    drift = drifted(inputs)
    assert [(item.column, item.accounts, item.values) for item in drift.unseen] == [
        ("usage", 10, None),
        ("plan", 2, ("ultra",)),
    ]
    assert drift_sentences("churn", drift)[-1] == (
        "churn: values that the model has never seen: plan 'ultra' (2 accounts) and usage "
        "(10 accounts)"
    )


def test_a_number_just_beyond_those_seen_is_nothing_new() -> None:
    """The ages of the oldest accounts are higher in every run than in any before."""
    inputs = book(np.random.default_rng(1))
    inputs["usage"] = inputs["usage"].clip(-2, 2)
    low, high = reference()["inputs"]["usage"]["seen"]
    inputs.loc[:9, "usage"] = high + 0.24 * (high - low)
    assert drifted(inputs).unseen == ()


def test_event_names_that_the_model_never_saw_are_said_with_their_share() -> None:
    inputs, chances = book(np.random.default_rng(1)), np.full(ACCOUNTS, 0.1)
    event = "usage_events.event"
    rows = [("a", event, None, 6), ("a", event, "fax", 3), ("b", event, "fax", 1)]
    words = pd.DataFrame([*rows, ("b", event, "login", 2)], columns=list(COLUMNS))
    stored = reference() | {"words": {event: ["login"]}}
    drift = book_drift(scored(inputs, chances, stored, words), "churn")
    assert drift is not None
    item = next(item for item in drift.unseen if item.column == event)
    assert (item.accounts, item.values, item.share) == (2, ("fax",), pytest.approx(4 / 12))
    assert drift_sentences("churn", drift)[-1] == (
        "churn: values that the model has never seen: usage_events.event 'fax' (2 accounts, 33% of "
        "the latest rows)"
    )
    assert "seen: event of usage events 'fax' (2" in drift_sentences("churn", drift, {})[-1]


def test_a_page_calls_columns_by_their_labels() -> None:
    inputs = book(np.random.default_rng(1))
    inputs.loc[:1, "plan"] = "ultra"
    drift = drifted(inputs)
    assert (
        "seen: plan of the account 'ultra'"
        in drift_sentences("churn", drift, {"plan": "Plan of the account"})[-1]
    )


def test_accounts_without_a_probability_are_left_out() -> None:
    inputs, chances = book(np.random.default_rng(1)), np.full(ACCOUNTS, 0.1)
    chances[::2] = np.nan
    drift = book_drift(scored(inputs, chances, reference()), "churn")
    assert drift is not None
    assert drift.accounts == ACCOUNTS // 2
    assert drift.mean_probability == pytest.approx(0.1)


def test_without_known_outcomes_nothing_is_compared() -> None:
    chances = np.full(ACCOUNTS, 0.1)
    assert book_drift(scored(book(np.random.default_rng(1)), chances, None), "churn") is None
