"""What other systems have of the scores: a digest of each account's values there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Engine, select

from tenure.score.store.database import INSERTS, writing
from tenure.score.store.schema import DELIVERIES


def delivered(engine: Engine, project: str, destination: str) -> dict[str, str]:
    """Return the digest of what a system has of each account, by account_id."""
    chosen = select(DELIVERIES.c.account_id, DELIVERIES.c.values_digest).where(
        DELIVERIES.c.project == project, DELIVERIES.c.destination == destination
    )
    with engine.connect() as connection:
        return dict(connection.execute(chosen).all())


def record_delivery(
    engine: Engine,
    key: tuple[str, str],
    run_id: str,
    at: datetime,
    digests: Mapping[str, str],
) -> None:
    """Write what a system has taken.

    `key` is the project, and the name of the destination in its config; `digests` are those of the
    values by account_id.
    """
    if not digests:
        return
    same = {"project": key[0], "destination": key[1], "run_id": run_id, "at": at}
    rows = [
        same | {"account_id": account, "values_digest": value} for account, value in digests.items()
    ]
    with writing(engine) as connection:
        adding = INSERTS[connection.dialect.name](DELIVERIES)
        changed = {name: adding.excluded[name] for name in ("values_digest", "run_id", "at")}
        keys = [column.name for column in DELIVERIES.primary_key]
        connection.execute(adding.on_conflict_do_update(index_elements=keys, set_=changed), rows)
