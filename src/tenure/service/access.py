"""Who is there: a key, a session that a key opened, a user whom a proxy names, or this machine.

`caller(request)` is all that an endpoint or a page needs to know.  The guard has worked it out, and
turned everybody away whom it does not know, before a request reaches either.
"""

from __future__ import annotations

import asyncio
import getpass
import hashlib
import hmac
import ipaddress
import os
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from itsdangerous import BadSignature, Signer

from tenure.core.sections import ServiceConfig
from tenure.score.store.keys import LONGEST_KEY, SCOPES, ApiKey, KeyStore, Scope, parts
from tenure.service.api.problems import busy
from tenure.service.api.threads import in_thread

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Scope as AsgiScope

COOKIE = "tenure_session"
CSRF_FIELD, CSRF_HEADER = "csrf_token", b"x-csrf-token"
SIGN_IN = "/sign-in"
OPEN = frozenset({"/livez", "/healthz", "/readyz", SIGN_IN})
"""Paths that need no key; every other one does, but for files under `OPEN_FOLDER`."""
OPEN_FOLDER = "/static/"
REMEMBERED_SECONDS = 5.0
"""How long a key that was revoked may go on."""
MOST_REMEMBERED = 1_024
MOST_CHECKS = 16
"""Keys that may wait to be checked against their hashes."""
SECRET = "TENURE_SECRET"
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
T = TypeVar("T")
Look = Callable[["ApiKey | None"], Awaitable["ApiKey | None"]]
"""Looks a key up, after it was looked up before or for the first time."""


@dataclass(frozen=True)
class Caller:
    """Who makes a request, and what for."""

    name: str
    """As the audit log has it: ``key:<id>``, ``user:<name>`` or ``local:<name>``."""
    label: str
    """A name for people."""
    scopes: frozenset[str]
    """What it may do."""
    owner: str | None = None
    """The only owner whose accounts it may see; None: of all."""
    segment: str | None = None
    """The only segment likewise."""
    by: Literal["key", "session", "proxy", "local"] = "key"
    """How it is known."""
    session: str = ""
    """Token of its session, where it came by one."""

    def may(self, scope: Scope) -> bool:
        """Return whether it may do something."""
        return scope in self.scopes or "admin" in self.scopes

    def sees(self, owner: str | None, segment: str | None) -> bool:
        """Return whether it may see an account."""
        return self.owner in (None, owner) and self.segment in (None, segment)

    @property
    def limited(self) -> bool:
        """Whether it may see some accounts only."""
        return self.owner is not None or self.segment is not None


def caller(request: Request) -> Caller | None:
    """Return who makes a request, None where nobody known does."""
    known: Caller | None = request.scope.get("tenure.caller")
    return known


def csrf_token(request: Request) -> str:
    """Return what a form of a page sends back in `CSRF_FIELD`, or a script as ``X-CSRF-Token``."""
    access: Access = request.scope["tenure.access"]
    return access.token(caller(request))


