"""Audits in every state that a page has to show."""

from __future__ import annotations

from typing import Any

from tenure.core.records.audit import AuditRecord, CheckRecord
from tenure.core.records.data import DataRecord


def audit(**changed: Any) -> AuditRecord:
    """Return a clean audit with some parts changed."""
    as_of = ["2024-01-01", "2024-02-01"]
    record: dict[str, Any] = {
        "format": 1,
        "name": "acme",
        "created_at": "2024-03-01T12:00:00Z",
        "fingerprint": "0123456789abcdef",
        "observed_until": "2024-02-20",
        "settings": {},
        "status": "clean",
        "sample": {
            "accounts": 20,
            "of_accounts": 50,
            "snapshots": 40,
            "of_snapshots": 100,
            "as_of": as_of,
        },
        "reads": {
            "as_of": as_of,
            "features": {
                "events_28d": {
                    "source": "usage_events",
                    "clocks": [],
                    "latest_event": ["2023-12-31", "2024-01-31T23:59:30Z"],
                    "latest_known": ["2023-12-31", None],
                    "violations": [],
                }
            },
            "violations": [],
        },
        "clocks": [
            {
                "table": "tickets",
                "column": "csat_score",
                "done": "not_used",
                "text": "late, and mapped without its clock `csat_at`",
                "features": [],
            },
            {
                "table": "tickets",
                "column": "priority",
                "done": "with_row",
                "text": "taken as known with its row",
                "features": ["a", "b", "c", "d", "e", "f"],
            },
        ],
        "shuffle": [{"as_of": "2024-02-01", "rows": 500, "compared": 4000, "moved": []}],
        "late": {
            "accounts": 20,
            "arrivals": [
                arrival("tickets", "event_time", 0.0, {}),
                arrival(
                    "usage_events",
                    "event_time",
                    0.25,
                    {"median": 2, "p90": 4, "p99": 9, "highest": 11},
                ),
            ],
            "costs": [
                {
                    "family": "usage",
                    "values": 400,
                    "changed": 20,
                    "share": 0.05,
                    "snapshots": 10,
                    "of_snapshots": 40,
                    "features": {"events_28d": 0.25},
                }
            ],
        },
        "drift": {
            "recent_since": "2024-02-01",
            "features": [
                moved("mrr", "drifted", 0.4),
                moved("tenure_days", "ages", 0.3),
                moved("events_28d", "steady", 0.01),
            ],
        },
        "suspects": [],
    }
    return AuditRecord.from_json(record | changed)


def not_possible() -> AuditRecord:
    """An audit of data that nobody pays for."""
    names = ("format", "name", "created_at", "fingerprint", "observed_until", "settings", "clocks")
    values = audit().to_json()
    return AuditRecord.from_json(
        {name: values[name] for name in names} | {"status": "not_possible", "reason": "nobody pays"}
    )


def check(data: DataRecord, **parts: Any) -> CheckRecord:
    """What `tenure check` comes to on some data."""
    values: dict[str, Any] = {
        "name": "acme",
        "data": data,
        "features": {
            "count": 117,
            "absent": [{"name": "late", "reason": "there is no table `invoices`"}],
        },
        "audit": audit(),
        "passed": True,
        "rejects": {},
        "page": "runs/audit.html",
    }
    return CheckRecord.from_json(values | parts)


def arrival(table: str, clock: str, share: float, lag: dict[str, int]) -> dict[str, Any]:
    return {
        "table": table,
        "clock": clock,
        "rows": 100,
        "late": round(100 * share),
        "share": share,
        "lag_days": lag,
    }


def moved(feature: str, verdict: str, psi: float | None) -> dict[str, Any]:
    return {
        "feature": feature,
        "psi": psi,
        "noise": 0.02,
        "verdict": verdict,
        "missing": [0.0, 0.0],
        "typical": [1.0, 2.0],
        "text": "looks different",
    }


def suspect(column: str = "stage", *, allowed: bool = False, kind: str = "forward") -> Any:
    return {
        "column": column,
        "target": "churn",
        "kind": kind,
        "figure": 0.97,
        "lo": 0.9 if kind == "forward" else None,
        "hi": 0.99 if kind == "forward" else None,
        "value": None,
        "events": 30,
        "allowed": allowed,
        "text": "alone it orders <later> churn",
    }


def violated() -> AuditRecord:
    """Return an audit in which one feature read its future, and noticed the noise."""
    values = audit(status="violated").to_json()
    feature = values["reads"]["features"]["events_28d"]
    feature["latest_known"] = ["2023-12-31", "2024-02-01"]
    feature["violations"] = ["2024-02-01"]
    values["reads"]["violations"] = ["events_28d"]
    values["shuffle"][0]["moved"] = [
        {"feature": "events_28d", "values": 7, "accounts": ["a01", "a02"]},
        {"feature": "usage_28d", "values": 7, "accounts": ["a01"]},
    ]
    return AuditRecord.from_json(values)
