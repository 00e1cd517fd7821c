"""What a link says: which run, which accounts, in what order, compared with what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from tenure.report.sentences.values import moment_key
from tenure.score.store.book import SORTS
from tenure.score.store.book_records import EVERYBODY, BookFilter
from tenure.score.store.store import StoredRun

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams

    from tenure.service.access import Caller

BOOK, ACCOUNT = "/app/", "/app/account"
PAGE_ROWS = 50
MOST_PAGES = 100_000
LONGEST_VALUE = 300
FILTERS = ("owner", "segment", "plan", "band", "search", "reason")
DESCENDING = frozenset({"mrr", "probability", "change", "move", "band", "amount_at_risk"}) | {
    "expansion_probability",
    "expected_amount",
}
"""Orders that start with the highest."""


class MissingPageError(LookupError):
    """What a link asks for does not exist; the text says what, and what to do."""

    title = "There is no such page"


class NotScoredError(MissingPageError):
    """There is nothing to show yet."""

    title = "Nothing is scored yet"


@dataclass(frozen=True)
class BookView:
    """A view of a book."""

    where: BookFilter = EVERYBODY
    sort: str = "probability"
    descending: bool = True
    page: int = 1
    columns: tuple[str, ...] = ()
    """Names of the columns that are shown; empty for the usual ones."""
    as_of: str = ""
    """Prediction time of the run, the latest where empty."""
    since: str = ""
    """That of the run that changes are counted from, the one before where empty."""

    @classmethod
    def of(cls, params: QueryParams) -> BookView:
        """Return the view of a link; what it does not know is left out."""
        values: dict[str, Any] = {
            name: _text(params.get(name, "")) for name in (*FILTERS, "as_of", "since")
        }
        due = params.get("due_days", "")
        where = BookFilter(
            **{name: values[name] for name in FILTERS},
            due_days=int(due) if due.isascii() and due.isdigit() and len(due) < 5 else None,
        )
        sort = params.get("sort", "-probability")
        name = sort.removeprefix("-")
        known = name in SORTS
        page = params.get("page", "1")
        return cls(
            where,
            name if known else "probability",
            sort.startswith("-") if known else True,
            min(int(page), MOST_PAGES) if page.isascii() and page.isdigit() and int(page) else 1,
            tuple(dict.fromkeys(map(_text, params.getlist("column")[:40]))),
            values["as_of"],
            values["since"],
        )

    def pairs(self) -> list[tuple[str, str]]:
        """Return what a link to this view says, the usual left out."""
        where = self.where
        pairs = [(name, getattr(where, name)) for name in FILTERS]
        pairs.append(("due_days", "" if where.due_days is None else str(where.due_days)))
        order = f"{'-' if self.descending else ''}{self.sort}"
        pairs.append(("sort", "" if order == "-probability" else order))
        pairs.append(("page", "" if self.page == 1 else str(self.page)))
        pairs += [("column", name) for name in self.columns]
        pairs += [("as_of", self.as_of), ("since", self.since)]
        return [(name, value) for name, value in pairs if value]

    def link(self, path: str = BOOK, **changes: Any) -> str:
        """Return the link to this view with changes; of the filter, or of the view itself.

        A change of anything but the page leads to the first page.
        """
        where = {name: changes.pop(name) for name in (*FILTERS, "due_days") if name in changes}
        changes.setdefault("page", 1)
        view = replace(self, where=replace(self.where, **where), **changes)
        pairs = view.pairs()
        return f"{path}?{urlencode(pairs)}" if pairs else path

    def sorted_by(self, name: str) -> str:
        """Return the link that sorts by a column, the other way round where it does already."""
        down = not self.descending if self.sort == name else name in DESCENDING
        return self.link(sort=name, descending=down)


def allowed(where: BookFilter, who: Caller | None) -> BookFilter:
    """Return a filter that leaves in only what somebody may see."""
    if who is None or not who.limited:
        return where
    owner, segment = who.owner, who.segment
    return replace(where, owner=owner or where.owner, segment=segment or where.segment)


def account_link(account: str, **further: str) -> str:
    """Return the link to an account's page.

    >>> account_link("a/b&c", since="2025-06-01")
    '/app/account?id=a%2Fb%26c&since=2025-06-01'
    """
    pairs = {"id": account, **{name: value for name, value in further.items() if value}}
    return f"{ACCOUNT}?{urlencode(pairs)}"


def chosen_run(runs: Sequence[StoredRun], key: str) -> StoredRun:
    """Return the run that a link names, the latest where it names none.

    Raises:
        MissingPageError: If there is none.
    """
    if not runs:
        raise NotScoredError("Run `tenure score CONFIG --out scores.csv` first.")
    if not key:
        return runs[-1]
    by_key: Mapping[str, StoredRun] = {moment_key(run): run for run in runs}
    if key not in by_key:
        raise MissingPageError(f"There is no run of {key}. Choose one of the runs in the list.")
    return by_key[key]


def run_before(runs: Sequence[StoredRun], run: StoredRun, key: str) -> StoredRun | None:
    """Return the run that a run is compared with: the one named, else the one before.

    Raises:
        MissingPageError: If the one named does not exist.
    """
    if key:
        return chosen_run(runs, key)
    earlier = [item for item in runs if item.as_of < run.as_of]
    return earlier[-1] if earlier else None


def _text(value: str) -> str:
    return value.replace("\0", "")[:LONGEST_VALUE]
