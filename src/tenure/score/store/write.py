"""How a scored run is written: whole or not at all, and once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, astuple, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from tenure.core.files import digest
from tenure.explain.drivers import NUMBERS, TOP, signals
from tenure.score.model import Model
from tenure.score.rows import MAIN
from tenure.score.scored import Scored
from tenure.score.store.database import writing
from tenure.score.store.encoding import (
    DriverWords,
    SentenceTemplate,
    packed_contributions,
    packed_drivers,
)
from tenure.score.store.schema import BLOCKS, RUN_MODELS, RUNS, SCORES, WORDINGS

if TYPE_CHECKING:
    from datetime import datetime

Array = np.ndarray[Any, Any]

ATTEMPTS = 5


@dataclass(frozen=True)
class ScoringRun:
    """What a scoring run follows from.

    Attributes:
        project: Whose it is: the config's name.
        kind: ``batch``, ``live`` or ``shadow``.
        as_of: Prediction time.
        scored_at: When it was scored; no part of its identity.
        observed_until: When observation stopped.
        config_digest: Hash of the settings that scores depend on.
        data_fingerprint: Hash of the snapshots and features that the models saw.
        models: Target → version of the model.
    """

    project: str
    kind: str
    as_of: datetime
    scored_at: datetime
    observed_until: datetime
    config_digest: str
    data_fingerprint: str
    models: Mapping[str, str]

    @property
    def run_id(self) -> str:
        """Hash of all but the time of scoring: equal runs have equal scores."""
        models = (f"{target} {version}" for target, version in sorted(self.models.items()))
        times = (self.as_of.isoformat(), self.observed_until.isoformat())
        rest = (self.config_digest, self.data_fingerprint, *models)
        return digest(self.project, self.kind, *times, *rest)


def add_run(engine: Engine, run: ScoringRun, scored: Scored, keep: int | None = None) -> bool:
    """Write a run into the store; one that stands in it already adds nothing.

    Args:
        engine: The store.
        run: What the scores follow from.
        scored: The scores.
        keep: Leave only so many runs of its project and kind, the latest by prediction time.

    Returns:
        Whether it was added.
    """
    with engine.connect() as connection:
        if _stands(connection, run):
            return False
    parts = list(_parts(scored))
    words = {item for part in parts for item in part.drivers.words}
    templates = {item: SentenceTemplate.of(item) for item in words}
    by_template = _numbered(engine, set(templates.values()))
    numbers = {item: by_template[template] for item, template in templates.items()}
    try:
        with writing(engine) as connection:
            number = _begin(connection, run, int(scored.rows["account_id"].nunique()))
            for part in parts:
                part.write(connection, number, numbers)
            connection.execute(update(RUNS).where(RUNS.c.run_no == number).values(complete=True))
            if keep is not None:
                _forget(connection, run, keep)
    except IntegrityError:
        with engine.connect() as connection:
            if not _stands(connection, run):
                raise
        return False
    return True


def _stands(connection: Connection, run: ScoringRun) -> bool:
    return bool(connection.scalar(select(RUNS.c.run_no).where(RUNS.c.run_id == run.run_id)))


def _begin(connection: Connection, run: ScoringRun, accounts: int) -> int:
    columns = {name: value for name, value in asdict(run).items() if name != "models"}
    statement = insert(RUNS).values(run_id=run.run_id, accounts=accounts, complete=False, **columns)
    key = connection.execute(statement).inserted_primary_key
    assert key is not None
    return int(key[0])


def _numbered(engine: Engine, wordings: set[SentenceTemplate]) -> dict[SentenceTemplate, int]:
    """Return the number of each wording, after adding those that the store lacks."""
    rows = {digest(*astuple(wording)): wording for wording in wordings}
    standing = select(WORDINGS.c.digest, WORDINGS.c.wording_no)
    for attempt in range(ATTEMPTS):
        try:
            with writing(engine) as connection:
                present = dict(connection.execute(standing).all())
                lacking = sorted(rows.keys() - present.keys())
                if lacking:
                    added = [{"digest": key, **asdict(rows[key])} for key in lacking]
                    connection.execute(insert(WORDINGS), added)
                    present = dict(connection.execute(standing).all())
            return {wording: present[key] for key, wording in rows.items()}
        except IntegrityError:  # another writer added one of them meanwhile
            if attempt == ATTEMPTS - 1:
                raise
    raise AssertionError


def _forget(connection: Connection, run: ScoringRun, keep: int) -> None:
    """Remove all but the latest runs of the same project and kind."""
    same = (RUNS.c.project == run.project, RUNS.c.kind == run.kind)
    ordered = select(RUNS.c.run_no).where(*same)
    ordered = ordered.order_by(RUNS.c.as_of.desc(), RUNS.c.run_no.desc())
    old = list(connection.scalars(ordered))[keep:]
    if old:
        for table in (BLOCKS, SCORES, RUN_MODELS, RUNS):
            connection.execute(delete(table).where(table.c.run_no.in_(old)))


@dataclass(frozen=True)
class _HorizonScores:
    """The scores of one target and horizon.

    Attributes:
        target: The target.
        horizon: Days, as text, or ``renewal``.
        model: The model that was asked.
        rows: Flat rows.
        values: Contributions of the features, the base value last.
        drivers: Their drivers.
    """

    target: str
    horizon: str
    model: Model
    rows: pd.DataFrame
    values: Array
    drivers: _Drivers

    @property
    def present(self) -> Array:
        """Return whether each row has a probability."""
        mask: Array = self.rows[f"{self.target}_probability"].notna().to_numpy()
        return mask

    def write(self, connection: Connection, run: int, numbers: Mapping[DriverWords, int]) -> None:
        """Write the model, the scores and their contributions."""
        key = {"run_no": run, "target": self.target, "horizon": self.horizon}
        fitted = self.model.bundle.models[self.horizon]
        groups = signals(fitted.columns, self.model.specs)
        behind = {
            "model_name": self.model.bundle.spec.model_name,
            "model_version": self.model.bundle.version,
            "base_rate": fitted.base_rate,
            "signals": list(groups),
        }
        connection.execute(insert(RUN_MODELS), key | behind)
        columns = self.columns()
        rows = zip(*columns.values(), strict=True)
        scores = [key | dict(zip(columns, row, strict=True)) for row in rows]
        sums = [self.values[:, places].sum(axis=1) for places in groups.values()]
        values = np.column_stack([*sums, self.values[:, -1]])
        values[~self.present] = np.nan
        words = [(numbers[item], item) for item in self.drivers.words]
        drivers = packed_drivers(self.drivers.codes, words, self.drivers.figures)
        blocks = [
            key | {"block": block, "drivers": one, "contributions": other}
            for block, (one, other) in enumerate(
                zip(drivers, packed_contributions(values), strict=True)
            )
        ]
        if scores:
            connection.execute(insert(SCORES), scores)
            connection.execute(insert(BLOCKS), blocks)

    def columns(self) -> dict[str, list[Any]]:
        """Return the columns of `SCORES`, one value per row."""
        rows, name = self.rows, f"{self.target}_probability"
        taken = {
            **_SHARED,
            "probability": name,
            "lo": f"{name}_lo",
            "hi": f"{name}_hi",
            "expected_amount": f"expected_{self.target}_mrr",
        }
        if self.target == MAIN:
            taken |= {"rank": "churn_rank", "percentile": "churn_percentile", "band": "risk_band"}
            taken |= {"amount_at_risk": "mrr_at_risk"}
        log_odds = np.where(self.present, self.values.sum(axis=1), np.nan)
        return {
            **{column: plain(rows[source]) for column, source in taken.items() if source in rows},
            "log_odds": plain(pd.Series(log_odds)),
            "place": list(range(len(rows))),
        }


def _parts(scored: Scored) -> Iterator[_HorizonScores]:
    """Yield the scores of each target and horizon."""
    for target, horizons in scored.contributions.items():
        prefix = "" if target == MAIN else f"{target}_"
        for horizon, contributions in horizons.items():
            rows, model = scored.rows.iloc[contributions.rows], scored.models[target]
            drivers = _Drivers.of(rows, prefix)
            yield _HorizonScores(target, horizon, model, rows, contributions.values, drivers)


@dataclass(frozen=True)
class _Drivers:
    """The drivers of some rows.

    Attributes:
        words: The words that occur.
        codes: Place in `words` of each driver, -1 where there is none, shape (rows, `TOP`).
        figures: Their numbers, shape (rows, `TOP`, 3).
    """

    words: list[DriverWords]
    codes: Array
    figures: Array

    @classmethod
    def of(cls, rows: pd.DataFrame, prefix: str) -> _Drivers:
        """Return the drivers of flat rows."""
        size, names = len(rows), list(DriverWords._fields)
        places = [f"{prefix}driver_{place}_" for place in range(1, TOP + 1)]
        spoken = pd.concat(
            [rows[[f"{start}{name}" for name in names]].set_axis(names, axis=1) for start in places]
        )
        numbered = spoken.groupby(names, sort=False).ngroup()
        codes = numbered.fillna(-1).to_numpy(dtype=np.int64)
        different, first = np.unique(codes, return_index=True)
        first = first[different >= 0]
        words = list(map(DriverWords._make, spoken.iloc[first].itertuples(index=False)))
        figures = [[rows[f"{start}{name}"].to_numpy() for name in NUMBERS] for start in places]
        by_row = np.asarray(figures, dtype=np.float64).transpose(2, 0, 1)
        return cls(words, codes.reshape(TOP, size).T, by_row)


_SHARED = {
    name: name
    for name in (
        *("account_id", "horizon_days", "abstain_reason", "mrr", "currency", "renews_at"),
        "data_coverage",
    )
}


def plain(column: pd.Series[Any]) -> list[Any]:
    """Return a column as plain values, None where there is none."""
    if column.dtype.kind == "M":
        times: list[Any] = column.to_numpy("datetime64[us]").tolist()
        return times
    values = column.to_numpy(dtype=object, copy=True)
    values[column.isna().to_numpy()] = None
    plain_values: list[Any] = values.tolist()
    return plain_values
