"""When accounts were created, where their table does not say: with their first subscription."""

from __future__ import annotations

from dataclasses import replace

from tenure.core.records.data import RemarkRecord
from tenure.core.steps import Step, quote
from tenure.engine import Engine
from tenure.sources.layout import IncomingTable

COLUMN = "created_at"
_RAW = "_dated_accounts"


def add(accounts: IncomingTable, subscriptions: IncomingTable, engine: Engine) -> None:
    """Give accounts, not yet staged, a `created_at`: the first start of their subscriptions."""
    ours, theirs = accounts.layout, subscriptions.layout
    starts = (
        f"SELECT {theirs.worded('account_id')} AS _started, "
        f"min({theirs.worded('started_at')}) AS {COLUMN} FROM {quote(theirs.raw)} GROUP BY 1"
    )
    sql = (
        f"SELECT a.*, f.{COLUMN} FROM (SELECT *, {ours.worded('account_id')} AS _id FROM "
        f"{quote(ours.raw)}) AS a LEFT JOIN ({starts}) AS f ON f._started = a._id"
    )
    engine.run([Step(_RAW, sql, lazy=True)])
    accounts.layout = replace(ours, raw=_RAW, types={**ours.types, COLUMN: "TIMESTAMP"})
    accounts.files = None
    text = f"{COLUMN} is not mapped: it is the first started_at of the account's subscriptions"
    accounts.notes.append(RemarkRecord(code="first_start", text=text))
