"""The store as the rest of the package uses it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from sqlalchemy import Column, ColumnElement, Engine, Select, and_, bindparam, select

from tenure.core.errors import DataError, Problem
from tenure.core.records.score_drift import BookDrift
from tenure.labels.windows import RENEWAL
from tenure.score.store.database import connect, store_url
from tenure.score.store.encoding import (
    BLOCK,
    SentenceTemplate,
    unpacked_contributions,
    unpacked_drivers,
)
from tenure.score.store.outcomes import (
    Unsettled,
    read_bands,
    read_matured,
    unsettled,
    write_outcomes,
)
from tenure.score.store.run_table import read_book
from tenure.score.store.schema import (
    BLOCKS,
    RUN_ACCOUNTS,
    RUN_MODELS,
    RUNS,
    SCORES,
    WORDINGS,
    of_same_model,
)
from tenure.score.store.write import RunFacts, ScoringRun, add_run

if TYPE_CHECKING:
    from datetime import datetime

    from tenure.core.config import Config, LabelConfig
    from tenure.score.scored import Scored

BASE = "base value"
"""What the contributions of a row start from, in log-odds."""


@dataclass(frozen=True)
class StoredRun(RunFacts):
    """A run in the store.

    Attributes:
        run_id: Hash of what it follows from.
        number: Runs are numbered as they were written.
        accounts: How many accounts have a score in it.
    """

    run_id: str
    number: int
    accounts: int


@dataclass(frozen=True)
class StoredScore:
    """A score in the store: of one account, target and horizon in one run.

    Times are UTC, money is in `currency`.

    Attributes:
        horizon: Days, as text, or ``renewal``.
        probability: Calibrated, with the bounds `lo` and `hi`; None where it was not scored.
        log_odds: Before calibration.
        base_rate: Share of outcomes that the model was trained on.
        rank: Place among the accounts of the run by risk of churn, 1 is the highest.
        percentile: Share of accounts with at most this risk, in percent.
        renews_at: Renewal date, or end where notice was given.
        amount_at_risk: Probability of churn × MRR.
        expected_amount: Probability × what is expected where it happens.
        data_coverage: Share of the sources with rows of the account.
        drivers: By the fields of `tenure.explain.drivers`, strongest first.
    """

    run_id: str
    as_of: datetime
    scored_at: datetime
    account_id: str
    target: str
    horizon: str
    horizon_days: int
    probability: float | None
    lo: float | None
    hi: float | None
    log_odds: float | None
    base_rate: float
    rank: int | None
    percentile: float | None
    band: str | None
    abstain_reason: str | None
    mrr: float | None
    currency: str | None
    renews_at: datetime | None
    amount_at_risk: float | None
    expected_amount: float | None
    data_coverage: float | None
    model_name: str
    model_version: str
    drivers: list[dict[str, Any]] = field(repr=False)


class ScoreStore:
    """The scored runs of a project that are kept.  Only complete runs are ever seen.

    Args:
        engine: The database, as `tenure.score.store.database.connect` gives it.
        project: The config's name.
    """

    def __init__(self, engine: Engine, project: str) -> None:
        self.engine, self.project = engine, project
        self._wordings: dict[int, SentenceTemplate] = {}

    @classmethod
    @contextmanager
    def open(cls, config: Config) -> Iterator[Self]:
        """Yield the store of a config, which is made where there is none.

        Raises:
            ConfigError: If the database cannot be used.
        """
        engine = connect(store_url(config))
        try:
            yield cls(engine, config.name)
        finally:
            engine.dispose()

    def add(self, run: ScoringRun, scored: Scored, keep: int | None = None) -> bool:
        """Write a run; see `add_run`."""
        return add_run(self.engine, run, scored, keep)

    def runs(self, kind: str = "batch") -> list[StoredRun]:
        """Return the runs of a kind, by prediction time and then as they were written."""
        chosen = select(*RUN_COLUMNS).where(
            RUNS.c.kind == kind, RUNS.c.project == self.project, RUNS.c.complete
        )
        with self.engine.connect() as connection:
            rows = connection.execute(chosen.order_by(RUNS.c.as_of, RUNS.c.run_no)).all()
        return [StoredRun(*row) for row in rows]

    def before(self, as_of: datetime, kind: str = "batch") -> StoredRun | None:
        """Return the run with the latest prediction time before `as_of`, None where there is none.

        Of several runs of that time it is the one that was written last.
        """
        earlier = [run for run in self.runs(kind) if run.as_of < as_of]
        return earlier[-1] if earlier else None

    def probabilities(self, run: StoredRun, target: str) -> pd.Series[float]:
        """Return a run's probabilities of a target by account_id and horizon_days.

        The horizon ``renewal`` is left out: it is another length of time in every run.
        """
        columns = (SCORES.c.account_id, SCORES.c.horizon_days, SCORES.c.probability)
        chosen = select(*columns).where(
            SCORES.c.run_no == run.number,
            SCORES.c.target == target,
            SCORES.c.horizon != RENEWAL,
            SCORES.c.probability.is_not(None),
        )
        with self.engine.connect() as connection:
            rows = pd.DataFrame(
                connection.execute(chosen).all(),
                columns=["account_id", "horizon_days", "probability"],
            )
        return rows.set_index(["account_id", "horizon_days"])["probability"].astype(np.float64)

    def accounts(self, run: StoredRun) -> pd.DataFrame:
        """Return how the accounts of a run are called and grouped.

        Returns:
            Columns account_id, name, owner, segment, plan, notice_by.
        """
        columns = [column for column in RUN_ACCOUNTS.c if column.name != "run_no"]
        chosen = select(*columns).where(RUN_ACCOUNTS.c.run_no == run.number)
        with self.engine.connect() as connection:
            rows = connection.execute(chosen).all()
        return pd.DataFrame(rows, columns=[column.name for column in columns])

    def book(self, run: StoredRun) -> pd.DataFrame:
        """Return the scores of a run without what stands behind them, with the account's groups.

        Returns:
            One row per account, target and horizon: account_id, target, horizon, horizon_days,
            probability, band, abstain_reason, mrr, currency, renews_at (the end where notice was
            given), model_version, owner, segment, plan.
        """
        return read_book(self.engine, run.number)

    def unsettled(self, labels: LabelConfig, observed_until: datetime) -> list[Unsettled]:
        """Return the scores whose outcomes may be known and are not written."""
        return unsettled(self.engine, self.project, labels, observed_until)

    def write_outcomes(self, scores: Unsettled, known: pd.DataFrame) -> int:
        """Write outcomes of scores, once; see `write_outcomes`."""
        return write_outcomes(self.engine, scores, known)

    def matured(self, target: str, horizon: str) -> pd.DataFrame:
        """Return the scores of batch runs whose outcome is known; see `read_matured`."""
        return read_matured(self.engine, self.project, target, horizon)

    def bands(self, target: str, horizon: str) -> pd.DataFrame:
        """Return the bands of batch runs; see `read_bands`."""
        return read_bands(self.engine, self.project, target, horizon)

    def history(self, account: str, target: str | None = None) -> list[StoredScore]:
        """Return the scores that an account had, of all targets or one, by as_of and run."""
        chosen = _OF_ACCOUNT if target is None else _OF_ACCOUNT.where(SCORES.c.target == target)
        return self._scores(chosen, account=account)

    def scores(self, run: StoredRun, accounts: Sequence[str] | None = None) -> list[StoredScore]:
        """Return the scores of a run, of all accounts or some, by target, horizon and account."""
        if accounts is None:
            return self._scores(_OF_RUN, run=run.number)
        return self._scores(_OF_SOME, run=run.number, accounts=list(accounts))

    def _scores(self, chosen: Select[Any], **values: Any) -> list[StoredScore]:
        with self.engine.connect() as connection:
            rows = connection.execute(chosen, {"project": self.project, **values}).all()
        drivers = self.unpacked([(place, data) for *_, place, data in rows])
        return [
            StoredScore(*(*values[:-2], own))
            for values, own in zip(map(tuple, rows), drivers, strict=True)
        ]

    def unpacked(self, packed: Sequence[tuple[int, bytes]]) -> list[list[dict[str, Any]]]:
        """Return the drivers of scores, by the fields of `tenure.explain.drivers`.

        Args:
            packed: Of each score its place and the drivers of its block, as they are stored.
        """
        try:
            return [unpacked_drivers(data, at % BLOCK, self._wordings) for at, data in packed]
        except KeyError:  # a run that was added since has new wordings
            self._learn()
            return [unpacked_drivers(data, at % BLOCK, self._wordings) for at, data in packed]

    def _learn(self) -> None:
        with self.engine.connect() as connection:
            rows = connection.execute(select(WORDINGS)).all()
        for row in rows:
            self._wordings[row.wording_no] = SentenceTemplate(row.code, row.label, row.sentence)

    def contributions(
        self, run: StoredRun, target: str, horizon: str, accounts: Iterable[str] | None = None
    ) -> pd.DataFrame:
        """Return contributions of the signals to scores, in log-odds before calibration.

        A horizon is a number of days, as text, or ``renewal``; `accounts` limits the rows to them.

        Returns:
            Index account_id; float32 columns by signal, in the model's order, and ``base value``.
            A row adds up to its log_odds but for rounding; it is missing where there is no
            probability.

        Raises:
            DataError: If the run has no scores of that target and horizon.
        """
        key = (run.number, target, horizon)
        with self.engine.connect() as connection:
            signals = connection.scalar(select(RUN_MODELS.c.signals).where(*_is(RUN_MODELS, key)))
            if signals is None:
                thing = f"run {run.run_id}"
                rule = f"holds no scores of `{target}` for the horizon `{horizon}`"
                raise DataError(Problem(thing, rule, fix="choose a target and horizon it holds"))
            chosen = select(SCORES.c.place, SCORES.c.account_id).where(*_is(SCORES, key))
            if accounts is not None:
                chosen = chosen.where(SCORES.c.account_id.in_(list(accounts)))
            places = dict(connection.execute(chosen.order_by(SCORES.c.place)).all())
            numbers = sorted({place // BLOCK for place in places})
            blocks = select(BLOCKS.c.block, BLOCKS.c.contributions)
            blocks = blocks.where(*_is(BLOCKS, key))
            if accounts is not None:
                blocks = blocks.where(BLOCKS.c.block.in_(numbers))
            packed = dict(connection.execute(blocks).all())
        names = [*signals, BASE]
        values = {number: unpacked_contributions(packed[number], len(names)) for number in numbers}
        rows = [values[place // BLOCK][place % BLOCK] for place in places]
        index = pd.Index(places.values(), name="account_id", dtype="str")
        empty = np.empty((0, len(names)), dtype=np.float32)
        return pd.DataFrame(np.stack(rows) if rows else empty, index=index, columns=names)

    def drift(self, run: StoredRun) -> dict[str, BookDrift]:
        """Return how the book of a run differed from the last known times, by target."""
        columns = select(RUN_MODELS.c.target, RUN_MODELS.c.drift)
        statement = columns.where(RUN_MODELS.c.run_no == run.number, RUN_MODELS.c.drift.isnot(None))
        with self.engine.connect() as connection:
            drifts = connection.execute(statement).all()
        return {target: BookDrift.from_json(drift) for target, drift in drifts}


def _is(table: Any, key: tuple[int, str, str]) -> list[ColumnElement[bool]]:
    """Return the conditions that hold for the rows of one run, target and horizon."""
    names = ("run_no", "target", "horizon")
    return [table.c[name] == value for name, value in zip(names, key, strict=True)]


def _column(name: str) -> Column[Any]:
    tables = (SCORES, RUNS, RUN_MODELS)
    return next(table.c[name] for table in tables if name in table.c)


RUN_COLUMNS = [
    RUNS.c["run_no" if item.name == "number" else item.name] for item in fields(StoredRun)
]
_READ = [_column(item.name) for item in fields(StoredScore) if item.name != "drivers"]
_WITH_DRIVERS = (
    select(*_READ, SCORES.c.place, BLOCKS.c.drivers)
    .join_from(SCORES, RUNS, SCORES.c.run_no == RUNS.c.run_no)
    .join(RUN_MODELS, of_same_model(RUN_MODELS))
    .join(BLOCKS, and_(of_same_model(BLOCKS), BLOCKS.c.block == SCORES.c.place // BLOCK))
    .where(RUNS.c.project == bindparam("project"), RUNS.c.complete)
    .order_by(RUNS.c.as_of, RUNS.c.run_no, SCORES.c.target, SCORES.c.horizon, SCORES.c.place)
)
_OF_ACCOUNT = _WITH_DRIVERS.where(SCORES.c.account_id == bindparam("account"))
_OF_RUN = _WITH_DRIVERS.where(SCORES.c.run_no == bindparam("run"))
_OF_SOME = _OF_RUN.where(SCORES.c.account_id.in_(bindparam("accounts", expanding=True)))
