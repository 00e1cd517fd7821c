"""The scores of some accounts in one run, by account, and the models that gave them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import select

from tenure.score.store.schema import RUN_MODELS
from tenure.score.store.store import SCORE_FIELDS, ScoreStore, StoredRun, StoredScore


@dataclass(frozen=True)
class StoredAccount:
    """An account and its scores in one run; what is not known of it is None."""

    account_id: str
    scores: list[StoredScore]
    """Of all targets and horizons, by target and horizon."""
    name: str | None = None
    owner: str | None = None
    segment: str | None = None
    plan: str | None = None
    notice_by: datetime | None = None


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

    Only accounts of the owner and of the segment are returned; None: of all.
    """
    limits: dict[str, Any] = {"account_id": list(ids), "owner": owner, "segment": segment}
    accounts: dict[str, StoredAccount] = {}
    for row in store.read((*_OF_ACCOUNT, *SCORE_FIELDS), run_no=run.number, **limits):
        about, score = row[: len(_OF_ACCOUNT)], StoredScore(*row[len(_OF_ACCOUNT) :])
        account = accounts.setdefault(score.account_id, StoredAccount(score.account_id, [], *about))
        account.scores.append(score)
    return accounts


def account_ids(
    store: ScoreStore, run: StoredRun, *, owner: str | None = None, segment: str | None = None
) -> list[str]:
    """Return the ids of a run's accounts in order, of one owner or segment where it is not None."""
    mine = {"run_no": run.number, "owner": owner, "segment": segment}
    return sorted({name for (name,) in store.read(("account_id",), (), **mine)})


_OF_ACCOUNT = tuple(item.name for item in fields(StoredAccount))[2:]
