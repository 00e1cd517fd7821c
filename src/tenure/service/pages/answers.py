"""The pages: each parses its link, makes one call and fills a template."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse, Response

from tenure.report.downloads import csv_text, workbook
from tenure.service.access import SIGN_IN, caller, sign_in, sign_out
from tenure.service.pages.account import account_parts, alike_parts
from tenure.service.pages.book import book_parts, download
from tenure.service.pages.columns import USUAL
from tenure.service.pages.explained import change_parts, driver_parts, evidence_parts
from tenure.service.pages.forecast import outlook_parts
from tenure.service.pages.model import model_parts
from tenure.service.pages.people import NAME, OWNER, form_of, remembered
from tenure.service.pages.rendering import WHOLE, attached, plain, rendered
from tenure.service.pages.state import PageState
from tenure.service.pages.success import lately_parts, metrics_parts, worklist_parts
from tenure.service.pages.tables import data_parts
from tenure.service.pages.views import BOOK, BookView

if TYPE_CHECKING:
    from starlette.requests import Request

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def book(request: Request, state: PageState) -> Response:
    """Return the book, or the shorter link to it where a form left something empty."""
    view = BookView.of(request.query_params)
    if any(not value for value in request.query_params.values()):
        if set(view.columns) == USUAL:
            view = replace(view, columns=())
        return RedirectResponse(view.link(page=view.page), 303)
    parts = book_parts(state, view, caller(request))
    return rendered(request, state, "book.html.j2", **parts)


def book_csv(request: Request, state: PageState) -> Response:
    """Return all rows of a view of the book as CSV."""
    file = download(state, BookView.of(request.query_params), caller(request))
    body = csv_text(file.heads, file.rows).encode("utf-8-sig", "replace")
    return attached(body, "text/csv; charset=utf-8", f"{file.name}.csv")


def book_xlsx(request: Request, state: PageState) -> Response:
    """Return all rows of a view of the book as a workbook."""
    file = download(state, BookView.of(request.query_params), caller(request))
    body = workbook("Book", file.heads, file.rows, file.forms)
    return attached(body, WORKBOOK, f"{file.name}.xlsx")


def account(request: Request, state: PageState) -> Response:
    """Return an account: its scores, what moves them, what people said."""
    parts = account_parts(state, *_of_account(request), caller(request))
    signed = remembered(request, NAME)
    return rendered(request, state, "account.html.j2", signed=signed, **parts)


def lately(request: Request, state: PageState) -> Response:
    """Return what happened to an account before a run."""
    parts = lately_parts(state, *_of_account(request), caller(request))
    return rendered(request, state, "lately.html.j2", **parts)


def alike(request: Request, state: PageState) -> Response:
    """Return the accounts that are like one."""
    account, as_of, _ = _of_account(request)
    parts = alike_parts(state, account, as_of, caller(request))
    return rendered(request, state, "alike.html.j2", **parts)


def evidence(request: Request, state: PageState) -> Response:
    """Return the source rows behind a driver."""
    link = _values(request, "id", "as_of", "target", "feature")
    parts = evidence_parts(state, link, caller(request))
    return rendered(request, state, "evidence.html.j2", **parts)


def changes(request: Request, state: PageState) -> Response:
    """Return what moved the scores of an account between two runs."""
    link = _values(request, "id", "as_of", "since")
    parts = change_parts(state, link, caller(request))
    return rendered(request, state, "changes.html.j2", **parts)


def drivers(request: Request, state: PageState) -> Response:
    """Return what moves the scores of the book."""
    parts = driver_parts(state, plain(request, "target"), plain(request, "as_of"))
    return rendered(request, state, "drivers.html.j2", **parts)


def worklist(request: Request, state: PageState) -> Response:
    """Return the work lists of an owner."""
    owner, as_of = plain(request, "owner"), plain(request, "as_of")
    parts = worklist_parts(state, owner, as_of, caller(request))
    return rendered(request, state, "worklist.html.j2", **parts)


def metrics(request: Request, state: PageState) -> Response:
    """Return the metrics of a period."""
    parts = metrics_parts(state, request.query_params)
    return rendered(request, state, "metrics.html.j2", **parts)


def forecast(request: Request, state: PageState) -> Response:
    """Return what is expected of the book in the next month and quarter."""
    parts = outlook_parts(state, plain(request, "by"))
    return rendered(request, state, "forecast.html.j2", **parts)


def mine(request: Request, state: PageState) -> Response:
    """Return the accounts of whoever asks, or the form that says who that is."""
    owner, who = remembered(request, OWNER), caller(request)
    runs = state.store.runs()
    owners = list(state.books.choices(runs[-1]).owners) if runs else []
    if not owner and who is not None and who.label in owners:
        owner = who.label
    if owner:
        return RedirectResponse(BookView().link(owner=owner), 303)
    signed = remembered(request, NAME) or (who.label if who else "")
    return rendered(request, state, "me.html.j2", owners=owners, signed=signed)


def model(request: Request, state: PageState) -> Response:
    """Return the models."""
    return rendered(request, state, "model.html.j2", **model_parts(state))


def data(request: Request, state: PageState) -> Response:
    """Return the data report and the rejected rows."""
    return rendered(request, state, "data.html.j2", **data_parts(state))


def _of_account(request: Request) -> tuple[str, str, str]:
    """Return the account, the run and the run before that a link names."""
    account, as_of, since = _values(request, "id", "as_of", "since").values()
    return account, as_of, since


def _values(request: Request, *names: str) -> dict[str, str]:
    """Return values of a link to a page of an account, which the audit log is to name."""
    values = {name: plain(request, name) for name in names}
    request.scope["tenure.accounts"] = [values["id"]]
    return values


async def entrance(request: Request, state: PageState) -> Response:
    """Return the form that a key opens a session with, or where the session leads."""
    if request.method == "GET":
        onward = plain(request, "next")
        return rendered(request, state, "sign_in.html.j2", wrong=False, onward=onward)
    form = await request.form(max_files=0, max_fields=10)
    key, onward = str(form.get("key", "")).strip(), str(form.get("next", ""))
    # Nowhere but to a page of our own.
    response = RedirectResponse(onward if onward.startswith("/app/") else BOOK, 303)
    if await sign_in(request, key, response):
        return response
    return rendered(request, state, "sign_in.html.j2", 401, wrong=True, onward=onward)


async def leave(request: Request, _: PageState) -> Response:
    """Return to the entrance after the session has ended."""
    await form_of(request, writes=False)
    response = RedirectResponse(SIGN_IN, 303)
    await sign_out(request, response)
    return response


@dataclass(frozen=True)
class Page:
    """A page."""

    path: str
    """Below ``/app``."""
    answer: Callable[[Request, PageState], Response]
    """Makes it."""

    @property
    def whole(self) -> bool:
        """Whether it is about all accounts, and so not for those who may see some alone."""
        return f"/app{self.path}" in WHOLE


PAGES = (
    Page("/", book),
    Page("/book.csv", book_csv),
    Page("/book.xlsx", book_xlsx),
    Page("/account", account),
    Page("/lately", lately),
    Page("/alike", alike),
    Page("/evidence", evidence),
    Page("/changes", changes),
    Page("/worklist", worklist),
    Page("/drivers", drivers),
    Page("/metrics", metrics),
    Page("/forecast", forecast),
    Page("/mine", mine),
    Page("/model", model),
    Page("/data", data),
)
