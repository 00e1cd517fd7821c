"""`tenure keys`: who may use the service."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any

from tenure.core.config import Config
from tenure.core.errors import ConfigError, Problem, suggestion
from tenure.core.times import clock, show
from tenure.score.store.database import connect, store_url
from tenure.score.store.keys import SCOPES, ApiKey, KeyStore


def create_key(
    config: Config,
    name: str,
    scopes: Sequence[str] = ("read",),
    *,
    owner: str | None = None,
    segment: str | None = None,
    expires_at: datetime | None = None,
) -> dict[str, Any]:
    """Make a key of the service; its text is in the result, and never to be had again.

    With an owner or a segment it shows only these accounts.

    Raises:
        ConfigError: If it has no name, a scope does not exist, or it has expired already.
    """
    limits = {"name": name, "owner": owner, "segment": segment}
    empty = [thing for thing, value in limits.items() if value is not None and not value.strip()]
    problems = [
        Problem(f"--{thing}", "is empty", fix="give it, or leave it out") for thing in empty
    ]
    problems += [
        Problem("--scope", "is not a scope", scope, suggestion(scope, SCOPES))
        for scope in scopes
        if scope not in SCOPES
    ]
    if expires_at is not None and expires_at <= clock():
        rule, fix = "is not in the future", "choose a later day"
        problems.append(Problem("--expires", rule, show(expires_at), fix))
    if problems:
        raise ConfigError(*problems)
    with _keys(config) as keys:
        key, text = keys.create(
            name.strip(), scopes, owner=owner, segment=segment, expires_at=expires_at
        )
    return {**_plain(key), "key": text}


def list_keys(config: Config) -> list[dict[str, Any]]:
    """Return what is known of all keys, the oldest first; never the keys themselves."""
    with _keys(config) as keys:
        return [_plain(key) for key in keys.list()]


def revoke_key(config: Config, key_id: str) -> dict[str, Any]:
    """End a key and the sessions that it opened.

    Raises:
        ConfigError: If there is none of that id, or it was revoked before.
    """
    with _keys(config) as keys:
        if not keys.revoke(key_id):
            fix = "tenure keys list CONFIG shows them"
            raise ConfigError(Problem("key", "is none that could be revoked", key_id, fix))
    return {"key_id": key_id, "revoked": True}


@contextmanager
def _keys(config: Config) -> Iterator[KeyStore]:
    engine = connect(store_url(config))
    try:
        yield KeyStore(engine)
    finally:
        engine.dispose()


def _plain(key: ApiKey) -> dict[str, Any]:
    values = {
        name: show(value.replace(microsecond=0)) if isinstance(value, datetime) else value
        for name, value in asdict(key).items()
    }
    return {**values, "scopes": list(key.scopes), "active": key.active}
