"""What challengers answer beside the champions: of scored runs, and of live requests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables; runs of before have no challenger's answers."""
    op.create_table(
        "shadow_models",
        sa.Column("shadow_no", sa.Integer, primary_key=True),
        sa.Column("run_no", sa.Integer, sa.ForeignKey("runs.run_no"), nullable=False),
        *(sa.Column(name, sa.String, nullable=False) for name in ("target", "horizon")),
        sa.Column("model_version", sa.String, nullable=False),
        sa.UniqueConstraint(
            "run_no", "target", "horizon", "model_version", name="shadow_models_once"
        ),
    )
    op.create_table(
        "shadow_scores",
        sa.Column(
            "shadow_no",
            sa.Integer,
            sa.ForeignKey("shadow_models.shadow_no"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("account_id", sa.String, primary_key=True),
        *(sa.Column(name, sa.Double, nullable=False) for name in ("probability", "log_odds")),
    )
    op.create_table(
        "shadow_answers",
        sa.Column("answer_no", sa.Integer, primary_key=True),
        sa.Column("project", sa.String, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        *(sa.Column(name, sa.String, nullable=False) for name in ("request_id", "path", "target")),
        sa.Column("horizon_days", sa.SmallInteger, nullable=False),
        sa.Column("account_id", sa.String, nullable=True),
        sa.Column("as_of", sa.DateTime, nullable=True),
        sa.Column("place", sa.Integer, nullable=False),
        *(
            sa.Column(name, sa.String, nullable=False)
            for name in ("champion_version", "model_version")
        ),
        *(
            sa.Column(name, sa.Double, nullable=False)
            for name in ("champion_probability", "probability")
        ),
    )
    op.create_index("shadow_answers_by_time", "shadow_answers", ["at"])
