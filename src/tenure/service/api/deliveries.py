"""Messages to webhooks that did not arrive: the service sends them again, in a thread."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from tenure.core.config import Config
from tenure.core.errors import first_line
from tenure.score.store.store import ScoreStore

logger = logging.getLogger("tenure.service")
EVERY_SECONDS = 30.0


class Deliveries:
    """Sends what is due of the outbox, so that it does not wait for the next command.

    Args:
        config: Names the webhooks; without any nothing is done.
        store: Gives the store.
    """

    def __init__(self, config: Config, store: Callable[[], ScoreStore]) -> None:
        self._config, self._store = config, store
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tenure-webhooks", daemon=True)

    def start(self) -> None:
        """Begin to look for messages."""
        if self._config.webhooks and not self._thread.is_alive():
            self._thread.start()

    def close(self) -> None:
        """Stop; a message that is being sent is left to whoever comes next."""
        self._over.set()

    def _run(self) -> None:
        from tenure.score.delivery.webhooks import send_due

        while not self._over.wait(EVERY_SECONDS):
            try:
                done, missed = send_due(self._store(), self._config)
            except Exception as error:  # whatever it is, the next time may do
                logger.error("webhooks: %s", first_line(error))
                continue
            if done or missed:
                logger.info("webhooks: %d messages arrived, %d did not", done, missed)
