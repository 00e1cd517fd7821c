"""Customer-relationship systems: HubSpot and Salesforce."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from tenure.core.sections import ExportConfig
from tenure.score.delivery.adapters import Adapter, Answer, Item, as_csv, bearer, join
from tenure.score.delivery.channel import Channel, DeliveryError

POLL = 5.0
"""Seconds between two looks at a job."""
PATIENCE = 720
"""Looks at a job before it counts as lost: an hour."""


def _hubspot(channel: Channel, settings: ExportConfig, items: Sequence[Item]) -> Answer:
    inputs = [
        {
            "id": item.account_id,
            "idProperty": settings.key,
            "properties": {
                name: "" if value is None else value for name, value in item.values.items()
            },
            "objectWriteTraceId": item.account_id,
        }
        for item in items
    ]
    path = f"crm/objects/2026-03/{settings.object or 'companies'}/batch/upsert"
    answer = channel.call("POST", join(settings.url, path), json={"inputs": inputs}).json()
    refused = {}
    for error in answer.get("errors", []):
        for account in error.get("context", {}).get("objectWriteTraceId", []):
            refused[account] = str(error.get("message", error.get("category", "refused")))
    return Answer(refused)


HUBSPOT = Adapter(
    "HubSpot",
    _hubspot,
    needs=("url", "token", "key", "columns"),
    rows=100,
    per_minute=600,
    headers=bearer,
    limits="upsert in batches of 100 by a unique property (`key`); objects: companies by default",
)


def _salesforce(channel: Channel, settings: ExportConfig, items: Sequence[Item]) -> Answer:
    jobs = join(settings.url, f"services/data/{SALESFORCE_VERSION}/jobs/ingest")
    order = {
        "object": settings.object or "Account",
        "externalIdFieldName": settings.key,
        "operation": "upsert",
        "contentType": "CSV",
        "lineEnding": "LF",
    }
    job = f"{jobs}/{channel.call('POST', jobs, json=order).json()['id']}"
    channel.call(
        "PUT",
        f"{job}/batches",
        content=as_csv(settings.key, items, empty="#N/A", ends="\n").encode(),
        headers={"Content-Type": "text/csv"},
    )
    channel.call("PATCH", job, json={"state": "UploadComplete"})
    for _ in range(PATIENCE):
        status = channel.call("GET", job).json()
        if status["state"] in {"JobComplete", "Failed", "Aborted"}:
            break
        channel.wait(POLL)
    else:
        raise DeliveryError("the job did not end within an hour")
    failed = _rows(channel.call("GET", f"{job}/failedResults").text)
    unprocessed = _rows(channel.call("GET", f"{job}/unprocessedrecords").text)
    written = _rows(channel.call("GET", f"{job}/successfulResults").text)
    refused = {row[settings.key]: row["sf__Error"] for row in failed}
    known = refused.keys() | {row[settings.key] for row in written}
    reason = str(status.get("errorMessage") or f"the job ended as {status['state']}")
    left = {row[settings.key] for row in unprocessed} | {item.account_id for item in items} - known
    return Answer(refused, dict.fromkeys(sorted(left), reason))


SALESFORCE_VERSION = "v62.0"
SALESFORCE = Adapter(
    "Salesforce",
    _salesforce,
    needs=("url", "token", "key", "columns"),
    rows=1_000_000,
    size=90_000_000,
    per_minute=600,
    headers=bearer,
    calls=7,
    limits="Bulk API 2.0: a job of at most 100 MB, upserted by an external id field (`key`), never "
    "by Id; objects: Account by default",
)


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))
