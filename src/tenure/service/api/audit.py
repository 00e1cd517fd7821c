"""The audit log of the service: requests are gathered and written together, in a thread."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from datetime import timedelta

from tenure.core.errors import first_line
from tenure.core.times import clock
from tenure.score.store.audit import AuditEntry, forget_audit, write_audit
from tenure.score.store.database import Engine, StoreError
from tenure.service.api.problems import Refusal

logger = logging.getLogger("tenure.service")
EVERY_SECONDS = 1.0
MOST_WAITING = 50_000
"""Entries that wait for the store; beyond them the oldest are lost, and that is logged."""


class AuditTrail:
    """Writes who wanted what to the store.

    Args:
        engine: Gives the store.
        days: How long entries are held.
    """

    def __init__(self, engine: Callable[[], Engine], days: int) -> None:
        self._engine, self._days = engine, days
        self._waiting: deque[AuditEntry] = deque()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tenure-audit", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        if not self._thread.is_alive():
            self._thread.start()

    def add(self, entry: AuditEntry) -> None:
        """Have an entry written within moments."""
        self._waiting.append(entry)

    def close(self) -> None:
        """Write what waits, and stop."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        self.flush()

    def flush(self) -> None:
        """Write what waits; where the store cannot be reached it goes on waiting."""
        entries = []
        while self._waiting:
            entries.append(self._waiting.popleft())
        if not entries:
            return
        try:
            write_audit(self._engine(), entries)
        except (StoreError, Refusal) as error:
            lost = max(len(entries) - MOST_WAITING, 0)
            self._waiting.extendleft(reversed(entries[lost:]))
            logger.error("the audit log cannot be written (%d lost): %s", lost, first_line(error))

    def _run(self) -> None:
        try:
            forget_audit(self._engine(), clock() - timedelta(days=self._days))
        except (StoreError, Refusal) as error:
            logger.error("the audit log cannot be pruned: %s", first_line(error))
        while not self._over.wait(EVERY_SECONDS):
            self.flush()
