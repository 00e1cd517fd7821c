"""The book: tiles, and a table of accounts that is filtered, sorted, searched and paged by link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tenure.core.flat_row import MAIN
from tenure.core.times import clock
from tenure.report.sentences.formatting import NONE, count, counted, percent
from tenure.report.sentences.values import cut, date, moment_key, money
from tenure.report.workbook.cells import Form
from tenure.score.store.book_records import DUE_DAYS, BookQuery, BookRow, added, nearest
from tenure.score.store.feedback import Override, standing_overrides
from tenure.score.store.store import StoredRun
from tenure.service.pages.columns import BY_NAME, COLUMNS, Column, Shown
from tenure.service.pages.state import PageState
from tenure.service.pages.views import PAGE_ROWS, BookView, allowed, chosen_run, run_before

if TYPE_CHECKING:
    from tenure.service.access import Caller


DUE = timedelta(days=DUE_DAYS)


@dataclass(frozen=True)
class Tile:
    """A figure on top of the book."""

    title: str
    lines: tuple[tuple[str, str], ...]
    """The figure and its change, for each currency."""
    note: str
    """How many accounts, and how long ago the change began."""
    meaning: str
    """The threshold that it means."""
    link: str
    """The accounts behind it."""


def book_parts(state: PageState, view: BookView, who: Caller | None) -> dict[str, Any]:
    """Return what the page of a book shows, by its name in the template.

    Raises:
        MissingPageError: If a run that the link names does not exist.
    """
    runs = state.store.runs()
    run = chosen_run(runs, view.as_of)
    since = run_before(runs, run, view.since)
    view = replace(view, where=allowed(view.where, who))
    total = state.books.count(run, view.where)
    pages = max(1, -(-total // PAGE_ROWS))
    view = replace(view, page=min(view.page, pages))
    columns = shown_columns(view)
    rows = state.books.rows(run, query(view, since))
    overrides = standing_overrides(state.store, [row.account_id for row in rows], MAIN, clock())
    return {
        "run": run,
        "since": since,
        "runs": runs,
        "horizon": state.horizon,
        "view": view,
        "columns": columns,
        "all_columns": COLUMNS,
        "rows": [(row, [_cell(column, row, overrides) for column in columns]) for row in rows],
        "total": total,
        "first": (view.page - 1) * PAGE_ROWS + 1,
        "pages": pages,
        "tiles": tiles(state, run, nearest(runs, run), view),
        "choices": state.books.choices(run) if not (who and who.limited) else None,
        "reason_label": _reason_label(state, run, view.where.reason),
    }


def query(view: BookView, since: StoredRun | None, limit: int | None = PAGE_ROWS) -> BookQuery:
    """Return the page of a view, or all its rows in their order where there is no limit."""
    offset = 0 if limit is None else (view.page - 1) * limit
    return BookQuery(view.where, view.sort, view.descending, since, offset, limit)


def shown_columns(view: BookView) -> list[Column]:
    """Return the columns of a view, in their own order; the account is always shown."""
    chosen = set(view.columns) & BY_NAME.keys()
    if not chosen:
        return [column for column in COLUMNS if column.usual]
    return [column for column in COLUMNS if column.name in chosen | {"account"}]


def _cell(column: Column, row: BookRow, overrides: Mapping[str, Override]) -> Shown:
    cell = column.show(row)
    if column.name == "band" and (item := overrides.get(row.account_id)):
        return replace(cell, note=f"{item.band} by {cut(item.author, 40)}")
    return cell


def _reason_label(state: PageState, run: StoredRun, code: str) -> str:
    reasons = state.books.choices(run).reasons if code else {}
    return next((label for (known, label) in reasons if known == code), code)


def tiles(
    state: PageState, run: StoredRun, earlier: StoredRun | None, view: BookView
) -> list[Tile]:
    """Return the tiles of a view, with their change since an earlier run."""
    present_totals = state.books.totals(run, view.where)
    past = state.books.totals(earlier, view.where) if earlier else ()
    days = (run.as_of - earlier.as_of).days if earlier else 0
    everyone, before = added(present_totals), added(past)

    def tile(title: str, name: str, amount: str, meaning: str, link: str) -> Tile:
        amounts = {item.currency: getattr(item, amount) for item in past}
        lines = tuple(
            (money(value, item.currency), _change(value, amounts.get(item.currency), earlier))
            for item in present_totals
            for value in [getattr(item, amount)]
        )
        n, change = getattr(everyone, name), ""
        if earlier:
            change = f" ({_change(n, getattr(before, name), earlier)})"
        since = f"change in {days} days" if earlier else "no earlier run"
        note = f"{counted(n, 'account')}{change}; {since}"
        return Tile(title, lines or ((NONE, ""),), note, meaning, link)

    high = _threshold(state, run)
    due = f"contract renews before {date(run.as_of + DUE)}, notice not given"
    return [
        tile(
            "Accounts",
            "accounts",
            "mrr",
            "MRR of all that pay",
            view.link(band="", due_days=None),
        ),
        tile(
            "MRR at risk in the high band",
            "high",
            "high_amount",
            f"band high: {high}; probability × MRR",
            view.link(band="high", due_days=None),
        ),
        tile(
            f"Up for renewal in {DUE_DAYS} days",
            "due",
            "due_mrr",
            due,
            view.link(band="", due_days=DUE_DAYS),
        ),
        tile(
            "At risk and up for renewal",
            "high_due",
            "high_due_amount",
            "both; probability × MRR",
            view.link(band="high", due_days=DUE_DAYS),
        ),
    ]


def _threshold(state: PageState, run: StoredRun) -> str:
    """Return from which probability on an account is in the band high."""
    settings = state.config.score
    if settings.capacity is not None:
        return f"the {count(settings.capacity)} accounts most at risk"
    rate = state.books.base_rate(run)
    if rate is None:
        return f"at least {settings.high_at:g} × the base rate"
    return f"at least {percent(settings.high_at * rate)} ({settings.high_at:g} × the base rate)"


def _change(value: float, before: float | None, earlier: StoredRun | None) -> str:
    """Return how much an amount has changed; empty without an earlier run."""
    if earlier is None:
        return ""
    change = round(value - (before or 0.0))
    return f"{'+' if change > 0 else '−' if change < 0 else '±'}{abs(change):,}"


@dataclass(frozen=True)
class Download:
    """A view of a book as a file holds it: all its rows, in their order."""

    name: str
    heads: list[str]
    rows: list[list[Any]]
    forms: list[Form]


def download(state: PageState, view: BookView, who: Caller | None) -> Download:
    """Return a view of a book as a file holds it.

    Raises:
        MissingPageError: If a run that the link names does not exist.
    """
    runs = state.store.runs()
    run = chosen_run(runs, view.as_of)
    view = replace(view, where=allowed(view.where, who))
    columns = shown_columns(view)
    rows = state.books.rows(run, query(view, run_before(runs, run, view.since), None))
    day = moment_key(run)
    return Download(
        f"book-{day[:10]}",
        ["account_id", *(column.head for column in columns), "currency", "as_of"],
        [
            [row.account_id, *(column.value(row) for column in columns), row.currency, day]
            for row in rows
        ],
        ["text", *(column.form for column in columns), "text", "text"],
    )
