"""What people say: feedback on a driver, a note, a band of their own for a while; all signed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import python_multipart  # noqa: F401 - Starlette reads forms by it
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from tenure.core.errors import DataError, Problem
from tenure.core.times import as_utc, clock
from tenure.score.store.feedback import Feedback, Override, add_feedback, add_override
from tenure.service.access import CSRF_FIELD, Caller, caller
from tenure.service.pages.account import book_row
from tenure.service.pages.state import PageState
from tenure.service.pages.views import account_link, chosen_run

if TYPE_CHECKING:
    from starlette.requests import Request

NAME, OWNER = "tenure_name", "tenure_owner"
"""Cookies: how somebody at this machine signs, and whose accounts are theirs."""
YEAR_SECONDS = 365 * 86_400
LONGEST_DAYS = 366
MOST_BYTES = 100_000


class ForbiddenError(Exception):
    """Somebody may not do what they ask for; the text says why."""


async def form_of(request: Request, *, writes: bool = True) -> Mapping[str, str]:
    """Return the fields of a form that was sent from a page of this service.

    Args:
        request: The form.
        writes: Whether it needs the right to leave feedback.

    Raises:
        ForbiddenError: If it was not, or the sender may not write.
        DataError: If it is too long.
    """
    who = caller(request)
    if who is None or (writes and not who.may("feedback")):
        raise ForbiddenError("This key may read, but not leave feedback.")
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > MOST_BYTES:
        raise DataError(Problem("form", "is too long", fix="shorten the text"))
    form = await request.form(max_files=0)
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    if not request.scope["tenure.access"].carries_token(who, fields.get(CSRF_FIELD, "")):
        raise ForbiddenError("This form has expired. Load the page again, then send it.")
    return fields


def author(request: Request, fields: Mapping[str, str]) -> str:
    """Return who signs: as the key or the proxy says, at this machine as they write themselves."""
    who = caller(request)
    assert who is not None
    return fields.get("author", "") if who.by == "local" else who.label


async def say(request: Request, state: PageState) -> Response:
    """Write feedback or an override of an account, and lead back to its page.

    Raises:
        ForbiddenError, MissingPageError, DataError: If it cannot be written; says why.
    """
    fields = await form_of(request)
    who, signed = caller(request), author(request, fields)
    request.scope["tenure.accounts"] = [fields.get("id", "")]
    await run_in_threadpool(_write, state, fields, signed, who)
    link = account_link(
        fields.get("id", ""), as_of=fields.get("as_of", ""), since=fields.get("since", "")
    )
    response = RedirectResponse(f"{link}#said", 303)
    if who is not None and who.by == "local":
        _remember(response, NAME, signed)
    return response


def _write(state: PageState, fields: Mapping[str, str], signed: str, who: Caller | None) -> None:
    run = chosen_run(state.store.runs(), fields.get("as_of", ""))
    row = book_row(state, fields.get("id", ""), run, None, who)
    common: dict[str, Any] = {
        "account_id": row.account_id,
        "target": fields.get("target", "churn"),
        "run_id": run.run_id,
        "author": signed,
        "at": clock(),
    }
    if fields.get("kind") == "override":
        until = _until(fields.get("until", ""))
        band, reason = fields.get("band", ""), fields.get("reason", "")
        add_override(state.store, Override(**common, band=band, reason=reason, until=until))
        return
    driver, verdict = fields.get("driver") or None, fields.get("verdict", "note")
    note = fields.get("note") or None
    add_feedback(state.store, Feedback(**common, driver=driver, verdict=verdict, note=note))


def _until(text: str) -> datetime:
    try:
        until = as_utc(text)
    except ValueError:
        raise DataError(Problem("until", "is not a day", text[:40], "e.g. 2026-01-31")) from None
    if until > clock() + timedelta(days=LONGEST_DAYS):
        raise DataError(Problem("until", "is more than a year ahead", text[:40], "choose a day"))
    return until


async def set_me(request: Request, _: PageState) -> Response:
    """Remember how somebody at this machine signs and whose accounts are theirs.

    Raises:
        ForbiddenError: If the form was not sent from a page of this service.
    """
    fields = await form_of(request, writes=False)
    owner = fields.get("owner", "")
    response = RedirectResponse("/app/mine" if owner else "/app/", 303)
    _remember(response, OWNER, owner)
    _remember(response, NAME, fields.get("author", ""))
    return response


def remembered(request: Request, name: str) -> str:
    """Return what a cookie of these pages holds; empty where there is none."""
    return unquote(request.cookies.get(name, ""))[:200]


def _remember(response: Response, name: str, value: str) -> None:

    shown = quote(value.replace("\0", "")[:200])
    response.set_cookie(name, shown, max_age=YEAR_SECONDS, httponly=True, samesite="strict")
