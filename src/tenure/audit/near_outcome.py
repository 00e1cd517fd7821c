"""Values that are only ever filled close to an outcome: written because of it, or after it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import pandas as pd
import pyarrow as pa

from tenure.core.fragments import columns_of
from tenure.core.records.audit import SuspectRecord
from tenure.core.spec import Column
from tenure.core.steps import Step, quote
from tenure.engine import Engine
from tenure.sources.contract import SOURCES

OUTCOMES = "audit_outcomes"
ROWS = "audit_near_rows"
KINDS = ("text", "number", "integer")
FEWEST = 10
NEAR = 0.9
USUAL = 0.5


def near(
    engine: Engine,
    columns: Mapping[str, frozenset[str]],
    outcomes: pd.DataFrame,
    target: str,
    window_days: int,
    allow: Collection[str] = (),
) -> list[SuspectRecord]:
    """Return the values whose rows lie around outcomes, whatever the prediction time.

    Late columns are left out: their clocks cut them.

    Args:
        engine: Holds the canonical tables.
        columns: Canonical table → columns that may be used.
        outcomes: Columns account_id and outcome_at (naive UTC), one row per event.
        target: Whose outcomes they are.
        window_days: Days before and after an outcome that count as close.
        allow: Names of columns that may.
    """
    if outcomes["account_id"].nunique() < FEWEST:
        return []
    engine.register(OUTCOMES, _windows(outcomes, window_days))
    values: list[dict[str, Any]] = []
    for table, present in columns.items():
        source = SOURCES[table]
        skipped = {*source.late, *source.key, *columns_of(source.time)}
        tested = [
            column
            for column in source.columns
            if column.name in present and column.name not in skipped and column.kind in KINDS
        ]
        if tested and source.column("account_id") is not None and table != "accounts":
            values += _values(engine, table, tested)
    engine.drop(OUTCOMES)
    return [
        SuspectRecord(
            column=item["column"],
            target=target,
            kind="near",
            figure=item["near"],
            lo=None,
            hi=None,
            value=item["value"],
            events=item["accounts"],
            allowed=item["column"] in allow,
            text=_text(item, target, window_days),
        )
        for item in values
    ]


def _windows(outcomes: pd.DataFrame, window_days: int) -> pa.Table:
    """Return the spans around the outcomes of each account; those that meet are one."""
    width = pd.Timedelta(days=window_days)
    rows = outcomes.sort_values(["account_id", "outcome_at"])
    apart = rows.groupby("account_id")["outcome_at"].diff()
    spans = rows.groupby((apart.isna() | (apart > 2 * width)).cumsum())
    first, last = spans["outcome_at"].min(), spans["outcome_at"].max()
    times = pd.DataFrame({"begins": first - width, "ends": last + width, "outcome_at": last})
    frame = times.astype("datetime64[us]").assign(account_id=spans["account_id"].first())
    schema = pa.schema(
        [("account_id", pa.string()), *((name, pa.timestamp("us")) for name in times)]
    )
    return pa.Table.from_pandas(frame, schema=schema, preserve_index=False)


def _values(engine: Engine, table: str, columns: list[Column]) -> Iterator[dict[str, Any]]:
    """Yield the values of a table's columns that are close to outcomes, and their shares."""
    listed = ", ".join(f"t.{quote(column.name)}" for column in columns)
    rows = (
        f"SELECT t.account_id, {listed}, "
        "CASE WHEN o.account_id IS NULL THEN 0 ELSE 1 END AS close_by, "
        "CASE WHEN t.event_time >= o.outcome_at THEN 1 ELSE 0 END AS afterwards "
        f"FROM {quote(table)} AS t LEFT JOIN {OUTCOMES} AS o ON t.account_id = "
        "o.account_id AND t.event_time >= o.begins AND t.event_time < o.ends"
    )
    engine.run([Step(ROWS, rows, lazy=True)])
    whole = engine.row(f"SELECT count(*) AS n, sum(close_by) AS near FROM {ROWS}")
    usual = float(whole["near"] or 0) / whole["n"] if whole["n"] else 1.0
    for column in columns if usual <= USUAL else ():
        words = column.kind == "text"
        for row in _counted(engine, quote(column.name), words):
            # That a column is always filled says nothing.
            if words or row["n"] < whole["n"]:
                share, after = (float(row[name]) / row["n"] for name in ("near", "after"))
                yield row | {
                    "column": f"{table}.{column.name}",
                    "near": share,
                    "after": after,
                    "usual": usual,
                }
    engine.drop(ROWS)


def _counted(engine: Engine, value: str, words: bool) -> list[dict[str, Any]]:
    """Return the values of a column close to outcomes; of numbers, that it is filled, as None."""
    shown = value if words else "CAST(NULL AS VARCHAR)"
    rows = engine.fetch(
        f"SELECT {shown} AS value, count(*) AS n, count(DISTINCT account_id) AS accounts, "
        f"sum(close_by) AS near, sum(afterwards) AS after FROM {ROWS} WHERE {value} IS NOT NULL "
        f"GROUP BY 1 HAVING count(DISTINCT account_id) >= {FEWEST} "
        f"AND sum(close_by) >= {NEAR} * count(*)"
    )
    return sorted(rows.to_pylist(), key=lambda row: -row["n"])


def _text(item: dict[str, Any], target: str, window_days: int) -> str:
    what = "a value" if item["value"] is None else f"`{item['value']}`"
    return (
        f"{item['near']:.0%} of the {item['n']:,} rows of {item['column']} with {what} lie within "
        f"{window_days} days of a {target} of their account ({item['after']:.0%} after it), "
        f"against {item['usual']:.0%} of all rows: it is written because of the outcome, or after "
        "it. Find out when; map the time as its clock or leave the column out"
    )
