"""The pages as an ASGI application: routes, headers, and what is answered when a page cannot be."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from tenure.core.errors import TenureError
from tenure.score.store.database import StoreError
from tenure.service.access import SIGN_IN, Caller, caller
from tenure.service.api.problems import Refusal
from tenure.service.pages.answers import PAGES, Page, entrance, leave
from tenure.service.pages.people import ForbiddenError, say, set_me
from tenure.service.pages.rendering import rendered
from tenure.service.pages.state import PageState
from tenure.service.pages.views import BOOK, MissingPageError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

STATIC = Path(__file__).with_name("static")
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
MOST_QUERY = 4_000
"""Bytes of a link's query."""
Answer = Callable[["Request"], Awaitable[Response]]
Posted = Callable[["Request", "PageState"], Awaitable[Response]]
POSTED: dict[str, Posted] = {"/feedback": say, "/me": set_me, "/sign-out": leave}
"""Paths below ``/app`` that forms are sent to."""
logger = logging.getLogger("tenure.service")


class SafeHeaders:
    """Adds to every answer what keeps a browser from running or showing what is not ours."""

    def __init__(self, app: ASGIApp, *, cached: bool = False) -> None:
        self.app, self.cached = app, cached

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, with the headers."""

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "max-age=3600" if self.cached else "no-store")
            await send(message)

        await self.app(scope, receive, headed)


SAFE = [Middleware(SafeHeaders)]


def page_routes(state: PageState) -> list[BaseRoute]:
    """Return the routes of the pages, for an application whose guard knows who is there."""

    def stylesheet(request: Request) -> Response:
        return Response(state.filled(Path(request.url.path).name), media_type="text/css")

    def start(_: Request) -> Response:
        return RedirectResponse(BOOK, 303)

    async def missing(_: Request) -> Response:
        raise MissingPageError("The book has links to all that there are.")

    files: list[BaseRoute] = [
        *(Route(f"/{name}", stylesheet) for name in ("report.css", "pages.css")),
        Mount("/", StaticFiles(directory=STATIC)),
    ]
    return [
        Route("/", start),
        _posting(state, SIGN_IN, entrance, "GET", "POST"),
        *(_route(state, page) for page in PAGES),
        *(_posting(state, f"/app{path}", answer, "POST") for path, answer in POSTED.items()),
        Route("/app/{rest:path}", _caught(state, missing), middleware=SAFE),
        Mount("/static", routes=files, middleware=[Middleware(SafeHeaders, cached=True)]),
    ]


def _route(state: PageState, page: Page) -> Route:
    """Return the route of a page, which is made in a thread."""

    async def answer(request: Request) -> Response:
        who = caller(request)
        if len(request.scope["query_string"]) > MOST_QUERY:
            raise MissingPageError("The link is too long.")
        if who is None:
            return RedirectResponse(SIGN_IN, 303)
        if not who.may("read"):
            raise ForbiddenError("This key may not read. Sign in with one of the scope `read`.")
        if page.whole and who.limited:
            raise ForbiddenError("This page is about all accounts; your key may see some of them.")
        return await run_in_threadpool(page.answer, request, state)

    return Route(f"/app{page.path}", _caught(state, answer), methods=["GET"], middleware=SAFE)


def _posting(state: PageState, path: str, answer: Posted, *methods: str) -> Route:
    """Return the route of an answer that itself waits for a form."""

    async def bound(request: Request) -> Response:
        return await answer(request, state)

    return Route(path, _caught(state, bound), methods=list(methods), middleware=SAFE)


def _caught(state: PageState, page: Answer) -> Answer:
    """Return a page that says in words what is wrong where it cannot be made."""

    async def answer(request: Request) -> Response:
        try:
            return await page(request)
        except MissingPageError as error:
            return _sorry(request, state, 404, error.title, str(error))
        except ForbiddenError as error:
            return _sorry(request, state, 403, "This is not open to you", str(error))
        except TenureError as error:
            return _sorry(request, state, 422, "This cannot be done", str(error))
        except (StoreError, Refusal) as error:
            logger.error("the store cannot be read: %s", error)
            return _later(request, state, "The store of the scores cannot be reached.")
        except TimeoutError:
            return _later(request, state, "The tables are still being read, or busy for others.")
        except Exception:
            logger.exception("a page could not be made")
            words = "The page could not be made. The service’s log says why."
            return _sorry(request, state, 500, "Something went wrong", words)

    return answer


def _later(request: Request, state: PageState, text: str) -> Response:
    """Return the answer to somebody who had better come back."""
    words = f"{text} Try again in a moment."
    answer = _sorry(request, state, 503, "Not at the moment", words)
    answer.headers["Retry-After"] = "5"
    return answer


def _sorry(request: Request, state: PageState, status: int, title: str, text: str) -> Response:
    return rendered(request, state, "sorry.html.j2", status, title=title, text=text)


class Gate:
    """Tells who makes a request, where no guard in front has, and lets only those pass."""

    def __init__(self, app: ASGIApp, access: Any) -> None:
        self.app, self.access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with who made it; refuse it where nobody known did."""
        if scope["type"] == "http" and not scope["path"].startswith("/static/"):
            who: Caller | None = await self.access.caller(scope)
            scope["tenure.access"], scope["tenure.caller"] = self.access, who
            if who is None:
                await Response("Not for you.", 403)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def make_pages(state: PageState, access: Any) -> Starlette:
    """Return the pages as an application of their own, for one analyst at this machine."""
    return Starlette(routes=page_routes(state), middleware=[Middleware(Gate, access=access)])
