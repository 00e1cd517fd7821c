"""Requests that are sent again where that helps: the service is busy, or was not reached."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import httpx

from tenure.core.pauses import wanted_pause

AGAIN = frozenset({429, 503})
"""Answers after which the same request may succeed."""
UNREACHED = (httpx.ConnectTimeout, httpx.NetworkError, httpx.RemoteProtocolError)
"""Failures of the connection; a request that was cut is sent again as well: all can be repeated."""
WAIT = 0.5
"""Seconds before the second try; each further one waits twice as long."""
LONGEST = 60.0
"""Seconds that an answer may make us wait; one that names more is handed on."""


class Retries(httpx.BaseTransport):
    """Transport that sends a request again, with pauses that grow and differ between clients.

    Args:
        inner: What sends a request.
        tries: How often a request is tried.
        sleep: Waits so many seconds; a test puts another clock here.
    """

    def __init__(
        self,
        inner: httpx.BaseTransport,
        tries: int,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._inner, self._tries, self._sleep = inner, tries, sleep

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer to a request, the last one where no try succeeds."""
        for number in range(1, self._tries + 1):
            last = number == self._tries
            pause = WAIT * 2 ** (number - 1) * random.uniform(0.5, 1.0)
            try:
                response = self._inner.handle_request(request)
            except UNREACHED:
                if last:
                    raise
            else:
                wish = wanted_pause(response.headers.get("Retry-After", ""))
                if last or response.status_code not in AGAIN or wish > LONGEST:
                    return response
                response.close()
                pause += wish
            self._sleep(min(pause, LONGEST))
        raise AssertionError("the last try returns or raises")

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()
