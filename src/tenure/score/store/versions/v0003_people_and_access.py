"""Accounts of a run, first reasons, outcomes, what people said, work lists, access, delivery."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables; runs of before have no names of their accounts and no first reasons."""
    op.add_column("scores", sa.Column("wording_no", sa.Integer, nullable=True))
    op.drop_index("scores_by_run", "scores")
    op.create_index("scores_by_run", "scores", ["run_no", "target", "horizon", "probability"])
    op.create_table(
        "run_accounts",
        sa.Column(
            "run_no",
            sa.Integer,
            sa.ForeignKey("runs.run_no"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("account_id", sa.String, primary_key=True),
        *_columns(sa.String, "name", "owner", "segment", "plan", nullable=True),
        *_columns(sa.DateTime, "notice_by", nullable=True),
    )
    for name in ("owner", "segment"):
        op.create_index(f"run_accounts_by_{name}", "run_accounts", ["run_no", name])
    op.create_table(
        "outcomes",
        sa.Column("account_id", sa.String, primary_key=True),
        *_key(),
        *_columns(sa.Boolean, "outcome"),
        *_columns(sa.DateTime, "label_known_at"),
        *_columns(sa.Boolean, "treated", nullable=True),
    )
    op.create_table(
        "feedback",
        sa.Column("feedback_no", sa.Integer, primary_key=True),
        *_columns(sa.String, "project", "account_id", "target", "run_id"),
        *_columns(sa.String, "driver", nullable=True),
        *_columns(sa.String, "verdict"),
        *_columns(sa.String, "note", nullable=True),
        *_columns(sa.String, "author"),
        *_columns(sa.DateTime, "at"),
    )
    op.create_index("feedback_by_account", "feedback", ["project", "account_id"])
    op.create_table(
        "overrides",
        sa.Column("override_no", sa.Integer, primary_key=True),
        *_columns(sa.String, "project", "account_id", "target", "run_id", "band", "reason"),
        *_columns(sa.DateTime, "until"),
        *_columns(sa.String, "author"),
        *_columns(sa.DateTime, "at"),
    )
    op.create_index("overrides_by_account", "overrides", ["project", "account_id"])
    op.create_table(
        "assignments",
        *(
            sa.Column(name, sa.String, primary_key=True)
            for name in ("project", "list", "account_id")
        ),
        *_columns(sa.String, "arm"),
        *_columns(sa.DateTime, "at"),
    )
    op.create_table(
        "listings",
        *(
            sa.Column(name, sa.String, primary_key=True)
            for name in ("project", "list", "account_id")
        ),
        sa.Column("as_of", sa.DateTime, primary_key=True),
        *_columns(sa.String, "owner", nullable=True),
        *_columns(sa.String, "known"),
        *_columns(sa.DateTime, "at"),
    )
    op.create_table(
        "api_keys",
        sa.Column("key_id", sa.String, primary_key=True),
        *_columns(sa.String, "name", "secret_digest"),
        *_columns(sa.JSON, "scopes"),
        *_columns(sa.String, "owner", "segment", nullable=True),
        *_columns(sa.DateTime, "created_at"),
        *_columns(sa.DateTime, "expires_at", "revoked_at", "used_at", nullable=True),
    )
    op.create_table(
        "sessions",
        sa.Column("session_digest", sa.String, primary_key=True),
        sa.Column("key_id", sa.String, sa.ForeignKey("api_keys.key_id"), nullable=False),
        *_columns(sa.DateTime, "created_at", "expires_at"),
        *_columns(sa.DateTime, "ended_at", nullable=True),
    )
    op.create_table(
        "audit_log",
        sa.Column("entry_no", sa.Integer, primary_key=True),
        *_columns(sa.DateTime, "at"),
        *_columns(sa.String, "request_id", "caller", "method", "path"),
        *_columns(sa.JSON, "account_ids"),
        *_columns(sa.Integer, "status"),
    )
    op.create_index("audit_log_by_time", "audit_log", ["at"])
    op.create_table(
        "answers",
        *(sa.Column(name, sa.String, primary_key=True) for name in ("caller", "idempotency_key")),
        *_columns(sa.String, "request_digest"),
        *_columns(sa.Integer, "status"),
        *_columns(sa.JSON, "body"),
        *_columns(sa.DateTime, "at"),
    )
    op.create_table(
        "outbox",
        sa.Column("message_no", sa.Integer, primary_key=True),
        sa.Column("message_id", sa.String, nullable=False, unique=True),
        *_columns(sa.String, "project", "kind", "destination"),
        *_columns(sa.JSON, "body"),
        *_columns(sa.DateTime, "at", "next_at"),
        *_columns(sa.Integer, "attempts"),
        *_columns(sa.DateTime, "delivered_at", nullable=True),
        *_columns(sa.String, "error", nullable=True),
    )
    op.create_table(
        "deliveries",
        *(sa.Column(name, sa.String, primary_key=True) for name in ("project", "destination")),
        sa.Column("account_id", sa.String, primary_key=True),
        *_columns(sa.String, "values_digest", "run_id"),
        *_columns(sa.DateTime, "at"),
    )


def _columns(kind: Any, *names: str, nullable: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=nullable) for name in names]


def _key() -> list[sa.Column[Any]]:
    run = sa.ForeignKey("runs.run_no")
    return [
        sa.Column("run_no", sa.Integer, run, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.String, primary_key=True) for name in ("target", "horizon")),
    ]
