"""`tenure check`: what the data is, and whether any feature sees its future."""

from __future__ import annotations

from typing import Any

from tenure.core.config import Config
from tenure.core.files import write_json, write_text
from tenure.features.plan.config_checks import check_features
from tenure.report.html import render_audit
from tenure.run.audit import PAGE, RECORD, VIOLATED, audit, audited_plan
from tenure.run.prepare import Progress, loaded, silent
from tenure.sources.dataset import write_rejects


def run_check(config: Config, progress: Progress = silent) -> dict[str, Any]:
    """Load the tables, report on them, and audit the features.

    Returns:
        ``data`` (the data report), ``features`` (which are there, which are absent and why),
        ``audit`` (see docs/audit.md), ``passed`` (whether the data can be used and no feature saw
        its future), ``rejects`` (table → file) and ``page``.  The data report, the audit and its
        page are also written to ``data.json``, ``audit.json`` and ``audit.html`` under ``<runs>``.
    """
    check_features(config)
    runs = config.paths.runs
    with loaded(config, progress) as dataset:
        written = write_rejects(dataset, runs / "rejects")
        report = dataset.report.to_dict()
        write_json(runs / "data.json", report)
        progress("features")
        resolved = audited_plan(config, dataset)
        found = audit(config, dataset, resolved, progress)
    write_json(runs / RECORD, found)
    write_text(runs / PAGE, render_audit(found))
    return {
        "name": config.name,
        "data": report,
        "features": {
            "count": len(resolved.specs),
            "absent": [{"name": item.name, "reason": item.reason} for item in resolved.absent],
        },
        "audit": found,
        "passed": bool(report["usable"]) and found["status"] != VIOLATED,
        "rejects": {name: str(path) for name, path in written.items()},
        "page": str(runs / PAGE),
    }
