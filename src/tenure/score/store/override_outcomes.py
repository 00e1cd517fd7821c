"""Bands that people set, held against what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from sqlalchemy import and_, select

from tenure.score.store.schema import OUTCOMES, OVERRIDES, RUNS, SCORES, of_same_score

if TYPE_CHECKING:
    from tenure.score.store.store import ScoreStore

COLUMNS = ("account_id", "as_of", "own_band", "band", "probability", "author", "at", "outcome")


def override_outcomes(store: ScoreStore, target: str, horizon: str) -> pd.DataFrame:
    """Return the overrides of scores whose outcome is known.

    One that was made once the outcome was known is left out; of several of one score the last
    counts.

    The horizon is in days, as text.

    Returns:
        account_id, as_of, own_band (that of the model), band (that of the person), probability
        (of the model), author, at and outcome, by prediction time and account.
    """
    score = and_(
        SCORES.c.run_no == RUNS.c.run_no,
        SCORES.c.account_id == OVERRIDES.c.account_id,
        SCORES.c.target == OVERRIDES.c.target,
    )
    statement = (
        select(
            SCORES.c.account_id,
            RUNS.c.as_of,
            SCORES.c.band,
            OVERRIDES.c.band,
            SCORES.c.probability,
            OVERRIDES.c.author,
            OVERRIDES.c.at,
            OUTCOMES.c.outcome,
        )
        .join_from(OVERRIDES, RUNS, RUNS.c.run_id == OVERRIDES.c.run_id)
        .join(SCORES, score)
        .join(OUTCOMES, of_same_score(OUTCOMES))
        .where(
            OVERRIDES.c.project == store.project,
            OVERRIDES.c.target == target,
            SCORES.c.horizon == horizon,
            OVERRIDES.c.at < OUTCOMES.c.label_known_at,
        )
        .order_by(RUNS.c.as_of, SCORES.c.account_id, OVERRIDES.c.override_no)
    )
    with store.engine.connect() as connection:
        rows = pd.DataFrame(list(map(tuple, connection.execute(statement))), columns=list(COLUMNS))
    return rows.drop_duplicates(["as_of", "account_id"], keep="last", ignore_index=True)
