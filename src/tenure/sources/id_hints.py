"""How the ids of a table differ from those of the accounts table, where they hardly match."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenure.core.steps import quote

if TYPE_CHECKING:
    from tenure.engine import Engine
    from tenure.sources.staging_sql import Layout

MOSTLY = 0.5
"""Share of unknown ids that a difference has to explain."""

DIFFERENCES = {
    "differ in case": "lower({id})",
    "differ in leading zeros": "ltrim({id}, '0')",
    "differ in zeros after a point (`17.00` for `17`)": "regexp_replace({id}, '[.]0*$', '')",
    "differ in spaces, hyphens and other signs": (
        "regexp_replace(lower({id}), '[^a-z0-9]+', '', 'g')"
    ),
    "differ in length, 15 letters and 18, as those of Salesforce do": "left({id}, 15)",
    "differ in what stands before the number (`acct_17` for `17`)": (
        "nullif(ltrim(regexp_extract({id}, '[0-9]+$'), '0'), '')"
    ),
}
"""How ids differ → SQL that makes such ids alike."""


def difference(layout: Layout, engine: Engine) -> str:
    """Return how ids of no known account differ from known ones; '' where nothing explains it."""
    if layout.accounts is None or layout.unknown_account is None:
        return ""
    unknown = (
        f"SELECT DISTINCT account_id AS id FROM {quote(layout.staged)} "
        f"WHERE _reason = {layout.unknown_account}"
    )
    counts = ", ".join(
        f"count(*) FILTER ({sql.format(id='id')} IN (SELECT {sql.format(id='account_id')} "
        f"FROM ({layout.accounts}))) AS d{place}"
        for place, sql in enumerate(DIFFERENCES.values())
    )
    row = engine.row(f"SELECT count(*) AS n, {counts} FROM ({unknown})")
    for place, (words, form) in enumerate(DIFFERENCES.items()):
        if row["n"] and row[f"d{place}"] >= MOSTLY * row["n"]:
            sql = form.format(id="your_id")
            return f"the ids {words}: map `account_id: {sql}` in both tables"
    return ""
