"""How a scored run is written: whole or not at all, and once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from tenure.core.files import digest
from tenure.core.flat_row import TOP
from tenure.core.records.score_drift import BookDrift
from tenure.explain.row_words import NUMBERS
from tenure.explain.signals import signals, summed
from tenure.score.model import Model
from tenure.score.rows import MAIN
from tenure.score.scored import Contributions, Scored
from tenure.score.store.database import INSERTS, writing
from tenure.score.store.encoding import (
    DriverWords,
    SentenceTemplate,
    packed_contributions,
    packed_drivers,
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

if TYPE_CHECKING:
    from datetime import datetime

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class RunFacts:
    """What a scoring run follows from but for its models.

    Attributes:
        project: Whose it is: the config's name.
        kind: ``batch``, ``live`` or ``shadow``.
        as_of: Prediction time.
        scored_at: When it was scored; no part of its identity.
        observed_until: When observation stopped.
        config_digest: Hash of the settings that scores depend on.
        data_fingerprint: Hash of the snapshots and features that the models saw.
    """

    project: str
    kind: str
    as_of: datetime
    scored_at: datetime
    observed_until: datetime
    config_digest: str
    data_fingerprint: str


@dataclass(frozen=True)
class ScoringRun(RunFacts):
    """What a scoring run follows from.

    Attributes:
        models: Target → version of the model.
    """

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

    Of the runs of its project and kind only the latest `keep` by prediction time are left.

    Returns:
        Whether it was added.
    """
    with engine.connect() as connection:
        if _stands(connection, run):
            return False
    parts = [
        _HorizonScores(
            target,
            horizon,
            scored.models[target],
            scored.rows.iloc[one.rows],
            one,
            scored.drift.get(target) if scored.models[target].horizons[0] == horizon else None,
        )
        for target, horizons in scored.contributions.items()
        for horizon, one in horizons.items()
    ]
    words = {item for part in parts for item in part.drivers[0]}
    templates = {item: SentenceTemplate.of(item) for item in words}
    by_template = _numbered(engine, set(templates.values()))
    numbers = {item: by_template[template] for item, template in templates.items()}
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
    values = zip(*(plain(accounts[name]) for name in names), strict=True)
    if by_account := [{"run_no": run, **dict(zip(names, row, strict=True))} for row in values]:
        connection.execute(insert(RUN_ACCOUNTS), by_account)


def _numbered(engine: Engine, wordings: set[SentenceTemplate]) -> dict[SentenceTemplate, int]:
    """Return the number of each wording, after adding those that the store lacks."""
    rows = {digest(*astuple(wording)): wording for wording in wordings}
    standing = select(WORDINGS.c.digest, WORDINGS.c.wording_no)
    with writing(engine) as connection:
        present = dict(connection.execute(standing).all())
        if lacking := sorted(rows.keys() - present.keys()):
            # Another writer may add one of them meanwhile.
            adding = INSERTS[connection.dialect.name](WORDINGS).on_conflict_do_nothing()
            connection.execute(adding, [{"digest": key, **asdict(rows[key])} for key in lacking])
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


@dataclass(frozen=True)
class _HorizonScores:
    """The flat rows of one target and horizon, and the contributions behind them."""

    target: str
    horizon: str
    model: Model
    rows: pd.DataFrame
    behind: Contributions
    drift: BookDrift | None

    @property
    def values(self) -> Array:
        """Contributions of the columns, the base value last."""
        return self.behind.values

    @cached_property
    def drivers(self) -> tuple[list[DriverWords], Array, Array]:
        """Return the drivers of the rows.

        Returns:
            The words that occur; the place in them of each driver, -1 where there is none, shape
            (rows, `TOP`); their numbers, shape (rows, `TOP`, 3).
        """
        columns = np.asarray([*self.model.models[self.horizon].columns, None], dtype=object)
        rows, names = self.rows, list(DriverWords._fields)
        prefix = "" if self.target == MAIN else f"{self.target}_"
        places = [f"{prefix}driver_{place}_" for place in range(1, TOP + 1)]
        spoken = pd.concat(
            [
                rows[[f"{start}{name}" for name in names[:-1]]]
                .set_axis(names[:-1], axis=1)
                .assign(feature=columns[self.behind.telling[:, place]])
                for place, start in enumerate(places)
            ]
        )
        # A driver has no date where none is known; else groups would drop it.
        spoken["since"] = spoken["since"].fillna("")
        numbered = spoken.groupby(names, sort=False).ngroup()
        codes = numbered.fillna(-1).to_numpy(dtype=np.int64)
        different, first = np.unique(codes, return_index=True)
        first = first[different >= 0]
        words = list(map(DriverWords._make, spoken.iloc[first].itertuples(index=False)))
        figures = [[rows[f"{start}{name}"].to_numpy() for name in NUMBERS] for start in places]
        by_row = np.asarray(figures, dtype=np.float64).transpose(2, 0, 1)
        return words, codes.reshape(TOP, len(rows)).T, by_row

    def write(self, connection: Connection, run: int, numbers: Mapping[DriverWords, int]) -> None:
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
        if self.rows.empty:
            return
        present = self.rows[f"{self.target}_probability"].notna().to_numpy()
        words, codes, figures = self.drivers
        first = [numbers[words[code]] if code >= 0 else None for code in codes[:, 0].tolist()]
        columns = self._columns(present) | {"wording_no": first}
        rows = zip(*columns.values(), strict=True)
        scores = [key | dict(zip(columns, row, strict=True)) for row in rows]
        connection.execute(insert(SCORES), scores)
        sums = summed(self.values, list(groups.values()))
        values = np.column_stack([sums, self.values[:, -1]])
        values[~present] = np.nan
        drivers = packed_drivers(codes, [(numbers[item], item) for item in words], figures)
        packed = zip(drivers, packed_contributions(values), strict=True)
        blocks = [
            key | {"block": block, "drivers": one, "contributions": other}
            for block, (one, other) in enumerate(packed)
        ]
        connection.execute(insert(BLOCKS), blocks)

    def _columns(self, present: Array) -> dict[str, list[Any]]:
        """Return the columns of `SCORES`, one value per row."""
        rows = self.rows
        names = flat_names(self.target)
        log_odds = np.where(present, self.values.sum(axis=1), np.nan)
        return {
            **{column: plain(rows[name]) for column, name in names.items() if name in rows},
            "log_odds": plain(pd.Series(log_odds)),
            "place": list(range(len(rows))),
        }


def plain(column: pd.Series[Any]) -> list[Any]:
    """Return a column as plain values, None where there is none."""
    if column.dtype.kind == "M":
        values = column.to_numpy("datetime64[us]")
    else:
        values = column.to_numpy(dtype=object, copy=True)
        values[column.isna().to_numpy()] = None
    plain_values: list[Any] = values.tolist()
    return plain_values
