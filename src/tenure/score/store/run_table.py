"""The scores of a run as one table, without the drivers and contributions behind them."""

from __future__ import annotations

import pandas as pd
from sqlalchemy import Engine, and_, select

from tenure.score.store.schema import RUN_ACCOUNTS, RUN_MODELS, SCORES, of_same_model

COLUMNS = {
    SCORES: (
        *("account_id", "target", "horizon", "horizon_days", "probability", "band"),
        *("abstain_reason", "mrr", "currency", "renews_at"),
    ),
    RUN_MODELS: ("model_version",),
    RUN_ACCOUNTS: ("owner", "segment", "plan"),
}


def read_book(engine: Engine, run: int) -> pd.DataFrame:
    """Return the scores of a run; see `tenure.score.store.store.ScoreStore.book`."""
    columns = [table.c[name] for table, names in COLUMNS.items() for name in names]
    same_account = (SCORES.c.run_no, SCORES.c.account_id)
    statement = (
        select(*columns)
        .join_from(
            SCORES,
            RUN_MODELS,
            of_same_model(RUN_MODELS),
        )
        .outerjoin(RUN_ACCOUNTS, and_(*(RUN_ACCOUNTS.c[key.name] == key for key in same_account)))
        .where(SCORES.c.run_no == run)
        .order_by(SCORES.c.target, SCORES.c.horizon, SCORES.c.place)
    )
    with engine.connect() as connection:
        rows = connection.execute(statement).all()
    frame = pd.DataFrame(rows, columns=[column.name for column in columns])
    return frame.astype({"probability": "float64", "mrr": "float64", "renews_at": "datetime64[us]"})