async def sign_in(request: Request, key: str, response: Response) -> bool:
    """Open a session with a key by a cookie of the response; return False if it is none."""
    access: Access = request.scope["tenure.access"]
    known = await access.verified(key)
    if known is None or not known.active:
        return False
    lasting = timedelta(hours=access.settings.session_hours)
    token = await access.run(lambda: access.keys().open_session(known.key_id, lasting))
    response.set_cookie(
        COOKIE,
        access.signer.sign(token).decode(),
        max_age=int(lasting.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=_host(request.scope) not in LOCAL_NAMES,
    )
    return True


async def sign_out(request: Request, response: Response) -> None:
    """End the session of a request, if it came by one."""
    access: Access = request.scope["tenure.access"]
    known = caller(request)
    if known is not None and known.session:
        await access.run(lambda: access.keys().end_session(known.session))
        access.forget()
    response.delete_cookie(COOKIE)


class Access:
    """Tells who makes a request.

    Args:
        settings: Whether this machine needs a key, and the proxy in front.
        keys: Gives the store's keys; called in a thread.
        secret: Signs cookies; see `service_secret`.
    """

    def __init__(
        self, settings: ServiceConfig, keys: Callable[[], KeyStore], secret: bytes
    ) -> None:
        self.settings, self.keys = settings, keys
        self.signer = Signer(secret, salt="tenure.session", digest_method=hashlib.sha256)
        self._tokens = Signer(secret, salt="tenure.csrf", digest_method=hashlib.sha256)
        self._threads = ThreadPoolExecutor(4, "tenure-access")
        self._checks = ThreadPoolExecutor(1, "tenure-keys")
        self._checking = 0
        self._known: OrderedDict[bytes, tuple[float, ApiKey | None]] = OrderedDict()
        self._looking: dict[bytes, asyncio.Future[ApiKey | None]] = {}

    async def caller(self, scope: AsgiScope) -> Caller | None:
        """Return who makes a request, None where its key or session is none.

        Raises:
            Refusal: 503 if too many keys are waiting to be checked.
        """
        headers = dict(scope["headers"])
        authorization = headers.get(b"authorization", b"").decode("latin-1")
        if authorization:
            scheme, _, text = authorization.partition(" ")
            known = await self.verified(text.strip()) if scheme.lower() == "bearer" else None
            return _of_key(known, "key") if known else None
        if token := self._session_token(headers.get(b"cookie", b"").decode("latin-1")):
            known = await self._remembered(token, lambda _: self._session(token))
            if known:
                return _of_key(known, "session", token)
        return self._of_proxy(scope, headers) or self._of_machine(scope, headers)

    async def verified(self, text: str) -> ApiKey | None:
        """Return the key that a text is, None where it is none or has ended.

        Raises:
            Refusal: 503 if too many keys are waiting to be checked.
        """
        if not parts(text)[1] or len(text) > LONGEST_KEY:
            return None
        return await self._remembered(text, lambda known: self._key(text, known))

    async def _remembered(self, text: str, look: Look) -> ApiKey | None:
        """Return what is known of a key or session; its text itself is not held in memory."""
        mark = hashlib.sha256(text.encode()).digest()
        at, known = self._known.get(mark, (-REMEMBERED_SECONDS, None))
        if time.monotonic() - at >= REMEMBERED_SECONDS:
            if mark not in self._looking:  # a burst of requests is looked up once
                self._looking[mark] = asyncio.ensure_future(self._looked_up(mark, look, known))
            known = await asyncio.shield(self._looking[mark])
        return known if known and known.active else None

    async def _looked_up(self, mark: bytes, look: Look, known: ApiKey | None) -> ApiKey | None:
        try:
            known = await look(known)
        finally:
            self._looking.pop(mark, None)
        self._known[mark] = (time.monotonic(), known)
        self._known.move_to_end(mark)
        while len(self._known) > MOST_REMEMBERED:
            self._known.popitem(last=False)
        return known

    async def _key(self, text: str, known: ApiKey | None) -> ApiKey | None:
        """Return a key as it stands; one that was checked is not checked against its hash again."""
        if known is not None:
            return await self.run(lambda: self.keys().get(known.key_id))
        if self._checking >= MOST_CHECKS:
            raise busy()
        self._checking += 1
        try:
            return await in_thread(self._checks, lambda: self.keys().verified(text))
        finally:
            self._checking -= 1

    async def _session(self, token: str) -> ApiKey | None:
        return await self.run(lambda: self.keys().session(token))

    async def run(self, call: Callable[[], T]) -> T:
        """Return what a call to the store returns, from a thread."""
        return await in_thread(self._threads, call)

    def forget(self) -> None:
        """Look every key and session up anew."""
        self._known.clear()

    def token(self, known: Caller | None) -> str:
        """Return the token that a caller's forms carry."""
        who = (known.session or known.name) if known else ""
        return self._tokens.get_signature(who).decode()

    def carries_token(self, known: Caller, token: str) -> bool:
        """Return whether a token is that of a caller."""
        return hmac.compare_digest(self.token(known).encode(), token.encode())

    def close(self) -> None:
        """Stop the threads."""
        for threads in (self._threads, self._checks):
            threads.shutdown(cancel_futures=True)

    def _session_token(self, cookies: str) -> str:
        if COOKIE not in cookies:
            return ""
        try:
            signed = SimpleCookie(cookies)[COOKIE].value
            return self.signer.unsign(signed).decode()
        except (CookieError, KeyError, BadSignature, UnicodeError):
            return ""

    def _of_proxy(self, scope: AsgiScope, headers: dict[bytes, bytes]) -> Caller | None:
        proxy = self.settings.proxy
        if proxy is None or _peer(scope) not in proxy.addresses:
            return None
        user = headers.get(proxy.header.lower().encode(), b"").decode("latin-1").strip()[:200]
        return Caller(f"user:{user}", user, frozenset(proxy.scopes), by="proxy") if user else None

    def _of_machine(self, scope: AsgiScope, headers: dict[bytes, bytes]) -> Caller | None:
        """Return this machine's user where the request comes from it, and through nobody else."""
        through = b"forwarded" in headers or b"x-forwarded-for" in headers
        if self.settings.require_keys or through or _host(scope) not in LOCAL_NAMES:
            return None
        if not is_loopback(_peer(scope)):
            return None
        return _LOCAL


def service_secret(folder: Path) -> bytes:
    """Return what signs cookies: of the environment, else of a file, made where there is none.

    Processes that answer for one another need the same: set `TENURE_SECRET` where they do not
    share `folder`.
    """
    if text := os.environ.get(SECRET):
        return text.encode()
    path = folder / "service.secret"
    folder.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(
            os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w"
        ) as file:
            file.write(secrets.token_hex(32))
        os.link(temporary, path)  # fails where there is one: the first to come decides
    except FileExistsError:
        pass
    finally:
        temporary.unlink(missing_ok=True)
    return path.read_bytes()


@lru_cache(maxsize=1_024)
def is_loopback(address: str) -> bool:
    """Return whether an IP address is this machine's own.

    >>> is_loopback("127.0.0.1"), is_loopback("10.0.0.1"), is_loopback("")
    (True, False, False)
    """
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _of_key(key: ApiKey, by: Literal["key", "session"], session: str = "") -> Caller:
    who = f"key:{key.key_id}"
    return Caller(who, key.name, frozenset(key.scopes), key.owner, key.segment, by, session)


def _peer(scope: AsgiScope) -> str:
    return str((scope.get("client") or ("",))[0])


def _host(scope: AsgiScope) -> str:
    """Return the host's name as the client wrote it, without its port."""
    headers: dict[bytes, bytes] = dict(scope["headers"])
    host = headers.get(b"host", b"").decode("latin-1").lower()
    name, _, port = host.rpartition(":")
    return name if port.isdigit() else host


def _user() -> str:
    try:
        return str(getpass.getuser())
    except (KeyError, OSError):  # no such user in a container
        return "unknown"


_USER = _user()
_LOCAL = Caller(f"local:{_USER}", _USER, frozenset(SCOPES), by="local")
