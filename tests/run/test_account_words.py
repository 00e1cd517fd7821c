"""One account in words: who it is not, when it paid, and why it has no score."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tenure.core.config import make_config
from tenure.core.records.explain import ChangePart, ScoreChange
from tenure.core.sections import ScoreConfig
from tenure.engine import open_engine
from tenure.run.account_words import (
    absence,
    abstention_reason,
    account_lines,
    explained_lines,
)
from tenure.score.abstain import NEW, NOTICE, REASONS, STALE, THIN
from tenure.sources.dataset import Dataset
from tenure.sources.load import load_frames

UNTIL = datetime(2025, 7, 1)
NOW = datetime(2025, 6, 1)


def day(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


@pytest.fixture(scope="module")
def dataset() -> Iterator[Dataset]:
    names = ["acc-101", "acc-102", "acc-201", "acc-301", "acc-401"]
    paid = [
        ("acc-101", "2024-01-01", "2025-03-03", None),
        ("acc-102", "2024-01-01", "2025-02-01", None),
        ("acc-102", "2025-06-15", None, None),
        ("acc-201", "2025-06-20", None, None),
        ("acc-401", "2024-01-01", "2025-07-07", "2025-05-21"),
    ]
    frames = {
        "accounts": pa.table({"account_id": names, "created_at": [day("2023-12-01")] * 5}),
        "subscriptions": pa.table(
            {
                "subscription_id": [f"s{number}" for number in range(len(paid))],
                "account_id": [row[0] for row in paid],
                "started_at": [day(row[1]) for row in paid],
                "ended_at": pa.array([day(row[2]) for row in paid], pa.timestamp("us")),
                "notice_at": pa.array([day(row[3]) for row in paid], pa.timestamp("us")),
                "mrr": [100.0] * len(paid),
            }
        ),
    }
    config = make_config({"data": {"path": "x"}}, base=Path())
    engine = open_engine(config)
    yield load_frames(frames, config, engine, observed_until=UNTIL)
    engine.close()


@pytest.mark.parametrize(
    ("account", "said"),
    [
        ("acc-120", "is not in the table `accounts` → did you mean `acc-101`"),
        ("4", "is not in the table `accounts` → ids look like `acc-401`"),
        ("o'neill; --", "is not in the table `accounts` → ids look like"),
        ("acc-101", "has left: it paid until 3 March 2025 → choose --as-of 2025-03-03"),
        ("acc-102", "it paid until 1 February 2025, and again from 15 June 2025"),
        ("acc-201", "does not pay before 20 June 2025 → choose a later --as-of"),
        ("acc-301", "never had a paid subscription"),
    ],
)
def test_accounts_without_a_row_are_told_apart(dataset: Dataset, account: str, said: str) -> None:
    text = str(absence(account, dataset, NOW))
    assert text.startswith(f"account `{account}`: ")
    assert said in text


def row(reason: str | None, **values: Any) -> dict[str, Any]:
    basis = {
        "account_id": "acc-401",
        "as_of": "2025-06-01",
        "abstain_reason": reason,
        "renews_at": "2025-07-07",
        "stale_sources": "tickets, usage_events",
        "data_coverage": 0.25,
        "horizon_days": 90,
    }
    return basis | values


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (NOTICE, "gave notice on 21 May 2025, ends 7 July 2025: what happens is known"),
        (
            STALE,
            "no new rows of any account for 30 days in tickets, usage_events "
            "(score.stale_after_days); load newer data",
        ),
        (NEW, "has paid for fewer than 60 days (score.min_tenure_days)"),
        (
            THIN,
            "only 25% of the sources have a row of it in the last 365 days "
            "(score.min_coverage: 30%)",
        ),
    ],
)
def test_every_abstention_is_a_sentence(dataset: Dataset, reason: str, said: str) -> None:
    assert set(REASONS) == {NOTICE, STALE, NEW, THIN}
    settings = ScoreConfig(min_tenure_days=60, min_coverage=0.3)
    found = row(reason)
    assert abstention_reason(found, dataset, settings) == said
    assert account_lines(found, ["churn"], said) == [
        "acc-401 as of 2025-06-01",
        f"No probability: {said}.",
    ]


def test_no_line_repeats_that_a_driver_is_associated() -> None:
    drivers = {
        f"driver_{place}_{part}": value
        for place in range(1, 6)
        for part, value in {
            "sentence": f"{place} days; more than usual (comparable retained accounts: 9); "
            "associated with a higher probability of churn.",
            "contribution": 0.5 / place,
        }.items()
    }
    found = row(None, churn_probability=0.3412, base_rate=0.041, **drivers)
    lines = account_lines(found, ["churn"])
    assert lines[1] == "churn within 90 days: 34.1% (base rate 4.1%)"
    assert lines[2] == "  +0.500  1 days; more than usual (comparable retained accounts: 9)"
    assert sum("ssociated" in line for line in lines) == 1
    assert "not its cause" in lines[-1]


def test_small_parts_of_a_move_are_one_line() -> None:
    sizes = {"Use": -0.053, "Silence": 0.044, "Seats": 0.0004, "Surveys": -0.0004, "Term": -0.0002}
    parts = [
        ChangePart(kind="data", label=label, log_odds=10 * size, points=size)
        for label, size in sizes.items()
    ]
    move = ScoreChange(
        account_id="a",
        target="churn",
        horizon="90",
        before_as_of="2025-06-01",
        after_as_of="2025-07-01",
        before_model="1",
        after_model="1",
        before_probability=0.172,
        after_probability=0.1628,
        before_log_odds=0,
        after_log_odds=-0.092,
        parts=tuple(parts),
    )
    assert explained_lines({}, {}, {"churn": move}) == [
        "churn since 2025-06-01: 17.2% to 16.3% (−0.9 points)",
        "  −0.530  −5.3 points  Use",
        "  +0.440  +4.4 points  Silence",
        "  −0.002  0.0 points  3 smaller parts",
    ]
