"""What the service holds: tables, models and the last book, and the threads that may touch them.

The engine's connection belongs to one thread, in which everything that reads the tables runs, one
after the other.  Requests that wait for it meanwhile are answered together: an account alone has
the same score as in a batch.  A group that nobody waits for any more is not scored.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pandas as pd
from pyarrow.parquet import read_schema

from tenure.core.errors import DataError, Problem
from tenure.core.times import as_utc
from tenure.engine import Engine, EnginePool, open_embedded, open_engine
from tenure.labels.snapshots import snapshots
from tenure.run.score import LAST
from tenure.score.posted import EMPTY_BOOK
from tenure.score.score import MAIN, Model, Scored, score
from tenure.service.api.champions import Champions, Stamp, stamp
from tenure.service.api.problems import Refusal, busy
from tenure.service.api.threads import in_thread
from tenure.sources.load import load

if TYPE_CHECKING:
    from tenure.core.config import Config
    from tenure.sources.dataset import Dataset

logger = logging.getLogger("tenure.service")
Span = Literal["main", "all"]
MOST_GROUPS = 8
"""Groups that may wait for the engine's thread."""


@dataclass(frozen=True)
class Loaded:
    """The tables.

    Attributes:
        dataset: In an engine that only the engine's thread may touch.
        accounts: Ids of all accounts.
        first: When the first subscription started.
        example: An account that was paying when observation stopped, if there is one.
    """

    dataset: Dataset
    accounts: frozenset[str]
    first: datetime
    example: str


@dataclass(frozen=True)
class Served:
    """One consistent state of things, for the length of one request."""

    config: Config
    loaded: Loaded
    models: Mapping[str, Model]
    book: pd.DataFrame


@dataclass
class _Group:
    """Requests for the same time that are answered together.

    Attributes:
        waiting: How many requests wait.
        started: Whether scoring has begun, so that nobody can join or stop it.
    """

    served: Served
    accounts: set[str] = field(default_factory=set)
    waiting: int = 0
    started: bool = False
    task: asyncio.Task[Scored] | None = None


