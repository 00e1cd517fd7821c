"""The raw tables, for what must be computed from them: live scores by id, metrics, evidence.

The engine's connection belongs to one thread, in which everything that reads the tables runs, one
after the other; endpoints and pages share it.  The tables are loaded again when a file that they
come from has changed; those that cannot be used leave the former ones.  What was computed of them
is remembered until then.

Requests for scores that wait meanwhile are answered together: an account alone has the same score
as in a batch.  A group that nobody waits for any more is not scored.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeVar

from tenure.core.config import Config
from tenure.core.errors import DataError, Problem
from tenure.core.records.metrics import MetricsRecord
from tenure.core.times import as_utc
from tenure.engine import open_engine
from tenure.score.posted import EMPTY_BOOK
from tenure.score.score import Model, Scored, score
from tenure.service.api.problems import Refusal, busy
from tenure.service.api.threads import in_thread
from tenure.sources.dataset import Dataset
from tenure.sources.load import load
from tenure.sources.origin import input_files, named_places
from tenure.success.interpret import MetricsRequest, metrics

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger("tenure.service")
T = TypeVar("T")
Span = Literal["main", "all"]
Stamp = tuple[tuple[str, int, int], ...]
MOST_GROUPS = 8
"""Groups that may wait for the engine's thread."""
REMEMBERED = 128
"""Answers that are remembered."""


@dataclass(frozen=True)
class Loaded:
    """The tables."""

    dataset: Dataset
    """In an engine that only the engine's thread may touch."""
    accounts: frozenset[str]
    """Ids of all accounts."""
    first: datetime
    """When the first subscription started."""


@dataclass
class _Group:
    """Requests for the same time that are answered together."""

    models: Mapping[str, Model]
    """Target → model."""
    book: pd.DataFrame
    """Rows that ranks refer to."""
    accounts: set[str] = field(default_factory=set)
    waiting: int = 0
    started: bool = False
    """Whether scoring has begun, so that nobody can join or stop it."""
    task: asyncio.Task[Scored] | None = None


