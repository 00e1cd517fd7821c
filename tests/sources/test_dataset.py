"""The content of a dataset does not depend on the order of rows, threads or the way in."""

from __future__ import annotations

import json
import random
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.conftest import Load
from tenure.core.config import Config, make_config
from tenure.core.errors import DataError
from tenure.engine import Engine, open_engine
from tenure.sources.dataset import write_rejects
from tenure.sources.load import load, load_frames
from worlds import TINY_UNTIL, random_world, tiny_world, write_world

UNTIL = datetime(2022, 11, 15, 13)
CONFIG = make_config({"data": {"path": "."}}, base=Path())


def shuffled(world: dict[str, pa.Table], seed: int) -> dict[str, pa.Table]:
    dice = random.Random(seed)
    return {
        name: table.take(pa.array(dice.sample(range(table.num_rows), table.num_rows), pa.int64()))
        for name, table in world.items()
    }


@settings(max_examples=3)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_rows_does_not_matter(engine: Engine, seed: int) -> None:
    world = random_world(seed, accounts=6)
    first = load_frames(world, CONFIG, engine, observed_until=UNTIL)
    mark, counts = first.fingerprint, first.report
    again = load_frames(shuffled(world, seed), CONFIG, engine, observed_until=UNTIL)
    assert again.fingerprint == mark
    assert again.report == counts


def test_files_and_frames_give_the_same_tables(engine: Engine, tmp_path: Path) -> None:
    world = tiny_world()
    # A column of a file that has no value in any row counts as absent.
    without = world | {"touchpoints": world["touchpoints"].drop_columns("note")}
    frames = load_frames(without, CONFIG, engine, observed_until=TINY_UNTIL).fingerprint
    config = make_config(
        {"data": {"path": str(write_world(world, tmp_path)), "observed_until": TINY_UNTIL}},
        base=tmp_path,
    )
    marks = set()
    for threads in (1, 2):
        settings = config.engine.model_copy(update={"threads": threads})
        reader = open_engine(config.model_copy(update={"engine": settings}))
        dataset = load(config, reader)
        marks.add(dataset.fingerprint)
        reader.close()
    assert marks == {frames}


def test_text_and_types_give_the_same_tables(engine: Engine) -> None:
    world = {name: tiny_world()[name] for name in ("accounts", "subscriptions", "tickets")}
    typed = load_frames(world, CONFIG, engine, observed_until=TINY_UNTIL).fingerprint
    text = {
        name: pa.table({column: _text(table[column]) for column in table.column_names})
        for name, table in world.items()
    }
    assert load_frames(text, CONFIG, engine, observed_until=TINY_UNTIL).fingerprint == typed


def _text(column: pa.ChunkedArray) -> pa.Array:
    values = [None if value is None else value for value in column.to_pylist()]
    return pa.array(
        [value.isoformat() if isinstance(value, datetime) else None if value is None else str(value)
         for value in values],
        pa.string(),
    )  # fmt: skip


def test_the_fingerprint_sees_every_value(engine: Engine) -> None:
    world = tiny_world()
    marks = {load_frames(world, CONFIG, engine, observed_until=TINY_UNTIL).fingerprint}
    amounts = world["invoices"]["amount"].to_pylist()
    amounts[7] += 0.01
    place = world["invoices"].schema.get_field_index("amount")
    changed = world["invoices"].set_column(place, "amount", pa.array(amounts))
    for other in (
        world | {"invoices": changed},
        world | {"invoices": world["invoices"].slice(1)},
        {name: table for name, table in world.items() if name != "touchpoints"},
    ):
        marks.add(load_frames(other, CONFIG, engine, observed_until=TINY_UNTIL).fingerprint)
    later = datetime(2024, 4, 2)
    marks.add(load_frames(world, CONFIG, engine, observed_until=later).fingerprint)
    assert len(marks) == 5


