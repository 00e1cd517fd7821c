"""The tables as they are at the latest version of the schema; times are UTC."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
)

HEAD = "0001"
"""The latest version."""

METADATA = MetaData()


def _run() -> Column[int]:
    """Return the column that says which run a row belongs to, part of the row's key."""
    reference = ForeignKey("runs.run_no")
    return Column("run_no", Integer, reference, primary_key=True, autoincrement=False)


RUNS = Table(
    "runs",
    METADATA,
    Column("run_no", Integer, primary_key=True),
    Column("run_id", String, nullable=False, unique=True),
    Column("project", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("as_of", DateTime, nullable=False),
    Column("scored_at", DateTime, nullable=False),
    Column("observed_until", DateTime, nullable=False),
    Column("config_digest", String, nullable=False),
    Column("data_fingerprint", String, nullable=False),
    Column("accounts", Integer, nullable=False),
    Column("complete", Boolean, nullable=False),
)
"""`run_no` counts the runs as they were written; `run_id` says what a run follows from."""

RUN_MODELS = Table(
    "run_models",
    METADATA,
    _run(),
    Column("target", String, primary_key=True),
    Column("horizon", String, primary_key=True),
    Column("model_name", String, nullable=False),
    Column("model_version", String, nullable=False),
    Column("base_rate", Double, nullable=False),
    Column("signals", JSON, nullable=False),
)
"""`horizon` is a number of days or ``renewal``; `signals` in the order of their contributions."""

SCORES = Table(
    "scores",
    METADATA,
    Column("account_id", String, primary_key=True),
    _run(),
    Column("target", String, primary_key=True),
    Column("horizon", String, primary_key=True),
    Column("horizon_days", SmallInteger, nullable=False),
    Column("probability", Double),
    Column("lo", Double),
    Column("hi", Double),
    Column("log_odds", Double),
    Column("rank", Integer),
    Column("percentile", Double),
    Column("band", String),
    Column("abstain_reason", String),
    Column("mrr", Double),
    Column("currency", String),
    Column("renews_at", DateTime),
    Column("amount_at_risk", Double),
    Column("expected_amount", Double),
    Column("data_coverage", Double),
    Column("place", Integer, nullable=False),
    Index("scores_by_run", "run_no"),
)
"""`place` numbers the scores of one run, target and horizon: it finds what stands behind them.

The account comes first in the key, so that its history lies together.
"""

WORDINGS = Table(
    "wordings",
    METADATA,
    Column("wording_no", Integer, primary_key=True),
    Column("digest", String, nullable=False, unique=True),
    Column("code", String, nullable=False),
    Column("label", String, nullable=False),
    Column("sentence", String, nullable=False),
)

BLOCKS = Table(
    "blocks",
    METADATA,
    _run(),
    Column("target", String, primary_key=True),
    Column("horizon", String, primary_key=True),
    Column("block", Integer, primary_key=True, autoincrement=False),
    Column("drivers", LargeBinary, nullable=False),
    Column("contributions", LargeBinary, nullable=False),
)
"""What stands behind scores, of `tenure.score.store.encoding.BLOCK` successive places a row."""
