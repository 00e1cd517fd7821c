"""The sheets of rows: which relation each shows, and where its columns and periods stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import pyarrow as pa

from tenure.core.steps import Step, quote
from tenure.engine import Engine
from tenure.report.workbook.formulas import Rows
from tenure.success.declarations import Relation
from tenure.success.owners import EXACT
from tenure.success.query import NO_VALUE, group_column
from tenure.success.relations import GROUPS, name_of
from tenure.success.states import MOVEMENTS, MOVES, PERIODS, SPANS

MOST_ROWS = 250_000
"""Rows of a sheet that spreadsheet programs still handle well; a larger relation has no sheet."""

NUMBERS = "workbook_groups"
MONTHS = "workbook_months"
GROUP, GROUP_END = "group_no", "group_no_end"
FIRST_MRR = "start_mrr_of_period"
MONEY: frozenset[Relation] = frozenset({"money", "bridge", "renewals", "losses"})
"""Relations of which a row is of one currency."""
HIDDEN = frozenset(
    {"period_id", "account_id", "from_at", "to_at"}
    | {"paid_start", "paid_end", "leaves_one", "enters_one"}
)
TITLES: Mapping[Relation, tuple[str, str]] = {
    "money": ("Money", "MRR at both ends of each period, per account and currency"),
    "accounts": ("Accounts", "who paid at the ends of each period, per account"),
    "bridge": ("Months", "MRR at both ends of each month, and what moved, per account"),
    "renewals": ("Renewals", "contracts that came due or were booked, per account and date"),
    "losses": ("Losses", "MRR lost in each period, and how much of it on due dates"),
    "answers": ("Answers", "the last answer of each respondent in each period"),
    "sent": ("Surveys", "surveys that were sent"),
    "starts": ("Starts", "accounts that began to pay, and their first use"),
    "usage": ("Usage", "users and the days on which they were active, per account"),
    "breadth": ("Breadth", "events that each account used, of all that anybody used"),
    "tickets": ("Tickets", "tickets that were open at some time of each period"),
}


@dataclass(frozen=True)
class Sheet:
    """A sheet of rows."""

    relation: Relation
    """What its rows are."""
    title: str
    text: str
    """What it holds, in words."""
    table: pa.Table
    """Its rows, in order; the first column is the number of the period."""
    spans: Mapping[int, tuple[int, int]]
    """Number of a period → first and last row on the sheet, from 1 on, of its rows."""

    def cells(self, name: str, first: int | None = None, last: int | None = None) -> str:
        """Return the cells of a column, e.g. ``Money!$C$2:$C$90``; of all rows by default."""
        letter = column_letters(self.table.column_names.index(name))
        return f"{self.title}!${letter}${first or 2}:${letter}${last or self.table.num_rows + 1}"

    def rows(self, period: int) -> Rows | None:
        """Return what formulas read of one period; None where the period has no row."""
        if period not in self.spans:
            return None
        names = self.table.column_names
        columns = {name: self.cells(name, *self.spans[period]) for name in names}
        if self.relation == "bridge":
            columns["start_mrr"] = columns[FIRST_MRR]
        gaps = frozenset(name for name in names if self.table.column(name).null_count)
        return Rows(columns, gaps)


def column_letters(index: int) -> str:
    """Return the letters of a column of a sheet, from 0 on.

    >>> column_letters(0), column_letters(27)
    ('A', 'AB')
    """
    letters = ""
    while index >= 0:
        index, rest = divmod(index, 26)
        letters = chr(65 + rest) + letters
        index -= 1
    return letters


def number_groups(groups: Sequence[tuple[str, ...]], by: Sequence[str], engine: Engine) -> None:
    """Make the numbers of groups of accounts known to the engine, from 0 on."""
    columns = {f"group_{place}": [group[place] for group in groups] for place in range(len(by))}
    engine.register(NUMBERS, pa.table({"number": list(range(len(groups))), **columns}))


def read_sheet(relation: Relation, by: Sequence[str], engine: Engine) -> Sheet | None:
    """Return the sheet of a relation that stands in the engine; None where it has too many rows.

    The relation, and the numbers of the groups by which it is split, stand in the engine.
    """
    rows = name_of(relation)
    if relation == "bridge":
        rows = MONTHS
        engine.run([_months()])
    (many,) = engine.fetch(f"SELECT count(*) AS n FROM {rows}").column("n").to_pylist()
    if many > MOST_ROWS:
        return None
    table = engine.fetch(_select(relation, rows, by, engine))
    spans, first = {}, 2
    for number, items in groupby(table.column("period").to_pylist()):
        last = first + sum(1 for _ in items) - 1
        spans[number] = (first, last)
        first = last + 1
    return Sheet(relation, *TITLES[relation], table, spans)


def _months() -> Step:
    """Return the step of the movements of every account in each month of each period."""
    moved = ", ".join(f"m.{name}" for name in MOVEMENTS)
    return Step(
        MONTHS,
        f"""
