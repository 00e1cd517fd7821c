"""A link says everything about a view, and nothing that a stranger writes into it breaks it."""

from __future__ import annotations

from urllib.parse import urlsplit

from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from tenure.score.store.book import SORTS
from tenure.score.store.book_records import BookFilter
from tenure.service.pages.columns import BY_NAME
from tenure.service.pages.views import BookView

WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
FILTERS = st.builds(
    BookFilter,
    owner=WORDS,
    segment=WORDS,
    plan=WORDS,
    band=st.sampled_from(["", "high", "medium", "low"]),
    search=WORDS,
    reason=WORDS,
    due_days=st.none() | st.integers(0, 9999),
)
VIEWS = st.builds(
    BookView,
    where=FILTERS,
    sort=st.sampled_from(SORTS),
    descending=st.booleans(),
    page=st.integers(1, 99_999),
    columns=st.lists(st.sampled_from(sorted(BY_NAME)), unique=True).map(tuple),
    as_of=st.sampled_from(["", "2026-01-01"]),
    since=st.sampled_from(["", "2025-12-01"]),
)


@given(VIEWS)
def test_a_view_is_read_back_from_its_link(view: BookView) -> None:
    link = view.link(page=view.page)
    assert BookView.of(QueryParams(urlsplit(link).query)) == view


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [*BookFilter.__annotations__, "sort", "page", "column", "as_of", "since"]
            ),
            st.text(max_size=400),
        )
    )
)
def test_whatever_a_link_says_it_is_a_view(pairs: list[tuple[str, str]]) -> None:
    view = BookView.of(QueryParams(pairs))
    assert view.sort in SORTS
    assert view.page >= 1
    assert "\0" not in view.where.search
    assert view.where.accounts == ()
    view.link()


def test_a_column_sorts_down_first_and_then_up() -> None:
    view = BookView.of(QueryParams(BookView().sorted_by("mrr").partition("?")[2]))
    assert (view.sort, view.descending) == ("mrr", True)
    again = BookView.of(QueryParams(view.sorted_by("mrr").partition("?")[2]))
    assert (again.sort, again.descending) == ("mrr", False)
    assert "sort=account" in BookView().sorted_by("account")
    assert "page" not in BookView(page=4).link(owner="Ada")