class Tables:
    """The tables of a config.

    Args:
        config: Names their files.
        models: Gives the models that must be able to score them.

    Attributes:
        loading: The first loading, where it was begun beforehand.
        failure: Why the tables as they are cannot be used; None where they can.
    """

    def __init__(self, config: Config, models: Callable[[], Mapping[str, Model]] = dict) -> None:
        self.config = config
        self.loading: Future[Loaded] | None = None
        self.failure: Exception | None = None
        self.threads = ThreadPoolExecutor(1, "tenure-engine")
        self._models = models
        self._named = named_places(config)
        self._loaded: Loaded | None = None
        self._stamp: Stamp | None = None
        self._answers: dict[Hashable, object] = {}
        self._groups: dict[tuple[datetime, Span], _Group] = {}
        self._turn = asyncio.Lock()

    def start(self) -> Future[Loaded]:
        """Load the tables in the engine's thread; returns at once."""
        if self.loading is None:
            self.loading = self.threads.submit(self._fresh)
        return self.loading

    def close(self) -> None:
        """Stop the thread and release the engine."""
        self.threads.submit(self._replace, None)
        self.threads.shutdown()

    @property
    def present(self) -> bool:
        """Whether there is a file of a table on this machine, or a table that is no file."""
        tables = self.config.data.tables.values()
        elsewhere = (
            table.frame is not None or bool(table.table) or "://" in (table.path or "")
            for table in tables
        )
        return bool(self._files()) or any(elsewhere)

    @property
    def observed_until(self) -> datetime | None:
        """When observation stopped, None before the tables are loaded."""
        return self._loaded.dataset.observed_until if self._loaded else None

    async def loaded(self) -> Loaded:
        """Return the tables as their files are.

        Raises:
            Refusal: 503 while they are first loaded, or where they cannot be.
        """
        if self._stamp is not None and self._stamp != self._files():
            with suppress(Exception):  # which is the failure below
                await in_thread(self.threads, self._fresh)
        if self._loaded is not None:
            return self._loaded
        if self.failure is not None:
            fix = "look at /readyz; what is in the store is at /v1/accounts and /v1/scores:lookup"
            raise Refusal(Problem("service", "cannot load its tables", fix=fix), status=503)
        raise busy("is still loading its tables")

    def ask(self, key: Hashable, question: Callable[[Dataset], T]) -> Future[T]:
        """Return what a question of the tables will come to; remembered by its key.

        The future raises a DataError if a table cannot be used.
        """
        answers = self._answers if self._stamp == self._files() else {}
        try:
            answer: T = answers[key]  # type: ignore[assignment]  # a key has one question
        except KeyError:
            return self.threads.submit(self._remember, key, question)
        known: Future[T] = Future()
        known.set_result(answer)
        return known

    def metrics(self, request: MetricsRequest) -> Future[MetricsRecord]:
        """Return customer-success metrics; see `ask`."""
        return self.ask(
            ("metrics", repr(request)), lambda dataset: metrics(self.config, dataset, request)
        )

    def probe(self, models: Mapping[str, Model]) -> None:
        """Make sure that models can score the tables, where there are any.

        To be called in the engine's thread.

        Raises:
            DataError: If a column that a model reads is missing.
        """
        if self._loaded is not None:
            self._check(self._loaded.dataset, models)

    async def query(self, call: Callable[[Dataset], T]) -> T:
        """Return what a function of the tables returns, from the engine's thread."""
        return await in_thread(self.threads, lambda: call(self._fresh().dataset))

    async def scores(
        self,
        models: Mapping[str, Model],
        book: pd.DataFrame,
        as_of: datetime,
        accounts: set[str],
        horizons: Span = "main",
    ) -> Scored:
        """Return scores of accounts, among those of whoever else waits for that time.

        Raises:
            Refusal: 503 if too many other times wait to be scored.
        """
        key = (as_of, horizons)
        group = self._groups.get(key)
        if group is None or group.models is not models:
            if len(self._groups) >= MOST_GROUPS:
                raise busy()
            group = self._groups[key] = _Group(models, book)
            group.task = asyncio.ensure_future(self._answer(key, group))
        group.accounts |= accounts
        group.waiting += 1
        assert group.task is not None
        try:
            return await asyncio.shield(group.task)
        finally:
            group.waiting -= 1
            if not group.waiting and not group.started:
                group.task.cancel()
                self._forget(key, group)

    def _forget(self, key: tuple[datetime, Span], group: _Group) -> None:
        """Let nobody join a group any more."""
        if self._groups.get(key) is group:
            del self._groups[key]

    async def _answer(self, key: tuple[datetime, Span], group: _Group) -> Scored:
        async with self._turn:
            group.started = True
            self._forget(key, group)
            return await in_thread(self.threads, self._scored, key, group)

    def _scored(self, key: tuple[datetime, Span], group: _Group) -> Scored:
        return score(
            self._fresh().dataset,
            group.models,
            self.config,
            key[0],
            accounts=sorted(group.accounts),
            book=group.book,
            horizons=key[1],
        )

    def _remember(self, key: Hashable, question: Callable[[Dataset], T]) -> T:
        dataset = self._fresh().dataset
        answer = self._answers[key] = question(dataset)
        while len(self._answers) > REMEMBERED:
            del self._answers[next(iter(self._answers))]
        return answer

    def _fresh(self) -> Loaded:
        """Return the tables after reading them again where a file has changed since the last try.

        Raises:
            Exception: Whatever kept them from being loaded, if they never were.
        """
        stamp = self._files()
        if stamp != self._stamp:
            try:
                self._replace(self._read())
                self.failure = None
            except Exception as error:
                logger.warning("the tables cannot be loaded: %s", error)
                self.failure = error
            self._stamp = stamp
        if self._loaded is None:
            assert self.failure is not None
            raise self.failure.with_traceback(None)
        return self._loaded

    def _read(self) -> Loaded:
        engine = open_engine(self.config)
        try:
            dataset = load(self.config, engine, thorough=False)
            ids = engine.fetch("SELECT DISTINCT account_id FROM accounts").column(0)
            first = dataset.report.tables["subscriptions"].first
            if first is None:
                raise DataError(Problem("subscriptions", "hold no rows", fix="load newer data"))
            if models := self._models():
                self._check(dataset, models)
        except BaseException:
            engine.close()
            raise
        return Loaded(dataset, frozenset(ids.to_pylist()), as_utc(first))

    def _check(self, dataset: Dataset, models: Mapping[str, Model]) -> None:
        until = dataset.observed_until
        score(dataset, models, self.config, until, accounts=[], book=EMPTY_BOOK)

    def _replace(self, loaded: Loaded | None) -> None:
        """Let go of the tables, and of what was computed of them, for others."""
        former, self._loaded = self._loaded, loaded
        self._answers.clear()
        if former is not None:
            former.dataset.engine.close()

    def _files(self) -> Stamp:
        """Return name, time and size of every file that the tables come from."""
        files = sorted(set(input_files(self.config, self._named)))
        stats = [(str(file), file.stat()) for file in files if file.is_file()]
        return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)
