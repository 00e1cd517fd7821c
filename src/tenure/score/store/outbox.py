"""Messages to other systems, from the moment they are due until they have arrived."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, select, update

from tenure.core.files import canonical_json, digest
from tenure.score.store.database import INSERTS, writing
from tenure.score.store.schema import OUTBOX

LEASE = timedelta(minutes=5)
"""How long a message is left to whoever took it; a try takes less."""


@dataclass(frozen=True)
class Message:
    """A message that has not arrived."""

    message_id: str
    """Hash of what it says and to whom: the same one is never enqueued twice."""
    destination: str
    """Name of the webhook in the config."""
    body: dict[str, Any]
    """What is sent, JSON values."""
    attempts: int
    """How often it was tried."""


def enqueue(
    engine: Engine,
    project: str,
    kind: str,
    bodies: Mapping[str, Iterable[dict[str, Any]]],
    at: datetime,
) -> None:
    """Add messages; those that are in the outbox already, sent or not, add nothing.

    Messages of one `kind` go by destination, and are due `at` the time when they come about;
    `project` is the config's name.
    """
    rows = [
        {
            "message_id": digest(project, destination, canonical_json(body)),
            "project": project,
            "kind": kind,
            "destination": destination,
            "body": body,
            "at": at,
            "next_at": at,
            "attempts": 0,
        }
        for destination, several in bodies.items()
        for body in several
    ]
    if rows:
        with writing(engine) as connection:
            adding = INSERTS[connection.dialect.name](OUTBOX)
            connection.execute(adding.on_conflict_do_nothing(), rows)


def due(engine: Engine, project: str, now: datetime) -> list[Message]:
    """Return the messages that are to be tried now, in the order in which they came about."""
    names = ("message_id", "destination", "body", "attempts")
    chosen = select(*(OUTBOX.c[name] for name in names)).where(
        OUTBOX.c.project == project, OUTBOX.c.delivered_at.is_(None), OUTBOX.c.next_at <= now
    )
    with engine.connect() as connection:
        return [Message(*row) for row in connection.execute(chosen.order_by(OUTBOX.c.message_no))]


def claimed(engine: Engine, message: Message, now: datetime) -> bool:
    """Take a due message, so that nobody else sends it meanwhile; return whether it was there.

    Whoever takes it and dies leaves it to others after a while.
    """
    waiting = OUTBOX.c.delivered_at.is_(None) & (OUTBOX.c.next_at <= now)
    taken = update(OUTBOX).where(OUTBOX.c.message_id == message.message_id, waiting)
    with writing(engine) as connection:
        return connection.execute(taken.values(next_at=now + LEASE)).rowcount == 1


def arrived(engine: Engine, message: Message, at: datetime) -> None:
    """Note that a message has arrived."""
    _change(engine, message, delivered_at=at, error=None)


def failed(engine: Engine, message: Message, error: str, next_at: datetime) -> None:
    """Note that a message did not arrive, why, and when it is tried again."""
    _change(engine, message, error=error, next_at=next_at)


def _change(engine: Engine, message: Message, **values: Any) -> None:
    changed = update(OUTBOX).where(OUTBOX.c.message_id == message.message_id)
    with writing(engine) as connection:
        connection.execute(changed.values(attempts=message.attempts + 1, **values))
