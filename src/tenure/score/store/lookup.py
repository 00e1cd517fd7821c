"""Runs by their time, and the scores of some accounts in one run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from tenure.score.store.schema import RUN_ACCOUNTS, RUN_MODELS, RUNS, SCORES
from tenure.score.store.store import RUN_COLUMNS, ScoreStore, StoredRun, StoredScore

if TYPE_CHECKING:
    from datetime import datetime

AT_ONCE = 500
"""Accounts of one statement."""


@dataclass(frozen=True)
class StoredAccount:
    """An account and its scores in one run; what is not known of it is None.

    Attributes:
        scores: Of all targets and horizons, by target and horizon.
    """

    account_id: str
    scores: list[StoredScore]
    name: str | None = None
    owner: str | None = None
    segment: str | None = None
    plan: str | None = None
    notice_by: datetime | None = None


def run_at(
    store: ScoreStore, as_of: datetime | None = None, *, before: bool = False
) -> StoredRun | None:
    """Return the last complete batch run, None where there is none.

    Args:
        store: The project's runs.
        as_of: The last one at or before this time.
        before: The last one strictly before it.
    """
    chosen = select(*RUN_COLUMNS).where(
        RUNS.c.kind == "batch", RUNS.c.project == store.project, RUNS.c.complete
    )
    if as_of is not None:
        chosen = chosen.where(RUNS.c.as_of < as_of if before else RUNS.c.as_of <= as_of)
    chosen = chosen.order_by(RUNS.c.as_of.desc(), RUNS.c.run_no.desc()).limit(1)
    with store.engine.connect() as connection:
        row = connection.execute(chosen).first()
    return StoredRun(*row) if row else None


def run_versions(store: ScoreStore, run: StoredRun) -> dict[str, str]:
    """Return target → version of the model that scored a run."""
    columns = (RUN_MODELS.c.target, RUN_MODELS.c.model_version)
    chosen = select(*columns).where(RUN_MODELS.c.run_no == run.number).distinct()
    with store.engine.connect() as connection:
        return dict(connection.execute(chosen).all())


def accounts_of(
    store: ScoreStore,
    run: StoredRun,
    ids: Iterable[str],
    *,
    owner: str | None = None,
    segment: str | None = None,
) -> dict[str, StoredAccount]:
    """Return account_id → an account with its scores, of those that a run has.

    Args:
        store: The project's runs.
        run: One of them.
        ids: Accounts.
        owner: Only accounts of this owner; None: of all.
        segment: Likewise of this segment.
    """
    wanted = list(dict.fromkeys(ids))
    accounts: dict[str, StoredAccount] = {}
    for start in range(0, len(wanted), AT_ONCE):
        part = wanted[start : start + AT_ONCE]
        scores: dict[str, list[StoredScore]] = {}
        for score in store.scores(run, part):
            scores.setdefault(score.account_id, []).append(score)
        facts = _facts(store, run, list(scores))
        for name, own in scores.items():
            known = facts.get(name, {})
            if owner in (None, known.get("owner")) and segment in (None, known.get("segment")):
                accounts[name] = StoredAccount(account_id=name, scores=own, **known)
    return accounts


def _facts(store: ScoreStore, run: StoredRun, ids: list[str]) -> dict[str, dict[str, Any]]:
    names = ("name", "owner", "segment", "plan", "notice_by")
    columns = [RUN_ACCOUNTS.c[name] for name in names]
    chosen = select(RUN_ACCOUNTS.c.account_id, *columns).where(
        RUN_ACCOUNTS.c.run_no == run.number, RUN_ACCOUNTS.c.account_id.in_(ids)
    )
    with store.engine.connect() as connection:
        rows = connection.execute(chosen).all()
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}


def account_ids(
    store: ScoreStore, run: StoredRun, *, owner: str | None = None, segment: str | None = None
) -> list[str]:
    """Return the ids of a run's accounts in order, of one owner or segment where it is not None."""
    chosen = select(SCORES.c.account_id).where(SCORES.c.run_no == run.number).distinct()
    if owner is not None or segment is not None:
        limits = {"owner": owner, "segment": segment}
        chosen = select(RUN_ACCOUNTS.c.account_id).where(
            RUN_ACCOUNTS.c.run_no == run.number,
            *(RUN_ACCOUNTS.c[name] == value for name, value in limits.items() if value is not None),
        )
    with store.engine.connect() as connection:
        return sorted(connection.scalars(chosen))
