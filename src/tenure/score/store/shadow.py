"""Scores by challengers, beside those of the champions: for comparisons alone.

It stands in tables of its own, so that no reader of scores can take it for a score.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from tenure.score.scored import Scored
from tenure.score.store.database import writing
from tenure.score.store.schema import (
    OUTCOMES,
    RUN_MODELS,
    RUNS,
    SCORES,
    SHADOW_ANSWERS,
    SHADOW_MODELS,
    SHADOW_SCORES,
    of_same_model,
    of_same_score,
)


def shadow_versions(engine: Engine, run_id: str) -> set[tuple[str, str]]:
    """Return target and version of the challengers whose scores of a run are written."""
    columns = (SHADOW_MODELS.c.target, SHADOW_MODELS.c.model_version)
    statement = select(*columns).join(RUNS, RUNS.c.run_no == SHADOW_MODELS.c.run_no).distinct()
    with engine.connect() as connection:
        rows = connection.execute(statement.where(RUNS.c.run_id == run_id)).all()
    return {(target, version) for target, version in rows}


def add_shadow(engine: Engine, run_id: str, scored: Scored) -> bool:
    """Write what challengers gave to the accounts of a run, whole or not at all, and once.

    `run_id` is the champions' run; the scores by challengers of some targets are of the same time.

    Returns:
        Whether it was added.
    """
    try:
        with writing(engine) as connection:
            number = connection.scalar(select(RUNS.c.run_no).where(RUNS.c.run_id == run_id))
            if number is None:
                return False
            for target in scored.models:
                for horizon in scored.contributions[target]:
                    _write(connection, number, scored, target, horizon)
    except IntegrityError:  # somebody else wrote the same meanwhile
        return False
    return True


def _write(connection: Connection, run: int, scored: Scored, target: str, horizon: str) -> None:
    version = scored.models[target].bundle.version
    model = {"run_no": run, "target": target, "horizon": horizon, "model_version": version}
    key = connection.execute(insert(SHADOW_MODELS).values(model)).inserted_primary_key
    assert key is not None
    behind = scored.contributions[target][horizon]
    rows = scored.rows.iloc[behind.rows]
    columns = (rows["account_id"], rows[f"{target}_probability"], behind.values.sum(axis=1))
    values = [
        {"shadow_no": key[0], "account_id": name, "probability": chance, "log_odds": margin}
        for name, chance, margin in zip(*(column.tolist() for column in columns), strict=True)
        if not pd.isna(chance)
    ]
    if values:
        connection.execute(insert(SHADOW_SCORES), values)


def forget_shadows(connection: Connection, runs: Sequence[int]) -> None:
    """Remove what challengers gave to the accounts of some runs."""
    numbers = select(SHADOW_MODELS.c.shadow_no).where(SHADOW_MODELS.c.run_no.in_(runs))
    for table in (SHADOW_SCORES, SHADOW_MODELS):
        connection.execute(delete(table).where(table.c.shadow_no.in_(numbers)))


@dataclass(frozen=True)
class ShadowPair:
    """A champion and the challenger beside it, in the last run that both scored."""

    target: str
    champion: str
    challenger: str


def last_pairs(engine: Engine, project: str, horizon: str) -> dict[str, ShadowPair]:
    """Return target → the pair of the last run of a project that a challenger scored too."""
    statement = (
        select(RUN_MODELS.c.target, RUN_MODELS.c.model_version, SHADOW_MODELS.c.model_version)
        .join_from(SHADOW_MODELS, RUN_MODELS, _beside(RUN_MODELS))
        .join(RUNS, RUNS.c.run_no == RUN_MODELS.c.run_no)
        .where(*_batch(project), RUN_MODELS.c.horizon == horizon)
        .order_by(RUNS.c.as_of, RUNS.c.run_no, SHADOW_MODELS.c.shadow_no)
    )
    with engine.connect() as connection:
        rows = connection.execute(statement).all()
    return {target: ShadowPair(target, *versions) for target, *versions in rows}


def read_pair(engine: Engine, project: str, pair: ShadowPair, horizon: str) -> pd.DataFrame:
    """Return what a champion and a challenger gave to the same accounts at the same times.

    Of several runs of one prediction time it is the one that was written last.

    Returns:
        as_of, account_id, champion, challenger (probabilities), base_rate and outcome (missing
        where it is not known), by as_of and account.
    """
    last = (
        select(func.max(RUNS.c.run_no))
        .join(SHADOW_MODELS, SHADOW_MODELS.c.run_no == RUNS.c.run_no)
        .where(*_batch(project), SHADOW_MODELS.c.model_version == pair.challenger)
        .group_by(RUNS.c.as_of)
    )
    same_account = SCORES.c.account_id == SHADOW_SCORES.c.account_id
    columns = {
        "as_of": RUNS.c.as_of,
        "account_id": SCORES.c.account_id,
        "champion": SCORES.c.probability,
        "challenger": SHADOW_SCORES.c.probability,
        "base_rate": RUN_MODELS.c.base_rate,
        "outcome": OUTCOMES.c.outcome,
    }
    statement = (
        select(*columns.values())
        .join_from(SHADOW_MODELS, SHADOW_SCORES)
        .join(SCORES, and_(_beside(SCORES), same_account))
        .join(RUN_MODELS, of_same_model(RUN_MODELS))
        .join(RUNS, RUNS.c.run_no == SCORES.c.run_no)
        .outerjoin(OUTCOMES, of_same_score(OUTCOMES))
        .where(
            RUNS.c.run_no.in_(last),
            SHADOW_MODELS.c.target == pair.target,
            SHADOW_MODELS.c.horizon == horizon,
            SHADOW_MODELS.c.model_version == pair.challenger,
            RUN_MODELS.c.model_version == pair.champion,
            SCORES.c.probability.is_not(None),
        )
        .order_by(RUNS.c.as_of, SCORES.c.account_id)
    )
    with engine.connect() as connection:
        rows = connection.execute(statement).all()
    return pd.DataFrame(rows, columns=list(columns))


def _batch(project: str) -> tuple[ColumnElement[bool], ...]:
    return RUNS.c.project == project, RUNS.c.kind == "batch", RUNS.c.complete


def _beside(table: Any) -> ColumnElement[bool]:
    """Return the condition under which a row of the champion's run belongs to a challenger."""
    names = ("run_no", "target", "horizon")
    return and_(*(table.c[name] == SHADOW_MODELS.c[name] for name in names))


