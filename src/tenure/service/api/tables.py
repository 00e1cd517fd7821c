"""The raw tables, for what must be computed from them: live scores by id, and metrics.

The engine's connection belongs to one thread, in which everything that reads the tables runs, one
after the other.  Requests that wait for it meanwhile are answered together: an account alone has
the same score as in a batch.  A group that nobody waits for any more is not scored.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeVar

from tenure.core.errors import DataError, Problem
from tenure.core.times import as_utc
from tenure.engine import Engine, open_engine
from tenure.score.posted import EMPTY_BOOK
from tenure.score.score import Model, Scored, score
from tenure.service.api.problems import Refusal, busy
from tenure.service.api.threads import in_thread
from tenure.sources.load import load
from tenure.success.interpret import MetricsRequest, metrics

if TYPE_CHECKING:
    import pandas as pd

    from tenure.core.config import Config
    from tenure.core.records.metrics import MetricsRecord
    from tenure.sources.dataset import Dataset

logger = logging.getLogger("tenure.service")
Span = Literal["main", "all"]
T = TypeVar("T")
MOST_GROUPS = 8
"""Groups that may wait for the engine's thread."""


@dataclass(frozen=True)
class Loaded:
    """The tables.

    Attributes:
        dataset: In an engine that only the engine's thread may touch.
        accounts: Ids of all accounts.
        first: When the first subscription started.
    """

    dataset: Dataset
    accounts: frozenset[str]
    first: datetime


@dataclass
class _Group:
    """Requests for the same time that are answered together.

    Attributes:
        models: Target → model.
        book: Rows that ranks refer to.
        waiting: How many requests wait.
        started: Whether scoring has begun, so that nobody can join or stop it.
    """

    models: Mapping[str, Model]
    book: pd.DataFrame
    accounts: set[str] = field(default_factory=set)
    waiting: int = 0
    started: bool = False
    task: asyncio.Task[Scored] | None = None


class Tables:
    """The tables of a config, loaded once."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.loading: Future[None] | None = None
        self.threads = ThreadPoolExecutor(1, "tenure-engine")
        self._engine: Engine | None = None
        self._loaded: Loaded | None = None
        self._groups: dict[tuple[datetime, Span], _Group] = {}
        self._turn = asyncio.Lock()

    def start(self, models: Mapping[str, Model]) -> Future[None]:
        """Load the tables in the engine's thread; returns at once."""
        if self.loading is None:
            self.loading = self.threads.submit(self._load, models)
        return self.loading

    def close(self) -> None:
        """Stop the thread and release the engine."""
        self.threads.submit(self._release)
        self.threads.shutdown()

    @property
    def failure(self) -> BaseException | None:
        """Why loading failed, None while it runs or where it succeeded."""
        return self.loading.exception() if self.loading and self.loading.done() else None

    @property
    def observed_until(self) -> datetime | None:
        """When observation stopped, None before the tables are loaded."""
        return self._loaded.dataset.observed_until if self._loaded else None

    def loaded(self) -> Loaded:
        """Return the tables.

        Raises:
            Refusal: 503 while they are being loaded, or where they cannot be.
        """
        if self._loaded is not None:
            return self._loaded
        if self.failure is not None:
            fix = "look at /readyz; what is in the store is at /v1/accounts and /v1/scores:lookup"
            raise Refusal(Problem("service", "cannot load its tables", fix=fix), status=503)
        raise busy("is still loading its tables")

    def probe(self, models: Mapping[str, Model]) -> None:
        """Make sure that models can score the tables, where there are any.

        To be called in the engine's thread.

        Raises:
            DataError: If a column that a model reads is missing.
        """
        if self._loaded is not None:
            dataset = self._loaded.dataset
            until = dataset.observed_until
            score(dataset, models, self.config, until, accounts=[], book=EMPTY_BOOK)

    async def query(self, call: Callable[[Dataset], T]) -> T:
        """Return what a function of the tables returns, from the engine's thread."""
        return await in_thread(self.threads, call, self.loaded().dataset)

    async def metrics(self, request: MetricsRequest) -> MetricsRecord:
        """Return customer-success metrics."""
        return await self.query(lambda dataset: metrics(self.config, dataset, request))

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
        as_of, horizons = key
        async with self._turn:
            group.started = True
            self._forget(key, group)
            return await in_thread(
                self.threads,
                score,
                self.loaded().dataset,
                group.models,
                self.config,
                as_of,
                accounts=sorted(group.accounts),
                book=group.book,
                horizons=horizons,
            )

    def _load(self, models: Mapping[str, Model]) -> None:
        try:
            self._engine = open_engine(self.config)
            dataset = load(self.config, self._engine, thorough=False)
            ids = self._engine.fetch("SELECT DISTINCT account_id FROM accounts").column(0)
            first = dataset.report.tables["subscriptions"].first
            if first is None:
                raise DataError(Problem("subscriptions", "hold no rows", fix="load newer data"))
            until = dataset.observed_until
            score(dataset, models, self.config, until, accounts=[], book=EMPTY_BOOK)
            self._loaded = Loaded(dataset, frozenset(ids.to_pylist()), as_utc(first))
        except Exception as error:
            logger.warning("the tables cannot be loaded: %s", error)
            raise

    def _release(self) -> None:
        if self._engine is not None:
            self._engine.close()
