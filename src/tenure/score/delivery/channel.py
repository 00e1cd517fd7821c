"""HTTP to other systems: paced, tried again where that helps, and never silent about a refusal."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from tenure.core.pauses import wanted_pause

TRIES = 5
WAIT = 1.0
"""Seconds before the second try; each further one waits twice as long."""
LONGEST = 120.0
"""Seconds that an answer may make us wait before the next try."""
TIMEOUT = 60.0
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers after which the same request may succeed."""
SHOWN = 300


class DeliveryError(Exception):
    """A request that did not succeed.

    Args:
        reason: What happened, in words; it holds no secret.
        status: HTTP status of the answer; None where none came.
    """

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.reason, self.status = reason, status


class Channel:
    """A way to one system.

    Args:
        headers: Sent with every request.
        per_minute: Requests that the system allows in a minute.
        sleep: Waits so many seconds; a test puts another clock here.
        tries: How often a request is tried.
    """

    def __init__(
        self,
        headers: Mapping[str, str],
        per_minute: int,
        sleep: Callable[[float], None] = time.sleep,
        tries: int = TRIES,
    ) -> None:
        self._client = httpx.Client(headers=dict(headers), timeout=TIMEOUT)
        self._pause, self._sleep = 60 / per_minute, sleep
        self._next, self._tries = 0.0, tries
        self.requests = 0

    def __enter__(self) -> Channel:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._client.close()

    def wait(self, seconds: float) -> None:
        """Wait, as a job of the other system needs it."""
        self._sleep(seconds)

    def call(self, method: str, url: str, **parts: Any) -> httpx.Response:
        """Return the answer to a request, which is one of success.

        `parts` are as `httpx.Client.request` takes them, e.g. `json` or `content`.

        Raises:
            DeliveryError: If the answer is none of success, after tries where those may help.
        """
        wait = WAIT
        for last in (*(False,) * (self._tries - 1), True):
            self._keep_pace()
            try:
                answer = self._client.request(method, url, **parts)
            except httpx.TransportError as error:
                problem = DeliveryError(f"no answer: {type(error).__name__}")
            else:
                if answer.is_success:
                    return answer
                problem = DeliveryError(shown(answer), answer.status_code)
                wish = wanted_pause(answer.headers.get("Retry-After", ""))
                wait = min(max(wait, wish), LONGEST)
            if last or (problem.status is not None and problem.status not in AGAIN):
                raise problem
            self._sleep(wait)
            wait *= 2
        raise AssertionError("the last try returns or raises")

    def _keep_pace(self) -> None:
        now = time.monotonic()
        if now < self._next:
            self._sleep(self._next - now)
        self._next = max(now, self._next) + self._pause
        self.requests += 1


def shown(answer: httpx.Response) -> str:
    """Return the status of an answer and the start of its text."""
    text = " ".join(answer.text.split())[:SHOWN]
    return f"HTTP {answer.status_code}{': ' if text else ''}{text}"
