"""The reports: HTML files that open anywhere, without a network and without scripts."""

from __future__ import annotations

from typing import Any

from tenure.core.records.audit import AuditRecord
from tenure.core.records.training import TrainingRecord
from tenure.report.tables.audit import audit_view
from tenure.report.tables.page import page

TEMPLATE = "report.html.j2"
AUDIT = "audit.html.j2"


def render(record: TrainingRecord, audit: AuditRecord | None = None) -> str:
    """Return the report of a training run.

    Args:
        record: The training record.
        audit: The audit of the same data, for a section of its own; None leaves it out.

    Returns:
        A whole HTML page; every text of the record is escaped.
    """
    section = None if audit is None else audit_view(audit, whole_page=False)
    return _filled(TEMPLATE, page=page(record), audit=section)


def render_audit(audit: AuditRecord) -> str:
    """Return the page of an audit."""
    return _filled(AUDIT, page=audit_view(audit))


def _filled(name: str, **parts: Any) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("tenure.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name).render(**parts)