def test_frames_may_be_empty_and_must_have_their_columns(engine: Engine) -> None:
    world = {name: table.slice(0, 0) for name, table in tiny_world().items()}
    dataset = load_frames(world, CONFIG, engine, observed_until=TINY_UNTIL)
    assert dataset.has("tickets", "csat_score")
    assert dataset.engine.fetch("SELECT * FROM tickets").num_rows == 0
    with pytest.raises(DataError) as caught:
        load_frames({"accounts": pa.table({"id": ["a"]}), "ticket": pa.table({})}, CONFIG, engine,
                    observed_until=TINY_UNTIL)  # fmt: skip
    text = str(caught.value)
    assert "table ticket: is not a table of the contract → did you mean `tickets`?" in text
    assert "subscriptions: the table is required" in text
    assert "accounts.account_id: the required column is missing" in text


def test_tables_of_an_earlier_load_are_gone(engine: Engine) -> None:
    world = tiny_world()
    load_frames(world, CONFIG, engine, observed_until=TINY_UNTIL)
    fewer = {name: world[name] for name in ("accounts", "subscriptions")}
    dataset = load_frames(fewer, CONFIG, engine, observed_until=TINY_UNTIL)
    assert not dataset.has("tickets")
    with pytest.raises(DataError):
        engine.fetch("SELECT * FROM tickets")


def test_rejects_are_written_with_their_reason(read: Load, folder: Path, tmp_path: Path) -> None:
    (folder / "tickets.csv").write_text(
        "ticket_id,account_id,opened_at,priority\n"
        "t1,a,2023-05-01,low\nt1,a,2023-05-02,high\nt2,x,2023-05-01,low\n"
        + "".join(f"u{number},a,2023-05-01,low\n" for number in range(30))
        + "t3,a,03/04/2023,low\n"
    )
    out = tmp_path / "rejects"
    out.mkdir()
    (out / "subscriptions.parquet").write_bytes(b"of an earlier run")
    written = write_rejects(read(), out)
    assert written == {"tickets": out / "tickets.parquet"}
    assert [path.name for path in out.iterdir()] == ["tickets.parquet"]
    found = pq.read_table(written["tickets"]).to_pylist()
    assert [(row["reason"], row["rule"]) for row in found] == [
        ("unknown_account", "account_id must stand in the accounts table"),
        ("unread_opened_at", "opened_at could not be read"),
        ("duplicate_key", "ticket_id must be unique; the first known is kept"),
    ]
    assert json.loads(found[1]["row"]) == {
        "ticket_id": "t3", "account_id": "a", "opened_at": "03/04/2023", "priority": "low"
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(2))
def test_what_is_learnt_later_never_decides_between_duplicates(engine: Engine, seed: int) -> None:
    """Of two rows of one key, known at the same time, the same one is kept at any moment."""
    world = random_world(seed, accounts=20)
    tickets = world["tickets"].to_pylist()
    twins = [row | {"resolved_at": datetime(2023, 2, 1), "csat_at": None, "csat_score": None}
             for row in tickets if row["opened_at"]]  # fmt: skip
    both = pa.Table.from_pylist(tickets + twins, schema=world["tickets"].schema)
    kept = []
    for until in (datetime(2022, 8, 1), datetime(2023, 3, 1)):
        dataset = load_frames(world | {"tickets": both}, CONFIG, engine, observed_until=until)
        known = (
            "SELECT ticket_id, opened_at, account_id, CASE WHEN resolved_at__known < "
            "TIMESTAMP '2022-08-01' THEN resolved_at END AS resolved_at FROM tickets "
            "WHERE known_at < TIMESTAMP '2022-08-01' ORDER BY ALL"
        )
        kept.append(dataset.engine.fetch(known).to_pylist())
    assert kept[0] == kept[1]


def test_a_dataset_says_what_it_has(engine: Engine) -> None:
    config: Config = CONFIG
    dataset = load_frames(tiny_world(), config, engine, observed_until=TINY_UNTIL)
    assert dataset.has("tickets")
    assert dataset.has("tickets", "resolved_at", "csat_score")
    assert not dataset.has("tickets", "merged_at")
    assert not dataset.has("fx_rates")
