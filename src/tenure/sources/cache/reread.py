"""Staged tables that are read from kept parts: a view of their rows, and a table of their counts.

Which accounts are known may change from one load to the next, so that check is made here; as soon
as no row fails it, the view is the Parquet files and nothing else, and filters on time reach them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenure.core.steps import Step, quote
from tenure.sources.cache.manifest import ROWS, TALLY
from tenure.sources.cache.update import relation_of

if TYPE_CHECKING:
    from tenure.engine import Engine
    from tenure.sources.cache.parts import StagedParts
    from tenure.sources.staging_sql import Layout


def show(layout: Layout, kept: StagedParts, engine: Engine) -> None:
    """Make the staged view of a table, and its tally."""
    times = ["min(_first) AS _first", "max(_last) AS _last"]
    times += [f"max({quote(clock)}) AS {quote(clock)}" for clock in layout.clocks]
    engine.run(
        [
            Step(
                layout.tally,
                f"SELECT {reason(layout)} AS _reason, _flags, sum(n)::BIGINT AS _n, "
                f"{', '.join(times)} FROM {relation_of(kept.paths(TALLY))} GROUP BY ALL",
            )
        ]
    )
    found = engine.fetch(f"SELECT DISTINCT _reason FROM {quote(layout.tally)}").column(0)
    checked = reason(layout) if layout.unknown_account in found.to_pylist() else "_reason"
    names = ", ".join(quote(name) for name in layout.columns)
    engine.drop(layout.staged)
    engine.run(
        [
            Step(
                layout.staged,
                f"SELECT {names}, {checked} AS _reason, _flags "
                f"FROM {relation_of(kept.paths(ROWS))}",
                lazy=True,
            )
        ]
    )


def reason(layout: Layout) -> str:
    """Return SQL of the number of the reason against a row, with the check of its account."""
    number = layout.unknown_account
    if number is None:
        return "_reason"
    return (
        f"CAST(CASE WHEN (_reason = 0 OR _reason > {number}) "
        f"AND account_id NOT IN ({layout.accounts}) THEN {number} ELSE _reason END AS UTINYINT)"
    )
