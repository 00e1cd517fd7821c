"""Evidence: the source rows behind a driver, as they were known at the prediction time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from tenure.core.records.explain import DriverEvidence, EvidenceTable, Value
from tenure.core.times import show
from tenure.engine import Engine
from tenure.explain.wording import signal_label
from tenure.features.compute.source_rows import MOMENT, TOTAL, parts_of, rows_behind_sql
from tenure.features.plan.columns import MeasuredColumn
from tenure.features.plan.plan import Plan

MOST = 10
SHOWN = {
    "accounts": ("created_at", "segment", "industry", "country", "employees"),
    "subscriptions": (
        *("subscription_id", "started_at", "ended_at", "plan", "mrr", "currency", "seats"),
        *("billing_period", "renews_at", "end_reason"),
    ),
    "usage_events": ("occurred_at", "event", "user_id", "quantity"),
    "tickets": (
        *("ticket_id", "opened_at", "first_responded_at", "resolved_at", "priority", "category"),
        *("escalated_at", "csat_score"),
    ),
    "survey_responses": (
        *("response_id", "survey_type", "sent_at", "responded_at", "respondent_id", "score"),
        "comment",
    ),
    "invoices": ("invoice_id", "issued_at", "due_at", "paid_at", "amount", "currency"),
    "touchpoints": ("occurred_at", "kind", "owner", "note"),
}
"""Table → the columns that people recognise a row by."""


@dataclass(frozen=True)
class EvidenceRequest:
    """Whose rows are asked for."""

    account: str
    as_of: datetime
    """Prediction time; nothing that was not known before it is shown."""
    most: int = MOST
    """Rows of one table that are shown."""


def evidence(engine: Engine, plan: Plan, feature: str, request: EvidenceRequest) -> DriverEvidence:
    """Return the source rows that made the value of a feature.

    The engine holds the canonical tables, of a batch or of posted history; `feature` is a column of
    the matrix.
    """
    spec = plan.described[feature]
    by_source: dict[str, list[MeasuredColumn]] = {}
    for item in parts_of(plan, feature):
        by_source.setdefault(item.feature.source, []).append(item)
    return DriverEvidence(
        code=spec.group,
        label=signal_label(spec),
        feature=feature,
        tables=tuple(
            _table(engine, source, items, request) for source, items in sorted(by_source.items())
        ),
    )


def evidence_of(
    engine: Engine, plan: Plan, features: Iterable[str], request: EvidenceRequest
) -> tuple[DriverEvidence, ...]:
    """Return the source rows behind several features, in their order."""
    return tuple(evidence(engine, plan, feature, request) for feature in features)


def _table(
    engine: Engine, source: str, items: list[MeasuredColumn], request: EvidenceRequest
) -> EvidenceTable:
    present = set(engine.columns(source))
    columns = tuple(name for name in SHOWN[source] if name in present)
    sql = rows_behind_sql(items, request.account, request.as_of, columns, request.most)
    rows = engine.fetch(sql).to_pylist()
    total = int(rows[0][TOTAL]) if rows else 0
    own = tuple(name for name in columns if name not in {MOMENT, TOTAL})
    return EvidenceTable(
        source=source,
        columns=own,
        rows=tuple(tuple(_plain(row[name]) for name in own) for row in rows),
        total=total,
        hidden=total - len(rows),
    )


def _plain(value: Any) -> Value:
    if isinstance(value, datetime):
        return show(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, float) and value != value:  # noqa: PLR0124 - NaN
        return None
    plain: Value = value
    return plain