@dataclass(frozen=True, slots=True)
class ShadowAnswer:
    """A champion and a challenger on one posted row."""

    at: datetime
    """When it was answered, UTC."""
    request_id: str
    path: str
    target: str
    horizon_days: int
    account_id: str | None
    """Whose row it is; None of feature rows, which name nobody."""
    as_of: datetime | None
    """Prediction time; None of feature rows."""
    place: int
    """Place of the row in the answer."""
    champion_version: str
    model_version: str
    champion_probability: float
    """What was answered."""
    probability: float
    """What the challenger would have answered."""


def add_answers(engine: Engine, project: str, answers: Iterable[ShadowAnswer]) -> None:
    """Append what champions and challengers answered to posted rows."""
    rows = [{"project": project, **asdict(answer)} for answer in answers]
    if rows:
        with writing(engine) as connection:
            connection.execute(insert(SHADOW_ANSWERS), rows)


def forget_answers(engine: Engine, before: datetime) -> None:
    """Remove answers to posted rows from before a time."""
    with writing(engine) as connection:
        connection.execute(delete(SHADOW_ANSWERS).where(SHADOW_ANSWERS.c.at < before))


def answers_apart(engine: Engine, project: str, pair: ShadowPair) -> Mapping[str, float]:
    """Return how a pair differed on posted rows: `rows` and, where there are any, `apart`.

    `apart` is the mean absolute difference of the probabilities.
    """
    own = SHADOW_ANSWERS.c
    apart = func.avg(func.abs(own.probability - own.champion_probability))
    statement = select(func.count(), apart).where(
        own.project == project,
        own.target == pair.target,
        own.champion_version == pair.champion,
        own.model_version == pair.challenger,
    )
    with engine.connect() as connection:
        rows, mean = connection.execute(statement).one()
    return {"rows": rows} | ({} if mean is None else {"apart": float(mean)})
