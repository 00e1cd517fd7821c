"""Counts and durations of requests for Prometheus, under labels from a fixed set.

A path that the service does not know counts as `OTHER`, so no client can add a label.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

from tenure.service.api.openapi import PATHS

OTHER = "other"
CLIENT_GONE = 499
"""Status, as nginx counts it, of a request whose client left before there was an answer."""
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
MEDIA_TYPE: str = CONTENT_TYPE_LATEST


class Metrics:
    """What one service process counts."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "tenure_requests",
            "Requests answered, by path and HTTP status.",
            ["path", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "tenure_request_seconds",
            "Time from a request's head to the end of its answer.",
            ["path"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self._open = Gauge(
            "tenure_requests_open",
            "Requests that are being received, waited for or answered.",
            ["path"],
            registry=self._registry,
        )

    @contextmanager
    def counted(self, path: str, status: Callable[[], int]) -> Iterator[None]:
        """Count a request that ends with the block; then `status` is 0 if nothing was answered."""
        label = path if path in PATHS else OTHER
        started = time.perf_counter()
        try:
            with self._open.labels(label).track_inprogress():
                yield
        finally:
            self._requests.labels(label, status() or CLIENT_GONE).inc()
            self._seconds.labels(label).observe(time.perf_counter() - started)

    def text(self) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        return generate_latest(self._registry)
