"""One account in the round: worked by hand, and blind to what lies at or after its time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from success.stored_book import Stored, add_stored
from tenure.core.config import Config, make_config
from tenure.core.records.account import AccountRecord
from tenure.engine.duckdb import DuckDBEngine
from tenure.report.account import whole_account_lines
from tenure.score.store.lists import ListStore
from tenure.sources.contract import SOURCES
from tenure.sources.dataset import Dataset
from tenure.sources.load import load_frames
from tenure.success.account.whole import whole_account
from worlds import TINY_UNTIL, random_world, tiny_world

AS_OF = datetime(2023, 6, 1)
UNTIL = datetime(2023, 3, 1)
TREND = timedelta(days=90)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    root = tmp_path_factory.mktemp("account")
    settings = {"name": "tiny", "data": {"path": "."}, "metrics": {"notice_period_days": 30}}
    parts = [{"weight": 3, "measure": "retention"}, {"weight": 1, "measure": "nps"}]
    settings |= {"success": {"health": parts}}
    return make_config(settings | {"paths": {"runs": str(root)}}, base=root)


@pytest.fixture(scope="module")
def store(config: Config) -> Iterator[ListStore]:
    """Runs of the first of April, May and July 2023."""
    with ListStore.open(config) as opened:
        for month, risk in ((4, 0.31), (5, 0.26), (7, 0.9)):
            book = {"a02": Stored(churn=risk, expansion=0.1), "a03": Stored(notice=True)}
            add_stored(opened, datetime(2023, month, 1), book)
        yield opened


@pytest.fixture(scope="module")
def tiny(config: Config) -> Iterator[Dataset]:
    engine = DuckDBEngine(threads=1)
    yield load_frames(tiny_world(), config, engine, observed_until=TINY_UNTIL)
    engine.close()


def at(
    dataset: Dataset, config: Config, store: ListStore, account: str, as_of: datetime
) -> AccountRecord:
    return whole_account(config, dataset, store, account, (as_of, as_of - TREND))


def test_an_account_by_hand(tiny: Dataset, config: Config, store: ListStore) -> None:
    """a02 pays 105 until its expansion on the first of June 2023."""
    record = at(tiny, config, store, "a02", AS_OF)
    assert (record.segment, record.standing, record.paying) == ("enterprise", "pays", True)
    assert (record.mrr, record.currency, record.seats) == (105, "USD", 10)
    running = [one for one in record.contracts if one.running]
    assert [(one.mrr, one.started_at) for one in running] == [(105, "2022-10-01")]
    assert (record.renews_at, record.notice_by) == ("2023-06-01", "2023-05-02")
    assert [one.invoice_id for one in record.unpaid_invoices] == []
    assert record.usage is not None
    assert (record.usage.events_28d, len(record.usage.weeks)) == (3, 12)
    assert sum(week.events for week in record.usage.weeks) == 11
    assert record.usage.last_at == "2023-05-24T13:00:00Z"
    kinds = {entry.kind for entry in record.timeline}
    assert kinds == {"invoice", "ticket", "touchpoint"}
    assert record.missing == {}
    after = at(tiny, config, store, "a02", AS_OF + timedelta(days=1))
    assert after.mrr == 200
    assert after.timeline[0].text == "MRR 105.00 USD → 200.00 USD, seats 10 → 20"
    assert [one.ended_at for one in after.contracts] == [None, "2023-06-01", "2022-10-01"]


def test_scores_are_those_of_the_latest_run_up_to_then(
    tiny: Dataset, config: Config, store: ListStore
) -> None:
    record = at(tiny, config, store, "a02", AS_OF)
    assert record.scores is not None
    assert record.scores.as_of == "2023-05-01"
    churn, expansion = record.scores.scores
    assert (churn.target, churn.probability, churn.horizon) == ("churn", 0.26, "90")
    assert churn.change == pytest.approx(-0.05)
    assert (churn.band, churn.band_since) == ("high", "2023-04-01"), "within the margin of `high`"
    assert churn.amount_at_risk == 26
    assert [driver["code"] for driver in churn.drivers] == ["silence"]
    assert (expansion.expected_amount, expansion.change) == (10, 0)
    assert record.scorecards is not None
    measures = {item.name: item for card in record.scorecards.cards for item in card.measures}
    assert measures["retention"].score == pytest.approx(74)
    before = at(tiny, config, store, "a02", datetime(2023, 3, 31))
    assert before.scores is None
    assert "tenure score CONFIG --as-of 2023-03-31" in before.missing["scores"]


def test_who_gave_notice_who_left_and_who_pauses(
    tiny: Dataset, config: Config, store: ListStore
) -> None:
    notice = at(tiny, config, store, "a03", AS_OF)
    assert (notice.standing, notice.notice_given) == ("gave notice, ends 2023-06-05", True)
    assert (notice.notice_by, notice.renews_at) == (None, "2023-06-05")
    assert notice.scores is not None
    assert notice.scores.scores[0].abstain_reason == "notice_given"
    left = at(tiny, config, store, "a04", datetime(2023, 12, 1))
    assert (left.standing, left.paying, left.mrr) == (
        "has left: it paid until 2023-09-15",
        False,
        None,
    )
    assert left.missing["scorecards"] == "it does not pay"
    assert left.timeline[-1].at >= "2023-09-02"
    assert "stopped paying 80.00 USD a month for pro (involuntary)" in [
        entry.text for entry in left.timeline
    ]
    trial = at(tiny, config, store, "a05", datetime(2022, 4, 1))
    assert trial.standing == "has not paid yet"


def test_it_reads_on_one_screen(tiny: Dataset, config: Config, store: ListStore) -> None:
    record = at(tiny, config, store, "a02", AS_OF)
    lines = whole_account_lines(record)
    assert len(lines) <= 40
    text = "\n".join(lines)
    assert text.startswith("a02 as of 2023-06-01: pays\n")
    assert "churn (90 days): 26% [13% to 52%], base rate 10%, −5.0 points since" in text
    assert "band high since 2023-04-01\n  + Silence of 5" in text
    health = "weighted health 74 of 100, 75% of it has data; the model’s band is high"
    assert f"\n  {health}\n" in text
    assert "nan" not in text.lower()
    assert AccountRecord.from_json(record.to_json()) == record


def test_other_accounts_do_not_matter(tiny: Dataset, config: Config, store: ListStore) -> None:
    world = tiny_world()
    alone = {
        name: table.filter(pc.equal(table["account_id"], "a02")) for name, table in world.items()
    }
    engine = DuckDBEngine(threads=1)
    dataset = load_frames(alone, config, engine, observed_until=TINY_UNTIL)
    assert at(dataset, config, store, "a02", AS_OF).to_json() == {
        **at(tiny, config, store, "a02", AS_OF).to_json()
    }
    engine.close()


def cut(dataset: Dataset, as_of: datetime) -> Dataset:
    """Return the tables without what happened or became known at or after a time."""
    engine = DuckDBEngine(threads=1)
    for name in dataset.columns:
        table = dataset.engine.fetch(f"SELECT * FROM {name}")
        rows = [_cut_row(row, name, as_of) for row in table.to_pylist()]
        known = [row for row in rows if max(row["event_time"], row["known_at"]) < as_of]
        engine.register(name, pa.Table.from_pylist(known, schema=table.schema))
    return replace(dataset, engine=engine)


def _cut_row(row: dict[str, Any], table: str, as_of: datetime) -> dict[str, Any]:
    values = dict(row)
    for column, clock in SOURCES[table].late.items():
        moments = [row.get(clock), row.get(f"{clock}__known")]
        if column in row and not all(moment and moment < as_of for moment in moments):
            values[column] = None
    for clock in SOURCES[table].clocks:
        if f"{clock}__known" in row and values.get(clock) is None:
            values[f"{clock}__known"] = None
    successor = row.get("successor_known")
    return values | ({"successor_known": None} if successor and successor >= as_of else {})


@pytest.mark.parametrize(
    "as_of", [datetime(2022, 9, 1), datetime(2022, 11, 16, 12), datetime(2023, 2, 1)]
)
def test_nothing_at_or_after_its_time_shows(
    config: Config, store: ListStore, as_of: datetime
) -> None:
    world = random_world(5, accounts=7)
    with ExitStack() as engines:
        engine = engines.enter_context(closing(DuckDBEngine(threads=1)))
        whole = load_frames(world, config, engine, observed_until=UNTIL)
        blind = cut(whole, as_of)
        engines.enter_context(closing(blind.engine))
        ids = "SELECT DISTINCT account_id FROM accounts WHERE greatest(event_time, known_at) < "
        names = engine.fetch(f"{ids} TIMESTAMP '{as_of}'").column("account_id").to_pylist()
        assert len(names) >= 5
        records = [at(whole, config, store, name, as_of) for name in sorted(names)]
        assert records == [at(blind, config, store, name, as_of) for name in sorted(names)]
    times = [entry.at for record in records for entry in record.timeline]
    assert len(times) > 10
    assert max(times) < as_of.isoformat()
