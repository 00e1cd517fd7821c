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
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tenure.core.errors import TenureError
from tenure.report.downloads import csv_text, workbook
from tenure.service.access import SIGN_IN, caller, csrf_token
from tenure.service.pages.account import account_parts
from tenure.service.pages.book import book_parts, download
from tenure.service.pages.model import model_parts
from tenure.service.pages.people import (
    NAME,
    OWNER,
    ForbiddenError,
    remembered,
    say,
    set_me,
)
from tenure.service.pages.success import lately_parts, metrics_parts, worklist_parts
from tenure.service.pages.tables import data_parts
from tenure.service.pages.views import BOOK, BookView, MissingPageError, account_link

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from tenure.service.access import Caller
    from tenure.service.pages.state import PageState

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
LINKS = (
    (BOOK, "Book"),
    ("/app/worklist", "Work list"),
    ("/app/metrics", "Metrics"),
    ("/app/model", "Model"),
    ("/app/data", "Data"),
)
RAW = frozenset({"/app/metrics"})
"""Pages that need the tables."""
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_QUERY = 4_000
"""Bytes of a link's query."""
Page = Callable[["Request"], Awaitable[Response]]
logger = logging.getLogger("tenure.service")


def page_routes(state: PageState) -> list[BaseRoute]:
    """Return the routes of the pages, for an application whose guard knows who is there."""

    def book(request: Request) -> Response:
        view = BookView.of(request.query_params)
        if any(not value for value in request.query_params.values()):
            return RedirectResponse(view.link(page=view.page), 303)  # what a form left empty
        parts = book_parts(state, view, caller(request))
        return rendered(request, state, "book.html.j2", me=remembered(request, OWNER), **parts)

    def book_file(request: Request) -> Response:
        file = download(state, BookView.of(request.query_params), caller(request))
        if request.path_params["form"] == "csv":
            body = csv_text(file.heads, file.rows).encode("utf-8-sig", "replace")
            return _file(body, "text/csv; charset=utf-8", f"{file.name}.csv")
        body = workbook("Book", file.heads, file.rows, file.forms)
        return _file(body, WORKBOOK, f"{file.name}.xlsx")

    def account(request: Request) -> Response:
        parts = account_parts(state, *_of_account(request), caller(request))
        signed = remembered(request, NAME)
        return rendered(request, state, "account.html.j2", signed=signed, **parts)

    def lately(request: Request) -> Response:
        parts = lately_parts(state, *_of_account(request), caller(request))
        return rendered(request, state, "lately.html.j2", **parts)

    def worklist(request: Request) -> Response:
        owner, as_of = (_plain(request, name) for name in ("owner", "as_of"))
        parts = worklist_parts(state, owner, as_of, caller(request))
        return rendered(request, state, "worklist.html.j2", **parts)

    def metrics(request: Request) -> Response:
        return rendered(
            request, state, "metrics.html.j2", **metrics_parts(state, request.query_params)
        )

    def mine(request: Request) -> Response:
        owner = remembered(request, OWNER)
        if owner:
            return RedirectResponse(BookView().link(owner=owner), 303)
        runs = state.store.runs()
        owners = list(state.books.choices(runs[-1]).owners) if runs else []
        who = caller(request)
        if who is not None and who.label in owners:
            return RedirectResponse(BookView().link(owner=who.label), 303)
        signed = remembered(request, NAME) or (who.label if who else "")
        return rendered(request, state, "me.html.j2", owners=owners, signed=signed)

    def model(request: Request) -> Response:
        return rendered(request, state, "model.html.j2", **model_parts(state))

    def data(request: Request) -> Response:
        return rendered(request, state, "data.html.j2", **data_parts(state))

    def stylesheet(_: Request) -> Response:
        return Response(state.filled("report.css"), media_type="text/css")

    async def feedback(request: Request) -> Response:
        return await say(request, state)

    pages: list[BaseRoute] = [
        _route(state, "/", book),
        _route(state, "/book.{form:str}", book_file, only=("csv", "xlsx")),
        _route(state, "/account", account),
        _route(state, "/lately", lately),
        _route(state, "/worklist", worklist),
        _route(state, "/metrics", metrics, whole=True),
        _route(state, "/mine", mine),
        _route(state, "/model", model, whole=True),
        _route(state, "/data", data, whole=True),
        Route("/feedback", _caught(state, feedback), methods=["POST"]),
        Route("/me", _caught(state, set_me), methods=["POST"]),
    ]
    files: list[BaseRoute] = [
        Route("/report.css", stylesheet),
        Mount("/", StaticFiles(directory=STATIC)),
    ]
    return [
        Mount("/app", routes=pages, middleware=[Middleware(SafeHeaders)]),
        Mount("/static", routes=files, middleware=[Middleware(SafeHeaders, cached=True)]),
    ]


