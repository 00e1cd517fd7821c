"""What a service process counts for Prometheus, under labels from a fixed set.

A path that the service does not know counts as `OTHER`, so no client can add a label.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from tenure.core.times import clock

OTHER = "other"
CLIENT_GONE = 499
"""Status, as nginx counts it, of a request whose client left before there was an answer."""
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
CHANCES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0)
MEDIA_TYPE: str = CONTENT_TYPE_LATEST
SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Where the processes of one service put their counts, so that each shows those of all."""


class Metrics:
    """What one service process counts."""

    def __init__(self) -> None:
        _forget_dead()
        self._registry = CollectorRegistry()
        registry = self._registry
        self._requests = Counter(
            "tenure_requests", "Requests answered.", ["path", "status"], registry=registry
        )
        self._seconds = Histogram(
            "tenure_request_seconds",
            "Time from a request's head to the end of its answer.",
            ["path"],
            buckets=SECONDS,
            registry=registry,
        )
        self._open = Gauge(
            "tenure_requests_open",
            "Requests that are being received, waited for or answered.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self._of_path = lru_cache(1_024)(
            lambda path, status: (self._requests.labels(path, status), self._seconds.labels(path))
        )
        self._scored = Histogram(
            "tenure_live_probability",
            "Probabilities computed for requests.",
            ["target"],
            buckets=CHANCES,
            registry=registry,
        )

        self._shadows = Counter(
            "tenure_shadow_answers",
            "Answers that a challenger was to be asked about, by what came of it.",
            ["result"],
            registry=registry,
        )

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            mode: Literal["livemostrecent"] = "livemostrecent"
            return Gauge(name, text, labels, registry=registry, multiprocess_mode=mode)

        self._scores_age = gauge("tenure_scores_age_seconds", "Since the last run.")
        self._data_age = gauge("tenure_data_age_seconds", "Since observation stopped.")
        self._store_up = gauge("tenure_store_up", "1 where the store answers, 0 where it does not.")
        self._warnings = gauge("tenure_warnings", "What /readyz warns of.")
        text = "1 of the model served, 0 of a former one."
        self._models = gauge("tenure_model_info", text, "target", "version")
        self._served: set[tuple[str, str]] = set()

    def begin(self) -> None:
        """Count a request as open."""
        self._open.inc()

    def end(self, path: str, status: int, seconds: float) -> None:
        """Count a request as answered; `status` is 0 if it was not."""
        self._open.dec()
        requests, times = self._of_path(path, status or CLIENT_GONE)
        requests.inc()
        times.observe(seconds)

    def scored(self, target: str, probability: float) -> None:
        """Count a probability that was computed for a request."""
        self._scored.labels(target).observe(probability)

    def shadow(self, result: str) -> None:
        """Count an answer that a challenger was to be asked about."""
        self._shadows.labels(result).inc()

    def state(
        self,
        models: Mapping[str, str],
        scored_at: datetime | None,
        observed_until: datetime | None,
        warnings: int,
        *,
        store_up: bool = True,
    ) -> None:
        """Set what the service has: target → version, times of the last run, warnings.

        An age is NaN until it is known.
        """
        served = set(models.items())
        self._served |= served
        for model in self._served:
            self._models.labels(*model).set(model in served)
        for gauge, moment in ((self._scores_age, scored_at), (self._data_age, observed_until)):
            gauge.set((clock() - moment).total_seconds() if moment else math.nan)
        self._store_up.set(store_up)
        self._warnings.set(warnings)

    def text(self) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        if SHARED not in os.environ:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def _forget_dead() -> None:
    """Let go of what processes of this service, of which there are several, had open as they died.

    What they counted stays.
    """
    if SHARED not in os.environ:
        return
    files = Path(os.environ[SHARED]).glob("gauge_live*.db")
    for pid in {int(file.stem.rpartition("_")[2]) for file in files}:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            mark_process_dead(pid)  # type: ignore[no-untyped-call]
