"""An account's record: its tables, scorecards and kept scores at a prediction time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import isnan
from typing import TYPE_CHECKING, Any

import pandas as pd

from tenure.core.config import Config
from tenure.core.records.account import (
    AccountRecord,
    AccountScore,
    AccountScores,
    Contract,
    OpenTicket,
    SurveyAnswer,
    Touchpoint,
    UnpaidInvoice,
    UsageTrend,
    UsageWeek,
)
from tenure.core.times import days, show
from tenure.labels.snapshots import snapshots
from tenure.labels.windows import RENEWAL
from tenure.score.store.store import UNTRAINED
from tenure.sources.dataset import Dataset
from tenure.success.account.rows import WEEKS, AccountRows
from tenure.success.account.timeline import timeline
from tenure.success.scorecards.bands import still_bands
from tenure.success.scorecards.cards import card_table
from tenure.success.scorecards.shown import account_scorecards

if TYPE_CHECKING:
    from tenure.score.store.lists import ListStore
    from tenure.score.store.store import StoredRun, StoredScore

Row = Mapping[str, Any]
LATELY_DAYS = 90
ENTRIES, LAST = 25, 5
"""Entries of the timeline, and last answers and touchpoints, that are shown at most."""
TABLES = ("tickets", "survey_responses", "invoices", "touchpoints")
ATTRIBUTES = ("account_id", "created_at", "valid_from", "name", "owner", "segment")


def whole_account(
    config: Config,
    dataset: Dataset,
    store: ListStore,
    account: str,
    moments: tuple[datetime, datetime],
) -> AccountRecord:
    """Return everything known about an account that stands in the table of accounts.

    Only rows of the account are read.  `moments` are the prediction time, and the earlier one that
    trends refer to.
    """
    as_of = moments[0]
    seen = AccountRows(dataset, account, as_of)
    contracts = [_contract(row) for row in seen.contracts(config.metrics.notice_period_days)]
    tables = {name: seen.rows(name) for name in TABLES}
    tables["subscriptions"] = seen.rows("subscriptions")
    entries, earlier = timeline(tables, as_of - days(LATELY_DAYS), as_of, ENTRIES)
    run = store.latest(as_of)
    missing = dict.fromkeys((*TABLES, "usage_events"), "there is no such table")
    missing = {name: why for name, why in missing.items() if not dataset.has(name)}
    if run is None:
        wanted = f"tenure score CONFIG --as-of {show(as_of)[:10]} --out scores.csv"
        fix = f"`{wanted}` makes them{UNTRAINED}"
        missing["scores"] = f"none are kept of {show(as_of)} or before; {fix}"
    standing = _standing(dataset, account, as_of, contracts)
    cards = None
    if standing["paying"]:
        scores = {
            moment: store.book(one, str(config.labels.horizon_days), [account])
            for moment in moments
            if (one := store.latest(moment)) is not None
        }
        table = card_table(config, dataset, moments, scores, [account])
        cards = account_scorecards(table, account, config, moments)
    else:
        missing["scorecards"] = "it does not pay"
    return AccountRecord(
        account_id=account,
        as_of=as_of,
        **_attributes(seen.rows("accounts")),
        **standing,
        contracts=_shown(contracts),
        scores=None if run is None else account_scores(config, store, account, run),
        scorecards=cards,
        usage=_usage(seen) if dataset.has("usage_events") else None,
        open_tickets=_open_tickets(tables["tickets"]),
        surveys=_surveys(tables["survey_responses"]),
        unpaid_invoices=_unpaid(tables["invoices"], as_of),
        touchpoints=_last(Touchpoint, tables["touchpoints"]),
        timeline=entries,
        earlier=earlier,
        missing=missing,
    )


def _fields(kind: Any, row: Row) -> dict[str, Any]:
    """Return what a row says of the fields of a record."""
    return {name: row[name] for name in kind.model_fields if row.get(name) is not None}


def _attributes(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the latest values of attributes that were known, of which an empty one is no news."""
    known: dict[str, Any] = {}
    for row in rows:
        known |= {name: value for name, value in row.items() if _is_known(value)}
    further = {
        name: show(value) if hasattr(value, "isoformat") else value
        for name, value in known.items()
        if name not in {*ATTRIBUTES, "event_time", "known_at"}
    }
    own = {name: known.get(name) for name in ("created_at", "name", "owner", "segment")}
    return {**own, "attributes": further}


def _is_known(value: object) -> bool:
    return value is not None and not (isinstance(value, float) and isnan(value))


def _contract(row: Row) -> Contract:
    running = row.get("ended_at") is None
    values = _fields(Contract, row) | {"running": running, "renews_at": None}
    if not running:
        values.pop("notice_by", None)
    elif row["paid"]:
        values["renews_at"] = row["term_end"]
    return Contract(**values)


