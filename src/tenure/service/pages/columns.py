"""The columns of the book's table: what each shows of an account, and what a download holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tenure.explain.wording import statement
from tenure.report.sentences.formatting import NONE, percent
from tenure.report.sentences.values import ABSTAINED, bounds, cut, date, money, points
from tenure.report.workbook.cells import Form
from tenure.score.store.book_records import BookRow
from tenure.service.pages.views import account_link


@dataclass(frozen=True)
class Shown:
    """A cell of the book's table: a text, a smaller one below, a link or a badge."""

    text: str
    note: str = ""
    link: str = ""
    badge: str = ""


@dataclass(frozen=True)
class Column:
    """A column of the book's table."""

    name: str
    """In a link, and what is sorted by."""
    head: str
    """What it is, with its unit."""
    show: Callable[[BookRow], Shown]
    """What it shows of an account."""
    value: Callable[[BookRow], Any]
    """What a download holds of it."""
    form: Form = "text"
    """How a workbook shows its numbers."""
    usual: bool = True
    """Whether it is shown where a link names no columns."""

    @property
    def numeric(self) -> bool:
        """Whether it is set right, as a number."""
        return self.form != "text"


def _plain(name: str) -> Callable[[BookRow], Shown]:
    return lambda row: Shown(cut(getattr(row, name)))


def _value(name: str) -> Callable[[BookRow], Any]:
    return lambda row: getattr(row, name)


def _money(name: str) -> Callable[[BookRow], Shown]:
    return lambda row: Shown(money(getattr(row, name), row.currency))


def _probability(row: BookRow) -> Shown:
    if row.probability is None:
        reason = row.abstain_reason or ""
        return Shown("not scored", ABSTAINED.get(reason, reason.replace("_", " ")))
    return Shown(percent(row.probability), bounds(row.lo, row.hi))


def _reason(row: BookRow) -> Shown:
    if row.driver is None:
        return Shown(NONE)
    first, _, further = statement(row.driver["sentence"]).partition("; ")
    return Shown(cut(first), cut(further) if further else "")


COLUMNS = (
    Column(
        "account",
        "Account",
        lambda row: Shown(
            cut(row.name or row.account_id),
            cut(row.account_id) if row.name else "",
            account_link(row.account_id),
        ),
        lambda row: row.name or row.account_id,
    ),
    Column("owner", "Owner", _plain("owner"), _value("owner")),
    Column("segment", "Segment", _plain("segment"), _value("segment")),
    Column("plan", "Plan", _plain("plan"), _value("plan"), usual=False),
    Column("mrr", "MRR", _money("mrr"), _value("mrr"), "money"),
    Column("probability", "Churn probability", _probability, _value("probability"), "share"),
    Column(
        "change",
        "Change",
        lambda row: Shown(points(row.change)),
        _value("change"),
        "share",
    ),
    Column(
        "band",
        "Risk band",
        lambda row: Shown(row.band or NONE, badge=row.band or ""),
        _value("band"),
    ),
    Column(
        "amount_at_risk",
        "MRR at risk",
        _money("amount_at_risk"),
        _value("amount_at_risk"),
        "money",
        usual=False,
    ),
    Column(
        "reason",
        "First reason",
        _reason,
        lambda row: row.driver and row.driver["sentence"],
    ),
    Column(
        "renews_at",
        "Renewal",
        lambda row: Shown(date(row.renews_at)),
        _value("renews_at"),
    ),
    Column(
        "notice_by",
        "Opt-out by",
        lambda row: Shown(date(row.notice_by)),
        _value("notice_by"),
    ),
    Column(
        "expansion_probability",
        "Expansion probability",
        lambda row: Shown(percent(row.expansion_probability)),
        _value("expansion_probability"),
        "share",
    ),
    Column(
        "expected_amount",
        "Expected expansion, MRR",
        _money("expected_amount"),
        _value("expected_amount"),
        "money",
        usual=False,
    ),
)
BY_NAME: Mapping[str, Column] = {column.name: column for column in COLUMNS}
USUAL = frozenset(column.name for column in COLUMNS if column.usual and column.name != "account")
"""Names of the columns that are shown where a link names none, beside the account."""
