"""Who gets in: every route, with every kind of key, and none that could be forgotten."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
import yaml
from click.testing import CliRunner
from sqlalchemy import select
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from tenure.cli import serving
from tenure.core.config import Config, load_config
from tenure.core.errors import ConfigError
from tenure.core.times import clock
from tenure.run.keys import create_key, list_keys, revoke_key
from tenure.score.store import keys
from tenure.score.store.database import connect, store_url
from tenure.score.store.keys import ApiKey, KeyStore, parts
from tenure.score.store.schema import API_KEYS, AUDIT_LOG, SESSIONS
from tenure.service import access
from tenure.service.access import (
    MOST_CHECKS,
    OPEN,
    OPEN_FOLDER,
    Access,
    caller,
    csrf_token,
    sign_in,
    sign_out,
)
from tenure.service.api.app import application
from tenure.service.api.endpoints import ENDPOINTS, Endpoint
from tenure.service.api.hosts import check_exposure

if TYPE_CHECKING:
    from starlette.requests import Request

    from service.conftest import Tiny

JSON = {"Content-Type": "application/json"}


def leaves(routes: Iterable[Any], prefix: str = "") -> Iterator[tuple[str, set[str]]]:
    """Yield the paths of all routes but those of files that are open, with their methods."""
    for route in routes:
        path = prefix + route.path
        if isinstance(route, Mount):
            if f"{path}/" != OPEN_FOLDER:
                yield from leaves(route.routes, path)
        else:
            yield path, set(route.methods or ())


@dataclass(frozen=True)
class Service:
    """A service that asks everybody for a key.

    Attributes:
        account: One that was scored, of `segment`.
        other: One of another segment.
    """

    client: TestClient
    config: Config
    segment: str
    account: str
    other: str

    def key(self, *scopes: str, **limits: Any) -> str:
        text: str = create_key(self.config, "test", scopes or ("admin",), **limits)["key"]
        return text

    def ask(self, item: Endpoint, key: str, account: str = "") -> Any:
        path = item.path.replace("{account_id}", account or self.account)
        return self.client.request(
            item.method, path, headers={"Authorization": f"Bearer {key}", **JSON}
        )


async def page(request: Request) -> Response:
    """Stand for any page that is added later."""
    known = caller(request)
    assert known is not None
    return PlainTextResponse(f"{known.label} {csrf_token(request)}")


async def door(request: Request) -> Response:
    response = PlainTextResponse("")
    if not await sign_in(request, request.query_params["key"], response):
        return PlainTextResponse("no", 401)
    return response


async def leave(request: Request) -> Response:
    response = PlainTextResponse("")
    await sign_out(request, response)
    return response


@pytest.fixture(scope="module")
def service(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("closed")
    shutil.copytree(tiny.config.paths.runs, folder / "runs")
    paths = tiny.config.paths.model_copy(update={"runs": folder / "runs"})
    settings = tiny.config.service.model_copy(update={"require_keys": True})
    config = tiny.config.model_copy(update={"paths": paths, "service": settings})
    app = application(config)
    pages = {"/page": page, access.SIGN_IN: door, "/leave": leave}
    for path, view in pages.items():
        app.app.routes.insert(0, Route(path, view, methods=["GET", "POST"]))  # type: ignore[attr-defined]
    by_segment = dict(zip(tiny.asked["segment"], tiny.asked["account_id"], strict=True))
    (segment, account), (_, other), *_ = by_segment.items()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(access, "REMEMBERED_SECONDS", 0.0)
        with TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 5)) as client:
            app.state.tables.start().result()
            yield Service(client, config, segment, account, other)


def test_nobody_gets_anywhere_without_a_key(service: Service) -> None:
    ended = create_key(service.config, "over", expires_at=clock() + timedelta(days=1))
    engine = connect(store_url(service.config))
    with engine.begin() as connection:
        over = API_KEYS.update().where(API_KEYS.c.key_id == ended["key_id"])
        connection.execute(over.values(expires_at=clock() - timedelta(seconds=1)))
    engine.dispose()
    revoked = create_key(service.config, "gone", ("admin",))
    assert revoke_key(service.config, revoked["key_id"])["revoked"]
    good = service.key()
    wrong = ["", "x", good[:-1], f"{good}x", good.swapcase(), revoked["key"], ended["key"]]
    routes = dict(leaves(service.client.app.app.routes))  # type: ignore[attr-defined]
    routes = {path: methods for path, methods in routes.items() if path not in OPEN}
    assert {"/page", "/metrics", "/docs.json", "/", "/app/feedback"} < set(routes)
    for template, methods in {**routes, "/not/there": {"GET", "POST"}}.items():
        for key in wrong if template == "/v1/accounts" else ["", revoked["key"]]:
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            path = re.sub("{.*?}", service.account, template)
            for method in methods:
                answer = service.client.request(method, path, headers=headers)
                assert answer.status_code == 401, (method, path, key)
                assert answer.headers["www-authenticate"] == "Bearer"
                assert service.account not in answer.text
    for path in sorted(OPEN - {access.SIGN_IN}):
        assert service.client.get(path).status_code == 200
    assert service.client.get("/readyz").json()["warnings"] == []


def test_people_are_sent_to_where_they_can_sign_in(service: Service) -> None:
    answer = service.client.get("/page", headers={"Accept": "text/html"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/page")


def test_a_key_does_what_its_scopes_say(service: Service) -> None:
    keys = {scope: service.key(scope) for scope in ("read", "score", "feedback")}
    admin = service.key("admin")
    for item in ENDPOINTS:
        assert service.ask(item, admin).status_code in (200, 400)
        for scope, key in keys.items():
            status = service.ask(item, key).status_code
            assert (status in (200, 400)) if scope == item.scope else status == 403, item.path


def test_a_key_of_a_segment_sees_no_other_account(service: Service) -> None:
    key = service.key("admin", segment=service.segment)
    mine, other = service.account, service.other
    headers = {"Authorization": f"Bearer {key}"}
    bodies: dict[str, Any] = {
        "/v1/explain": {"account_id": other},
        "/explain": {"account_id": other},
        "/v1/feedback": {"account_id": other, "verdict": "note", "note": "x"},
        "/v1/scores:lookup": {"account_ids": [mine, other]},
        "/score": {"account_ids": [mine, other]},
    }
    for item in ENDPOINTS:
        path = item.path.replace("{account_id}", other)
        answer = service.client.request(
            item.method, path, headers=headers, json=bodies.get(path, {}) or None
        )
        if "{account_id}" in item.path or "account_id" in bodies.get(path, {}):
            assert answer.status_code in (400, 404), item.path
            assert "probability" not in answer.text
        if item.whole or item.path == "/v1/worklist":
            assert answer.status_code == 403
        elif item.method == "GET" and "{account_id}" not in item.path:
            assert answer.status_code == 200
            assert f'"{other}"' not in answer.text
    looked = service.client.post("/v1/scores:lookup", headers=headers, json=bodies["/score"]).json()
    assert [one["account_id"] for one in looked["accounts"]] == [mine]
    assert [one["account_id"] for one in looked["missing"]] == [other]
    scored = service.client.post("/score", headers=headers, json=bodies["/score"]).json()
    assert [row["account_id"] for row in scored["rows"]] == [mine]
    (absent,) = scored["not_asked"]
    assert "that this key may see" in absent["detail"]
    body = {"account_ids": [mine, "nobody"]}
    unknown = service.client.post("/score", headers=headers, json=body).json()["not_asked"]
    assert unknown == [absent | {"account_id": "nobody"}]
    hidden, strange = (
        service.client.post("/v1/explain", headers=headers, json={"account_id": name})
        for name in (other, "nobody")
    )
    assert hidden.status_code == strange.status_code == 404
    same = [answer.json()["errors"][0] | {"value": ""} for answer in (hidden, strange)]
    assert same[0] == same[1]
    page = service.client.get("/v1/accounts?limit=1000", headers=headers).json()
    assert {item["segment"] for item in page["items"]} == {service.segment}
    wish = "/v1/accounts?segment=elsewhere"
    assert service.client.get(wish, headers=headers).status_code == 404


def test_a_session_lasts_until_it_is_left(service: Service) -> None:
    client = TestClient(service.client.app, base_url="http://127.0.0.1", client=("127.0.0.1", 5))
    assert client.get(access.SIGN_IN, params={"key": "tnr_a_b"}).status_code == 401
    opened = client.get(access.SIGN_IN, params={"key": service.key("read", "feedback")})
    cookie = opened.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    label, token = client.get("/page").text.split()
    assert label == "test"
    assert client.post("/page").status_code == 403
    assert client.post("/page", data={"csrf_token": "x"}).status_code == 403
    assert client.post("/page", data={"csrf_token": token}).status_code == 200
    assert client.post("/page", headers={"X-CSRF-Token": token}).status_code == 200
    note = {"account_id": service.account, "verdict": "note", "note": "x"}
    assert client.post("/v1/feedback", json=note).status_code == 403
    sent = client.post("/v1/feedback", json=note, headers={"X-CSRF-Token": token})
    assert sent.status_code == 201
    cookies = dict(client.cookies)
    assert client.post("/leave", data={"csrf_token": token}).status_code == 200
    client.cookies.update(cookies)
    assert client.get("/page").status_code == 401
    client.cookies.set(access.COOKIE, "forged.token")
    assert client.get("/page").status_code == 401


def test_what_could_be_stolen_stands_nowhere(service: Service) -> None:
    created = create_key(service.config, "secret", ("admin",))
    secret = parts(created["key"])[1]
    client = service.client
    assert client.get(access.SIGN_IN, params={"key": created["key"]}).status_code == 200
    token = str(client.cookies[access.COOKIE]).rpartition(".")[0]
    client.cookies.clear()
    engine = connect(store_url(service.config))
    with engine.connect() as connection:
        rows = [*connection.execute(select(API_KEYS)), *connection.execute(select(SESSIONS))]
    engine.dispose()
    text = str(rows)
    assert "$argon2id$" in text
    assert secret not in text
    assert token not in text
    assert secret not in str(list_keys(service.config))


def test_the_audit_log_says_who_wanted_what(service: Service) -> None:
    created = create_key(service.config, "looked at", ("read",))
    headers = {"Authorization": f"Bearer {created['key']}"}
    service.client.get(f"/v1/accounts/{service.account}", headers=headers)
    service.client.get("/v1/accounts?search=secret-name", headers={"Authorization": "Bearer x"})
    state = service.client.app.state  # type: ignore[attr-defined]
    state.audit.flush()
    with state.engine.connect() as connection:
        rows = connection.execute(select(AUDIT_LOG).order_by(AUDIT_LOG.c.entry_no)).all()
    seen, refused = rows[-2:]
    assert seen.caller == f"key:{created['key_id']}"
    assert (seen.path, seen.status) == ("/v1/accounts/{account_id}", 200)
    assert seen.account_ids == [service.account]
    assert (refused.caller, refused.status) == ("nobody", 401)
    assert refused.path == "/v1/accounts"
    assert "secret-name" not in str(rows)


def test_what_is_refused_early_counts_for_its_endpoint(service: Service) -> None:
    admin = {"Authorization": f"Bearer {service.key()}"}
    large = b"x" * (service.config.service.max_body_bytes + 1)
    refused = (
        service.client.get(f"/v1/accounts/{service.account}/history"),
        service.client.post("/v1/score", headers=admin | JSON, content=large),
        service.client.post("/v1/explain", headers=admin, data={"x": "y"}),
        service.client.request("PURGE", "/v1/worklist"),
        service.client.get(f"/{service.account}"),
    )
    assert [answer.status_code for answer in refused] == [401, 413, 415, 401, 401]
    text = service.client.get("/metrics", headers=admin).text
    for path, status in (
        ("/v1/accounts/{account_id}/history", 401),
        ("/v1/score", 413),
        ("/v1/explain", 415),
        ("other", 401),
    ):
        assert f'tenure_requests_total{{path="{path}",status="{status}"}}' in text
    app = service.client.app.app  # type: ignore[attr-defined]
    known = {"other", *(route.path for route in app.routes)}
    assert set(re.findall(r'path="([^"]*)"', text)) <= known


def test_a_burst_of_requests_with_one_key_is_let_in(tiny: Tiny, tmp_path: Path) -> None:
    paths = tiny.config.paths.model_copy(update={"runs": tmp_path})
    config = tiny.config.model_copy(update={"paths": paths})
    key = create_key(config, "eager")["key"]
    store = KeyStore(connect(store_url(config)))
    checks = []

    class Counted:
        def verified(self, text: str) -> ApiKey | None:
            checks.append(text)
            return store.verified(text)

    async def burst() -> list[ApiKey | None]:
        return await asyncio.gather(*(gate.verified(key) for _ in range(3 * MOST_CHECKS)))

    gate = Access(config.service, lambda: cast("KeyStore", Counted()), b"secret")
    try:
        found = asyncio.run(burst())
    finally:
        gate.close()
    assert {one.name for one in found if one} == {"eager"}
    assert None not in found
    assert checks == [key]


def test_an_unknown_id_costs_what_a_wrong_secret_does(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = tiny.config.paths.model_copy(update={"runs": tmp_path})
    config = tiny.config.model_copy(update={"paths": paths})
    key_id = create_key(config, "known")["key_id"]
    checked: list[str] = []
    matches = keys._matches

    def counted(digest: str, secret: str) -> bool:
        checked.append(digest.rpartition("$")[0].rpartition("$")[0])
        return matches(digest, secret)

    monkeypatch.setattr(keys, "_matches", counted)
    store = KeyStore(connect(store_url(config)))
    for text in (f"tnr_{key_id}_wrong", "tnr_000000000000_wrong"):
        assert store.verified(text) is None
    assert checked == ["$argon2id$v=19$m=19456,t=2,p=1"] * 2


def test_the_list_of_keys_shows_their_limits(tiny: Tiny, tmp_path: Path) -> None:
    text = tiny.path.read_text(encoding="utf-8")
    authored = yaml.safe_load(text) | {"paths": {"runs": str(tmp_path / "runs")}}
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(authored), encoding="utf-8")
    config = load_config(path)
    create_key(config, "all")
    until = clock().replace(microsecond=0) + timedelta(days=9)
    create_key(config, "some", owner="Ann", segment="SMB", expires_at=until)
    first, second = CliRunner().invoke(serving.list_keys, [str(path)]).output.splitlines()
    assert first.endswith("active  read  all")
    assert second.endswith(
        f"active  read  some  owner Ann  segment SMB  expires {until.isoformat()}Z"
    )


def test_a_key_may_not_ask_without_end(tiny: Tiny, tmp_path: Path) -> None:
    paths = tiny.config.paths.model_copy(update={"runs": tmp_path})
    settings = tiny.config.service.model_copy(
        update={"require_keys": True, "requests_per_minute": 3}
    )
    config = tiny.config.model_copy(update={"paths": paths, "service": settings})
    headers = {"Authorization": f"Bearer {create_key(config, 'eager')['key']}"}
    with TestClient(application(config), base_url="http://127.0.0.1") as client:
        statuses = [client.get("/docs.json", headers=headers).status_code for _ in range(8)]
        assert 429 in statuses  # a minute may end in between
        last = client.get("/docs.json", headers=headers)
        if last.status_code == 429:
            assert int(last.headers["retry-after"]) > 0


@pytest.mark.parametrize("address", ["10.0.0.5", "10.0.0.6"])
def test_a_proxy_says_who_is_there(tiny: Tiny, tmp_path: Path, address: str) -> None:
    paths = tiny.config.paths.model_copy(update={"runs": tmp_path})
    proxy = {"addresses": ["10.0.0.5"], "header": "X-User"}
    settings = type(tiny.config.service).model_validate({"proxy": proxy})
    config = tiny.config.model_copy(update={"paths": paths, "service": settings})
    app = application(config)
    app.app.routes.append(Route("/page", page))  # type: ignore[attr-defined]
    with TestClient(app, base_url="http://cs.example", client=(address, 5)) as client:
        answer = client.get("/page", headers={"X-User": "ann"})
        if address in proxy["addresses"]:
            assert answer.text.startswith("ann ")
            assert client.get("/page").status_code == 401
        else:
            assert answer.status_code == 401


@pytest.mark.parametrize(
    ("wish", "problem"),
    [
        ({"name": " "}, "--name"),
        ({"name": "a", "segment": ""}, "--segment"),
        ({"name": "a", "scopes": ["reed"]}, "`read`"),
        ({"name": "a", "expires_at": clock() - timedelta(days=1)}, "--expires"),
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(
    tiny: Tiny, tmp_path: Path, wish: dict[str, Any], problem: str
) -> None:
    paths = tiny.config.paths.model_copy(update={"runs": tmp_path})
    config = tiny.config.model_copy(update={"paths": paths})
    with pytest.raises(ConfigError, match=problem):
        create_key(config, **wish)
    with pytest.raises(ConfigError, match="could be revoked"):
        revoke_key(config, "nothing")
    assert list_keys(config) == []


def test_where_others_reach_it_there_must_be_a_key(tiny: Tiny, tmp_path: Path) -> None:
    paths = tiny.config.paths.model_copy(update={"runs": tmp_path})
    settings = tiny.config.service.model_copy(update={"host": "0.0.0.0"})
    config = tiny.config.model_copy(update={"paths": paths, "service": settings})
    with pytest.raises(ConfigError, match="there is no key"):
        check_exposure(config)
    key_id = create_key(config, "first")["key_id"]
    check_exposure(config)
    revoke_key(config, key_id)
    with pytest.raises(ConfigError, match="there is no key"):
        check_exposure(config)
    check_exposure(tiny.config)
