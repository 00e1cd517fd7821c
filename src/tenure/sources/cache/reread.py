"""Staged parts as one staged table: a view of their rows, and a table of their counts.

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


def view_parts(layout: Layout, parts: StagedParts, engine: Engine) -> None:
    """Make the staged view of a table from its parts, and the table of its counts (its tally).

    Args:
        layout: How the table was staged, with the accounts to check.
        parts: Its parts.
        engine: Where the view will stand.
    """
    times = ["min(_first) AS _first", "max(_last) AS _last"]
    times += [f"max({quote(clock)}) AS {quote(clock)}" for clock in layout.clocks]
    checked = checked_reason(layout)
    tally = (
        f"SELECT {checked} AS _reason, _flags, sum(n)::BIGINT AS _n, "
        f"{', '.join(times)} FROM {relation_of(parts.paths(TALLY))} GROUP BY ALL"
    )
    engine.run([Step(layout.tally, tally)])
    numbers = engine.fetch(f"SELECT DISTINCT _reason FROM {quote(layout.tally)}").column(0)
    reason = checked if layout.unknown_account in numbers.to_pylist() else "_reason"
    names = ", ".join(quote(name) for name in layout.columns)
    rows = f"SELECT {names}, {reason} AS _reason, _flags FROM {relation_of(parts.paths(ROWS))}"
    engine.drop(layout.staged)
    engine.run([Step(layout.staged, rows, lazy=True)])


def checked_reason(layout: Layout) -> str:
    """Return SQL for a staged row's reject number, with the check for unknown accounts added."""
    number = layout.unknown_account
    if number is None:
        return "_reason"
    return (
        f"CAST(CASE WHEN (_reason = 0 OR _reason > {number}) "
        f"AND account_id NOT IN ({layout.accounts}) THEN {number} ELSE _reason END AS UTINYINT)"
    )