def _route(
    state: PageState,
    path: str,
    page: Callable[[Request], Response],
    *,
    only: tuple[str, ...] = (),
    whole: bool = False,
) -> Route:
    """Return the route of a page that is made in a thread.

    Args:
        state: What the pages read.
        path: Below ``/app``.
        page: Makes it.
        only: What its form may be, if it has one.
        whole: Whether it is about all accounts, and so not for those who may see some alone.
    """

    async def answer(request: Request) -> Response:
        who = caller(request)
        if len(request.scope["query_string"]) > MOST_QUERY:
            raise MissingPageError("The link is too long.")
        if who is None or not who.may("read"):
            return RedirectResponse(SIGN_IN, 303)
        if whole and who.limited:
            raise ForbiddenError("This page is about all accounts; your key may see some of them.")
        if only and request.path_params["form"] not in only:
            raise MissingPageError("There is no such page.")
        return await run_in_threadpool(page, request)

    return Route(path, _caught(state, answer), methods=["GET"])


def _caught(state: PageState, page: Page) -> Page:
    """Return a page that says in words what is wrong where it cannot be made."""

    async def answer(request: Request) -> Response:
        try:
            return await page(request)
        except MissingPageError as error:
            return _sorry(request, state, 404, "There is no such page", str(error))
        except ForbiddenError as error:
            return _sorry(request, state, 403, "This is not open to you", str(error))
        except TenureError as error:
            return _sorry(request, state, 422, "This cannot be done", str(error))
        except Exception:
            logger.exception("a page could not be made")
            words = "The page could not be made. The service’s log says why."
            return _sorry(request, state, 500, "Something went wrong", words)

    return answer


def _sorry(request: Request, state: PageState, status: int, title: str, text: str) -> Response:
    return rendered(request, state, "sorry.html.j2", status, title=title, text=text)


def rendered(
    request: Request, state: PageState, name: str, status: int = 200, /, **parts: Any
) -> HTMLResponse:
    """Return a page: its template filled, and what every page shows."""
    who = caller(request)
    frame = {
        "project": state.config.name,
        "links": [item for item in LINKS if state.raw.present or item[0] not in RAW],
        "here": request.url.path,
        "who": who,
        "may_say": who is not None and who.may("feedback"),
        "token": csrf_token(request) if who is not None else "",
        "account_link": account_link,
        "has_tables": state.raw.present,
    }
    text = state.filled(name, **frame, **parts)
    # A name may hold half a character, which no encoding has.
    return HTMLResponse(text.encode("utf-8", "replace"), status)


def _plain(request: Request, name: str) -> str:
    """Return a value of a link, without what no database holds."""
    return request.query_params.get(name, "").replace("\0", "")


def _of_account(request: Request) -> tuple[str, str, str]:
    """Return the account, the run and the run before that a link names."""
    return _plain(request, "id"), _plain(request, "as_of"), _plain(request, "since")


def _file(body: bytes, kind: str, name: str) -> Response:
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type=kind, headers=disposition)


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

    def start(_: Request) -> Response:
        return RedirectResponse(BOOK, 303)

    routes = [*page_routes(state), Route("/", start)]
    return Starlette(routes=routes, middleware=[Middleware(Gate, access=access)])
