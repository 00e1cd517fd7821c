"""How what was scored differs from the last prediction times whose outcome was known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; runs of before have none."""
    op.add_column("run_models", sa.Column("drift", sa.JSON(none_as_null=True), nullable=True))
