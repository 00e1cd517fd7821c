"""Until when contracts can be ended, by what was known before a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tenure.core.config import make_config
from tenure.engine import open_engine
from tenure.sources.load import load_frames
from tenure.success.renewals import opt_out_deadlines
from worlds import SCHEMAS

CONFIG = make_config({"data": {"path": "."}}, base=Path())
START, UNTIL = datetime(2024, 5, 10), datetime(2025, 6, 1)


@pytest.fixture(scope="module")
def engine() -> Iterator[Any]:
    opened = open_engine(CONFIG)
    yield opened
    opened.close()


def contract(name: str, **other: Any) -> dict[str, Any]:
    row = {"account_id": name, "subscription_id": name, "started_at": START, "mrr": 10.0}
    return row | {"billing_period": "12m", "known_at": START} | other


def load(engine: Any, rows: list[dict[str, Any]]) -> Any:
    names = sorted({row["account_id"] for row in rows})
    accounts = [{"account_id": name, "created_at": START} for name in names]
    schema = SCHEMAS["subscriptions"] | {
        "notice_period_days": pa.int64(),
        "known_at": pa.timestamp("us"),
    }
    frames = {
        "accounts": pa.Table.from_pylist(accounts),
        "subscriptions": pa.Table.from_pylist(rows, schema=pa.schema(list(schema.items()))),
    }
    return load_frames(frames, CONFIG, engine, observed_until=UNTIL)


def test_deadlines_are_of_running_contracts_by_what_was_known(engine: Any) -> None:
    rows = [
        contract("own", notice_period_days=90),
        contract("default"),
        contract("noticed", notice_at=datetime(2025, 1, 20)),
        contract("later", notice_at=datetime(2025, 2, 20)),
        contract("ended", ended_at=datetime(2025, 1, 15)),
        contract("ends", ended_at=datetime(2025, 2, 15)),
        contract("unknown", known_at=datetime(2025, 3, 1)),
        contract("evergreen", billing_period=None),
        contract("own-term", renews_at=datetime(2025, 3, 10), billing_period=None),
    ]
    dataset = load(engine, rows)
    table = opt_out_deadlines(dataset, datetime(2025, 2, 1), 60).set_index("account_id")
    assert list(table.index) == ["own-term", "own", "default", "ends", "later"]
    assert table["opt_out_at"].dt.date.astype(str).to_dict() == {
        "own-term": "2025-01-09",  # past, and still on the list
        "own": "2025-02-09",
        "default": "2025-03-11",
        "ends": "2025-03-11",
        "later": "2025-03-11",
    }
    assert table.loc["own", "notice_period_days"] == 90
    assert set(table["renews_at"].dt.year) == {2025}
    later = opt_out_deadlines(dataset, datetime(2025, 3, 2), 60)
    assert set(later["account_id"]) == {"own-term", "own", "default", "unknown"}


def test_without_a_default_only_contracts_with_their_own_have_a_deadline(engine: Any) -> None:
    dataset = load(engine, [contract("own", notice_period_days=90), contract("default")])
    table = opt_out_deadlines(dataset, datetime(2025, 2, 1), None)
    assert list(table["account_id"]) == ["own"]
