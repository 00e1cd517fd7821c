"""The book of a run against the flat rows: every filter, order, page, total and change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

from score.small_world import World
from score.store.conftest import Databases, Files, copied_store
from score.store.moved import moved, named
from tenure.score.scored import Scored
from tenure.score.store.book import SORTS, Books
from tenure.score.store.book_records import BookFilter, BookQuery, added, nearest
from tenure.score.store.store import ScoreStore, StoredRun
from tenure.score.store.write import ScoringRun

COLUMNS = {
    "account": "name",
    "band": "risk_band",
    "probability": "churn_probability",
    "amount_at_risk": "mrr_at_risk",
    "expected_amount": "expected_expansion_mrr",
    "reason": "reason_label",
    "change": "change",
    "move": "move",
}
"""Name of an order → column of the flat rows, where they differ."""


@pytest.fixture(scope="module")
def books(
    databases: Files | Databases, empty_url: str, world: World, run: ScoringRun, slim: Scored
) -> Iterator[Books]:
    """The book of the scores, and one of a month before with other probabilities."""
    with copied_store(databases, empty_url, world.config) as store:
        store.add(replace(run, as_of=run.as_of - timedelta(days=31)), moved(slim))
        store.add(run, named(slim))
        yield Books(store, "90")


@pytest.fixture(scope="module")
def flat(scored: Scored) -> pd.DataFrame:
    """The flat rows of the main horizon, with their change, by account."""
    main, before = (
        item.rows[item.rows["horizon_days"] == 90].drop_duplicates("account_id")
        for item in (named(scored), moved(scored))
    )
    rows = main.set_index("account_id")
    change = rows["churn_probability"] - before.set_index("account_id")["churn_probability"]
    rows = rows.assign(change=change, move=change.abs(), notice_by=None)
    places = [first_reason(row) for _, row in rows.iterrows()]
    for part in ("code", "label", "sentence"):
        own = [
            row[f"driver_{at}_{part}"] for (_, row), at in zip(rows.iterrows(), places, strict=True)
        ]
        rows[f"reason_{part}"] = own
    return rows


def first_reason(row: pd.Series[Any]) -> int:
    """Number of the strongest driver that raises the risk, a lever if any; else of the first."""
    known = [at for at in range(1, 6) if not pd.isna(row[f"driver_{at}_code"])]
    raising = [at for at in known if row[f"driver_{at}_contribution"] > 0]
    levers = [at for at in raising if row[f"driver_{at}_lever"]]
    return (levers or raising or [1])[0]


def both(books: Books) -> tuple[StoredRun, StoredRun]:
    earlier, last = books.store.runs()
    return earlier, last


def ids(books: Books, where: BookFilter, **query: Any) -> list[str]:
    earlier, last = both(books)
    wanted = BookQuery(where, since=earlier, **{"limit": None, **query})
    return [row.account_id for row in books.rows(last, wanted)]


def test_it_is_sorted_by_any_column(books: Books, flat: pd.DataFrame) -> None:
    for sort, descending in product(SORTS, (False, True)):
        wanted = in_order(flat, sort, descending)
        assert ids(books, BookFilter(), sort=sort, descending=descending) == wanted, sort


def in_order(flat: pd.DataFrame, sort: str, descending: bool) -> list[str]:
    """Ids by a column, those without a value last, ties by id."""
    table = flat.reset_index()
    key = table[COLUMNS.get(sort, sort)]
    if sort == "band":
        key = key.map({"high": 3, "medium": 2, "low": 1})
    elif sort == "account":
        key = key.fillna(table["account_id"])
    if sort in {"account", "owner", "segment", "plan"}:
        key = key.astype("object").where(key.notna(), None).map(lambda x: x and x.lower())
    table = table.assign(key=key).sort_values("account_id")
    table = table.sort_values("key", ascending=not descending, kind="stable", na_position="last")
    return list(table["account_id"])


def test_pages_follow_each_other(books: Books) -> None:
    whole = ids(books, BookFilter())
    parts = [ids(books, BookFilter(), offset=at, limit=7) for at in range(0, len(whole), 7)]
    assert [name for part in parts for name in part] == whole
    assert books.count(both(books)[1], BookFilter()) == len(whole)


def test_a_row_says_what_the_flat_row_says(books: Books, flat: pd.DataFrame) -> None:
    earlier, last = both(books)
    rows = books.rows(last, BookQuery(since=earlier, limit=None))
    names = {
        **{name: name for name in ("name", "owner", "segment", "plan", "mrr", "currency")},
        "probability": "churn_probability",
        "lo": "churn_probability_lo",
        "hi": "churn_probability_hi",
        "rank": "churn_rank",
        "band": "risk_band",
        "amount_at_risk": "mrr_at_risk",
        "renews_at": "renews_at",
        "change": "change",
        "abstain_reason": "abstain_reason",
        "expected_amount": "expected_expansion_mrr",
        "expansion_probability": "expansion_probability",
    }
    for row in rows:
        wanted = flat.loc[row.account_id]
        for name, column in names.items():
            value, other = getattr(row, name), wanted[column]
            assert (value is None) == pd.isna(other), name
            if value is not None:
                assert value == (pytest.approx(other) if name == "change" else other), name
        sentence = row.driver and row.driver["sentence"]
        assert sentence == (None if pd.isna(wanted["reason_code"]) else wanted["reason_sentence"])


def test_it_is_filtered(books: Books, flat: pd.DataFrame, run: ScoringRun) -> None:
    one = flat[flat["churn_probability"].notna() & flat["name"].notna()].iloc[0]
    due = flat["renews_at"].between(run.as_of, run.as_of + timedelta(days=60), inclusive="left")
    due &= flat["abstain_reason"] != "notice_given"
    cases = {
        BookFilter(owner=one["owner"]): flat["owner"] == one["owner"],
        BookFilter(segment=one["segment"]): flat["segment"] == one["segment"],
        BookFilter(plan=one["plan"]): flat["plan"] == one["plan"],
        BookFilter(band="medium"): flat["risk_band"] == "medium",
        BookFilter(reason=one["reason_code"]): flat["reason_code"] == one["reason_code"],
        BookFilter(search=one["name"][1:].upper()): flat["name"]
        .fillna("")
        .str.contains(one["name"][1:], regex=False),
        BookFilter(search=str(one.name)): flat.index == one.name,
        BookFilter(search="%"): np.zeros(len(flat), dtype=bool),
        BookFilter(search="';--"): np.zeros(len(flat), dtype=bool),
        BookFilter(due_days=60): due,
        BookFilter(accounts=(str(one.name), "nobody")): flat.index == one.name,
    }
    for where, mask in cases.items():
        assert sorted(ids(books, where)) == sorted(flat.index[mask]), where
        assert books.count(both(books)[1], where) == mask.sum()
    joint = BookFilter(owner=one["owner"], band=one["risk_band"])
    wanted = flat[(flat["owner"] == one["owner"]) & (flat["risk_band"] == one["risk_band"])]
    assert sorted(ids(books, joint)) == sorted(wanted.index)


def test_totals_add_up(books: Books, flat: pd.DataFrame, run: ScoringRun) -> None:
    totals = books.totals(both(books)[1], BookFilter())
    high = flat["risk_band"] == "high"
    due = flat["renews_at"].between(run.as_of, run.as_of + timedelta(days=90), inclusive="left")
    due &= flat["abstain_reason"] != "notice_given"
    assert added(totals).accounts == len(flat)
    for total in totals:
        same = flat["currency"] == total.currency if total.currency else flat["currency"].isna()
        for name, mask in {"high": high, "due": due, "high_due": high & due}.items():
            part = flat[same & mask]
            assert getattr(total, name) == len(part)
            assert getattr(total, f"{name}_mrr") == pytest.approx(part["mrr"].sum())
        assert total.mrr == pytest.approx(flat.loc[same, "mrr"].sum())
        assert total.amount_at_risk == pytest.approx(flat.loc[same, "mrr_at_risk"].sum())


def test_choices_count_the_accounts(books: Books, flat: pd.DataFrame) -> None:
    choices = books.choices(both(books)[1])
    assert choices.owners == flat["owner"].value_counts().to_dict()
    assert choices.segments == flat["segment"].value_counts().to_dict()
    reasons = {code: n for (code, _), n in choices.reasons.items()}
    assert reasons == flat["reason_code"].value_counts().to_dict()


def test_the_run_nearest_to_a_month_before(books: Books) -> None:
    last = both(books)[1]
    days = (60, 29, 33, 3, 0)
    runs = [replace(last, as_of=last.as_of - timedelta(days=n), number=n) for n in days]
    near = nearest(runs, last)
    assert near is not None
    assert near.number == 29
    assert nearest([last], last) is None


def test_an_unfinished_or_foreign_run_is_no_book(books: Books) -> None:
    other = Books(ScoreStore(books.store.engine, "other"), "90")
    assert other.store.runs() == []
    assert books.rows(both(books)[1], BookQuery(limit=None)) != []
    assert Books(books.store, "7").rows(both(books)[1]) == []
    assert datetime(2000, 1, 1) < both(books)[1].as_of
