"""The tables as they are at the latest version of the schema; times are UTC."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Column, Table

HEAD = "0002"
"""The latest version."""

METADATA = sa.MetaData()


def _columns(kind: Any, *names: str, nullable: bool = False) -> list[Column[Any]]:
    """Return columns of one type."""
    return [Column(name, kind, nullable=nullable) for name in names]


def _key() -> list[Column[Any]]:
    """Return the columns of run, target and horizon: a number of days, or ``renewal``."""
    reference = sa.ForeignKey("runs.run_no")
    return [
        Column("run_no", sa.Integer, reference, primary_key=True, autoincrement=False),
        *(Column(name, sa.String, primary_key=True) for name in ("target", "horizon")),
    ]


RUNS = Table(
    "runs",
    METADATA,
    Column("run_no", sa.Integer, primary_key=True),
    Column("run_id", sa.String, nullable=False, unique=True),
    *_columns(sa.String, "project", "kind"),
    *_columns(sa.DateTime, "as_of", "scored_at", "observed_until"),
    *_columns(sa.String, "config_digest", "data_fingerprint"),
    *_columns(sa.Integer, "accounts"),
    *_columns(sa.Boolean, "complete"),
)
"""`run_no` counts the runs as they were written; `run_id` says what a run follows from."""

RUN_MODELS = Table(
    "run_models",
    METADATA,
    *_key(),
    *_columns(sa.String, "model_name", "model_version"),
    *_columns(sa.Double, "base_rate"),
    *_columns(sa.JSON, "signals"),
    *_columns(sa.JSON(none_as_null=True), "drift", nullable=True),
)
"""`signals` are in the order of their contributions; `drift` is of the main horizon, if any."""

SCORES = Table(
    "scores",
    METADATA,
    Column("account_id", sa.String, primary_key=True),
    *_key(),
    *_columns(sa.SmallInteger, "horizon_days"),
    *_columns(sa.Double, "probability", "lo", "hi", "log_odds", nullable=True),
    *_columns(sa.Integer, "rank", nullable=True),
    *_columns(sa.Double, "percentile", nullable=True),
    *_columns(sa.String, "band", "abstain_reason", nullable=True),
    *_columns(sa.Double, "mrr", nullable=True),
    *_columns(sa.String, "currency", nullable=True),
    *_columns(sa.DateTime, "renews_at", nullable=True),
    *_columns(sa.Double, "amount_at_risk", "expected_amount", "data_coverage", nullable=True),
    *_columns(sa.Integer, "place"),
    sa.Index("scores_by_run", "run_no"),
)
"""`place` numbers the scores of one run, target and horizon: it finds what stands behind them.

The account comes first in the key, so that its history lies together.
"""

WORDINGS = Table(
    "wordings",
    METADATA,
    Column("wording_no", sa.Integer, primary_key=True),
    Column("digest", sa.String, nullable=False, unique=True),
    *_columns(sa.String, "code", "label", "sentence"),
)

BLOCKS = Table(
    "blocks",
    METADATA,
    *_key(),
    Column("block", sa.Integer, primary_key=True, autoincrement=False),
    *_columns(sa.LargeBinary, "drivers", "contributions"),
)
"""What stands behind scores, of `tenure.score.store.encoding.BLOCK` successive places a row."""
