"""The store as the rest of the package uses it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Self

import pandas as pd
from sqlalchemy import Engine, bindparam, select

from tenure.core.config import Config, LabelConfig
from tenure.core.errors import DataError, ModelError, Problem
from tenure.core.records.score_drift import BookDrift
from tenure.core.times import show
from tenure.labels.windows import RENEWAL
from tenure.score.scored import Scored
from tenure.score.store.database import connect, store_url
from tenure.score.store.encoding import SentenceTemplate, unpacked_drivers
from tenure.score.store.outcomes import Unsettled, unsettled, write_outcomes
from tenure.score.store.reading import BY_PLACE, Row, frame, read, read_contributions
from tenure.score.store.schema import RUN_ACCOUNTS, RUN_MODELS, RUNS, WORDINGS
from tenure.score.store.write import RunFacts, ScoringRun, add_run

UNTRAINED = " (`tenure train CONFIG` before it, where no champion stands)"
"""What may have to come before the first run."""


@dataclass(frozen=True)
class StoredRun(RunFacts):
    """A run in the store."""

    run_id: str
    """Hash of what it follows from."""
    number: int
    """Runs are numbered as they were written."""
    accounts: int
    """How many accounts have a score in it."""


@dataclass(frozen=True)
class StoredScore:
    """A score in the store: of one account, target and horizon in one run.

    Times are UTC, money is in `currency`.
    """

    run_id: str
    as_of: datetime
    scored_at: datetime
    account_id: str
    target: str
    horizon: str
    """Days, as text, or ``renewal``."""
    horizon_days: int
    probability: float | None
    """Calibrated, with the bounds `lo` and `hi`; None where it was not scored."""
    lo: float | None
    hi: float | None
    log_odds: float | None
    """Before calibration."""
    base_rate: float
    """Share of outcomes that the model was trained on."""
    rank: int | None
    """Place among the accounts of the run by risk of churn, 1 is the highest."""
    percentile: float | None
    """Share of accounts with at most this risk, in percent."""
    band: str | None
    abstain_reason: str | None
    mrr: float | None
    currency: str | None
    renews_at: datetime | None
    """Renewal date, or end where notice was given."""
    amount_at_risk: float | None
    """Probability of churn × MRR."""
    expected_amount: float | None
    """Probability × what is expected where it happens."""
    data_coverage: float | None
    """Share of the sources with rows of the account."""
    model_name: str
    model_version: str
    drivers: list[dict[str, Any]] = field(default_factory=list, repr=False)
    """By the fields of `tenure.explain.drivers`, strongest first, if they were read."""


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

    def runs(self) -> list[StoredRun]:
        """Return the batch runs, by prediction time and then as they were written."""
        statement, mine = _RUNS.order_by(*_LAST_WRITTEN), {"project": self.project}
        with self.engine.connect() as connection:
            rows = connection.execute(statement, mine).all()
        return [StoredRun(*row) for row in rows]

    def latest(self, as_of: datetime | None = None, *, before: bool = False) -> StoredRun | None:
        """Return the batch run with the latest prediction time, None where there is none.

        Of several runs of that time it is the one that was written last.  Only runs count that lie
        at or before `as_of`, with `before` strictly before it.
        """
        chosen, mine = _RUNS, {"project": self.project}
        if as_of is not None:
            chosen = chosen.where(RUNS.c.as_of < as_of if before else RUNS.c.as_of <= as_of)
        last = chosen.order_by(*(column.desc() for column in _LAST_WRITTEN)).limit(1)
        with self.engine.connect() as connection:
            row = connection.execute(last, mine).first()
        return StoredRun(*row) if row else None

    def run_up_to(self, moment: datetime | None = None, thing: str = "the store") -> StoredRun:
        """Return the latest run, or the latest at or before a time; see `latest`.

        `thing` names who wants it, e.g. the option that the time is of.

        Raises:
            ModelError: If there is none.
        """
        run = self.latest(moment)
        if run is None:
            of = f" --as-of {show(moment)[:10]}" if moment else ""
            fix = f"run `tenure score CONFIG{of} --out FILE` first"
            first = self.runs()[:1]
            fix += f", or choose {show(first[0].as_of)} or later" if first else UNTRAINED
            rule = f"no run was kept{' at or before this time' if moment else ''}"
            raise ModelError(Problem(thing, rule, show(moment) if moment else "", fix))
        return run

    def before(self, as_of: datetime) -> StoredRun | None:
        """Return the latest run before a prediction time; see `latest`."""
        return self.latest(as_of, before=True)

    def last_of_each_time(self) -> dict[datetime, StoredRun]:
        """Return prediction time → the run of that time that was written last, by time."""
        return {run.as_of: run for run in self.runs()}

    def probabilities(self, run: StoredRun, target: str) -> pd.Series[float]:
        """Return a run's probabilities of a target by account_id and horizon_days.

        The horizon ``renewal`` is left out: it is another length of time in every run.
        """
        names = ("account_id", "horizon_days", "horizon", "probability")
        rows = self.frame(names, run_no=run.number, target=target).dropna(subset="probability")
        rows = rows[rows["horizon"] != RENEWAL]
        return rows.set_index(["account_id", "horizon_days"])["probability"]

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
        return self.frame(_OF_BOOK, run_no=run.number)

    def unsettled(self, labels: LabelConfig, observed_until: datetime) -> list[Unsettled]:
        """Return the scores whose outcomes may be known and are not written."""
        return unsettled(self.engine, self.project, labels, observed_until)

    def write_outcomes(self, scores: Unsettled, known: pd.DataFrame) -> int:
        """Write outcomes of scores, once; see `write_outcomes`."""
        return write_outcomes(self.engine, scores, known)

    def matured(self, target: str, horizon: str) -> pd.DataFrame:
        """Return the scores of batch runs whose outcome is known.

        Of several runs of one prediction time it is the one that was written last.

        Returns:
            run_no, as_of, account_id, horizon_days, probability, band, mrr, currency, outcome,
            label_known_at and treated, by as_of and account.
        """
        return self._of_last_runs(_MATURED, target, horizon)

    def bands(self, target: str, horizon: str) -> pd.DataFrame:
        """Return the bands of batch runs: as_of, account_id and band, by as_of and account."""
        return self._of_last_runs(("as_of", "account_id", "band"), target, horizon)

    def _of_last_runs(self, names: Sequence[str], target: str, horizon: str) -> pd.DataFrame:
        runs = [run.number for run in self.last_of_each_time().values()]
        order = ("as_of", "account_id")
        return self.frame(names, order, run_no=runs, target=target, horizon=horizon)

    def history(
        self,
        account: str,
        target: str | None = None,
        horizon: str | None = None,
        *,
        drivers: bool = True,
        runs: int | None = None,
    ) -> list[StoredScore]:
        """Return the scores that an account had in batch runs, by as_of and run.

        Only scores of the target and the horizon are read, where these are named, and their drivers
        where wanted; of the last `runs` that have any, by default of all.
        """
        names = SCORE_FIELDS if drivers else SCORE_FIELDS[:-1]
        mine: dict[str, Any] = {"project": self.project, "kind": "batch", "complete": True}
        mine |= {"account_id": account, "target": target, "horizon": horizon}
        if runs is not None:
            numbers = [number for (number,) in self.read(("run_no",), _BY_TIME, **mine)]
            mine["run_no"] = list(dict.fromkeys(reversed(numbers)))[:runs]
        return [StoredScore(*row) for row in self.read(names, (*_BY_TIME, *BY_PLACE), **mine)]

    def scores(
        self,
        run: StoredRun,
        accounts: Sequence[str] | None = None,
        target: str | None = None,
        horizon: str | None = None,
    ) -> list[StoredScore]:
        """Return the scores of a run, all or some of them, by target, horizon and account."""
        mine: dict[str, Any] = {"account_id": accounts, "target": target, "horizon": horizon}
        rows = self.read(SCORE_FIELDS, run_no=run.number, **mine)
        return [StoredScore(*row) for row in rows]

    def read(
        self, names: Sequence[str], order: Sequence[str] = BY_PLACE, **where: Any
    ) -> list[Row]:
        """Return columns of scores; see `tenure.score.store.reading.read`.

        Where the last of the names is ``drivers``, it is by the fields of `tenure.explain.drivers`.
        """
        if names[-1] != "drivers":
            return read(self.engine, names, order, **where)
        rows = read(self.engine, (*names[:-1], "place", "drivers"), order, **where)
        drivers = self.unpacked([row[-2:] for row in rows])
        return [(*row[:-2], own) for row, own in zip(rows, drivers, strict=True)]

    def frame(
        self, names: Sequence[str], order: Sequence[str] = BY_PLACE, **where: Any
    ) -> pd.DataFrame:
        """Return columns of scores as a table; see `read`."""
        return frame(read(self.engine, names, order, **where), names)

    def unpacked(self, packed: Sequence[tuple[int, bytes]]) -> list[list[dict[str, Any]]]:
        """Return the drivers of scores, by the fields of `tenure.explain.drivers`.

        `packed` is of each score its place and the drivers of its block, as they are stored.
        """
        try:
            return unpacked_drivers(packed, self._wordings)
        except KeyError:  # a run that was added since has new wordings
            self._learn()
            return unpacked_drivers(packed, self._wordings)

    def code(self, wording: int) -> str:
        """Return the code of the drivers of a wording, one that was unpacked."""
        return self._wordings[wording].code

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
        values = read_contributions(self.engine, (run.number, target, horizon), accounts)
        if values is None:
            thing = f"run {run.run_id}"
            rule = f"holds no scores of `{target}` for the horizon `{horizon}`"
            raise DataError(Problem(thing, rule, fix="choose a target and horizon it holds"))
        return values

    def drift(self, run: StoredRun) -> dict[str, BookDrift]:
        """Return how the book of a run differed from the last known times, by target."""
        columns = select(RUN_MODELS.c.target, RUN_MODELS.c.drift)
        statement = columns.where(RUN_MODELS.c.run_no == run.number, RUN_MODELS.c.drift.isnot(None))
        with self.engine.connect() as connection:
            drifts = connection.execute(statement).all()
        return {target: BookDrift.from_json(drift) for target, drift in drifts}


_RUN_COLUMNS = [
    RUNS.c["run_no" if item.name == "number" else item.name] for item in fields(StoredRun)
]
_RUNS = select(*_RUN_COLUMNS).where(
    RUNS.c.project == bindparam("project"), RUNS.c.kind == "batch", RUNS.c.complete
)
_BY_TIME = ("as_of", "run_no")
_LAST_WRITTEN = [RUNS.c[name] for name in _BY_TIME]
SCORE_FIELDS = tuple(item.name for item in fields(StoredScore))
_OF_BOOK = (
    *("account_id", "target", "horizon", "horizon_days", "probability", "band", "abstain_reason"),
    *("mrr", "currency", "renews_at", "model_version", "owner", "segment", "plan"),
)
_MATURED = (
    *("run_no", "as_of", "account_id", "horizon_days", "probability", "band", "mrr", "currency"),
    *("outcome", "label_known_at", "treated"),
)
