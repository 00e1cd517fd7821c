"""Work lists: worked by hand, and over two runs of the same book."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from success.stored_book import Stored, add_stored
from tenure.core.config import Config, make_config
from tenure.core.records.worklist import WorkListRecord
from tenure.core.times import clock, now
from tenure.report.worklist import worklist_lines
from tenure.run.worklist import NEEDS_TABLES, work_lists, worklist_frame
from tenure.score.store.feedback import Override, add_override
from tenure.score.store.lists import ListStore
from tenure.success.worklist.candidates import raising
from tenure.success.worklist.lists import drawn

JUNE, JULY, AUGUST = (datetime(2025, month, 1) for month in (6, 7, 8))


def settings(root: Path, **worklist: Any) -> Config:
    authored = {"name": "book", "data": {"path": "."}, "success": {"worklist": worklist}}
    return make_config(authored | {"paths": {"runs": str(root)}}, base=root)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return settings(tmp_path)


@pytest.fixture
def store(config: Config) -> Iterator[ListStore]:
    with ListStore.open(config) as opened:
        yield opened


def lists(store: ListStore, config: Config, as_of: datetime, **how: Any) -> WorkListRecord:
    run = store.latest(as_of)
    assert run is not None
    return work_lists(store, config, run, store.book(run, "90"), **how)


def on(record: WorkListRecord, name: str = "risk") -> list[str]:
    return [item.account_id for one in record.owners for item in one.items if item.list == name]


def test_a_small_book_by_hand(store: ListStore, config: Config) -> None:
    """Deadlines within 45 days first; then money, each currency in its own order, by turns."""
    soon, late = JUNE + timedelta(days=20), JUNE + timedelta(days=60)
    book = {
        "rich": Stored(churn=0.2, mrr=1000),
        "poor": Stored(churn=0.9, mrr=10),
        "euro": Stored(churn=0.2, mrr=100_000, currency="EUR"),
        "soon": Stored(churn=0.2, mrr=50, notice_by=soon, renews_at=late),
        "gone": Stored(churn=0.9, mrr=5000, notice=True, renews_at=late),
        "other": Stored(churn=0.3, mrr=70, owner=None),
        "grows": Stored(churn=0.05, mrr=40, expansion=0.2),
    }
    add_stored(store, JUNE, book)
    record = lists(store, config, JUNE, capacity=4)
    ann, nobody = record.owners
    assert (ann.owner, ann.accounts, ann.book, ann.capacity) == ("ann", 6, "small", 4)
    assert (nobody.owner, [item.account_id for item in nobody.items]) == (None, ["other"])
    risks = [item for item in ann.items if item.list == "risk"]
    assert [item.account_id for item in risks] == ["soon", "rich", "euro", "poor"]
    assert ann.left_off["risk"].no_room == 1, "`grows`, which any small book may list"
    assert [item.amount for item in risks] == pytest.approx([10, 200, 20_000, 9])
    assert risks[0].days_to_notice == 20
    assert risks[0].reasons == (
        "20% to leave within 90 days, 2.0 × the base rate",
        "its contract can be ended until 21 June 2025, in 20 days",
        "Silence of 5",
    )
    assert [loss.account_id for loss in ann.losses] == ["gone"]
    assert on(record, "expansion") == ["grows"]
    lead = ann.items[-1]
    assert (lead.amount, lead.probability) == (pytest.approx(8), pytest.approx(0.2))
    assert lead.reasons[-1] == "Seats of 5"
    usd = next(total for total in record.money if total.currency == "USD")
    assert (usd.mrr, usd.lost) == (6170, 5000)
    assert usd.mrr_at_risk == pytest.approx(200 + 9 + 10 + 21 + 2)
    assert usd.listed_at_risk == pytest.approx(usd.mrr_at_risk - 2)
    assert usd.listed_expansion == pytest.approx(8)
    assert [total.currency for total in record.money] == ["EUR", "USD"]
    assert record.absent == {"advocacy": NEEDS_TABLES}


@pytest.mark.parametrize(
    ("hours", "words"), [(9, "today"), (30, "tomorrow"), (25 * 24 + 15, "in 26 days")]
)
def test_days_left_are_those_of_the_reasons(
    store: ListStore, config: Config, hours: int, words: str
) -> None:
    """The sentence of a renewal date rounds its days, too."""
    ends = JUNE + timedelta(hours=hours)
    add_stored(store, JUNE, {"a": Stored(churn=0.2, notice_by=ends)})
    (item,) = lists(store, config, JUNE).owners[0].items
    assert item.reasons[1].endswith(f" June 2025, {words}")
    assert item.days_to_notice == {"today": 0, "tomorrow": 1}.get(words, 26)


def test_a_large_book_lists_accounts_in_a_band_alone(store: ListStore, tmp_path: Path) -> None:
    book = {f"a{place:02}": Stored(churn=0.09, mrr=100) for place in range(30)}
    add_stored(store, JUNE, book | {"risky": Stored(churn=0.1, mrr=1)})
    (ann,) = lists(store, settings(tmp_path), JUNE).owners
    assert (ann.book, ann.capacity, [item.account_id for item in ann.items]) == (
        "large",
        20,
        ["risky"],
    )
    assert ann.why.endswith(
        "at risk are listed only those in the band medium or high, 20 at most on each list"
    )
    (ann,) = lists(store, settings(tmp_path, book="small", capacity=7), JUNE).owners
    assert (ann.book, len(ann.items)) == ("small", 7)
    assert ann.left_off["risk"].no_room == 24


def test_an_account_comes_back_when_something_new_is_known(
    store: ListStore, config: Config
) -> None:
    deadline = JULY + timedelta(days=80)
    before = {
        "same": Stored(churn=0.2),
        "banded": Stored(churn=0.2),
        "reason": Stored(churn=0.2),
        "order": Stored(churn=0.2, reasons=("silence", "tickets")),
        "fell": Stored(churn=0.5),
        "near": Stored(churn=0.2, notice_by=deadline),
        "grew": Stored(churn=0.01, expansion=0.11),
    }
    add_stored(store, JUNE, before)
    first = lists(store, config, JUNE, capacity=10, remember=True)
    assert len(on(first)) == len(before)
    assert {news for item in first.owners[0].items for news in item.new} == {"never listed before"}
    assert on(lists(store, config, JUNE, capacity=10)) == on(first), "the same list when made again"
    after = before | {
        "banded": Stored(churn=0.4),
        "reason": Stored(churn=0.2, reasons=("tickets", "silence")),
        "order": Stored(churn=0.2, reasons=("tickets", "silence")),
        "fell": Stored(churn=0.2),
        "grew": Stored(churn=0.01, expansion=0.16),
        "fresh": Stored(churn=0.2),
    }
    add_stored(store, JULY, after)
    second = lists(store, config, JULY, capacity=10, remember=True)
    news = {item.account_id: item.new for item in second.owners[0].items if item.list == "risk"}
    assert news == {
        "banded": ("risk band high since 1 July 2025",),
        "reason": ("new reason: Tickets of 5",),
        "fresh": ("never listed before",),
    }
    assert second.owners[0].left_off["risk"].nothing_new == 5
    (lead,) = [item for item in second.owners[0].items if item.list == "expansion"]
    assert lead.new == ("now 3 × the base rate, then 2 ×",)
    add_stored(
        store, AUGUST, {**after, "near": Stored(churn=0.2, notice_by=AUGUST + timedelta(44))}
    )
    third = lists(store, config, AUGUST, capacity=10)
    assert [item.new for item in third.owners[0].items] == [
        ("its opt-out date has come near", "its opt-out date has moved up to 14 September 2025")
    ]


def test_a_hold_out_is_drawn_once_and_keeps_its_arm(store: ListStore, tmp_path: Path) -> None:
    names = [f"a{place:03}" for place in range(60)]
    add_stored(store, JUNE, {name: Stored(churn=0.4) for name in names})
    trial = settings(tmp_path, hold_out=0.3, capacity=100)
    record = lists(store, trial, JUNE, remember=True)
    held = {name for name in names if drawn("book", "risk", name) < 0.3}
    assert 8 < len(held) < 30
    assert set(on(record)) == set(names) - held
    assert record.owners[0].left_off["risk"].held_out == len(held)
    arms = store.arms("risk")
    assert {name for name, arm in arms.items() if arm == "held_out"} == held
    assert set(arms) == set(names)
    add_stored(store, JULY, {name: Stored(churn=0.4, reasons=("tickets",)) for name in names})
    wider = settings(tmp_path, hold_out=0.5, capacity=100)
    assert set(on(lists(store, wider, JULY))) == set(names) - held, "whoever has an arm keeps it"
    open_to_all = settings(tmp_path, capacity=100)
    assert set(on(lists(store, open_to_all, JULY))) == set(names)


def test_a_preview_is_not_remembered(store: ListStore, config: Config) -> None:
    add_stored(store, JUNE, {"a": Stored(churn=0.4)})
    lists(store, config, JUNE)
    assert store.last_listings("risk", JULY) == {}
    lists(store, config, JUNE, remember=True)
    assert list(store.last_listings("risk", JULY)) == ["a"]
    assert store.last_listings("risk", JUNE) == {}, "only lists of before count"


def test_rows_and_lines(store: ListStore, config: Config) -> None:
    book = {"a": Stored(churn=0.4, notice_by=JULY), "b": Stored(notice=True, mrr=7, currency=None)}
    add_stored(store, JUNE, book)
    record = lists(store, config, JUNE)
    (row,) = worklist_frame(record).to_dict("records")
    assert (row["owner"], row["list"], row["account_id"], row["amount"]) == ("ann", "risk", "a", 40)
    assert row["reasons"].endswith("in 30 days; Silence of 5")
    text = "\n".join(worklist_lines(record))
    assert "at risk, contracts that end soon first, then by MRR at risk, currencies in turn" in text
    assert "known losses, not listed: 1 account that gave notice (b)" in text
    assert "USD: MRR 100, at risk 40 of which 40 listed" in text
    assert "no currency: MRR 7, at risk 0 of which 0 listed" in text
    assert "its contract can be ended until 1 July 2025" in text
    assert WorkListRecord.from_json(record.to_json()) == record


def test_a_run_of_one_target_gives_its_list_alone(store: ListStore, config: Config) -> None:
    add_stored(store, JUNE, {"a": Stored(expansion=0.2), "b": Stored(expansion=0.01)})
    record = lists(store, config, JUNE)
    assert on(record, "expansion") == ["a"]
    assert on(record) == []
    assert record.absent["risk"] == "the run has no probabilities of churn"


def test_a_band_that_a_person_set_decides_who_is_listed(store: ListStore, tmp_path: Path) -> None:
    """In a large book: one lifted onto the list, one taken off it, each until its end alone."""
    book = {f"a{place:02}": Stored(churn=0.05, mrr=100) for place in range(27)}
    young = Stored(mrr=5, more={"abstain_reason": "too_new"})
    add_stored(store, JUNE, book | {"risky": Stored(churn=0.3, mrr=900), "young": young})
    config, present = settings(tmp_path), now()
    shared: dict[str, Any] = {"target": "churn", "reason": "They wrote to us", "author": "Ada"}
    bands = {"a05": "high", "a06": "medium", "risky": "low", "young": "high", "a07": "high"}
    for account, band in bands.items():
        at = present - (timedelta(days=20) if account == "a07" else timedelta(hours=1))
        own: dict[str, Any] = {"run_id": f"run {JUNE}", "at": at, "until": at + timedelta(days=9)}
        add_override(store, Override(account_id=account, band=band, **own, **shared))
    record = lists(store, config, JUNE, remember=True)
    items = {item.account_id: item for item in record.owners[0].items if item.list == "risk"}
    assert list(items) == ["a05", "young", "a06"], "those set high first; one override is over"
    assert items["a05"].band == "high"
    assert items["a05"].probability == pytest.approx(0.05), "the model's own number stays"
    assert "high (low by the model) by Ada" in items["a05"].reasons[1]
    assert items["a05"].reasons[1].endswith("They wrote to us")
    assert items["young"].reasons[0] == "no probability"

    add_stored(store, JULY, book | {"risky": Stored(churn=0.3, mrr=900)})
    assert on(lists(store, config, JULY)) == [], "nothing is new of them"
    own = {"run_id": f"run {JULY}", "at": now(), "until": present + timedelta(9)}
    add_override(store, Override(account_id="a06", band="high", **own, **shared))
    (item,) = lists(store, config, JULY).owners[0].items
    assert (item.account_id, item.new) == ("a06", ("put in the band high by Ada",))
    assert on(lists(store, config, JUNE)) == ["risky"], "when July was scored none stood yet"


def test_a_band_that_was_set_this_moment_counts(store: ListStore, config: Config) -> None:
    add_stored(store, JUNE, {"a": Stored(churn=0.05), "b": Stored(churn=0.01)})
    at = clock()
    own: dict[str, Any] = {"run_id": f"run {JUNE}", "at": at, "until": at + timedelta(days=9)}
    why: dict[str, Any] = {"target": "churn", "reason": "They wrote", "author": "Ada"}
    add_override(store, Override(account_id="b", band="high", **own, **why))
    items = [item for one in lists(store, config, JUNE).owners for item in one.items]
    assert {item.account_id: item.band for item in items if item.list == "risk"}["b"] == "high"


def test_reasons_that_a_team_can_act_on_come_first() -> None:
    drivers: list[dict[str, Any]] = [
        {"code": "term", "direction": "raises", "lever": False},
        {"code": "seats", "direction": "lowers", "lever": True},
        {"code": "use", "direction": "raises", "lever": True},
        {"code": "old", "direction": "raises"},
        {"code": "tickets", "direction": "raises", "lever": True},
    ]
    assert [one["code"] for one in raising(drivers)] == ["use", "tickets", "term", "old"]
