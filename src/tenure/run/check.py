"""`tenure check`: what the data is, before any model is fitted."""

from __future__ import annotations

from typing import Any

from tenure.core.config import Config
from tenure.core.files import write_json
from tenure.features.plan import declared, plan
from tenure.run.prepare import Progress, attributes, loaded, silent
from tenure.sources.dataset import write_rejects


def run_check(config: Config, progress: Progress = silent) -> dict[str, Any]:
    """Load the tables and report on them.

    Returns:
        ``data`` (the data report), ``features`` (which are there, which are absent and why) and
        ``rejects`` (table → file); also written to ``<runs>/data.json``.
    """
    with loaded(config, progress) as dataset:
        written = write_rejects(dataset, config.paths.runs / "rejects")
        families = declared(config.features, attributes(dataset))
        resolved = plan(families, dataset.columns, exclude=config.features.exclude)
        report = dataset.report.to_dict()
    write_json(config.paths.runs / "data.json", report)
    return {
        "name": config.name,
        "data": report,
        "features": {
            "count": len(resolved.specs),
            "absent": [{"name": item.name, "reason": item.reason} for item in resolved.absent],
        },
        "rejects": {name: str(path) for name, path in written.items()},
    }