class State:
    """Tables, models and threads of one service process.

    Raises:
        ModelError: If there is no champion, or one is damaged.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.champions = Champions(config)
        self.loading: Future[None] | None = None
        self._engine: Engine | None = None
        self._loaded: Loaded | None = None
        self._book = EMPTY_BOOK
        self._book_stamp: Stamp = None
        self.engines = EnginePool(lambda: open_embedded(config))
        self._engine_thread = ThreadPoolExecutor(1, "tenure-engine")
        self.workers = ThreadPoolExecutor(2, "tenure-model")
        # Posted history takes long: the others need not wait for it.
        self.posting = ThreadPoolExecutor(2, "tenure-posted")
        self._groups: dict[tuple[datetime, Span], _Group] = {}
        self._turn = asyncio.Lock()
        self._book_warning = ""

    def start(self) -> Future[None]:
        """Load the tables in the engine's thread; returns at once."""
        if self.loading is None:
            self.loading = self._engine_thread.submit(self._load)
        return self.loading

    def close(self) -> None:
        """Stop the threads and release the engine."""
        self._engine_thread.submit(self._release)
        self._engine_thread.shutdown()
        for threads in (self.workers, self.posting):
            threads.shutdown(cancel_futures=True)
        self.engines.close()
        gc.unfreeze()  # else what was frozen outlives the libraries it belongs to

    @property
    def ready(self) -> bool:
        """Return whether models and tables are loaded."""
        return self._loaded is not None

    @property
    def example(self) -> str:
        """Return an account to try, empty before the tables are loaded."""
        return self._loaded.example if self._loaded else ""

    @property
    def failure(self) -> BaseException | None:
        """Return why loading failed, None while it runs or where it succeeded."""
        return self.loading.exception() if self.loading and self.loading.done() else None

    @property
    def warnings(self) -> list[str]:
        """Return what an operator should look at though requests are answered."""
        verdicts = {name: one.bundle.metrics.verdict for name, one in self.champions.models.items()}
        texts = [
            *self.champions.warnings.values(),
            *(
                f"{name}: {verdict.sentences[0]}"
                for name, verdict in verdicts.items()
                if verdict and verdict.status == "usable_before"
            ),
        ]
        return [*texts, self._book_warning] if self._book_warning else texts

    async def served(self) -> Served:
        """Return the present state, after picking up a new champion or a new book.

        Raises:
            Refusal: 503 while the tables are being loaded.
        """
        if self._loaded is None:
            raise Refusal(
                Problem("service", "is still loading its tables", fix="ask again in a few seconds"),
                status=503,
                headers={"Retry-After": "2"},
            )
        if self.champions.changed or stamp(self._book_path) != self._book_stamp:
            await in_thread(self._engine_thread, self._refresh)
        return Served(self.config, self._loaded, self.champions.models, self._book)

    async def scores(
        self, served: Served, as_of: datetime, accounts: set[str], horizons: Span = "main"
    ) -> Scored:
        """Return scores of accounts, among those of whoever else waits for that time.

        Raises:
            Refusal: 503 if too many other times wait to be scored.
        """
        key = (as_of, horizons)
        group = self._groups.get(key)
        if group is None or group.served.models is not served.models:
            if len(self._groups) >= MOST_GROUPS:
                raise busy()
            group = self._groups[key] = _Group(served)
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
            served = group.served
            return await in_thread(
                self._engine_thread,
                score,
                served.loaded.dataset,
                served.models,
                served.config,
                as_of,
                accounts=sorted(group.accounts),
                book=served.book,
                horizons=horizons,
            )

    @property
    def _book_path(self) -> Path:
        return self.config.paths.runs / LAST

    def _load(self) -> None:
        self._engine = open_engine(self.config)
        dataset = load(self.config, self._engine, thorough=False)
        ids = self._engine.fetch("SELECT DISTINCT account_id FROM accounts").column(0).to_pylist()
        first = dataset.report.tables["subscriptions"].first
        if first is None:
            raise DataError(Problem("subscriptions", "hold no rows", fix="load newer data"))
        paying = snapshots(dataset, [dataset.observed_until])["account_id"]
        example = str(min(paying if len(paying) else ids))
        loaded = Loaded(dataset, frozenset(ids), as_utc(first), example)
        self._probe(loaded, self.champions.models)
        self._read_book()
        self._loaded = loaded
        # What is loaded stays: full collections need not walk it again and again.
        gc.collect()
        gc.freeze()

    def _probe(self, loaded: Loaded, models: Mapping[str, Model]) -> None:
        """Make sure that models can score these tables: they have every column that is read."""
        until = loaded.dataset.observed_until
        score(loaded.dataset, models, self.config, until, accounts=[], book=EMPTY_BOOK)

    def _refresh(self) -> None:
        loaded = self._loaded
        assert loaded is not None
        if self.champions.changed:
            self.champions.refresh(lambda models: self._probe(loaded, models))
        if stamp(self._book_path) != self._book_stamp:
            self._read_book()

    def _read_book(self) -> None:
        """Read the probabilities of the last scored book; without one, ranks are empty."""
        self._book_stamp = stamp(self._book_path)
        self._book_warning = ""
        if self._book_stamp is None:
            self._book = EMPTY_BOOK
            return
        try:
            by_horizon = "horizon_days" in read_schema(self._book_path).names
            columns = [f"{MAIN}_probability", *(["horizon_days"] if by_horizon else [])]
            self._book = pd.read_parquet(self._book_path, columns=columns)
        except (OSError, ValueError) as error:
            self._book = EMPTY_BOOK
            reason = str(error).splitlines()[0][:100]
            self._book_warning = f"ranks are empty: {self._book_path} cannot be read: {reason}"
            logger.warning(self._book_warning)

    def _release(self) -> None:
        if self._engine is not None:
            self._engine.close()
