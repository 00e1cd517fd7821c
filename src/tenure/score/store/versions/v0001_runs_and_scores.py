"""Runs, the models behind them, scores, and what stands behind the scores."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "runs",
        sa.Column("run_no", sa.Integer, primary_key=True),
        sa.Column("run_id", sa.String, nullable=False, unique=True),
        sa.Column("project", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("as_of", sa.DateTime, nullable=False),
        sa.Column("scored_at", sa.DateTime, nullable=False),
        sa.Column("observed_until", sa.DateTime, nullable=False),
        sa.Column("config_digest", sa.String, nullable=False),
        sa.Column("data_fingerprint", sa.String, nullable=False),
        sa.Column("accounts", sa.Integer, nullable=False),
        sa.Column("complete", sa.Boolean, nullable=False),
    )
    op.create_table(
        "run_models",
        _run(),
        sa.Column("target", sa.String, primary_key=True),
        sa.Column("horizon", sa.String, primary_key=True),
        sa.Column("model_name", sa.String, nullable=False),
        sa.Column("model_version", sa.String, nullable=False),
        sa.Column("base_rate", sa.Double, nullable=False),
        sa.Column("signals", sa.JSON, nullable=False),
    )
    op.create_table(
        "scores",
        sa.Column("account_id", sa.String, primary_key=True),
        _run(),
        sa.Column("target", sa.String, primary_key=True),
        sa.Column("horizon", sa.String, primary_key=True),
        sa.Column("horizon_days", sa.SmallInteger, nullable=False),
        *(sa.Column(name, sa.Double) for name in ("probability", "lo", "hi", "log_odds")),
        sa.Column("rank", sa.Integer),
        sa.Column("percentile", sa.Double),
        *(sa.Column(name, sa.String) for name in ("band", "abstain_reason")),
        sa.Column("mrr", sa.Double),
        sa.Column("currency", sa.String),
        sa.Column("renews_at", sa.DateTime),
        *(sa.Column(name, sa.Double) for name in ("amount_at_risk", "expected_amount")),
        sa.Column("data_coverage", sa.Double),
        sa.Column("place", sa.Integer, nullable=False),
    )
    op.create_index("scores_by_run", "scores", ["run_no"])
    op.create_table(
        "wordings",
        sa.Column("wording_no", sa.Integer, primary_key=True),
        sa.Column("digest", sa.String, nullable=False, unique=True),
        *(sa.Column(name, sa.String, nullable=False) for name in ("code", "label", "sentence")),
    )
    op.create_table(
        "blocks",
        _run(),
        sa.Column("target", sa.String, primary_key=True),
        sa.Column("horizon", sa.String, primary_key=True),
        sa.Column("block", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("drivers", sa.LargeBinary, nullable=False),
        sa.Column("contributions", sa.LargeBinary, nullable=False),
    )


def _run() -> sa.Column[int]:
    return sa.Column(
        "run_no", sa.Integer, sa.ForeignKey("runs.run_no"), primary_key=True, autoincrement=False
    )
