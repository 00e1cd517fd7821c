"""Answers to posts that carried an ``Idempotency-Key``: a repeated one writes nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select
from sqlalchemy.exc import IntegrityError

from tenure.core.errors import DataError, Problem
from tenure.core.times import clock
from tenure.score.store.database import writing
from tenure.score.store.schema import ANSWERS

LASTING = timedelta(days=2)


@dataclass(frozen=True)
class RepeatKey:
    """What makes a post the same as another."""

    caller: str
    """Name of who made it."""
    key: str
    request_digest: str
    """Hash of path and body."""


def once(
    engine: Engine, key: RepeatKey | None, act: Callable[[Connection], dict[str, Any]]
) -> dict[str, Any]:
    """Return the answer of a post, which is acted upon once however often it comes.

    The act and the record of its answer are one transaction.

    Without a key the post is acted upon each time.  To `act` is to write and to return the answer
    as JSON values.

    Raises:
        DataError: If the key came with another request before.
    """
    if key is None:
        with writing(engine) as connection:
            return act(connection)
    try:
        with writing(engine) as connection:
            if (known := _known(connection, key)) is not None:
                return known
            answer, at = act(connection), clock()
            mine = (ANSWERS.c.caller == key.caller, ANSWERS.c.at < at - LASTING)
            connection.execute(delete(ANSWERS).where(*mine))
            values = {"caller": key.caller, "idempotency_key": key.key, "status": 201, "at": at}
            values |= {"request_digest": key.request_digest, "body": answer}
            connection.execute(insert(ANSWERS).values(values))
            return answer
    except IntegrityError:  # the same post was acted upon meanwhile
        with engine.connect() as connection:
            if (known := _known(connection, key)) is None:
                raise
            return known


def _known(connection: Connection, key: RepeatKey) -> dict[str, Any] | None:
    mine = (ANSWERS.c.caller == key.caller, ANSWERS.c.idempotency_key == key.key)
    row = connection.execute(select(ANSWERS).where(*mine)).first()
    if row is None:
        return None
    if row.request_digest != key.request_digest:
        fix = "give each request a key of its own"
        raise DataError(Problem("Idempotency-Key", "came with another request", key.key, fix))
    answer: dict[str, Any] = row.body
    return answer
