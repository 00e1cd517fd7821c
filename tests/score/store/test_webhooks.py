"""A change is told once, signed, and again until somebody takes it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import select, update

from score.delivery.vendors import Reply, Request, serving
from score.store.conftest import earlier
from tenure.core.config import Config
from tenure.core.progress import SILENT, Progress
from tenure.core.sections import WebhookConfig
from tenure.model.registry.champion import HISTORY
from tenure.run.announce import announce_bands, announce_champions
from tenure.score.delivery.webhooks import send_due, signed_headers
from tenure.score.scored import Scored
from tenure.score.store.database import writing
from tenure.score.store.schema import OUTBOX
from tenure.score.store.store import ScoreStore
from tenure.score.store.write import ScoringRun
from tenure.service.api import deliveries

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two characters").decode()


def hooked(config: Config, url: str, **further: Any) -> Config:
    hook = WebhookConfig(url=url, secrets=[SECRET, "the next one"], **further)
    return config.model_copy(update={"webhooks": {"crm": hook}})


def other_bands(scored: Scored, accounts: list[str]) -> Scored:
    rows = scored.rows.copy()
    moved = rows["account_id"].isin(accounts) & rows["risk_band"].notna()
    rows.loc[moved, "risk_band"] = rows.loc[moved, "risk_band"].map(
        {"low": "high", "medium": "low", "high": "low"}
    )
    return replace(scored, rows=rows)


def two_runs(store: ScoreStore, run: ScoringRun, scored: Scored, accounts: list[str]) -> None:
    before = earlier(run, as_of=run.as_of - timedelta(days=30), data_fingerprint="b")
    store.add(before, other_bands(scored, accounts))
    store.add(run, scored)


@pytest.fixture
def moved(scored: Scored) -> list[str]:
    banded = scored.rows.loc[scored.rows["risk_band"].notna(), "account_id"]
    return sorted(banded.unique())[:3]


@pytest.fixture
def hooks_due(
    store: ScoreStore, run: ScoringRun, slim: Scored, config: Config, moved: list[str]
) -> Callable[[str], Config]:
    """Two runs that differ in bands; gives the config whose webhook is at a URL."""
    two_runs(store, run, slim, moved)
    return lambda url: hooked(config, url)


def test_a_signature_is_that_of_the_standard() -> None:
    at = datetime(2026, 1, 1)
    headers = signed_headers([SECRET, "plain"], "msg", at, '{"a":1}')
    assert headers["webhook-timestamp"] == "1767225600"
    keys = (b"a secret of thirty-two characters", b"plain")
    content = b'msg.1767225600.{"a":1}'
    values = (hmac.new(key, content, hashlib.sha256).digest() for key in keys)
    expected = " ".join(f"v1,{base64.b64encode(value).decode()}" for value in values)
    assert headers["webhook-signature"] == expected


def test_bands_that_changed_are_told_once(
    store: ScoreStore,
    run: ScoringRun,
    scored: Scored,
    config: Config,
    moved: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")  # of records; a receiver refuses old signatures
    two_runs(store, run, scored, moved)
    with serving(lambda request: Reply(204, "")) as (url, seen):
        announce_bands(hooked(config, url), store, SILENT)
        announce_bands(hooked(config, url), store, SILENT)
    (request,) = seen
    message = request.json
    assert message["type"] == "score.band_changed"
    changes = pd.DataFrame(message["data"]["changes"])
    assert sorted(changes["account_id"].unique()) == moved
    assert (changes["before"] != changes["after"]).all()
    now = scored.rows.drop_duplicates(["account_id", "horizon_days"])
    both = changes.merge(now, on=["account_id", "horizon_days"])
    assert len(both) == len(changes)
    assert (both["risk_band"] == both["after"]).all()
    headers = request.headers
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + request.body
    key = b"a secret of thirty-two characters"
    signature = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    assert f"v1,{signature}" in headers["webhook-signature"].split()


def test_nothing_is_told_of_a_first_run_or_without_a_change(
    store: ScoreStore, run: ScoringRun, slim: Scored, config: Config
) -> None:
    store.add(run, slim)
    with serving(lambda request: Reply(204, "")) as (url, seen):
        announce_bands(hooked(config, url), store, SILENT)
        two_runs(store, earlier(run, data_fingerprint="x"), slim, [])
        announce_bands(hooked(config, url), store, SILENT)
    assert seen == []


def test_what_does_not_arrive_waits_and_is_sent_again(
    store: ScoreStore, hooks_due: Callable[[str], Config]
) -> None:
    statuses = [503, 200]
    with serving(lambda request: Reply(statuses.pop(0), {})) as (url, seen):
        hooks = hooks_due(url)
        announce_bands(hooks, store, SILENT)
        assert send_due(store, hooks) == (0, 0), "its time has not come"
        with store.engine.connect() as connection:
            row = connection.execute(select(OUTBOX)).one()
        assert (row.attempts, row.error, row.delivered_at) == (1, "HTTP 503: {}", None)
        assert row.next_at - row.at >= timedelta(seconds=60)
        with writing(store.engine) as connection:
            connection.execute(update(OUTBOX).values(next_at=row.at))
        assert send_due(store, hooks) == (1, 0)
        assert send_due(store, hooks) == (0, 0)
    assert [request.headers["webhook-id"] for request in seen] == [row.message_id] * 2


def test_a_message_that_another_one_is_sending_is_not_sent(
    store: ScoreStore, hooks_due: Callable[[str], Config]
) -> None:
    meanwhile: list[tuple[int, int]] = []

    def answer(_: Request) -> Reply:
        meanwhile.append(send_due(store, hooks))
        return Reply(204, "")

    with serving(answer) as (url, seen):
        hooks = hooks_due(url)
        announce_bands(hooks, store, SILENT)
    assert len(seen) == 1
    assert meanwhile == [(0, 0)]


def test_the_service_sends_again_what_did_not_arrive(
    store: ScoreStore, hooks_due: Callable[[str], Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "EVERY_SECONDS", 0.01)
    statuses, arrived = [503, 200], threading.Event()

    def answer(_: Request) -> Reply:
        if (status := statuses.pop(0)) == 200:
            arrived.set()
        return Reply(status, {})

    with serving(answer) as (url, seen):
        hooks = hooks_due(url)
        announce_bands(hooks, store, SILENT)
        with writing(store.engine) as connection:
            connection.execute(update(OUTBOX).values(next_at=OUTBOX.c.at))
        service = deliveries.Deliveries(hooks, lambda: store)
        service.start()
        try:
            assert arrived.wait(30)
        finally:
            service.close()
    assert len({request.headers["webhook-id"] for request in seen}) == 1


def test_a_webhook_whose_secret_is_not_set_holds_up_no_other(
    store: ScoreStore, hooks_due: Callable[[str], Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: list[str] = []
    progress = Progress()
    monkeypatch.setattr(progress, "note", notes.append)
    with serving(lambda request: Reply(204, "")) as (url, seen):
        config = hooks_due(url)
        unset = WebhookConfig(url=url, secrets=["\ue000TEAM_SECRET\ue001"])
        both = config.model_copy(update={"webhooks": {"a": unset, **config.webhooks}})
        announce_bands(both, store, progress)
    assert len(seen) == 1
    assert notes == [
        "webhooks.a: ${TEAM_SECRET}: is not set in the environment → export TEAM_SECRET=…",
        "1 messages to webhooks did not arrive; they are tried again",
    ]


def test_a_new_champion_is_told_once(config: Config, store: ScoreStore, tmp_path: Path) -> None:
    config = config.model_copy(
        update={"paths": config.paths.model_copy(update={"models": tmp_path / "models"})}
    )
    line = {
        "version": "0" * 12,
        "previous": None,
        "reason": "first usable model",
        "who": "ann",
        "at": "2026-01-01T00:00:00Z",
        "action": "first",
    }
    home = config.paths.models / config.targets[0]
    home.mkdir(parents=True, exist_ok=True)
    (home / HISTORY).write_text(json.dumps(line) + "\n", encoding="utf-8")

    def vendor(request: Request) -> Reply:
        return Reply(200, {})

    with serving(vendor) as (url, seen):
        for _ in range(2):
            announce_champions(hooked(config, url), SILENT)
        only_bands = hooked(config, url, events=["score.band_changed"])
        announce_champions(only_bands, SILENT)
    (request,) = seen
    assert request.json["type"] == "model.champion_changed"
    assert request.json["data"]["version"] == "0" * 12
    assert request.json["data"]["target"] == config.targets[0]
