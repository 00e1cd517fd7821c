"""How a scored run is written: whole or not at all, and once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from tenure.core.files import digest
from tenure.core.flat_row import MAIN, TOP, prefix_of
from tenure.core.records.score_drift import BookDrift
from tenure.explain.signals import signals, summed
from tenure.score.model import Model
from tenure.score.scored import Contributions, Scored
from tenure.score.store.database import INSERTS, write_columns, writing
from tenure.score.store.encoding import (
    DRIVER,
    EncodedDrivers,
    SentenceTemplate,
    packed_contributions,
)
from tenure.score.store.schema import (
    BLOCKS,
    OUTCOMES,
    RUN_ACCOUNTS,
    RUN_MODELS,
    RUNS,
    SCORES,
    WORDINGS,
)
from tenure.score.store.shadow import forget_shadows


@dataclass(frozen=True)
class RunFacts:
    """What a scoring run follows from but for its models."""

    project: str
    """Whose it is: the config's name."""
    kind: str
    """``batch``, ``live`` or ``shadow``."""
    as_of: datetime
    scored_at: datetime
    """When it was scored; no part of its identity."""
    observed_until: datetime
    config_digest: str
    """Hash of the settings that scores depend on."""
    data_fingerprint: str
    """Hash of the snapshots and features that the models saw."""


@dataclass(frozen=True)
class ScoringRun(RunFacts):
    """What a scoring run follows from."""

    models: Mapping[str, str]
    """Target → version of the model."""

    @property
    def run_id(self) -> str:
        """Hash of all but the time of scoring: equal runs have equal scores."""
        models = (f"{target} {version}" for target, version in sorted(self.models.items()))
        times = (self.as_of.isoformat(), self.observed_until.isoformat())
        rest = (self.config_digest, self.data_fingerprint, *models)
        return digest(self.project, self.kind, *times, *rest)


def add_run(engine: Engine, run: ScoringRun, scored: Scored, keep: int | None = None) -> bool:
    """Write a run into the store; one that stands in it already adds nothing.

    Of the runs of its project and kind only the latest `keep` by prediction time are left.

    Returns:
        Whether it was added.
    """
    with engine.connect() as connection:
        if _stands(connection, run):
            return False
    spoken = {target: _spoken(scored.rows, target) for target in scored.contributions}
    parts = [
        _HorizonScores(
            target,
            horizon,
            scored.models[target],
            scored.rows,
            spoken[target],
            one,
            scored.drift.get(target) if scored.models[target].horizons[0] == horizon else None,
        )
        for target, horizons in scored.contributions.items()
        for horizon, one in horizons.items()
    ]
    numbers = _numbered(engine, {item for part in parts for item in part.drivers.wordings})
    try:
        with writing(engine) as connection:
            number = _begin(connection, run, int(scored.rows["account_id"].nunique()))
            _write_accounts(connection, number, scored.rows)
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


def _write_accounts(connection: Connection, run: int, rows: pd.DataFrame) -> None:
    """Write how the accounts of a run are called and grouped."""
    names = [column.name for column in RUN_ACCOUNTS.columns if column.name in rows]
    accounts = rows.drop_duplicates("account_id")[names]
    # PostgreSQL takes no null characters.
    accounts = accounts.replace("\0", "\ufffd", regex=True)
    columns = {name: plain(accounts[name]) for name in names}
    write_columns(connection, RUN_ACCOUNTS, {"run_no": run}, columns)


def _numbered(engine: Engine, wordings: set[SentenceTemplate]) -> dict[SentenceTemplate, int]:
    """Return the number of each wording, after adding those that the store lacks."""
    rows = {digest(*wording): wording for wording in wordings}
    standing = select(WORDINGS.c.digest, WORDINGS.c.wording_no)
    with writing(engine) as connection:
        present = dict(connection.execute(standing).all())
        if lacking := sorted(rows.keys() - present.keys()):
            # Another writer may add one of them meanwhile.
            adding = INSERTS[connection.dialect.name](WORDINGS).on_conflict_do_nothing()
            connection.execute(adding, [{"digest": key, **rows[key]._asdict()} for key in lacking])
            present = dict(connection.execute(standing).all())
    return {wording: present[key] for key, wording in rows.items()}


def _forget(connection: Connection, run: ScoringRun, keep: int) -> None:
    """Remove all but the latest runs of the same project and kind."""
    same = (RUNS.c.project == run.project, RUNS.c.kind == run.kind)
    ordered = select(RUNS.c.run_no).where(*same)
    ordered = ordered.order_by(RUNS.c.as_of.desc(), RUNS.c.run_no.desc())
    old = list(connection.scalars(ordered))[keep:]
    if old:
        forget_shadows(connection, old)
        for table in (OUTCOMES, BLOCKS, SCORES, RUN_ACCOUNTS, RUN_MODELS, RUNS):
            connection.execute(delete(table).where(table.c.run_no.in_(old)))


