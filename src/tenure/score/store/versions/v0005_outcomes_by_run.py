"""Whether the outcomes of a run are written is read from an index, not from all outcomes."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index."""
    op.create_index(
        "outcomes_by_run", "outcomes", ["run_no", "target", "horizon", "label_known_at"]
    )
