"""The audit log: who wanted what, ids only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Engine, delete, insert

from tenure.score.store.database import writing
from tenure.score.store.schema import AUDIT_LOG


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One request."""

    at: datetime
    """When it was answered, UTC."""
    request_id: str
    """As the log and the answer have it."""
    caller: str
    """Name of who made it; ``nobody`` where no key was valid."""
    method: str
    path: str
    """Of the endpoint, with no values in it."""
    account_ids: list[str]
    """Accounts that it named."""
    status: int


def write_audit(engine: Engine, entries: Sequence[AuditEntry]) -> None:
    """Append requests to the audit log."""
    with writing(engine) as connection:
        connection.execute(insert(AUDIT_LOG), [asdict(entry) for entry in entries])


def forget_audit(engine: Engine, before: datetime) -> None:
    """Remove what the audit log holds from before a time."""
    with writing(engine) as connection:
        connection.execute(delete(AUDIT_LOG).where(AUDIT_LOG.c.at < before))
