"""Customer-success platforms: Gainsight, Planhat, ChurnZero and Totango."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tenure.core.sections import ExportConfig
from tenure.score.delivery.adapters import (
    Adapter,
    Answer,
    Item,
    as_csv,
    bearer,
    join,
    unless_confirmed,
)
from tenure.score.delivery.channel import Channel


def _gainsight(channel: Channel, settings: ExportConfig, items: Sequence[Item]) -> Answer:
    records = [{settings.key: item.account_id, **item.values} for item in items]
    path = f"v1/data/objects/{settings.object or 'Company'}"
    answer = channel.call(
        "PUT", join(settings.url, path), params={"keys": settings.key}, json={"records": records}
    ).json()
    data = answer.get("data") or {}
    refused = {}
    for failure in data.get("failures") or []:
        reasons = [str(error.get("errorMessage", error)) for error in failure.get("errors", [])]
        refused[items[failure["index"]].account_id] = "; ".join(reasons) or "refused"
    if not answer.get("result") and not refused:
        refused = {item.account_id: str(answer.get("errorDesc", "refused")) for item in items}
    return Answer(refused)


GAINSIGHT = Adapter(
    "Gainsight",
    _gainsight,
    needs=("url", "token", "key", "columns"),
    rows=50,
    per_minute=90,
    headers=lambda settings: {"accesskey": settings.token or "", **settings.headers},
    limits="50 records a call, 100 calls a minute and 50,000 a day; the bulk interface (10 calls "
    "an hour) names no row that it refuses",
)


def _planhat(channel: Channel, settings: ExportConfig, items: Sequence[Item]) -> Answer:
    companies = [{settings.key: item.account_id, **_nested(item.values)} for item in items]
    answer = channel.call(
        "PUT", join(settings.url, settings.object or "companies"), json=companies
    ).json()
    refused = {}
    for error in (*answer.get("createdErrors", ()), *answer.get("updatedErrors", ())):
        row = error.get("item") or error
        refused[str(row.get(settings.key))] = str(error.get("message") or error.get("error"))
    return Answer(refused)


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values with those of names like ``custom.Band`` in a mapping of their own."""
    nested: dict[str, Any] = {}
    for name, value in values.items():
        first, dot, rest = name.partition(".")
        if dot:
            nested.setdefault(first, {})[rest] = value
        else:
            nested[name] = value
    return nested


PLANHAT = Adapter(
    "Planhat",
    _planhat,
    needs=("url", "token", "key", "columns"),
    rows=5_000,
    headers=bearer,
    limits="upsert of 5,000 companies by `externalId` (`key`); a field of one's own is written "
    "`custom.NAME`",
)


def _churnzero(channel: Channel, settings: ExportConfig, items: Sequence[Item]) -> Answer:
    channel.call(
        "POST",
        join(settings.url, "batchAccountsCsv"),
        params={"appKey": settings.token},
        files={"data": ("accounts.csv", as_csv("accountExternalId", items), "text/csv")},
    )
    fields = ",".join(["ExternalId", *settings.read_back.values()])
    first = join(settings.read_url or settings.url, "public/v1/Account")
    sign_in = (settings.user or "", settings.read_token or "")

    def read() -> dict[str, dict[str, Any]]:
        url: str | None = f"{first}?$select={fields}"
        standing: dict[str, dict[str, Any]] = {}
        while url:
            page = channel.call("GET", url, auth=sign_in).json()
            standing |= {row["ExternalId"]: row for row in page["value"]}
            url = page.get("@odata.nextLink")
        return standing

    return unless_confirmed(channel, items, read, settings.read_back)


CHURNZERO = Adapter(
    "ChurnZero",
    _churnzero,
    needs=("url", "token", "user", "read_token", "columns", "read_back"),
    rows=20_000,
    calls_per_row=0.01,
    limits="accounts as one CSV; it answers 200 to everything, so the accounts are read back "
    "through the REST interface, 100 a page",
)


def _totango(channel: Channel, settings: ExportConfig, items: Sequence[Item]) -> Answer:
    for item in items:
        attributes = {
            f"sdr_o.{name}": "" if value is None else value for name, value in item.values.items()
        }
        parts = {"sdr_s": settings.object, "sdr_o": item.account_id, **attributes}
        channel.call("POST", join(settings.url, "pixel.gif"), data=parts)
    names = list(settings.read_back.values())
    query = {
        "terms": [
            {"type": "string", "term": "identifier", "in_list": [item.account_id for item in items]}
        ],
        "fields": [
            {"type": "string_attribute", "attribute": name, "field_display_name": name}
            for name in names
        ],
        "count": len(items),
        "offset": 0,
        "scope": "all",
    }
    url = join(settings.read_url, "api/v1/search/accounts")

    def read() -> dict[str, dict[str, Any]]:
        answer = channel.call("POST", url, data={"query": json.dumps(query)}).json()
        hits = answer["response"]["accounts"]["hits"]
        return {hit["name"]: dict(zip(names, hit["selected_fields"], strict=True)) for hit in hits}

    return unless_confirmed(channel, items, read, settings.read_back)


TOTANGO = Adapter(
    "Totango",
    _totango,
    needs=("url", "read_url", "token", "object", "columns", "read_back"),
    rows=1_000,
    per_minute=600,
    headers=lambda settings: {"app-token": settings.token or "", **settings.headers},
    calls_per_row=1.0,
    limits="one account a call to the gateway (`url`), `object` is the service id; it answers 200 "
    "to everything, so the accounts are read back through the search interface (`read_url`)",
)
