"""Embedded engines that requests borrow: as many as run at the same time, then used again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tenure.engine.base import Engine


class EnginePool:
    """Idle engines; more are opened as they are needed.

    Args:
        make: Opens an engine.
    """

    def __init__(self, make: Callable[[], Engine]) -> None:
        self._make = make
        self._idle: SimpleQueue[Engine] = SimpleQueue()

    @contextmanager
    def borrow(self) -> Iterator[Engine]:
        """Yield an empty engine that nobody else has meanwhile.

        One that cannot be emptied afterwards is not used again.
        """
        try:
            engine = self._idle.get_nowait()
        except Empty:
            engine = self._make()
        try:
            yield engine
        finally:
            try:
                engine.clear()
            except BaseException:
                engine.close()
                raise
            self._idle.put(engine)

    def close(self) -> None:
        """Close the idle engines."""
        while not self._idle.empty():
            self._idle.get_nowait().close()
