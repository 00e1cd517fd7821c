"""Rows of several requests are scored together; each is answered as if it were alone."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tenure.score.score import Model, load_models
from tenure.service.api import feature_rows
from tenure.service.api.feature_rows import TOGETHER, RowScorer, scored_rows
from tenure.service.api.live_responses import RowScores
from tenure.service.api.problems import Refusal

if TYPE_CHECKING:
    from service.conftest import Tiny

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def model(tiny: Tiny) -> Model:
    return load_models(tiny.config)["churn"]


def row(model: Model, number: float | None) -> dict[str, Any]:
    numbers = {name: number for name in model.bundle.columns if not model.specs[name].text}
    return dict.fromkeys(model.bundle.columns) | numbers


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each scoring had."""
    counts: list[int] = []

    def counted(target: str, model: Model, rows: Rows) -> RowScores:
        counts.append(len(rows))
        return scored_rows(target, model, rows)

    monkeypatch.setattr(feature_rows, "scored_rows", counted)
    return counts


def answers(*asked: tuple[Model, Rows], cancel: int | None = None) -> list[Any]:
    """Ask for rows while the thread is busy; errors are returned in their place."""

    async def ask() -> list[Any]:
        with ThreadPoolExecutor(1) as threads:
            free = threading.Event()
            threads.submit(free.wait)
            scorer = RowScorer(threads)
            tasks = [asyncio.ensure_future(scorer.scores("churn", *one)) for one in asked]
            await asyncio.sleep(0)
            if cancel is not None:
                tasks[cancel].cancel()
                await asyncio.sleep(0)
            free.set()
            return await asyncio.gather(*tasks, return_exceptions=True)

    return asyncio.run(ask())


def told(answer: RowScores) -> dict[str, Any]:
    return {name: value for name, value in answer.to_json().items() if name != "scored_at"}


def test_what_waits_is_scored_together(model: Model, calls: list[int]) -> None:
    asked = [[row(model, number) for number in range(at, at + 2)] for at in range(5)]
    found = answers(*((model, rows) for rows in asked))
    assert calls == [10]
    assert [told(one) for one in found] == [
        told(scored_rows("churn", model, rows)) for rows in asked
    ]
    assert len({one.rows[0].probability for one in found}) > 1


def test_one_that_cannot_be_read_is_refused_alone(model: Model) -> None:
    bad = row(model, 1.0) | {"tenure_days": "3"}
    first, wrong, last = answers(*((model, [one]) for one in (row(model, 0), bad, row(model, 9))))
    assert isinstance(wrong, Refusal)
    assert wrong.problems[0].thing == "rows[0].tenure_days"
    assert told(first) == told(scored_rows("churn", model, [row(model, 0)]))
    assert told(last) == told(scored_rows("churn", model, [row(model, 9)]))


def test_rows_of_two_models_are_not_mixed(tiny: Tiny, model: Model, calls: list[int]) -> None:
    other = load_models(tiny.config)["expansion"]
    asked = [(one, [row(one, 1.0)]) for one in (model, other, other, model)]
    found = answers(*asked)
    assert calls == [1, 2, 1]
    assert [told(one) for one in found] == [told(scored_rows("churn", *one)) for one in asked]


def test_long_requests_stand_alone(model: Model, calls: list[int]) -> None:
    most, one = [row(model, 1.0)] * TOGETHER, [row(model, 1.0)]
    found = answers((model, one), (model, most), (model, one))
    assert [len(answer.rows) for answer in found] == [1, TOGETHER, 1]
    assert calls == [1, TOGETHER, 1]


def test_others_are_scored_between_the_rows_of_a_long_request(
    model: Model, calls: list[int]
) -> None:
    long, one = [row(model, number) for number in range(2 * TOGETHER + 1)], [row(model, 3.0)]
    (found, another, *short) = answers((model, long), (model, long), (model, one), (model, one))
    assert told(found) == told(another) == told(scored_rows("churn", model, long))
    assert all(told(answer) == told(scored_rows("churn", model, one)) for answer in short)
    assert calls == [2, *[TOGETHER, TOGETHER, 1] * 2]


def test_a_long_request_is_refused_as_a_whole(model: Model, calls: list[int]) -> None:
    rows = [row(model, 1.0) for _ in range(3 * TOGETHER)]
    for place in (1, TOGETHER + 1):
        rows[place] = row(model, 1.0) | {"tenure_days": "3"}
    (wrong,) = answers((model, rows))
    assert isinstance(wrong, Refusal)
    assert [problem.thing for problem in wrong.problems] == [
        "rows[1].tenure_days",
        f"rows[{TOGETHER + 1}].tenure_days",
    ]
    assert not calls


def test_what_nobody_waits_for_is_not_scored(model: Model, calls: list[int]) -> None:
    rows = [row(model, 1.0)]
    _, gone, _ = answers(*[(model, rows)] * 3, cancel=1)
    assert isinstance(gone, asyncio.CancelledError)
    assert calls == [2]
