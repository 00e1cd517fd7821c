"""What the pages read: the store, the records of the last runs, the champions' folders."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from tenure.core.config import Config
from tenure.core.records.data import DataRecord
from tenure.core.records.training import TrainingRecord
from tenure.report.html import templates
from tenure.score.model import Model
from tenure.score.store.book import Books
from tenure.score.store.database import connect, store_url
from tenure.score.store.store import ScoreStore
from tenure.service.api.champions import Champions
from tenure.service.api.tables import Tables

T = TypeVar("T")


class PageState:
    """What the pages of one project read.

    Args:
        config: The project.
        books: Gives its books; by default those of its store, which is opened when first needed.
        tables: Its tables; by default loaded when first needed.
        models: Gives its champions; by default read when first needed.
    """

    def __init__(
        self,
        config: Config,
        books: Callable[[], Books] | None = None,
        tables: Tables | None = None,
        models: Callable[[], Mapping[str, Model]] | None = None,
    ) -> None:
        self.config = config
        self.horizon = str(config.labels.horizon_days)
        self._opening = threading.Lock()
        self._own: Books | None = None
        self._books = books or self._opened
        self.models = models or self._read
        """Gives the champions, after picking up a new one; none where there is none."""
        self._champions: Champions | None = None
        self.raw = tables or Tables(config)
        self._owns_tables = tables is None
        self._templates = templates(True, "tenure.service.pages")
        self._records: dict[Path, tuple[int, Any]] = {}

    @property
    def books(self) -> Books:
        """The books of the project's runs.

        Raises:
            ConfigError: If the store cannot be used.
        """
        return self._books()

    @property
    def store(self) -> ScoreStore:
        """The project's runs; see `books`."""
        return self.books.store

    def answered(self, future: Future[T]) -> T:
        """Return what a question of the tables came to; it goes on where it takes too long.

        Raises:
            TimeoutError: If it takes longer than an answer may.
        """
        return future.result(self.config.service.deadline_seconds)

    def _opened(self) -> Books:
        with self._opening:
            if self._own is None:
                store = ScoreStore(connect(store_url(self.config)), self.config.name)
                self._own = Books(store, self.horizon)
            return self._own

    def filled(self, name: str, **parts: Any) -> str:
        """Return a template of the pages, or of the reports, with its parts filled in."""
        return self._templates.get_template(name).render(**parts)

    def _read(self) -> Mapping[str, Model]:
        with self._opening:
            if self._champions is None:
                self._champions = Champions(self.config, needed=False)
        if self._champions.changed:
            self._champions.refresh(lambda _: None)
        return self._champions.models

    def training(self) -> TrainingRecord | None:
        """Return the record of the last training run, None where there is none of this project."""
        record = self._record(self.config.paths.runs / "training.json", TrainingRecord.from_json)
        return record if record and record.name == self.config.name else None

    def data(self) -> DataRecord | None:
        """Return the last data report, None where there is none."""
        return self._record(self.config.paths.runs / "data.json", DataRecord.from_json)

    def _record(self, path: Path, read: Callable[[Any], T]) -> T | None:
        """Return what stands in a file, read again only after it has changed."""
        try:
            stamp = path.stat().st_mtime_ns
            if self._records.get(path, (None, None))[0] != stamp:
                value = read(json.loads(path.read_text(encoding="utf-8")))
                self._records[path] = (stamp, value)
        except (OSError, ValueError):
            return None
        known: T = self._records[path][1]
        return known

    def close(self) -> None:
        """Release the tables and the store where they are the pages' own."""
        if self._owns_tables:
            self.raw.close()
        if self._own is not None:
            self._own.store.engine.dispose()


class Trained:
    """A training run, of which two are the same if they were made at the same time."""

    def __init__(self, record: TrainingRecord) -> None:
        self.record = record
        self.key = (record.name, record.created_at, record.fingerprint)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Trained) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)
