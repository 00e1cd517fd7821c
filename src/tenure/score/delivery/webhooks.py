"""Webhooks: a URL hears what changed, signed as Standard Webhooks says, until it has arrived."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tenure.core.config import Config
from tenure.core.errors import ConfigError
from tenure.core.flat_row import MAIN
from tenure.core.progress import SILENT, Progress
from tenure.core.times import clock
from tenure.score.delivery.channel import Channel, DeliveryError
from tenure.score.store.outbox import arrived, claimed, due, failed

if TYPE_CHECKING:
    from tenure.score.store.store import ScoreStore, StoredRun

BAND_CHANGED = "score.band_changed"
CHAMPION_CHANGED = "model.champion_changed"
ACCOUNTS = 500
"""Accounts that one message holds at most."""
AGAIN_AFTER = tuple(timedelta(seconds=seconds) for seconds in (60, 300, 1_800, 7_200, 36_000))
"""Wait after each failure; the last one repeats."""
PREFIX = "whsec_"


def signed_headers(
    secrets: Sequence[str], message_id: str, at: datetime, body: str
) -> dict[str, str]:
    """Return the headers by which a receiver knows who sent a body, and when.

    Args:
        secrets: Secrets as ``whsec_`` and base64, or as plain text; several while one replaces
            another: the body is signed with each.
        message_id: The same for every try of one message.
        at: When it is sent, UTC.
        body: The body as it is sent.
    """
    seconds = str(int(at.replace(tzinfo=UTC).timestamp()))
    content = f"{message_id}.{seconds}.{body}".encode()
    signatures = (hmac.new(_key(secret), content, hashlib.sha256).digest() for secret in secrets)
    shown = " ".join(f"v1,{base64.b64encode(value).decode()}" for value in signatures)
    return {"webhook-id": message_id, "webhook-timestamp": seconds, "webhook-signature": shown}


def _key(secret: str) -> bytes:
    if secret.startswith(PREFIX):
        return base64.b64decode(secret.removeprefix(PREFIX))
    return secret.encode()


def band_changes(store: ScoreStore, run: StoredRun, before: StoredRun) -> list[dict[str, Any]]:
    """Return the bodies that tell whose band of churn differs from that in an earlier run."""
    now_banded, then_banded = (
        book[(book["target"] == MAIN) & book["band"].notna()]
        for book in (store.book(run), store.book(before))
    )
    both = now_banded.merge(then_banded, on=["account_id", "horizon"], suffixes=("", "_before"))
    moved = both[both["band"] != both["band_before"]]
    changes = [
        {
            "account_id": row.account_id,
            "horizon_days": row.horizon_days,
            "before": row.band_before,
            "after": row.band,
            "probability": row.probability,
        }
        for row in moved.itertuples()
    ]
    parts = [changes[start : start + ACCOUNTS] for start in range(0, len(changes), ACCOUNTS)]
    return [
        {
            "type": BAND_CHANGED,
            "timestamp": f"{run.scored_at.isoformat()}Z",
            "data": {
                "run_id": run.run_id,
                "as_of": f"{run.as_of.isoformat()}Z",
                "changes": part,
            },
        }
        for part in parts
    ]


def send_due(store: ScoreStore, config: Config, progress: Progress = SILENT) -> tuple[int, int]:
    """Send the messages that are due, each at least once; what fails is noted and tried again.

    One whose arrival could not be noted comes again: a receiver knows it by its ``webhook-id``.
    One to a webhook that the config does not name waits.

    Returns:
        How many arrived, and how many did not.
    """
    done = missed = 0
    reasons = set()
    channel = Channel({"Content-Type": "application/json"}, per_minute=600, tries=1)
    with channel:
        for message in due(store.engine, config.name, clock()):
            webhook = config.webhooks.get(message.destination)
            if webhook is None or not claimed(store.engine, message, clock()):
                continue
            at, body = clock(), json.dumps(message.body, separators=(",", ":"))
            try:
                webhook = webhook.settled()
                headers = signed_headers(webhook.secrets, message.message_id, at, body)
                channel.call("POST", webhook.url, content=body.encode(), headers=headers)
            except (ConfigError, DeliveryError) as error:
                wait = AGAIN_AFTER[min(message.attempts, len(AGAIN_AFTER) - 1)]
                failed(store.engine, message, str(error), at + wait)
                reasons.add(f"webhooks.{message.destination}: {error}")
                missed += 1
            else:
                arrived(store.engine, message, at)
                done += 1
    for reason in sorted(reasons):
        progress.note(reason)
    return done, missed
