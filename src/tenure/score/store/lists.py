"""What a book of accounts is read from, and the work lists that were handed out."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import ColumnElement, delete, insert, select

from tenure.core.config import Config
from tenure.core.times import now
from tenure.score.store.database import writing
from tenure.score.store.schema import ASSIGNMENTS, LISTINGS
from tenure.score.store.store import ScoreStore, StoredRun, StoredScore

if TYPE_CHECKING:
    import pandas as pd

MOST_RUNS = 60
"""Runs whose probabilities are read at once."""
_OF_BOTH = (
    *("account_id", "base_rate", "lo", "hi", "band", "rank", "mrr", "currency", "renews_at"),
    *("abstain_reason", "name", "owner", "segment", "plan", "notice_by"),
)
_OF_EITHER = ("target", "probability", "amount_at_risk", "expected_amount")
_OF_LEVEL = ("run_no", "account_id", "probability", "base_rate", "rank")


@dataclass(frozen=True)
class Listing:
    """An account as it last stood on a work list."""

    as_of: datetime
    """Prediction time of the list."""
    known: Mapping[str, Any]
    """What was known of it then, as JSON values."""


class ListStore:
    """The scored runs of a project as books of accounts, and their work lists.

    Args:
        scores: Where the runs are.
    """

    def __init__(self, scores: ScoreStore) -> None:
        self._scores = scores
        self.engine, self.project = scores.engine, scores.project

    @classmethod
    @contextmanager
    def open(cls, config: Config) -> Iterator[Self]:
        """Yield the store of a config, which is made where there is none.

        Raises:
            ConfigError: If the database cannot be used.
        """
        with ScoreStore.open(config) as scores:
            yield cls(scores)

    def runs(self) -> list[StoredRun]:
        """Return the runs, by time; see `ScoreStore.runs`."""
        return self._scores.runs()

    def latest(self, as_of: datetime) -> StoredRun | None:
        """Return the latest run up to a time; see `ScoreStore.latest`."""
        return self._scores.latest(as_of)

    def run_up_to(self, moment: datetime, thing: str) -> StoredRun:
        """Return the latest run up to a time, or raise; see `ScoreStore.run_up_to`."""
        return self._scores.run_up_to(moment, thing)

    def book(
        self, run: StoredRun, horizon: str, accounts: Collection[str] | None = None
    ) -> pd.DataFrame:
        """Return the accounts of a run with their scores under one horizon, by account_id.

        Columns: name, owner, segment, plan, notice_by; mrr, currency, renews_at, abstain_reason;
        of churn: churn_probability, lo, hi, base_rate, rank, risk_band, mrr_at_risk; of expansion:
        expansion_probability, expansion_lift (multiple of the base rate), expected_expansion_mrr.
        What is not known is missing.
        """
        where = {"run_no": run.number, "horizon": horizon, "account_id": accounts}
        scores = self._scores.frame((*_OF_BOTH, *_OF_EITHER), (), **where)
        scores = scores.set_index("account_id").sort_index()
        churn, growth = (scores[scores["target"] == name] for name in ("churn", "expansion"))
        book = (churn if len(churn) else growth)[list(_OF_BOTH[1:])]
        return book.rename(columns={"band": "risk_band"}).assign(
            churn_probability=churn["probability"],
            expansion_probability=growth["probability"],
            mrr_at_risk=churn["amount_at_risk"],
            expansion_lift=growth["probability"] / growth["base_rate"],
            expected_expansion_mrr=growth["expected_amount"],
        )

    def drivers(
        self, run: StoredRun, horizon: str, accounts: Collection[str]
    ) -> dict[tuple[str, str], list[dict[str, Any]]]:
        """Return the drivers of accounts in a run, by account and target, strongest first."""
        where: dict[str, Any] = {"horizon": horizon, "account_id": accounts}
        rows = self._scores.read(("account_id", "target", "drivers"), run_no=run.number, **where)
        return {(account, target): own for account, target, own in rows}

    def account_scores(self, account: str, run: StoredRun) -> list[StoredScore]:
        """Return the scores of one account in a run, by target and horizon."""
        return self._scores.scores(run, [account])

    def levels(
        self,
        target: str,
        horizon: str,
        span: tuple[datetime, datetime],
        accounts: Collection[str] | None = None,
        most: int = MOST_RUNS,
    ) -> pd.DataFrame:
        """Return the probabilities of the latest runs in a span of time, both ends included.

        Of several runs of one prediction time the one that was written last counts.

        Returns:
            as_of, account_id, probability, base_rate and rank, by as_of and account.
        """
        runs = self._scores.last_of_each_time()
        inside = [moment for moment in runs if span[0] <= moment <= span[1]][-most:]
        moments = {runs[moment].number: moment for moment in inside}
        where = {"target": target, "horizon": horizon, "account_id": accounts}
        frame = self._scores.frame(_OF_LEVEL, (), run_no=list(moments), **where)
        # One time per run: the database would parse one for each row.
        frame.insert(0, "as_of", frame.pop("run_no").map(moments).astype("datetime64[us]"))
        return frame.sort_values(["as_of", "account_id"], kind="stable", ignore_index=True)

    def last_listings(self, name: str, before: datetime) -> dict[str, Listing]:
        """Return how accounts last stood on a work list before a prediction time, by account."""
        columns = (LISTINGS.c.account_id, LISTINGS.c.as_of, LISTINGS.c.known)
        chosen = select(*columns).where(*self._of_list(LISTINGS, name), LISTINGS.c.as_of < before)
        with self.engine.connect() as connection:
            rows = connection.execute(chosen.order_by(LISTINGS.c.as_of)).all()
        return {row.account_id: Listing(row.as_of, json.loads(row.known)) for row in rows}

    def arms(self, name: str) -> dict[str, str]:
        """Return the arm of each account that was assigned to one for a work list."""
        chosen = select(ASSIGNMENTS.c.account_id, ASSIGNMENTS.c.arm)
        with self.engine.connect() as connection:
            rows = connection.execute(chosen.where(*self._of_list(ASSIGNMENTS, name))).all()
        return dict(tuple(row) for row in rows)

    def hand_out(
        self,
        name: str,
        as_of: datetime,
        listings: Sequence[tuple[str, str | None, Mapping[str, Any]]],
        arms: Mapping[str, str],
    ) -> None:
        """Write a work list, in the place of one of the same prediction time.

        `listings` are account, owner, and what is known of the account as JSON values; `arms` are
        those of accounts that have none yet.
        """
        moment = now()
        key = {"project": self.project, "list": name, "at": moment}
        rows = [
            key
            | {"account_id": account, "as_of": as_of, "owner": owner}
            | {"known": json.dumps(known, sort_keys=True)}
            for account, owner, known in listings
        ]
        with writing(self.engine) as connection:
            same = (*self._of_list(LISTINGS, name), LISTINGS.c.as_of == as_of)
            connection.execute(delete(LISTINGS).where(*same))
            assigned = select(ASSIGNMENTS.c.account_id).where(*self._of_list(ASSIGNMENTS, name))
            present = set(connection.scalars(assigned))
            fresh = [
                key | {"account_id": account, "arm": arm}
                for account, arm in arms.items()
                if account not in present
            ]
            for table, values in ((LISTINGS, rows), (ASSIGNMENTS, fresh)):
                if values:
                    connection.execute(insert(table), values)

    def _of_list(self, table: Any, name: str) -> tuple[ColumnElement[bool], ...]:
        return table.c.project == self.project, table.c.list == name