SELECT s.period_id, m.account_id, m.currency, s.from_at AS month_from, s.to_at AS month_to,
  m.start_mrr, {moved}, m.end_mrr,
  CAST(CASE WHEN s.from_at = p.from_at THEN m.start_mrr ELSE 0 END AS {EXACT}) AS {FIRST_MRR}
FROM {SPANS} AS s
JOIN {PERIODS} AS p ON p.period_id = s.period_id
JOIN {MOVES} AS m ON m.from_at = s.from_at AND m.to_at = s.to_at
""",
    )


def _select(relation: Relation, rows: str, by: Sequence[str], engine: Engine) -> str:
    """Return the SELECT of a sheet: period, account, groups, and what the relation has besides."""
    name = "arg_max(name, event_time)" if "name" in engine.columns("accounts") else "NULL"
    items = [
        "r.period_id AS period",
        _cell("p.from_at", "TIMESTAMP", "from"),
        _cell("p.to_at", "TIMESTAMP", "to"),
        "r.account_id",
        "n.account_name",
    ]
    joins = f"""
JOIN {PERIODS} AS p ON p.period_id = r.period_id
LEFT JOIN (SELECT account_id, coalesce({name}, '') AS account_name FROM accounts GROUP BY 1) AS n
  ON n.account_id = r.account_id"""
    if by:
        joins += (
            f"\nJOIN {GROUPS} AS g ON g.period_id = r.period_id AND g.account_id = r.account_id"
        )
    for end in (False, True) if "plan" in by else (False,) if by else ():
        label = GROUP_END if end else GROUP
        columns = [group_column(one, money=relation in MONEY, at_end=end) for one in by]
        matches = " AND ".join(
            f"{label}.group_{place} = coalesce(nullif({column}, ''), '{NO_VALUE}')"
            for place, column in enumerate(columns)
        )
        joins += f"\nJOIN {NUMBERS} AS {label} ON {matches}"
        items.append(f"{label}.number AS {label}")
    items += [f"{GROUP}.group_{place} AS {quote(one)}" for place, one in enumerate(by)]
    items += [
        _cell(f"r.{quote(one)}", kind, one)
        for one, kind in engine.columns(rows).items()
        if one not in HIDDEN and one not in by
    ]
    return f"SELECT {', '.join(items)} FROM {rows} AS r {joins} ORDER BY ALL"


def _cell(sql: str, kind: str, name: str) -> str:
    """Return SQL of a cell: times as days since 1899-12-30, yes and no as 1 and 0."""
    if kind.startswith("TIMESTAMP"):
        return f"epoch({sql}) / 86400.0 + 25569 AS {quote(name)}"
    if kind == "BOOLEAN":
        return f"CAST({sql} AS INTEGER) AS {quote(name)}"
    if kind.startswith(("DECIMAL", "FLOAT")):
        return f"CAST({sql} AS DOUBLE) AS {quote(name)}"
    return f"{sql} AS {quote(name)}"
