"""How much may be under way at a time: beyond it a request is refused at once, not queued."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from tenure.core.errors import Problem
from tenure.service.api.problems import Refusal

MOST_OPEN = {"/score": 128, "/explain": 128, "/score_rows": 64, "/score_history": 16}
"""Requests by path that are answered or wait for it; posted history is large and takes longest."""
RETRY_SECONDS = 2
P = ParamSpec("P")
R = TypeVar("R")


def busy() -> Refusal:
    """Return the refusal of a request for which there is no room."""
    fix = f"ask again in {RETRY_SECONDS} seconds, or for more accounts in one request"
    return Refusal(
        Problem("service", "has as many requests as it can answer in time", fix=fix),
        status=503,
        headers={"Retry-After": str(RETRY_SECONDS)},
    )


class Admission:
    """Counts the requests under way; used by the event loop alone."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    @contextmanager
    def admitted(self, path: str) -> Iterator[None]:
        """Count a request until the block ends.

        Raises:
            Refusal: 503 if as many as the path allows are under way.
        """
        if self._open[path] >= MOST_OPEN[path]:
            raise busy()
        self._open[path] += 1
        try:
            yield
        finally:
            self._open[path] -= 1


class Workers:
    """Threads that compute; what waits for one and is cancelled meanwhile never starts.

    Args:
        count: How many threads.
        name: What their names start with.
    """

    def __init__(self, count: int, name: str) -> None:
        self._threads = ThreadPoolExecutor(count, name)
        self._idle = asyncio.Semaphore(count)

    async def run(self, call: Callable[P, R], *args: P.args, **named: P.kwargs) -> R:
        """Return what a call returns that runs in one of the threads."""
        await self._idle.acquire()
        loop = asyncio.get_running_loop()
        work = self._threads.submit(call, *args, **named)
        # Not when the waiting ends: a thread cannot be stopped, and is busy until it is done.
        work.add_done_callback(lambda _: loop.call_soon_threadsafe(self._idle.release))
        return await asyncio.wrap_future(work)

    def close(self) -> None:
        """Wait for what runs."""
        self._threads.shutdown(wait=True, cancel_futures=True)
