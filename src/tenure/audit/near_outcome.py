"""Values that are only ever filled close to an outcome: written because of it, or after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from tenure.core.fragments import columns_of
from tenure.core.steps import Step, quote
from tenure.sources.contract import SOURCES

if TYPE_CHECKING:
    from tenure.engine import Engine

OUTCOMES = "audit_outcomes"
ROWS = "audit_near_rows"
FEWEST = 10
NEAR = 0.9
USUAL = 0.5
FILLED = "filled"


@dataclass(frozen=True)
class Near:
    """A value of a column that stands close to outcomes and hardly anywhere else.

    Attributes:
        column: ``<table>.<column>``.
        value: The value; None where it is that the column is filled at all.
        rows: Rows with it.
        accounts: Accounts with it.
        near: Share of those rows within the window around an outcome of their account.
        after: Share of those rows at or after the outcome.
        usual: Share of all rows of the table within such a window.
    """

    column: str
    value: str | None
    rows: int
    accounts: int
    near: float
    after: float
    usual: float


def near(
    engine: Engine,
    columns: Mapping[str, frozenset[str]],
    outcomes: pd.DataFrame,
    window_days: int,
) -> list[Near]:
    """Return the values whose rows lie around outcomes, whatever the prediction time.

    Late columns are left out: their clocks cut them.

    Args:
        engine: Holds the canonical tables.
        columns: Canonical table → columns that may be used.
        outcomes: Columns account_id and outcome_at (naive UTC), one row per event.
        window_days: Days before and after an outcome that count as close.
    """
    if outcomes["account_id"].nunique() < FEWEST:
        return []
    engine.register(OUTCOMES, _windows(outcomes, window_days))
    values: list[Near] = []
    for table, present in columns.items():
        source = SOURCES[table]
        skipped = {*source.late, *source.key, *columns_of(source.time)}
        tested = [
            column.name
            for column in source.columns
            if column.name in present and column.name not in skipped and column.kind in KINDS
        ]
        if tested and source.column("account_id") is not None and table != "accounts":
            values += _table(engine, table, tested)
    engine.drop(OUTCOMES)
    return values


KINDS = ("text", "number", "integer")


def _windows(outcomes: pd.DataFrame, window_days: int) -> pa.Table:
    """Return the spans around the outcomes of each account; those that meet are one."""
    width = pd.Timedelta(days=window_days)
    spans: list[tuple[str, Any, Any, Any]] = []
    unique = outcomes.drop_duplicates(["account_id", "outcome_at"])
    for account, moment in unique.sort_values(["account_id", "outcome_at"]).itertuples(
        index=False, name=None
    ):
        if spans and spans[-1][0] == account and moment - width <= spans[-1][2]:
            spans[-1] = (account, spans[-1][1], moment + width, moment)
        else:
            spans.append((account, moment - width, moment + width, moment))
    frame = pd.DataFrame(spans, columns=["account_id", "begins", "ends", "outcome_at"])
    times = {name: frame[name].astype("datetime64[us]") for name in ("begins", "ends")}
    frame = frame.assign(**times, outcome_at=frame["outcome_at"].astype("datetime64[us]"))
    schema = pa.schema(
        [
            ("account_id", pa.string()),
            *((name, pa.timestamp("us")) for name in ("begins", "ends", "outcome_at")),
        ]
    )
    return pa.Table.from_pandas(frame, schema=schema, preserve_index=False)


def _table(engine: Engine, table: str, names: list[str]) -> Iterator[Near]:
    listed = ", ".join(f"t.{quote(name)}" for name in names)
    engine.run(
        [
            Step(
                ROWS,
                f"SELECT t.account_id, {listed}, "
                "CASE WHEN o.account_id IS NULL THEN 0 ELSE 1 END AS close_by, "
                "CASE WHEN t.event_time >= o.outcome_at THEN 1 ELSE 0 END AS afterwards "
                f"FROM {quote(table)} AS t LEFT JOIN {OUTCOMES} AS o ON t.account_id = "
                "o.account_id AND t.event_time >= o.begins AND t.event_time < o.ends",
                lazy=True,
            )
        ]
    )
    whole = engine.fetch(f"SELECT count(*) AS n, sum(close_by) AS near FROM {ROWS}").to_pylist()[0]
    usual = float(whole["near"] or 0) / whole["n"] if whole["n"] else 1.0
    if usual <= USUAL:
        for name in names:
            yield from _column(engine, table, name, whole["n"], usual)
    engine.drop(ROWS)


def _column(engine: Engine, table: str, name: str, total: int, usual: float) -> Iterator[Near]:
    value, kind = quote(name), _text(table, name)
    shown = value if kind else f"CASE WHEN {value} IS NOT NULL THEN '{FILLED}' END"
    rows = engine.fetch(
        f"SELECT {shown} AS value, count(*) AS n, count(DISTINCT account_id) AS accounts, "
        f"sum(close_by) AS near, sum(afterwards) AS after FROM {ROWS} WHERE {value} IS NOT NULL "
        f"GROUP BY 1 HAVING count(DISTINCT account_id) >= {FEWEST} "
        f"AND sum(close_by) >= {NEAR} * count(*)"
    ).to_pylist()
    for row in sorted(rows, key=lambda item: -item["n"]):
        text = str(row["value"]) if kind else None
        if not kind and row["n"] == total:
            continue
        yield Near(
            f"{table}.{name}",
            text,
            int(row["n"]),
            int(row["accounts"]),
            float(row["near"]) / row["n"],
            float(row["after"]) / row["n"],
            usual,
        )


def _text(table: str, name: str) -> bool:
    column = SOURCES[table].column(name)
    return column is not None and column.kind == "text"
