"""The tables as they are at the latest version of the schema; times are UTC."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Column, Table

HEAD = "0005"
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


def of_same_model(table: Any) -> sa.ColumnElement[bool]:
    """Return the condition that joins scores with what is there once per run and model."""
    names = ("run_no", "target", "horizon")
    return sa.and_(*(SCORES.c[name] == table.c[name] for name in names))


def of_same_score(table: Any) -> sa.ColumnElement[bool]:
    """Return the condition that joins scores with what is there once per score."""
    return sa.and_(of_same_model(table), table.c.account_id == SCORES.c.account_id)


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
    *_columns(sa.Integer, "wording_no", nullable=True),
    sa.Index("scores_by_run", "run_no", "target", "horizon", "probability"),
)
"""`place` numbers the scores of one run, target and horizon: it finds what stands behind them.

`wording_no` is the wording of the first reason, by which a book is sorted and filtered: of the
strongest driver that raises the score, one that a team can act on where there is any.

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

RUN_ACCOUNTS = Table(
    "run_accounts",
    METADATA,
    Column(
        "run_no", sa.Integer, sa.ForeignKey("runs.run_no"), primary_key=True, autoincrement=False
    ),
    Column("account_id", sa.String, primary_key=True),
    *_columns(sa.String, "name", "owner", "segment", "plan", nullable=True),
    *_columns(sa.DateTime, "notice_by", nullable=True),
    sa.Index("run_accounts_by_owner", "run_no", "owner"),
    sa.Index("run_accounts_by_segment", "run_no", "segment"),
)
"""How each account of a run is called and grouped, and until when it can end its contract."""

OUTCOMES = Table(
    "outcomes",
    METADATA,
    Column("account_id", sa.String, primary_key=True),
    *_key(),
    *_columns(sa.Boolean, "outcome"),
    *_columns(sa.DateTime, "label_known_at"),
    *_columns(sa.Boolean, "treated", nullable=True),
    sa.Index("outcomes_by_run", "run_no", "target", "horizon", "label_known_at"),
)
"""What happened within the horizon of a score; `treated`: whether somebody saw to the account."""

SHADOW_MODELS = Table(
    "shadow_models",
    METADATA,
    Column("shadow_no", sa.Integer, primary_key=True),
    Column("run_no", sa.Integer, sa.ForeignKey("runs.run_no"), nullable=False),
    *_columns(sa.String, "target", "horizon", "model_version"),
    sa.UniqueConstraint("run_no", "target", "horizon", "model_version", name="shadow_models_once"),
)
"""A challenger that scored the accounts of a run after its champion had."""

