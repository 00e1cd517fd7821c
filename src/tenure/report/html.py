"""The reports: HTML files that open anywhere, without a network and without scripts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from tenure.core.files import canonical_json
from tenure.core.records.audit import AuditRecord
from tenure.core.records.promotion import ShadowRecord
from tenure.core.records.training import CalendarFacts, FeatureFacts, TrainingRecord
from tenure.report.forecast import forecast_view
from tenure.report.promotion import shadow_view
from tenure.report.scorecards import health_view
from tenure.report.sentences.formatting import count, counted, day, in_order, joined, number
from tenure.report.sentences.outcome import Outcome
from tenure.report.sentences.shape import shape_warnings
from tenure.report.sentences.values import filters
from tenure.report.tables.audit import audit_view
from tenure.report.tables.data import data_view
from tenure.report.tables.layout import pairs, table
from tenure.report.tables.targets import target_view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Environment

    from tenure.report.portfolio import PortfolioView


def render(
    record: TrainingRecord,
    audit: AuditRecord | None = None,
    shadows: Mapping[str, ShadowRecord] = MappingProxyType({}),
    portfolios: Sequence[PortfolioView] = (),
) -> str:
    """Return the HTML page of a training run.

    With a section on the audit of the same data, on champions and the challengers in their shadow
    by target, and on what moves the scores of the latest kept run, where these are given.
    """
    section = None if audit is None else audit_view(audit, whole_page=False)
    parts = {"audit": section, "shadows": shadow_view(shadows), "portfolios": portfolios}
    return filled("report.html.j2", page=_page(record), **parts)


def render_audit(audit: AuditRecord) -> str:
    """Return the page of an audit."""
    return filled("audit.html.j2", page=audit_view(audit))


def filled(name: str, **parts: Any) -> str:
    """Return a template with its parts filled in; into HTML they are written escaped."""
    return templates(".html" in name).get_template(name).render(**parts)


@cache
def templates(escaped: bool = True, *further: str) -> Environment:
    """Return the templates of the reports, and before them those of further packages.

    Values are `escaped` into HTML, else written as they are; `further` are packages with a folder
    ``templates``.
    """
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=ChoiceLoader([PackageLoader(name) for name in (*further, "tenure.report")]),
        autoescape=escaped,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=not escaped,
    )
    environment.filters.update(filters())
    return environment


def _page(record: TrainingRecord) -> dict[str, Any]:
    """Return what the page shows; a record not yet written gives the page that it gives after."""
    from tenure.report.forecast_page import error_figures

    record = TrainingRecord.model_validate_json(canonical_json(record.to_json()))
    config, targets = record.config, in_order(record.targets, record.config.targets)
    return {
        "name": record.name,
        "created_at": record.created_at.replace("T", " ").replace("Z", " UTC"),
        "calendar": _calendar(record.calendar),
        "targets": [target_view(Outcome(*item), config) for item in targets.items()],
        "forecast": forecast_view(record.forecast),
        "forecast_charts": error_figures(record.forecast) if record.forecast else [],
        "health": health_view(record.health),
        "data": data_view(record.data),
        "red": _red(record),
        "families": _families(record.features),
        "absent": table(
            "Features that this data cannot give",
            record.features.absent,
            ("Feature", lambda item: item.name),
            ("Why", lambda item: item.reason),
        ),
        "about": pairs(
            {
                "Project": record.name,
                "Trained at": record.created_at,
                "Took": f"{number(record.took_seconds, 0)} s up to this report",
                "Tenure": record.tenure_version,
                "Libraries": joined(record.versions),
                "Data fingerprint": record.fingerprint,
            }
        ),
        "config": json.dumps(
            config.model_dump(mode="json"), indent=1, sort_keys=True, ensure_ascii=False
        ),
    }


def _red(record: TrainingRecord) -> list[str]:
    """Return what puts the results in doubt: of the data, then of each target's shape."""
    doubts = [
        f"{Outcome(name, target).title}: {text}"
        for name, target in record.targets.items()
        for text in shape_warnings(target.shape)
    ]
    return [*record.data.red, *doubts]


def _calendar(calendar: CalendarFacts) -> str:
    if not calendar.count:
        return "no prediction time"
    times = counted(calendar.count, f"{calendar.cadence} prediction time")
    return f"{times}, {day(calendar.first)} to {day(calendar.last)}"


def _families(features: FeatureFacts) -> str:
    sizes = ", ".join(f"{name} {count(size)}" for name, size in features.families.items())
    total = counted(features.count, "feature")
    return f"{total}, by family: {sizes}." if sizes else f"{total}."
