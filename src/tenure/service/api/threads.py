"""Work that blocks, in threads."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


async def in_thread(
    threads: ThreadPoolExecutor, call: Callable[P, R], *args: P.args, **named: P.kwargs
) -> R:
    """Return what a call in a thread returns; cancelled while it waits, it never starts."""
    work = functools.partial(call, *args, **named)
    return await asyncio.get_running_loop().run_in_executor(threads, work)
