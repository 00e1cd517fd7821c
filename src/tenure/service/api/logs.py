"""Logs as lines of JSON on stderr: no names of accounts, no bodies, no keys."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

SELDOM_SECONDS = 60.0
MOST_TEXTS = 100
EXTRA = ("request_id", "caller", "method", "path", "status", "seconds")


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as a line."""
        moment = datetime.fromtimestamp(record.created, UTC)
        line = {
            "at": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{name: value for name in EXTRA if (value := getattr(record, name, None)) is not None},
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class Seldom(logging.Filter):
    """Lets a line of one text pass once a minute: anybody can cause what is logged of a socket."""

    def __init__(self) -> None:
        super().__init__()
        self._next: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record passes; errors always do."""
        if record.levelno >= logging.ERROR:
            return True
        text = record.getMessage()
        passes = record.created >= self._next.get(text, 0.0)
        if passes and (len(self._next) < MOST_TEXTS or text in self._next):
            self._next[text] = record.created + SELDOM_SECONDS
        return passes


def log_as_json() -> None:
    """Send what the service logs to stderr; libraries speak up from warnings on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logging.getLogger("tenure").setLevel(logging.INFO)
    logging.getLogger("uvicorn.error").addFilter(Seldom())
