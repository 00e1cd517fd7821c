"""Scores held against what happened: outcomes are added once they are known, each once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Engine, Select, func, or_, select

from tenure.core.config import LabelConfig
from tenure.core.times import days
from tenure.labels.windows import RENEWAL
from tenure.score.store.database import INSERTS, writing
from tenure.score.store.schema import OUTCOMES, RUN_MODELS, RUNS, SCORES, of_same_model

KEY = ("run_no", "target", "horizon")


@dataclass(frozen=True)
class Unsettled:
    """Scores of one run, target and horizon, of which some may have outcomes not yet written."""

    run: int
    as_of: datetime
    target: str
    horizon: str
    """Days, as text, or ``renewal``."""


def unsettled(
    engine: Engine, project: str, labels: LabelConfig, observed_until: datetime
) -> list[Unsettled]:
    """Return the scores of a project whose outcomes may be known and are not written, by run.

    The outcomes of a number of days are known all at once; those of the horizon ``renewal`` one
    after the other, until the last of them is due.
    """
    with engine.connect() as connection:
        rows = connection.execute(_open_models(project)).all()
    wait = labels.gap_days + labels.winback_gap_days
    result = []
    for row in rows:
        if row.shortest is None:  # no account of it has a probability
            continue
        first, last = (row.as_of + days(wait + one) for one in (row.shortest, row.longest))
        open_still = row.latest is None or (row.horizon == RENEWAL and row.latest < last)
        if first <= observed_until and open_still:
            result.append(Unsettled(row.run_no, row.as_of, row.target, row.horizon))
    return result


def _open_models(project: str) -> Select[Any]:
    """Return the query of a project's models of which an outcome may be missing, by run.

    Of a model of some days that has an outcome no score is read.
    """
    latest = (
        select(func.max(OUTCOMES.c.label_known_at))
        .where(*(OUTCOMES.c[name] == RUN_MODELS.c[name] for name in KEY))
        .scalar_subquery()
    )
    shortest, longest = (
        select(extreme(SCORES.c.horizon_days))
        .where(of_same_model(RUN_MODELS), SCORES.c.probability.is_not(None))
        .scalar_subquery()
        for extreme in (func.min, func.max)
    )
    return (
        select(RUNS.c.run_no, RUNS.c.as_of, RUN_MODELS.c.target, RUN_MODELS.c.horizon)
        .add_columns(shortest.label("shortest"), longest.label("longest"), latest.label("latest"))
        .join_from(RUNS, RUN_MODELS, RUNS.c.run_no == RUN_MODELS.c.run_no)
        .where(RUNS.c.project == project, RUNS.c.complete)
        .where(or_(RUN_MODELS.c.horizon == RENEWAL, latest.is_(None)))
        .order_by(RUNS.c.run_no, RUN_MODELS.c.target, RUN_MODELS.c.horizon)
    )


def write_outcomes(engine: Engine, scores: Unsettled, known: pd.DataFrame) -> int:
    """Write outcomes of scores; those that stand there already are left as they are.

    `known` has account_id, outcome, label_known_at, and treated, missing where nothing tells.

    Returns:
        How many were written.
    """
    key = {"run_no": scores.run, "target": scores.target, "horizon": scores.horizon}
    scored = select(SCORES.c.account_id).where(
        *(SCORES.c[name] == value for name, value in key.items()),
        SCORES.c.probability.is_not(None),
    )
    with writing(engine) as connection:
        accounts = set(connection.scalars(scored))
        rows = [
            key | _plain(row) for row in known.to_dict("records") if row["account_id"] in accounts
        ]
        if not rows:
            return 0
        adding = INSERTS[connection.dialect.name](OUTCOMES).on_conflict_do_nothing()
        return len(connection.scalars(adding.returning(OUTCOMES.c.account_id), rows).all())


def _plain(row: dict[Any, Any]) -> dict[str, Any]:
    treated = row["treated"]
    return {
        "account_id": row["account_id"],
        "outcome": bool(row["outcome"]),
        "label_known_at": pd.Timestamp(row["label_known_at"]).to_pydatetime(),
        "treated": None if pd.isna(treated) else bool(treated),
    }
