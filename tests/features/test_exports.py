"""Features of exports as they are: vendors' priorities, due days, amounts in several currencies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest

from tenure.core.config import make_config
from tenure.engine import Engine, open_engine
from tenure.features.compute.matrix import build
from tenure.features.families import FAMILIES
from tenure.features.plan.plan import resolve_plan
from tenure.sources.load import load

AS_OF = datetime(2023, 7, 1)
Features = Callable[[], pd.DataFrame]


def write(folder: Path, name: str, head: str, *lines: str) -> None:
    (folder / f"{name}.csv").write_text(f"{head}\n" + "\n".join(lines) + "\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, "accounts", "account_id,created_at", *(f"{name},2023-01-01" for name in "abc"))
    starts = (f"{name},2023-01-05,100" for name in "abc")
    write(tmp_path, "subscriptions", "account_id,started_at,mrr", *starts)
    return tmp_path


@pytest.fixture
def features(folder: Path) -> Iterator[Features]:
    """Return the features of all accounts at `AS_OF`, by account."""
    engines: list[Engine] = []

    def run() -> pd.DataFrame:
        data = {"path": str(folder), "observed_until": "2023-07-02"}
        config = make_config({"data": data}, base=folder)
        engines.append(open_engine(config))
        dataset = load(config, engines[-1])
        plan = resolve_plan(FAMILIES.values(), dataset.columns)
        rows = pd.DataFrame({"account_id": [*"abc"], "as_of": AS_OF})
        rows = rows.astype({"as_of": "datetime64[us]"})
        return build(engines[-1], rows, plan).values.set_index(pd.Index([*"abc"]))

    yield run
    for engine in engines:
        engine.close()


def test_urgent_tickets_are_counted_in_the_words_of_vendors(
    features: Features, folder: Path
) -> None:
    words = {"a": ("P1 - Critical", "Highest", "Low"), "b": ("P0", "Sev 1", "3 - Moderate")}
    lines = [
        f"{account}{place},{account},2023-06-{20 + place} 10:00,{word}"
        for account, priorities in words.items()
        for place, word in enumerate(priorities)
    ]
    first = "t0,c,2023-01-10,Normal"
    write(folder, "tickets", "ticket_id,account_id,opened_at,priority", first, *lines)
    urgent = features()["tickets_urgent_28d"]
    assert urgent.fillna(0).tolist() == [2, 2, 0]


def test_without_a_known_priority_urgency_is_absent(features: Features, folder: Path) -> None:
    lines = [f"t{place},a,2023-06-2{place},{word}" for place, word in enumerate(("gold", "1"))]
    write(folder, "tickets", "ticket_id,account_id,opened_at,priority", *lines)
    columns = features().columns
    assert "tickets_28d" in columns
    assert not [name for name in columns if "urgent" in name]


@pytest.mark.parametrize(
    ("due", "paid", "late"),
    [
        ("2023-05-31", "2023-05-31", 0),
        ("2023-05-31", "2023-05-31 17:30", 0),
        ("2023-05-31", "2023-06-01", 1),
        ("2023-05-31", "2023-06-01 09:00", 1),
        ("2023-05-31 12:00", "2023-05-31 12:00", 0),
        ("2023-05-31 12:00", "2023-05-31 17:30", 1),
        ("2023-05-31", "", 0),
    ],
)
def test_a_payment_on_its_due_day_is_not_late(
    features: Features, folder: Path, due: str, paid: str, late: int
) -> None:
    head = "invoice_id,account_id,issued_at,due_at,paid_at,amount"
    first = "i0,b,2022-12-01,2022-12-28,2022-12-05,5"
    write(folder, "invoices", head, first, f"i,a,2023-05-01,{due},{paid},100")
    frame = features()
    assert frame.loc["a", "invoices_late_91d"] == late
    days = frame["mean_days_late_182d"].fillna(0)
    assert (days["a"] > 0) == bool(late)


def test_amounts_are_converted_where_rates_are_given(features: Features, folder: Path) -> None:
    # Nothing has ended yet: the column is there, and empty.
    lines = ("a,2023-01-05,,100,USD,5", "b,2023-01-10,,18000,JPY,5", "c,2023-02-01,,110,EUR,5")
    write(folder, "subscriptions", "account_id,started_at,ended_at,mrr,currency,seats", *lines)
    head = "invoice_id,account_id,issued_at,amount,currency,paid_at"
    write(
        folder, "invoices", head, "i1,b,2023-05-10,20000,JPY,", "i2,a,2023-05-10,100,USD,2023-06-01"
    )
    raw = features()
    assert raw["mrr"].tolist() == [100, 18_000, 110]
    rates = ("JPY,2023-01-01,0.0067", "EUR,2023-01-01,1.09", "USD,2023-01-01,1")
    write(folder, "fx_rates", "currency,date,rate", *rates, "JPY,2023-06-01,0.5")
    frame = features()
    assert frame["mrr"].tolist() == pytest.approx([100, 120.6, 119.9])
    assert frame["list_mrr"].tolist() == pytest.approx([100, 120.6, 119.9])
    assert frame["price_per_seat"].tolist() == pytest.approx([20, 24.12, 23.98])
    assert frame["unpaid_amount"].fillna(0).tolist() == pytest.approx([0, 134, 0])
    assert frame.loc["b", "unpaid_months"] == pytest.approx(134 / 120.6)
    unmoved = [name for name in frame.columns if name not in raw.columns]
    assert unmoved == []
