"""The store as the rest of the package uses it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, select

from tenure.core.errors import DataError, Problem
from tenure.labels.windows import RENEWAL
from tenure.score.store.database import connect, store_url
from tenure.score.store.encoding import BLOCK, Wording, unpacked_contributions, unpacked_drivers
from tenure.score.store.schema import CONTRIBUTIONS, RUN_MODELS, RUNS, SCORES, WORDINGS
from tenure.score.store.write import Run, add_run

if TYPE_CHECKING:
    from datetime import datetime
    from types import TracebackType

    from tenure.core.config import Config
    from tenure.score.scored import Scored

BASE = "base value"
"""What the contributions of a row start from, in log-odds."""


@dataclass(frozen=True)
class KeptRun:
    """A run in the store.

    Attributes:
        run_id: Hash of what it follows from.
        number: Runs are numbered as they were written.
        project: Whose it is: the config's name.
        kind: ``batch``, ``live`` or ``shadow``.
        as_of: Prediction time.
        scored_at: When it was scored.
        observed_until: When observation stopped.
        config_digest: Hash of the settings that its scores depend on.
        data_fingerprint: Hash of the data.
        accounts: How many accounts have a score in it.
    """

    run_id: str
    number: int
    project: str
    kind: str
    as_of: datetime
    scored_at: datetime
    observed_until: datetime
    config_digest: str
    data_fingerprint: str
    accounts: int

    @classmethod
    def of(cls, row: Row[Any]) -> Self:
        """Return a run from its row."""
        fields: dict[str, Any] = dict(row._mapping)
        del fields["complete"]
        return cls(number=fields.pop("run_no"), **fields)


class Store:
    """The scored runs of a project that are kept.  Only complete runs are ever seen.

    Args:
        engine: The database, as `tenure.score.store.database.connect` gives it.
        project: The config's name.
    """

    def __init__(self, engine: Engine, project: str) -> None:
        self._engine, self._own = engine, and_(RUNS.c.project == project, RUNS.c.complete)
        self._wordings: dict[int, Wording] = {}

    @classmethod
    def open(cls, config: Config) -> Self:
        """Open the store of a config; it is made where there is none.

        Raises:
            ConfigError: If the database cannot be used.
        """
        return cls(connect(store_url(config)), config.name)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        """Return the store."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the store."""
        self.close()

    def add(self, run: Run, scored: Scored, keep: int | None = None) -> bool:
        """Write a run; see `add_run`."""
        return add_run(self._engine, run, scored, keep)

    def runs(self, kind: str = "batch") -> list[KeptRun]:
        """Return the runs of a kind, by prediction time and then as they were written."""
        chosen = select(RUNS).where(RUNS.c.kind == kind, self._own)
        with self._engine.connect() as connection:
            rows = connection.execute(chosen.order_by(RUNS.c.as_of, RUNS.c.run_no)).all()
        return [KeptRun.of(row) for row in rows]

    def before(self, as_of: datetime, kind: str = "batch") -> KeptRun | None:
        """Return the run with the latest prediction time before `as_of`, None where there is none.

        Of several runs of that time it is the one that was written last.
        """
        earlier = [run for run in self.runs(kind) if run.as_of < as_of]
        return earlier[-1] if earlier else None

    def probabilities(self, run: KeptRun, target: str) -> pd.Series[float]:
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
        with self._engine.connect() as connection:
            rows = pd.DataFrame(
                connection.execute(chosen).all(),
                columns=["account_id", "horizon_days", "probability"],
            )
        return rows.set_index(["account_id", "horizon_days"])["probability"].astype(np.float64)

    def history(self, account: str, target: str | None = None) -> pd.DataFrame:
        """Return the scores that an account had, one row per run, target and horizon.

        Args:
            account: Account id.
            target: Limits the rows to one target.

        Returns:
            Rows in order of as_of and run; see `scores` for the columns.
        """
        where = SCORES.c.account_id == account
        return self._scores(where if target is None else and_(where, SCORES.c.target == target))

    def scores(self, run: KeptRun) -> pd.DataFrame:
        """Return the scores of a run, one row per account, target and horizon.

        Returns:
            Columns run_id, kind, as_of, scored_at and observed_until of the run, model_name,
            model_version and base_rate of the model, those of the table `scores`, and drivers: a
            list with one dictionary per driver.
        """
        return self._scores(SCORES.c.run_no == run.number)

    def _scores(self, where: ColumnElement[bool]) -> pd.DataFrame:
        columns = [column for column in SCORES.c if column.name not in ("run_no", "place")]
        about = [RUNS.c[name] for name in ("run_id", "kind", "as_of", "scored_at")]
        about += [RUNS.c.observed_until]
        behind = [RUN_MODELS.c[name] for name in ("model_name", "model_version", "base_rate")]
        chosen = (
            select(*about, *behind, *columns)
            .join_from(SCORES, RUNS, SCORES.c.run_no == RUNS.c.run_no)
            .join(RUN_MODELS, _same_model())
            .where(where, self._own)
            .order_by(
                RUNS.c.as_of, RUNS.c.run_no, SCORES.c.target, SCORES.c.horizon, SCORES.c.place
            )
        )
        with self._engine.connect() as connection:
            result = connection.execute(chosen)
            names, rows = list(result.keys()), result.all()
            place = names.index("drivers")
            self._learn(connection)
        frame = pd.DataFrame(rows, columns=names)
        drivers = [
            unpacked_drivers(row[place], self._wordings) if row[place] else [] for row in rows
        ]
        return frame.assign(drivers=pd.Series(drivers, index=frame.index, dtype=object))

    def _learn(self, connection: Connection) -> None:
        """Read the wordings that were added since the last time."""
        newer = select(WORDINGS).where(WORDINGS.c.wording_no > max(self._wordings, default=0))
        for row in connection.execute(newer):
            self._wordings[row.wording_no] = Wording(row.code, row.label, row.sentence)

    def contributions(
        self, run: KeptRun, target: str, horizon: str, accounts: Iterable[str] | None = None
    ) -> pd.DataFrame:
        """Return contributions of the signals to scores, in log-odds before calibration.

        Args:
            run: The run.
            target: The target.
            horizon: Days, as text, or ``renewal``.
            accounts: Limits the rows to these accounts.

        Returns:
            Index account_id; float32 columns by signal, in the model's order, and ``base value``.
            A row adds up to its log_odds but for rounding; it is missing where there is no
            probability.

        Raises:
            DataError: If the run has no scores of that target and horizon.
        """
        key = (run.number, target, horizon)
        with self._engine.connect() as connection:
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
            blocks = select(CONTRIBUTIONS.c.block, CONTRIBUTIONS.c["values"])
            blocks = blocks.where(*_is(CONTRIBUTIONS, key))
            if accounts is not None:
                blocks = blocks.where(CONTRIBUTIONS.c.block.in_(numbers))
            packed = dict(connection.execute(blocks).all())
        names = [*signals, BASE]
        values = {number: unpacked_contributions(packed[number], len(names)) for number in numbers}
        rows = [values[place // BLOCK][place % BLOCK] for place in places]
        index = pd.Index(places.values(), name="account_id", dtype="str")
        empty = np.empty((0, len(names)), dtype=np.float32)
        return pd.DataFrame(np.stack(rows) if rows else empty, index=index, columns=names)


def _same_model() -> ColumnElement[bool]:
    names = ("run_no", "target", "horizon")
    return and_(*(SCORES.c[name] == RUN_MODELS.c[name] for name in names))


def _is(table: Any, key: tuple[int, str, str]) -> list[ColumnElement[bool]]:
    """Return the conditions that hold for the rows of one run, target and horizon."""
    names = ("run_no", "target", "horizon")
    return [table.c[name] == value for name, value in zip(names, key, strict=True)]
