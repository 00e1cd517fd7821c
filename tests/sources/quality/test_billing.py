"""What looks wrong in amounts: parts of one key, currencies, annual amounts taken for months."""

from __future__ import annotations

from pathlib import Path

import pytest

from sources.conftest import Load, rows
from tenure.sources.dataset import Dataset


def write(folder: Path, name: str, head: str, *lines: str) -> None:
    (folder / f"{name}.csv").write_text(f"{head}\n" + "\n".join(lines) + "\n")


def red(dataset: Dataset, part: str) -> str:
    return next((text for text in dataset.report.red if part in text), "")


ITEMS = "subscription_id,account_id,started_at,mrr,plan,seats"


def test_items_of_one_subscription_are_no_copies(read: Load, folder: Path) -> None:
    copies = ["s1,a,2023-03-10,100,Base,5"] * 2
    lines = [f"t{n},b,2023-03-10,100,Base,5" for n in range(98)]
    items = ["s2,c,2023-03-10,100,Base,5", "s2,c,2023-03-10,250,Analytics,5"]
    write(folder, "subscriptions", ITEMS, *lines, *copies, *items)
    dataset = read()
    text = red(dataset, "more than once")
    assert text.startswith(
        "subscriptions: 1 key stands more than once with different plan, mrr; mrr 250 is left out"
    )
    assert "`subscription_id: your_id || '-' || your_item_id`" in text
    assert dataset.report.tables["subscriptions"].rejected == {"duplicate_key": 2}


def test_copies_stay_quiet(read: Load, folder: Path) -> None:
    lines = [f"s{n},b,2023-03-10,100,Base," for n in range(98)]
    write(folder, "subscriptions", ITEMS, *lines, *lines[:2])
    dataset = read()
    assert red(dataset, "more than once") == ""
    assert dataset.report.tables["subscriptions"].rejected == {"duplicate_key": 2}


def test_lines_of_one_invoice_are_no_copies(read: Load, folder: Path) -> None:
    head = "invoice_id,account_id,issued_at,amount,paid_at"
    write(folder, "invoices", head, "i1,a,2023-05-01,100,2023-05-09", "i1,a,2023-05-01,20,",
          "i2,a,2023-06-01,100,", "i2,a,2023-06-01,100,2023-06-05")  # fmt: skip
    text = red(read(), "more than once")
    assert text.startswith(
        "invoices: 1 key stands more than once with different amount; amount 100 "
    )


MONEY = "account_id,started_at,mrr,currency"
FOREIGN = ("a,2023-03-10,100,USD", "b,2023-03-10,18000,JPY", "c,2023-03-10,110,EUR")


def test_several_currencies_need_rates(read: Load, folder: Path) -> None:
    write(folder, "subscriptions", MONEY, *FOREIGN)
    text = red(read(), "several currencies")
    assert "EUR 1, JPY 1, USD 1" in text
    assert "Give fx_rates" in text


def test_one_currency_needs_none(read: Load, folder: Path) -> None:
    assert red(read(), "currenc") == ""


RATES = "currency,date,rate"


def rates_of(dataset: Dataset) -> list[float | None]:
    sql = "SELECT exchange_rate FROM subscriptions ORDER BY account_id, started_at"
    return [row["exchange_rate"] for row in rows(dataset, sql)]


def test_the_rate_is_the_last_one_known_when_the_row_became_known(read: Load, folder: Path) -> None:
    more = ("a,2023-05-10,100,EUR", "b,2023-05-10 12:00,100,", "c,2023-01-31,100,EUR")
    write(folder, "subscriptions", MONEY, *FOREIGN, *more)
    write(folder, "fx_rates", RATES, "JPY,2023-01-01,0.0067", "EUR,2023-02-01,1.09",
          "EUR,2023-05-10,1.2", "EUR,2023-05-11,1.3", "JPY,2023-06-01,0.5")  # fmt: skip
    dataset = read()
    # USD has no rate at all: it is one's own. The row of 31 January precedes every rate of EUR.
    assert rates_of(dataset) == [1.0, 1.2, 0.0067, 1.0, None, 1.09]
    text = " ".join(item.text for item in dataset.report.tables["subscriptions"].remarks)
    assert "without a rate that was known at their start (EUR 1)" in text


def test_without_rates_amounts_stay_as_they_are(read: Load, folder: Path) -> None:
    write(folder, "subscriptions", MONEY, *FOREIGN)
    assert rates_of(read()) == [1.0, 1.0, 1.0]


TERMS = "subscription_id,account_id,started_at,ended_at,mrr,billing_period,plan,seats"


@pytest.mark.parametrize(("before", "after"), [(100, 1200), (1200, 100), (50, 594)])
def test_a_price_that_jumps_by_twelve_is_an_annual_amount(
    read: Load, folder: Path, before: int, after: int
) -> None:
    write(folder, "subscriptions", TERMS, f"s,a,2023-03-10,2023-09-10,{before},monthly,Base,",
          f"s,a,2023-09-10,,{after},annual,Base,")  # fmt: skip
    text = red(read(), "twelvefold")
    assert text.startswith("subscriptions: 1 price rises or falls twelvefold")
    assert "`mrr: amount / 12`" in text


def test_a_price_that_grows_with_its_seats_is_none(read: Load, folder: Path) -> None:
    write(folder, "subscriptions", TERMS, "s,a,2023-03-10,2023-09-10,100,monthly,Base,1",
          "s,a,2023-09-10,,1200,monthly,Base,12")  # fmt: skip
    assert red(read(), "twelvefold") == ""


def test_annual_rows_that_cost_a_year_are_annual_amounts(read: Load, folder: Path) -> None:
    write(folder, "subscriptions", TERMS, "s1,a,2023-03-10,,100,monthly,Base,2",
          "s2,b,2023-03-10,,1000,annual,Base,2", "s3,c,2023-03-10,,500,annual,Base,1")  # fmt: skip
    text = red(read(), "annual rows")
    assert text.startswith("subscriptions: 2 annual rows cost 8 to 13 times a monthly row")


def test_annual_rows_at_a_discount_are_none(read: Load, folder: Path) -> None:
    write(folder, "subscriptions", TERMS, "s1,a,2023-03-10,,100,monthly,Base,2",
          "s2,b,2023-03-10,,85,annual,Base,2")  # fmt: skip
    assert red(read(), "annual") == ""


def test_annual_rows_with_the_amount_of_an_invoice_are_annual_amounts(
    read: Load, folder: Path
) -> None:
    write(folder, "subscriptions", TERMS, "s1,a,2023-03-10,,1200,annual,Base,2")
    head = "invoice_id,account_id,issued_at,amount"
    write(folder, "invoices", head, "i1,a,2023-03-12,1200")
    assert red(read(), "the mrr of their one invoice")
    write(folder, "invoices", head, "i1,a,2023-03-12,14400")
    assert red(read(), "the mrr of their one invoice") == ""
    write(folder, "invoices", head, *(f"i{n},a,2023-{n:02}-12,1200" for n in range(3, 12)))
    assert red(read(), "the mrr of their one invoice") == ""