def _shown(contracts: Sequence[Contract]) -> tuple[Contract, ...]:
    """Return running contracts, then the last ones that ended."""
    running = [one for one in contracts if one.running]
    ended = sorted(
        (one for one in contracts if not one.running), key=lambda one: one.ended_at or ""
    )
    return (*running, *reversed(ended[-LAST:]))


def _standing(
    dataset: Dataset, account: str, as_of: datetime, contracts: Sequence[Contract]
) -> dict[str, Any]:
    """Return what the account pays, and in words whether it does."""
    rows = snapshots(dataset, [as_of], [account]).to_dict("records")
    paid = [one for one in contracts if one.paid]
    if not rows:
        last = max((one.ended_at for one in paid if one.ended_at), default=None)
        words = f"has left: it paid until {last[:10]}" if last else "has not paid yet"
        if any(one.running for one in paid):
            words = "does not pay: it is in a pause"
        return {"paying": False, "standing": words}
    row = {name: None if pd.isna(value) else value for name, value in rows[0].items()}
    notice = bool(row["notice_given"])
    ends = row["ends_at"] if notice else None
    deadlines = [one.notice_by for one in paid if one.running and one.notice_by]
    ahead = [day for day in deadlines if day >= show(as_of)]
    words = "gave notice" + (f", ends {show(ends)[:10]}" if ends else "") if notice else "pays"
    return {
        "paying": True,
        "standing": words,
        **{name: row[name] for name in ("mrr", "currency", "seats")},
        "renews_at": ends or row["renews_at"],
        "notice_by": None if notice else min(ahead, default=max(deadlines, default=None)),
        "notice_given": notice,
    }


def account_scores(config: Config, store: ListStore, account: str, run: StoredRun) -> AccountScores:
    """Return the kept scores of an account in a run, with their change and the band shown."""
    before = store.latest(run.as_of - timedelta(microseconds=1))
    earlier = {} if before is None else _by_horizon(store.account_scores(account, before))
    bands = still_bands(store, config, run.as_of, [account])
    scores = store.account_scores(account, run)
    main = ("churn", str(config.labels.horizon_days))
    return AccountScores(
        as_of=run.as_of,
        scored_at=run.scored_at,
        run_id=run.run_id,
        scores=tuple(
            _score(one, earlier.get((one.target, one.horizon))).model_copy(
                update=_band(bands, account) if (one.target, one.horizon) == main else {}
            )
            for one in scores
        ),
    )


def _by_horizon(scores: Sequence[StoredScore]) -> dict[tuple[str, str], StoredScore]:
    return {(one.target, one.horizon): one for one in scores if one.horizon != RENEWAL}


def _band(bands: pd.DataFrame, account: str) -> dict[str, Any]:
    if account not in bands.index:
        return {}
    row = bands.loc[account]
    return {"band": row["band"], "band_since": show(row["since"].to_pydatetime())}


def _score(one: StoredScore, before: StoredScore | None) -> AccountScore:
    change = None
    if before is not None and before.probability is not None and one.probability is not None:
        change = one.probability - before.probability
    values = {name: getattr(one, name, None) for name in AccountScore.model_fields}
    return AccountScore(**values | {"change": change, "risk_band": one.band, "band": None})


def _usage(seen: AccountRows) -> UsageTrend:
    total, rows = seen.usage()
    by_week = {row["week"]: row for row in rows}
    weeks = tuple(
        UsageWeek(
            week_from=seen.as_of - days(7 * (WEEKS - week)),
            events=by_week[week]["events"] if week in by_week else 0,
            users=by_week[week]["users"] if week in by_week else 0,
        )
        for week in range(WEEKS)
    )
    return UsageTrend(**total, weeks=weeks)


def _open_tickets(rows: Sequence[Row]) -> tuple[OpenTicket, ...]:
    return tuple(
        OpenTicket(**_fields(OpenTicket, row))
        for row in reversed(rows)
        if row.get("resolved_at") is None
    )


def _surveys(rows: Sequence[Row]) -> tuple[SurveyAnswer, ...]:
    answered = [row for row in rows if row.get("responded_at") and row.get("score") is not None]
    answered.sort(key=lambda row: row["responded_at"])
    return _last(SurveyAnswer, answered)


def _unpaid(rows: Sequence[Row], as_of: datetime) -> tuple[UnpaidInvoice, ...]:
    unpaid = [row for row in rows if row.get("paid_at") is None]
    return tuple(
        UnpaidInvoice(
            **_fields(UnpaidInvoice, row),
            overdue_days=(as_of - row["due_at"]).days if row.get("due_at") else None,
        )
        for row in reversed(unpaid)
    )


def _last(kind: Any, rows: Sequence[Row]) -> tuple[Any, ...]:
    """Return the records of the last rows, latest first."""
    return tuple(kind(**_fields(kind, row)) for row in reversed(rows[-LAST:]))
