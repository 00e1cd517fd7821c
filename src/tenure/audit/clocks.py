"""The columns without a clock of their own, and how each is treated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenure.core.fragments import columns_of
from tenure.features.plan.plan import read_columns
from tenure.sources.contract import SOURCES

if TYPE_CHECKING:
    from tenure.features.plan.plan import Plan
    from tenure.sources.dataset import Dataset

NOT_USED = "not_used"
ASSUMED = "assumed"
EXCLUDED = "excluded"
CONSTANT = "constant"
DUE_DATE = "due_date"
WITH_ROW = "with_row"
MOST_FEATURES = 5


@dataclass(frozen=True)
class Clockless:
    """A column without a clock of its own, and how it is treated.

    Attributes:
        table: Canonical table.
        column: Its column.
        done: ``not_used`` (a late column mapped without its clock), ``assumed`` (the config says
            how it was dated), ``excluded`` (an attribute of today that may change), ``constant``
            (an attribute of today taken as constant), ``due_date`` (taken as written with its
            row) or ``with_row`` (taken as known with its row and never changed after).
        text: The same in words, with the next step.
        features: Base names of features that read it.
    """

    table: str
    column: str
    done: str
    text: str
    features: tuple[str, ...] = ()


def clockless(dataset: Dataset, plan: Plan) -> list[Clockless]:
    """Return every column that is used or was left out without a clock of its own.

    Args:
        dataset: The loaded tables, with their report.
        plan: The features; columns known with their row are listed where one reads them.
    """
    readers = _readers(plan)
    columns: list[Clockless] = []
    for name, table in dataset.report.tables.items():
        for column, clock in table.unused.items():
            text = (
                f"late, and mapped without its clock `{clock}`: not used. Map `{clock}` to use it"
            )
            columns.append(Clockless(name, column, NOT_USED, text))
        for column, text in table.assumptions.items():
            columns.append(Clockless(name, column, ASSUMED, text, readers.get((name, column), ())))
    for item in dataset.report.attributes:
        dated = "accounts" in dataset.columns and "valid_from" in dataset.columns["accounts"]
        if not dated:
            done = CONSTANT if item.usable else EXCLUDED
            read = readers.get(("accounts", item.name), ())
            columns.append(Clockless("accounts", item.name, done, item.verdict, read))
    listed = {(item.table, item.column) for item in columns}
    return columns + [
        item for item in _with_row(dataset, readers) if (item.table, item.column) not in listed
    ]


def _with_row(
    dataset: Dataset, readers: dict[tuple[str, str], tuple[str, ...]]
) -> Iterator[Clockless]:
    for name, columns in dataset.columns.items():
        source = SOURCES[name]
        times = columns_of(source.time)
        for column in source.columns:
            read = readers.get((name, column.name), ())
            plain = column.name in columns and column.name not in {*source.late, *times}
            if not plain or not read:
                continue
            if column.future:
                text = "a due date, taken as written with its row: overwritten later, it leaks"
                yield Clockless(name, column.name, DUE_DATE, text, read)
            else:
                text = "taken as known with its row and never changed after: overwritten, it leaks"
                yield Clockless(name, column.name, WITH_ROW, text, read)


def _readers(plan: Plan) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the base names of the features that read each column, in the plan's order."""
    readers: dict[tuple[str, str], dict[str, None]] = {}
    for feature in {item.feature.name: item.feature for item in plan.measured}.values():
        source = SOURCES[feature.source]
        computed = {column.name: columns_of(column.sql) for column in source.computed}
        for name in read_columns(feature):
            for column in computed.get(name, {name}):
                readers.setdefault((feature.source, column), {})[feature.name] = None
    return {key: tuple(names) for key, names in readers.items()}
