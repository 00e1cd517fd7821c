"""What a book of accounts is read from, and the work lists that were handed out."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from sqlalchemy import ColumnElement, and_, delete, func, insert, select

from tenure.core.times import now
from tenure.score.store.database import writing
from tenure.score.store.encoding import BLOCK
from tenure.score.store.schema import (
    ASSIGNMENTS,
    BLOCKS,
    LISTINGS,
    RUN_ACCOUNTS,
    RUN_MODELS,
    RUNS,
    SCORES,
    of_same_model,
)
from tenure.score.store.store import ScoreStore, StoredRun, StoredScore

if TYPE_CHECKING:
    from datetime import datetime

    from tenure.core.config import Config

PORTION = 5_000
"""Accounts that one statement names at most."""
MOST_RUNS = 60
"""Runs whose probabilities are read at once."""
_CHURN = ("lo", "hi", "band", "rank", "mrr", "currency", "renews_at", "abstain_reason")
_NAMED = ("name", "owner", "segment", "plan", "notice_by")


@dataclass(frozen=True)
class Listing:
    """An account as it last stood on a work list.

    Attributes:
        as_of: Prediction time of the list.
        known: What was known of it then, as JSON values.
    """

    as_of: datetime
    known: Mapping[str, Any]


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

    def latest(self, as_of: datetime, kind: str = "batch") -> StoredRun | None:
        """Return the run with the latest prediction time up to `as_of`; None without one.

        Of several runs of that time it is the one that was written last.
        """
        past = [run for run in self._scores.runs(kind) if run.as_of <= as_of]
        return past[-1] if past else None

    def book(
        self, run: StoredRun, horizon: str, accounts: Collection[str] | None = None
    ) -> pd.DataFrame:
        """Return the accounts of a run with their scores under one horizon, by account_id.

        Columns: name, owner, segment, plan, notice_by; mrr, currency, renews_at, abstain_reason;
        of churn: churn_probability, lo, hi, base_rate, rank, risk_band, mrr_at_risk; of expansion:
        expansion_probability, expansion_lift (multiple of the base rate), expected_expansion_mrr.
        What is not known is missing.
        """
        columns = [
            SCORES.c.account_id,
            SCORES.c.target,
            SCORES.c.probability,
            RUN_MODELS.c.base_rate,
        ]
        columns += [SCORES.c[name] for name in (*_CHURN, "amount_at_risk", "expected_amount")]
        chosen = select(*columns).join(RUN_MODELS, of_same_model(RUN_MODELS))
        chosen = chosen.where(SCORES.c.run_no == run.number, SCORES.c.horizon == horizon)
        named = select(RUN_ACCOUNTS.c.account_id, *(RUN_ACCOUNTS.c[name] for name in _NAMED))
        named = named.where(RUN_ACCOUNTS.c.run_no == run.number)
        if accounts is not None:
            chosen = chosen.where(SCORES.c.account_id.in_(list(accounts)))
            named = named.where(RUN_ACCOUNTS.c.account_id.in_(list(accounts)))
        with self.engine.connect() as connection:
            scores = _frame(connection.execute(chosen))
            people = _frame(connection.execute(named)).set_index("account_id")
        churn = scores[scores["target"] == "churn"].set_index("account_id")
        growth = scores[scores["target"] == "expansion"].set_index("account_id")
        book = (churn if len(churn) else growth)[["base_rate", *_CHURN]]
        book = book.rename(columns={"band": "risk_band"})
        for name, source in (("churn", churn), ("expansion", growth)):
            book[f"{name}_probability"] = (
                source["probability"].reindex(book.index).astype("float64")
            )
        book["mrr_at_risk"] = churn["amount_at_risk"].reindex(book.index).astype("float64")
        lift = growth["probability"].astype("float64") / growth["base_rate"].astype("float64")
        book["expansion_lift"] = lift.reindex(book.index)
        amount = growth["expected_amount"].reindex(book.index)
        book["expected_expansion_mrr"] = amount.astype("float64")
        return book.join(people, how="left").sort_index()

    def drivers(
        self, run: StoredRun, horizon: str, accounts: Iterable[str]
    ) -> dict[tuple[str, str], list[dict[str, Any]]]:
        """Return the drivers of accounts in a run, by account and target, strongest first."""
        names = sorted(set(accounts))
        block = and_(of_same_model(BLOCKS), BLOCKS.c.block == SCORES.c.place // BLOCK)
        columns = (SCORES.c.account_id, SCORES.c.target, SCORES.c.place, BLOCKS.c.drivers)
        chosen = select(*columns).join(BLOCKS, block)
        chosen = chosen.where(SCORES.c.run_no == run.number, SCORES.c.horizon == horizon)
        with self.engine.connect() as connection:
            rows = [
                row
                for start in range(0, len(names), PORTION)
                for row in connection.execute(
                    chosen.where(SCORES.c.account_id.in_(names[start : start + PORTION]))
                )
            ]
        drivers = self._scores.unpacked([(place, packed) for *_, place, packed in rows])
        return {
            (account, target): own for (account, target, *_), own in zip(rows, drivers, strict=True)
        }

    def account_scores(self, account: str, run: StoredRun) -> list[StoredScore]:
        """Return the scores of one account in a run, by target and horizon."""
        return self._scores.scores(run, [account])

    def runs(self) -> list[StoredRun]:
        """Return the kept runs, by prediction time and then as they were written."""
        return self._scores.runs()

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
        inside = (RUNS.c.as_of >= span[0], RUNS.c.as_of <= span[1])
        own = (RUNS.c.project == self.project, RUNS.c.kind == "batch", RUNS.c.complete)
        newest = select(func.max(RUNS.c.run_no), RUNS.c.as_of).where(*own, *inside)
        newest = newest.group_by(RUNS.c.as_of).order_by(RUNS.c.as_of.desc()).limit(most)
        columns = (SCORES.c.run_no, SCORES.c.account_id, SCORES.c.probability, SCORES.c.rank)
        chosen = select(*columns, RUN_MODELS.c.base_rate).join(
            RUN_MODELS, of_same_model(RUN_MODELS)
        )
        chosen = chosen.where(SCORES.c.target == target, SCORES.c.horizon == horizon)
        if accounts is not None:
            chosen = chosen.where(SCORES.c.account_id.in_(list(accounts)))
        with self.engine.connect() as connection:
            moments = {row[0]: row[1] for row in connection.execute(newest)}
            rows = connection.execute(chosen.where(SCORES.c.run_no.in_(moments)))
            frame = _frame(rows)
        # One time per run: the database would parse one for each row.
        frame.insert(0, "as_of", frame.pop("run_no").map(moments).astype("datetime64[us]"))
        frame = frame.astype(dict.fromkeys(("probability", "base_rate", "rank"), np.float64))
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

        Args:
            name: Of the list.
            as_of: Its prediction time.
            listings: Account, owner, and what is known of the account as JSON values.
            arms: Account → arm, of those that have none yet.
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


def _frame(result: Any) -> pd.DataFrame:
    """Return the rows of a result; by columns, for pandas looks long at rows of SQLAlchemy."""
    names, rows = list(result.keys()), result.all()
    columns = zip(*rows, strict=True) if rows else ((),) * len(names)
    return pd.DataFrame(dict(zip(names, map(list, columns), strict=True)))
