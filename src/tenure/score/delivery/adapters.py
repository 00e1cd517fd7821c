"""What an adapter declares: the limits of another system, and how one batch is written to it."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tenure.core.errors import ConfigError, Problem
from tenure.core.records.delivery import Value
from tenure.core.sections import ExportConfig
from tenure.score.delivery.channel import Channel


@dataclass(frozen=True)
class Item:
    """The values of one account, by field of the other system."""

    account_id: str
    values: Mapping[str, Value]

    @property
    def size(self) -> int:
        """About how many bytes it fills in a request."""
        return len(json.dumps([self.account_id, dict(self.values)]))


@dataclass
class Answer:
    """What became of a batch: whoever is in neither mapping was written."""

    refused: dict[str, str] = field(default_factory=dict)
    """account_id → why the system did not take it."""
    not_processed: dict[str, str] = field(default_factory=dict)
    """account_id → why nobody knows."""


Write = Callable[[Channel, ExportConfig, Sequence[Item]], Answer]


def further_headers(settings: ExportConfig) -> dict[str, str]:
    """Return the headers that the settings name."""
    return dict(settings.headers)


@dataclass(frozen=True)
class Adapter:
    """A system that scores can be sent to."""

    title: str
    """What people call it."""
    write: Write
    """Writes one batch of at most `rows` accounts and `size` bytes."""
    needs: tuple[str, ...]
    """Settings of `exports` without which it cannot work."""
    rows: int
    """Accounts that one batch may hold."""
    limits: str
    """Where the limits and the shape come from, in words."""
    size: int = 5_000_000
    """Bytes that one batch may hold."""
    per_minute: int = 60
    """Requests that the system allows in a minute."""
    headers: Callable[[ExportConfig], dict[str, str]] = further_headers
    """Headers of every request, made from the settings."""
    calls: int = 1
    """Requests that a batch takes at least, beside those of its accounts."""
    calls_per_row: float = 0.0
    """Requests that each account of a batch takes."""

    def check(self, name: str, settings: ExportConfig) -> None:
        """Check that the settings hold what the adapter needs.

        Raises:
            ConfigError: Naming every setting that is missing.
        """
        missing = [key for key in self.needs if not getattr(settings, key)]
        if missing:
            rule, fix = f"is needed by the adapter of {self.title}", "see docs/export.md"
            raise ConfigError(*(Problem(f"exports.{name}.{key}", rule, fix=fix) for key in missing))

    def requests(self, items: Sequence[Item]) -> int:
        """Return how many requests items fill at least."""
        sizes = map(len, self.batches(items))
        return sum(self.calls + math.ceil(self.calls_per_row * size) for size in sizes)

    def batches(self, items: Sequence[Item]) -> Iterator[list[Item]]:
        """Yield the items in batches within the limits, in their order."""
        batch: list[Item] = []
        size = 0
        for item in items:
            if batch and (len(batch) == self.rows or size + item.size > self.size):
                yield batch
                batch, size = [], 0
            batch.append(item)
            size += item.size
        if batch:
            yield batch


def bearer(settings: ExportConfig) -> dict[str, str]:
    """Return the header of a bearer token, and those of the settings."""
    return {"Authorization": f"Bearer {settings.token}", **settings.headers}


def join(url: str | None, path: str) -> str:
    """Return a path under a URL."""
    return f"{str(url).rstrip('/')}/{path}"


def as_csv(key: str, items: Sequence[Item], *, empty: str = "", ends: str = "\r\n") -> str:
    """Return items as CSV, the account_id in a column of its own.

    `key` is the name of that column, `empty` stands for no value, and `ends` ends a line.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=ends)
    writer.writerow([key, *items[0].values])
    writer.writerows(
        [item.account_id, *(empty if value is None else value for value in item.values.values())]
        for item in items
    )
    return text.getvalue()


def unless_confirmed(
    channel: Channel,
    items: Sequence[Item],
    read: Callable[[], Mapping[str, Mapping[str, object]]],
    fields: Mapping[str, str],
) -> Answer:
    """Return who does not show the values that were sent, for systems that answer 200 to anything.

    They are read a few times, for such systems write with a delay.

    `read` returns what stands in the system: account_id → name of its reading side → value.
    `fields` are those that were sent → their names on the reading side; others are not compared.
    """
    open_items = list(items)
    for wait in CONFIRMING:
        channel.wait(wait)
        standing = read()
        open_items = [
            item
            for item in open_items
            if not all(
                _same(item.values.get(name), standing.get(item.account_id, {}).get(other))
                for name, other in fields.items()
            )
        ]
        if not open_items:
            break
    reason = "was sent, but reading it back does not show the values"
    return Answer(not_processed={item.account_id: reason for item in open_items})


CONFIRMING = (2.0, 5.0, 15.0, 30.0)
"""Seconds before each reading back."""


def _same(sent: Value, standing: object) -> bool:
    if isinstance(sent, float | int) and not isinstance(sent, bool):
        try:
            return abs(float(str(standing)) - sent) <= 1e-6 * max(1.0, abs(sent))
        except ValueError:
            return False
    return ("" if sent is None else str(sent)) == ("" if standing is None else str(standing))
