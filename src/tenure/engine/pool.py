"""Embedded engines that requests borrow: one for each that runs at the same time, kept for more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tenure.engine.base import Engine


class EnginePool:
    """Engines at rest, made as they are needed.

    Args:
        make: Opens an engine.
    """

    def __init__(self, make: Callable[[], Engine]) -> None:
        self._make = make
        self._idle: SimpleQueue[Engine] = SimpleQueue()

    @contextmanager
    def borrow(self) -> Iterator[Engine]:
        """Yield an engine that nobody else has meanwhile."""
        try:
            engine = self._idle.get_nowait()
        except Empty:
            engine = self._make()
        try:
            yield engine
        finally:
            self._idle.put(engine)

    def close(self) -> None:
        """Close the engines at rest."""
        while not self._idle.empty():
            self._idle.get_nowait().close()