SHADOW_SCORES = Table(
    "shadow_scores",
    METADATA,
    Column(
        "shadow_no",
        sa.Integer,
        sa.ForeignKey("shadow_models.shadow_no"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("account_id", sa.String, primary_key=True),
    *_columns(sa.Double, "probability", "log_odds"),
)
"""What a challenger gave; the champion's stand in `scores`, under the same run."""

SHADOW_ANSWERS = Table(
    "shadow_answers",
    METADATA,
    Column("answer_no", sa.Integer, primary_key=True),
    *_columns(sa.String, "project"),
    *_columns(sa.DateTime, "at"),
    *_columns(sa.String, "request_id", "path", "target"),
    *_columns(sa.SmallInteger, "horizon_days"),
    *_columns(sa.String, "account_id", nullable=True),
    *_columns(sa.DateTime, "as_of", nullable=True),
    *_columns(sa.Integer, "place"),
    *_columns(sa.String, "champion_version", "model_version"),
    *_columns(sa.Double, "champion_probability", "probability"),
    sa.Index("shadow_answers_by_time", "at"),
)
"""Champion and challenger on a row that was posted; `place` is that of the row in the answer."""

FEEDBACK = Table(
    "feedback",
    METADATA,
    Column("feedback_no", sa.Integer, primary_key=True),
    *_columns(sa.String, "project", "account_id", "target", "run_id"),
    *_columns(sa.String, "driver", nullable=True),
    *_columns(sa.String, "verdict"),
    *_columns(sa.String, "note", nullable=True),
    *_columns(sa.String, "author"),
    *_columns(sa.DateTime, "at"),
    sa.Index("feedback_by_account", "project", "account_id"),
)
"""`driver` is the code of a signal; `verdict` is ``useful``, ``wrong``, ``known`` or ``note``."""

OVERRIDES = Table(
    "overrides",
    METADATA,
    Column("override_no", sa.Integer, primary_key=True),
    *_columns(sa.String, "project", "account_id", "target", "run_id", "band", "reason"),
    *_columns(sa.DateTime, "until"),
    *_columns(sa.String, "author"),
    *_columns(sa.DateTime, "at"),
    sa.Index("overrides_by_account", "project", "account_id"),
)
"""A person's band in place of the model's, until a time; the latest of an account and target."""

ASSIGNMENTS = Table(
    "assignments",
    METADATA,
    *(Column(name, sa.String, primary_key=True) for name in ("project", "list", "account_id")),
    *_columns(sa.String, "arm"),
    *_columns(sa.DateTime, "at"),
)
"""`arm` is ``listed``, or ``held_out`` of a work list, to measure what the list brings."""

LISTINGS = Table(
    "listings",
    METADATA,
    *(Column(name, sa.String, primary_key=True) for name in ("project", "list", "account_id")),
    Column("as_of", sa.DateTime, primary_key=True),
    *_columns(sa.String, "owner", nullable=True),
    *_columns(sa.String, "known"),
    *_columns(sa.DateTime, "at"),
)
"""When an account stood on a work list; `known` is what was known of it then, as JSON."""

API_KEYS = Table(
    "api_keys",
    METADATA,
    Column("key_id", sa.String, primary_key=True),
    *_columns(sa.String, "name", "secret_digest"),
    *_columns(sa.JSON, "scopes"),
    *_columns(sa.String, "owner", "segment", nullable=True),
    *_columns(sa.DateTime, "created_at"),
    *_columns(sa.DateTime, "expires_at", "revoked_at", "used_at", nullable=True),
)
"""`secret_digest` is of argon2: the key itself stands nowhere."""

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("session_digest", sa.String, primary_key=True),
    Column("key_id", sa.String, sa.ForeignKey("api_keys.key_id"), nullable=False),
    *_columns(sa.DateTime, "created_at", "expires_at"),
    *_columns(sa.DateTime, "ended_at", nullable=True),
)

AUDIT_LOG = Table(
    "audit_log",
    METADATA,
    Column("entry_no", sa.Integer, primary_key=True),
    *_columns(sa.DateTime, "at"),
    *_columns(sa.String, "request_id", "caller", "method", "path"),
    *_columns(sa.JSON, "account_ids"),
    *_columns(sa.Integer, "status"),
    sa.Index("audit_log_by_time", "at"),
)
"""Who wanted what: `path` is that of the endpoint, with no values in it."""

ANSWERS = Table(
    "answers",
    METADATA,
    *(Column(name, sa.String, primary_key=True) for name in ("caller", "idempotency_key")),
    *_columns(sa.String, "request_digest"),
    *_columns(sa.Integer, "status"),
    *_columns(sa.JSON, "body"),
    *_columns(sa.DateTime, "at"),
)
"""Answers to posts that carried an ``Idempotency-Key``: a repeated one gets the same."""

OUTBOX = Table(
    "outbox",
    METADATA,
    Column("message_no", sa.Integer, primary_key=True),
    Column("message_id", sa.String, nullable=False, unique=True),
    *_columns(sa.String, "project", "kind", "destination"),
    *_columns(sa.JSON, "body"),
    *_columns(sa.DateTime, "at", "next_at"),
    *_columns(sa.Integer, "attempts"),
    *_columns(sa.DateTime, "delivered_at", nullable=True),
    *_columns(sa.String, "error", nullable=True),
)
"""Messages to other systems, until they have arrived."""

DELIVERIES = Table(
    "deliveries",
    METADATA,
    *(Column(name, sa.String, primary_key=True) for name in ("project", "destination")),
    Column("account_id", sa.String, primary_key=True),
    *_columns(sa.String, "values_digest", "run_id"),
    *_columns(sa.DateTime, "at"),
)
"""What another system has of an account: only what differs from it is sent."""
