"""API keys and the sessions that they open: who may use the service, and for what.

A key is `tnr_<id>_<secret>`.  The secret is drawn at random and stands nowhere: the store holds
its argon2 hash, and of a session's token its SHA-256.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import Engine, delete, insert, select, update

from tenure.core.times import clock
from tenure.score.store.database import writing
from tenure.score.store.schema import API_KEYS, SESSIONS

if TYPE_CHECKING:
    from argon2 import PasswordHasher

Scope = Literal["read", "score", "feedback", "admin"]
SCOPES: tuple[Scope, ...] = ("read", "score", "feedback", "admin")
PREFIX = "tnr"
LONGEST_KEY = 200


@dataclass(frozen=True)
class ApiKey:
    """What is known of a key."""

    key_id: str
    """Its public half."""
    name: str
    """Whose or what for."""
    scopes: tuple[str, ...]
    """What it may do; ``admin`` may do everything."""
    owner: str | None
    """Limits it to the accounts of this owner; None: of all."""
    segment: str | None
    """Likewise of this segment."""
    created_at: datetime
    expires_at: datetime | None
    """From when it is no use; None: never."""
    revoked_at: datetime | None
    used_at: datetime | None
    """When it was last checked against its hash."""

    @property
    def active(self) -> bool:
        """Whether it opens anything at present."""
        lasting = self.expires_at is None or clock() < self.expires_at
        return lasting and self.revoked_at is None


class KeyStore:
    """The keys and sessions in a store; the keys hold for every project in it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(
        self,
        name: str,
        scopes: Sequence[str],
        *,
        owner: str | None = None,
        segment: str | None = None,
        expires_at: datetime | None = None,
    ) -> tuple[ApiKey, str]:
        """Return a new key and its text, which cannot be read again."""
        key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        key = ApiKey(key_id, name, tuple(scopes), owner, segment, clock(), expires_at, None, None)
        values = {item.name: getattr(key, item.name) for item in fields(key)}
        values |= {"scopes": list(scopes), "secret_digest": _hasher().hash(secret)}
        with writing(self._engine) as connection:
            connection.execute(insert(API_KEYS).values(values))
        return key, f"{PREFIX}_{key_id}_{secret}"

    def list(self) -> list[ApiKey]:
        """Return all keys, the oldest first, those that were revoked as well."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(*_KEY).order_by(API_KEYS.c.created_at)).all()
        return [_key(row) for row in rows]

    def get(self, key_id: str) -> ApiKey | None:
        """Return a key by its id, None where there is none."""
        with self._engine.connect() as connection:
            row = connection.execute(select(*_KEY).where(API_KEYS.c.key_id == key_id)).first()
        return _key(row) if row else None

    def revoke(self, key_id: str) -> bool:
        """End a key and its sessions; return whether there was one that had not been revoked."""
        standing = (API_KEYS.c.key_id == key_id, API_KEYS.c.revoked_at.is_(None))
        with writing(self._engine) as connection:
            ended = connection.execute(update(API_KEYS).where(*standing).values(revoked_at=clock()))
            connection.execute(delete(SESSIONS).where(SESSIONS.c.key_id == key_id))
        return ended.rowcount > 0

    def verified(self, text: str) -> ApiKey | None:
        """Return the key that a text is, None where it is none; one that has ended counts.

        It takes some hundredths of a second, on purpose.
        """
        key_id, secret = parts(text)
        columns = (*_KEY, API_KEYS.c.secret_digest)
        with self._engine.connect() as connection:
            row = connection.execute(select(*columns).where(API_KEYS.c.key_id == key_id)).first()
        # An id that nobody has takes as long, or the time would tell which ids there are.
        if not _matches(row.secret_digest if row else _nobodys(), secret) or row is None:
            return None
        with writing(self._engine) as connection:
            used = update(API_KEYS).where(API_KEYS.c.key_id == key_id)
            connection.execute(used.values(used_at=clock()))
        return _key(row[:-1])

    def open_session(self, key_id: str, lasting: timedelta) -> str:
        """Return the token of a new session of a key; sessions that are over are removed."""
        token, at = secrets.token_urlsafe(32), clock()
        values = {"session_digest": _digest(token), "key_id": key_id, "created_at": at}
        with writing(self._engine) as connection:
            connection.execute(delete(SESSIONS).where(SESSIONS.c.expires_at <= at))
            connection.execute(insert(SESSIONS).values(expires_at=at + lasting, **values))
        return token

    def session(self, token: str) -> ApiKey | None:
        """Return the key whose session a token is, None where it is over."""
        with self._engine.connect() as connection:
            row = connection.execute(
                select(*_KEY)
                .join(SESSIONS, SESSIONS.c.key_id == API_KEYS.c.key_id)
                .where(SESSIONS.c.session_digest == _digest(token))
                .where(SESSIONS.c.expires_at > clock(), SESSIONS.c.ended_at.is_(None))
            ).first()
        return _key(row) if row else None

    def end_session(self, token: str) -> None:
        """End a session."""
        ended = update(SESSIONS).where(SESSIONS.c.session_digest == _digest(token))
        with writing(self._engine) as connection:
            connection.execute(ended.values(ended_at=clock()))


def parts(text: str) -> tuple[str, str]:
    """Return the public id and the secret of a key's text, empty where it has another form.

    >>> parts("tnr_0a1b_x_y"), parts("hello")
    (('0a1b', 'x_y'), ('', ''))
    """
    prefix, _, rest = text[:LONGEST_KEY].partition("_")
    key_id, _, secret = rest.partition("_")
    return (key_id, secret) if prefix == PREFIX and secret else ("", "")


@cache
def _hasher() -> PasswordHasher:
    """Return argon2id with OWASP's parameters: 19 MiB, two passes, one thread."""
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


@cache
def _nobodys() -> str:
    return _hasher().hash(secrets.token_urlsafe(32))


def _matches(secret_digest: str, secret: str) -> bool:
    from argon2.exceptions import Argon2Error, InvalidHashError

    try:
        return _hasher().verify(secret_digest, secret)
    except (Argon2Error, InvalidHashError):
        return False


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


_KEY = [API_KEYS.c[item.name] for item in fields(ApiKey)]


def _key(row: Any) -> ApiKey:
    key_id, name, scopes, *rest = row
    return ApiKey(key_id, name, tuple(scopes), *rest)
