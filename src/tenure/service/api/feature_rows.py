"""Posted feature rows: checked against what a model reads, scored, and compared with its past."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from typing import Any, NamedTuple

import numpy as np

from tenure.core.arrays import Array
from tenure.core.errors import Problem, suggestion
from tenure.core.times import now
from tenure.explain.drivers import driver_arrays
from tenure.explain.row_words import NUMBERS, WORDS, About, plain
from tenure.score.model import Model
from tenure.service.api.live_responses import RowScores
from tenure.service.api.meaning import meaning
from tenure.service.api.problems import MOST_PROBLEMS, Refusal, listed, shown
from tenure.service.api.threads import in_thread

LARGEST = float(np.finfo(np.float32).max)
TOGETHER = 64
"""Rows that are scored at once, at most."""
Rows = Sequence[Mapping[str, Any]]


class _Waiting(NamedTuple):
    """A request whose rows wait to be scored."""

    target: str
    model: Model
    rows: Rows
    answer: Future[RowScores]


class RowScorer:
    """Scores feature rows in a thread: what waits for it is scored together.

    A row costs nearly as much alone as with some others, and says the same.  What waits beside a
    long request is scored between its rows; long ones follow each other.
    """

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads
        self._waiting: deque[_Waiting] = deque()
        self._long = asyncio.Lock()

    async def scores(self, target: str, model: Model, rows: Rows) -> RowScores:
        """Return what `scored_rows` does."""
        if len(rows) <= TOGETHER:
            return await self._scores(target, model, rows)
        async with self._long:
            await in_thread(self._threads, feature_values, model, rows)  # or refused as a whole
            parts = [
                await self._scores(target, model, rows[start : start + TOGETHER])
                for start in range(0, len(rows), TOGETHER)
            ]
        every = tuple(chain.from_iterable(part.rows for part in parts))
        return parts[-1].model_copy(update={"rows": every})

    async def _scores(self, target: str, model: Model, rows: Rows) -> RowScores:
        answer: Future[RowScores] = Future()
        self._waiting.append(_Waiting(target, model, rows, answer))
        self._threads.submit(self._next)
        return await asyncio.wrap_future(answer)

    def _next(self) -> None:
        """Answer the first request that waits, and those behind it that ask the same of it."""
        batch: list[_Waiting] = []
        size = 0
        while self._waiting:
            one = self._waiting[0]
            size += len(one.rows)
            if batch and (one.model is not batch[0].model or size > TOGETHER):
                break  # each request has a turn of its own: the next one comes
            self._waiting.popleft()
            if one.answer.set_running_or_notify_cancel():
                batch.append(one)
        if batch:
            _answer(batch)


def _answer(batch: Sequence[_Waiting]) -> None:
    """Answer requests of one model; where that fails, each alone, so that it is told its own."""
    target, model, *_ = batch[0]
    try:
        every = scored_rows(target, model, [row for one in batch for row in one.rows])
    except Exception as error:
        if len(batch) == 1:
            batch[0].answer.set_exception(error)
            return
        for one in batch:
            _answer([one])
        return
    scores = iter(every.rows)
    for one in batch:
        own = tuple(islice(scores, len(one.rows)))
        one.answer.set_result(every.model_copy(update={"rows": own}))


def scored_rows(target: str, model: Model, rows: Rows) -> RowScores:
    """Return probabilities and drivers of feature rows, and which inputs are doubtful.

    Raises:
        Refusal: If a row is not one that the model reads.
    """
    values = feature_values(model, rows)
    scored = model.main.scores(values)
    contributions = scored.contributions
    words, numbers, _ = driver_arrays(contributions[:, :-1], values, model.explainer(), About())
    doubts = model.inputs.doubts(values)
    scores = [
        {
            "probability": chance,
            "lo": lo,
            "hi": hi,
            "log_odds": margin,
            "drivers": _drivers(*drivers),
            **doubt._asdict(),
        }
        for chance, lo, hi, margin, doubt, *drivers in zip(
            *map(plain, scored[:3]),
            contributions.sum(axis=1).tolist(),
            doubts,
            words.tolist(),
            numbers,
            strict=True,
        )
    ]
    about = meaning(target, model).to_json()
    return RowScores.model_validate(
        {**about, "target": target, "scored_at": now(), "rows": scores, "refused": ()}
    )


def _drivers(words: list[list[Any]], numbers: Array) -> list[dict[str, Any]]:
    """Return the drivers of one row, strongest first."""
    return [
        dict(zip(WORDS, spoken, strict=True)) | dict(zip(NUMBERS, plain(counted), strict=True))
        for spoken, counted in zip(words, numbers, strict=True)
        if spoken[0] is not None
    ]


def feature_values(model: Model, rows: Rows) -> dict[str, Array]:
    """Return posted feature rows by column, in the types that scoring reads.

    Raises:
        Refusal: If a row lacks a feature, has one that the model does not read, or a wrong value.
    """
    columns, inputs = model.main.columns, model.inputs
    if any(row.keys() != inputs.names for row in rows):
        raise refusal(model, rows)
    matrix = _matrix([row[name] for name in inputs.numbers for row in rows])
    words = [row[name] for name in inputs.words for row in rows]
    if matrix is None or not set(map(type, words)) <= {str, type(None)}:
        raise refusal(model, rows)
    texts = np.array(words, dtype=object).reshape(len(inputs.words), len(rows))
    read = dict(zip(inputs.numbers, matrix.reshape(-1, len(rows)), strict=True))
    read |= zip(inputs.words, texts, strict=True)
    return {name: read[name] for name in columns}


def _matrix(numbers: list[Any]) -> Array | None:
    """Return posted numbers, NaN where there is none; None if one of them cannot be read."""
    if not set(map(type, numbers)) <= {float, int, type(None)}:
        return None
    try:
        with np.errstate(over="ignore"):
            matrix = np.array(numbers, dtype=np.float32)
    except OverflowError:
        return None
    return matrix if np.isfinite(matrix).sum() + numbers.count(None) == len(numbers) else None


def refusal(model: Model, rows: Rows) -> Refusal:
    """Return the refusal of rows that cannot be read.

    A suggestion costs a look at every feature, so no more problems are worked out than are shown.
    """
    problems = chain.from_iterable(_problems(model, *one) for one in enumerate(rows))
    return Refusal(*islice(problems, MOST_PROBLEMS))


def wrong_rows(model: Model, rows: Rows) -> dict[int, Problem]:
    """Return the rows that cannot be read, by position, with the first problem of each.

    There are at most one more than a refusal shows.
    """
    first = ((place, next(_problems(model, place, row), None)) for place, row in enumerate(rows))
    wrong = ((place, problem) for place, problem in first if problem is not None)
    return dict(islice(wrong, MOST_PROBLEMS + 1))


def _problems(model: Model, place: int, row: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with a row: with its values only where it has the model's features."""
    columns, inputs = model.main.columns, model.inputs
    if row.keys() != inputs.names:
        yield from _name_problems(place, row, columns, inputs.names)
        return
    for name in columns:
        if wrong := _wrong(row[name], name in inputs.words):
            yield Problem(f"rows[{place}].{name}", *wrong)


def _name_problems(
    place: int, row: Mapping[str, Any], columns: Sequence[str], known: frozenset[str]
) -> Iterator[Problem]:
    for name in row:
        if name not in known:
            close = suggestion(name[:100], known)
            fix = close if close.startswith("did") else "GET /v1/models lists the features"
            yield Problem(f"rows[{place}].{name}", "is not a feature of the model", fix=fix)
    absent = [name for name in columns if name not in row]
    if absent:
        fix = "give every feature that /v1/models lists; null where it is not known"
        rule = f"{len(absent)} of the model's {len(columns)} features are missing"
        yield Problem(f"rows[{place}].{absent[0]}", rule, listed(absent, 20), fix)


def _wrong(value: Any, text: bool) -> tuple[str, str, str] | None:
    """Return the rule that a feature value breaks, the value and the fix, None where it is fine."""
    if value is None:
        return None
    if text:
        good = isinstance(value, str)
        return None if good else ("must be a string or null", shown(value), 'write it as "…"')
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "must be a number or null", shown(value), "write it without quotes"
    if abs(value) <= LARGEST:
        return None
    return "is no finite 32-bit number", shown(value), "null where it is not known"
