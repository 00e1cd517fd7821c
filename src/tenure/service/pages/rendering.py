"""How a page is filled: its own parts, and what every page shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse, Response

from tenure.service.access import caller, csrf_token
from tenure.service.pages.state import PageState
from tenure.service.pages.views import BOOK, account_link

if TYPE_CHECKING:
    from starlette.requests import Request

LINKS = (
    (BOOK, "Book"),
    ("/app/worklist", "Work list"),
    ("/app/drivers", "Drivers"),
    ("/app/metrics", "Metrics"),
    ("/app/forecast", "Forecast"),
    ("/app/model", "Model"),
    ("/app/data", "Data"),
)
WHOLE = frozenset(f"/app/{name}" for name in ("drivers", "metrics", "forecast", "model", "data"))
"""Pages about all accounts, which are not for those who may see some alone."""
RAW = frozenset({"/app/metrics"})
"""Pages that need the tables."""


def rendered(
    request: Request, state: PageState, name: str, status: int = 200, /, **parts: Any
) -> HTMLResponse:
    """Return a page: its template filled."""
    who = caller(request)
    raw, limited = state.raw.present, who is not None and who.limited
    frame = {
        "project": state.config.name,
        "links": [
            link
            for link in LINKS
            if (raw or link[0] not in RAW) and not (limited and link[0] in WHOLE)
        ],
        "here": request.url.path,
        "who": who,
        "may_say": who is not None and who.may("feedback"),
        "token": csrf_token(request) if who is not None else "",
        "account_link": account_link,
        "has_tables": raw,
    }
    text = state.filled(name, **frame, **parts)
    # A name may hold half a character, which no encoding has.
    return HTMLResponse(text.encode("utf-8", "replace"), status)


def attached(body: bytes, kind: str, name: str) -> Response:
    """Return a file that a browser stores under a name."""
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type=kind, headers=disposition)


def plain(request: Request, name: str) -> str:
    """Return a value of a link, without what no database holds."""
    return request.query_params.get(name, "").replace("\0", "")
