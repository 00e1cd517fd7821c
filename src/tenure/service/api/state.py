"""What one service process holds: the store, the models, the tables, and the threads for each.

What was scored is read from the store, by threads of its own.  What must be computed is computed
in other threads, a bounded number of them, so that it stands beside the reads and never before.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from tenure.core.config import Config
from tenure.core.errors import ConfigError, Problem
from tenure.core.flat_row import MAIN
from tenure.core.records.promotion import ShadowRecord
from tenure.engine import EnginePool, open_embedded
from tenure.score.posted import EMPTY_BOOK
from tenure.score.score import Model
from tenure.score.store.book import Books
from tenure.score.store.database import Engine, StoreError, connect, store_url
from tenure.score.store.keys import KeyStore
from tenure.score.store.lookup import run_versions
from tenure.score.store.store import ScoreStore, StoredRun
from tenure.service.access import Access, service_secret
from tenure.service.api.audit import AuditTrail
from tenure.service.api.champions import Champions
from tenure.service.api.deliveries import Deliveries
from tenure.service.api.feature_rows import RowScorer
from tenure.service.api.problems import Refusal, busy
from tenure.service.api.shadow import Shadow
from tenure.service.api.tables import Tables
from tenure.service.api.threads import in_thread
from tenure.success.scores.shadow import shadow_records

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger("tenure.service")
READERS = 4
"""Threads that read the store."""
FRESH_SECONDS = 1.0
"""How long the last run is taken for the last."""
SWAP_SHARE = 0.5
"""Share of its time that a request waits for a new champion; then the former one answers."""
STORE_SECONDS = 2.0
"""How long metrics wait for the store."""
SHADOW_SECONDS = 60.0
"""How long a comparison of champions and challengers stands."""
T = TypeVar("T")


class State:
    """The store, models, tables and threads of one service process.

    Attributes:
        under_way: Requests that are answered or wait for it, by the function that answers.

    Raises:
        ModelError: If no target has a champion that can be read.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.champions = Champions(config)
        self.tables = Tables(config, lambda: self.champions.models)
        self.engines = EnginePool(lambda: open_embedded(config))
        self.readers = ThreadPoolExecutor(READERS, "tenure-store")
        # One thread each: two would wait for each other's turn at Python, and the reads for both.
        self.workers = ThreadPoolExecutor(1, "tenure-model")
        self.rows = RowScorer(self.workers)
        # Posted history takes long: the others need not wait for it.
        self.posting = ThreadPoolExecutor(1, "tenure-posted")
        self.access = Access(
            config.service, lambda: KeyStore(self.engine), service_secret(config.paths.runs)
        )
        self.audit = AuditTrail(lambda: self.engine, config.service.audit_days)
        self.deliveries = Deliveries(config, lambda: self.store)
        self.under_way: Counter[object] = Counter()
        self.shadow = Shadow(
            config,
            lambda: self.engine,
            self.engines,
            lambda: any(self.under_way.values()),
            lambda: self.champions.models,
        )
        self._opening, self._swapping = threading.Lock(), threading.Lock()
        self._swap: Future[None] | None = None
        self._patience = SWAP_SHARE * config.service.deadline_seconds
        self._books: Books | None = None
        self._latest: tuple[float, StoredRun | None] = (-FRESH_SECONDS, None)
        self.versions = lru_cache(64)(lambda run: run_versions(self.store, run))
        self._ranked = lru_cache(2)(self._probabilities)
        self._shadows: tuple[float, Mapping[str, ShadowRecord]] = (-SHADOW_SECONDS, {})

    def start(self) -> None:
        """Begin to load the tables and to write the audit log; returns at once."""
        models = {name: one.bundle.version for name, one in self.champions.models.items()}
        served = ", ".join(f"{name} {version}" for name, version in models.items())
        logger.info("%s: serving %s", self.config.name, served)
        self.tables.start().add_done_callback(lambda _: _settle())
        self.audit.start()
        self.deliveries.start()
        self.shadow.start()

    def close(self) -> None:
        """Stop the threads and release what they hold."""
        self.tables.close()
        self.deliveries.close()
        self.audit.close()
        self.shadow.close()
        self.access.close()
        for threads in (self.workers, self.posting, self.readers):
            threads.shutdown(cancel_futures=True)
        self.engines.close()
        if self._books is not None:
            self._books.store.engine.dispose()
        gc.unfreeze()  # else what was frozen outlives the libraries it belongs to

    @property
    def books(self) -> Books:
        """The books of the project's runs.

        Raises:
            Refusal: 503 if the store cannot be reached.
        """
        with self._opening:
            if self._books is None:
                try:
                    engine = connect(store_url(self.config))
                except ConfigError as error:
                    logger.error("%s", error)
                    raise unreachable() from None
                horizon = str(self.config.labels.horizon_days)
                self._books = Books(ScoreStore(engine, self.config.name), horizon)
            return self._books

    @property
    def store(self) -> ScoreStore:
        """The project's runs; see `books`."""
        return self.books.store

    @property
    def engine(self) -> Engine:
        """The database of the store; see `books`."""
        return self.books.store.engine

    async def read(self, call: Callable[[], T]) -> T:
        """Return what a call that reads the store returns, from one of its threads."""
        return await in_thread(self.readers, call)

    def latest(self) -> StoredRun | None:
        """Return the last complete run, None where there is none; looked up once a second."""
        at, run = self._latest
        if time.monotonic() - at >= FRESH_SECONDS:
            run = self.store.latest()
            self._latest = (time.monotonic(), run)
        return run

    def run(self, as_of: datetime | None = None) -> StoredRun:
        """Return the last run at or before a time.

        Raises:
            Refusal: 404 if there is none.
        """
        run = self.latest() if as_of is None else self.store.latest(as_of)
        if run is None:
            fix = "score first: `tenure score CONFIG --out FILE`" if as_of is None else "ask later"
            thing, rule = (
                ("run", "nothing was scored")
                if as_of is None
                else ("as_of", "is before the first run in the store")
            )
            raise Refusal(Problem(thing, rule, fix=fix), status=404)
        return run

    async def last_run(self) -> tuple[StoredRun | None, bool]:
        """Return the last run as far as it is known, and whether the store says so in time."""
        try:
            async with asyncio.timeout(STORE_SECONDS):
                return await self.read(self.latest), True
        except (Refusal, StoreError, TimeoutError):
            return self._latest[1], False

    async def models(self) -> Mapping[str, Model]:
        """Return the models, after picking up a new champion; one consistent state of them.

        Where that takes long, because the tables are busy, the former ones answer meanwhile.
        """
        if swap := self.begin_swap():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._patience):
                    await asyncio.shield(asyncio.wrap_future(swap))
        return self.champions.models

    def models_now(self) -> Mapping[str, Model]:
        """Return the same as `models`, to a thread that may wait."""
        if swap := self.begin_swap():
            with suppress(TimeoutError):
                swap.result(self._patience)
        return self.champions.models

    def begin_swap(self) -> Future[None] | None:
        """Return the reading of new champions that is under way or begins; None without any."""
        with self._swapping:
            if self._swap is None or self._swap.done():
                self._swap = None
                if self.champions.changed:
                    refresh, check = self.champions.refresh, self.tables.probe
                    self._swap = self.tables.threads.submit(refresh, check)
            return self._swap

    def ranked(self, models: Mapping[str, Model], as_of: datetime) -> pd.DataFrame:
        """Return the probabilities that ranks refer to: of the last run, if it is of the same.

        A run of another time or of another model says nothing of a rank.
        """
        run = self.latest()
        if run is None or run.as_of != as_of or MAIN not in models:
            return EMPTY_BOOK
        if self.versions(run).get(MAIN) != models[MAIN].bundle.version:
            return EMPTY_BOOK
        return self._ranked(run)

    def _probabilities(self, run: StoredRun) -> pd.DataFrame:
        values = self.store.probabilities(run, MAIN).reset_index()
        return values.rename(columns={"probability": f"{MAIN}_probability"})

    def shadows(self) -> Mapping[str, ShadowRecord]:
        """Return how champions and challengers compare; worked out once in a while."""
        at, records = self._shadows
        if self.config.store.shadow and time.monotonic() - at >= SHADOW_SECONDS:
            try:
                records = shadow_records(self.config, self.store)
            except Exception:  # of whatever kind: what is served does not depend on it
                logger.exception("champions and challengers cannot be compared")
                records = {}
            self._shadows = (time.monotonic(), records)
        return records

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
        if self.tables.failure is not None:
            former = self.tables.observed_until is not None
            what = "live scores and metrics are of the former tables"
            what = what if former else "no live scores by id and no metrics"
            texts.append(f"{what}: {self.tables.failure}")
        return texts


def unreachable() -> Refusal:
    """Return the refusal of a request for which the store is needed and not there."""
    return busy("cannot reach its store")


def _settle() -> None:
    """Let full collections pass over what was loaded and stays."""
    gc.collect()
    gc.freeze()
