"""The columns without a clock of their own, and how each is treated."""

from __future__ import annotations

from collections.abc import Iterator

from tenure.core.fragments import columns_of
from tenure.core.records.audit import ClockRecord
from tenure.features.plan.plan import Plan, read_columns
from tenure.sources.contract import SOURCES
from tenure.sources.dataset import Dataset

Readers = dict[tuple[str, str], tuple[str, ...]]
"""Table and column → base names of the features that read it, in the plan's order."""


def clockless(dataset: Dataset, plan: Plan) -> list[ClockRecord]:
    """Return every column that is used or was left out without a clock of its own.

    Columns known with their row are listed where a feature of the plan reads them.
    """
    readers = _readers(plan)
    columns = list(_reported(dataset, readers))
    listed = {(item.table, item.column) for item in columns}
    with_row = _with_row(dataset, readers)
    return columns + [item for item in with_row if (item.table, item.column) not in listed]


def _reported(dataset: Dataset, readers: Readers) -> Iterator[ClockRecord]:
    """Yield the columns that the data report tells apart."""
    for name, table in dataset.report.tables.items():
        for column, clock in table.unused.items():
            text = (
                f"late, and mapped without its clock `{clock}`: not used. Map `{clock}` to use it"
            )
            yield _record(name, column, "not_used", text, {})
        for column, text in table.assumptions.items():
            yield _record(name, column, "assumed", text, readers)
    if not dataset.has("accounts", "valid_from"):
        for item in dataset.report.attributes:
            done = "constant" if item.usable else "excluded"
            yield _record("accounts", item.name, done, item.verdict, readers)


def _with_row(dataset: Dataset, readers: Readers) -> Iterator[ClockRecord]:
    """Yield the columns that are taken as known with their row, where a feature reads them."""
    for name, columns in dataset.columns.items():
        source = SOURCES[name]
        dated = {*source.late, *columns_of(source.time)}
        for column in source.columns:
            if column.name not in columns or column.name in dated:
                continue
            done = "due_date" if column.future else "with_row"
            if (name, column.name) in readers:
                yield _record(name, column.name, done, _AS_WRITTEN[done], readers)


_AS_WRITTEN = {
    "due_date": "a due date, taken as written with its row: overwritten later, it leaks",
    "with_row": "taken as known with its row and never changed after: overwritten, it leaks",
}


def _record(table: str, column: str, done: str, text: str, readers: Readers) -> ClockRecord:
    features = readers.get((table, column), ())
    return ClockRecord(table=table, column=column, done=done, text=text, features=features)


def _readers(plan: Plan) -> Readers:
    readers: dict[tuple[str, str], dict[str, None]] = {}
    for feature in {item.feature.name: item.feature for item in plan.measured}.values():
        source = SOURCES[feature.source]
        computed = {column.name: columns_of(column.sql) for column in source.computed}
        for name in read_columns(feature):
            for column in computed.get(name, {name}):
                readers.setdefault((feature.source, column), {})[feature.name] = None
    return {key: tuple(names) for key, names in readers.items()}
