"""Runs, the models behind them, scores, and what stands behind the scores."""

from __future__ import annotations

from typing import Any

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
        *_columns(sa.String, "project", "kind"),
        *_columns(sa.DateTime, "as_of", "scored_at", "observed_until"),
        *_columns(sa.String, "config_digest", "data_fingerprint"),
        *_columns(sa.Integer, "accounts"),
        *_columns(sa.Boolean, "complete"),
    )
    op.create_table(
        "run_models",
        *_key(),
        *_columns(sa.String, "model_name", "model_version"),
        *_columns(sa.Double, "base_rate"),
        *_columns(sa.JSON, "signals"),
    )
    op.create_table(
        "scores",
        sa.Column("account_id", sa.String, primary_key=True),
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
    )
    op.create_index("scores_by_run", "scores", ["run_no"])
    op.create_table(
        "wordings",
        sa.Column("wording_no", sa.Integer, primary_key=True),
        sa.Column("digest", sa.String, nullable=False, unique=True),
        *_columns(sa.String, "code", "label", "sentence"),
    )
    op.create_table(
        "blocks",
        *_key(),
        sa.Column("block", sa.Integer, primary_key=True, autoincrement=False),
        *_columns(sa.LargeBinary, "drivers", "contributions"),
    )


def _columns(kind: Any, *names: str, nullable: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=nullable) for name in names]


def _key() -> list[sa.Column[Any]]:
    run = sa.ForeignKey("runs.run_no")
    return [
        sa.Column("run_no", sa.Integer, run, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.String, primary_key=True) for name in ("target", "horizon")),
    ]