_SAME = ("account_id", "horizon_days", "abstain_reason", "mrr", "currency", "renews_at")
_FLAT = {
    **{name: name for name in (*_SAME, "data_coverage")},
    "probability": "{}_probability",
    "lo": "{}_probability_lo",
    "hi": "{}_probability_hi",
    "rank": "{}_rank",
    "percentile": "{}_percentile",
    "expected_amount": "expected_{}_mrr",
}
_OF_CHURN = {"band": "risk_band", "amount_at_risk": "mrr_at_risk"}


def flat_names(target: str) -> dict[str, str]:
    """Return the column of a target's flat rows for each column of `SCORES` that has one."""
    names = _FLAT | (_OF_CHURN if target == MAIN else {})
    return {column: name.format(target) for column, name in names.items()}


def _spoken(flat: pd.DataFrame, target: str) -> pa.Table:
    """Return the drivers of flat rows but for the feature: the first of all, the second, ..."""
    prefix = prefix_of(target)
    places = [f"{prefix}driver_{place}_" for place in range(1, TOP + 1)]
    columns = {
        field.name: pa.chunked_array(
            [
                pa.array(flat[f"{start}{field.name}"], field.type, from_pandas=True)
                for start in places
            ]
        )
        for field in DRIVER
        if field.name != "feature"
    }
    return pa.table(columns).combine_chunks()


@dataclass(frozen=True)
class _HorizonScores:
    """The scores of one target and horizon."""

    target: str
    horizon: str
    model: Model
    flat: pd.DataFrame
    """The flat rows of all."""
    spoken: pa.Table
    """Their drivers; see `_spoken`."""
    behind: Contributions
    """The places of its own among them, and the contributions behind those."""
    drift: BookDrift | None

    @cached_property
    def drivers(self) -> EncodedDrivers:
        """Return the drivers of the rows."""
        own = self.behind.rows[:, None] + len(self.flat) * np.arange(TOP)
        features = np.asarray([*self.model.models[self.horizon].columns, None], dtype=object)
        telling = pa.array(features[self.behind.telling[:, :TOP].ravel()], pa.string())
        drivers = self.spoken.take(pa.array(own.ravel()))
        return EncodedDrivers.of(drivers.append_column(DRIVER.field("feature"), telling), TOP)

    def write(
        self, connection: Connection, run: int, numbers: Mapping[SentenceTemplate, int]
    ) -> None:
        """Write the model, the scores and their contributions."""
        key = {"run_no": run, "target": self.target, "horizon": self.horizon}
        fitted = self.model.models[self.horizon]
        groups = signals(fitted.columns, self.model.specs)
        behind = {
            "model_name": self.model.bundle.spec.model_name,
            "model_version": self.model.bundle.version,
            "base_rate": fitted.base_rate,
            "signals": list(groups),
            "drift": self.drift and self.drift.to_json(),
        }
        connection.execute(insert(RUN_MODELS), key | behind)
        if not len(self.behind.rows):
            return
        names = flat_names(self.target)
        rows = self.flat[[name for name in names.values() if name in self.flat]]
        rows = rows.iloc[self.behind.rows]
        present = rows[names["probability"]].notna().to_numpy()
        own = [numbers[wording] for wording in self.drivers.wordings]
        columns = {column: plain(rows[name]) for column, name in names.items() if name in rows}
        columns["log_odds"] = plain(pd.Series(self.behind.values.sum(axis=1)).where(present))
        columns["place"] = list(range(len(rows)))
        leading = self.drivers.leading.tolist()
        columns["wording_no"] = [own[place] if place >= 0 else None for place in leading]
        write_columns(connection, SCORES, key, columns)
        sums = summed(self.behind.values, list(groups.values()))
        values = np.column_stack([sums, self.behind.values[:, -1]])
        values[~present] = np.nan
        blocks: dict[str, list[Any]] = {"drivers": self.drivers.packed(np.asarray(own))}
        blocks["contributions"] = packed_contributions(values)
        blocks["block"] = list(range(len(blocks["drivers"])))
        write_columns(connection, BLOCKS, key, blocks)


def plain(column: pd.Series[Any]) -> list[Any]:
    """Return a column as plain values, None where there is none."""
    if column.dtype.kind == "M":
        values = column.to_numpy("datetime64[us]")
    else:
        values = column.to_numpy(dtype=object, copy=True)
        values[column.isna().to_numpy()] = None
    plain_values: list[Any] = values.tolist()
    return plain_values
