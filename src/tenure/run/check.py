"""`tenure check`: what the data is, and whether any feature sees its future."""

from __future__ import annotations

from tenure.core.config import Config
from tenure.core.files import write_json, write_text
from tenure.core.progress import SILENT, Progress
from tenure.core.records.audit import CheckedFeatures, CheckRecord
from tenure.features.plan.config_checks import check_features
from tenure.model.boosting.parameter_names import check_parameters
from tenure.report.html import render_audit
from tenure.run.audit import PAGE, RECORD, audit, audited_plan
from tenure.run.prepare import loaded
from tenure.run.runs_folder import check_runs_folder, claim_runs_folder
from tenure.sources.dataset import write_rejects


def run_check(config: Config, progress: Progress = SILENT) -> CheckRecord:
    """Load the tables, report on them, and audit the features.

    The data report, the audit and its page are also written to ``data.json``, ``audit.json`` and
    ``audit.html`` under ``<runs>``.
    """
    check_features(config)
    check_parameters(config.model.parameters)
    check_runs_folder(config)
    runs = config.paths.runs
    with loaded(config, progress, anew=True) as dataset:
        claim_runs_folder(config)
        written = write_rejects(dataset, runs / "rejects")
        data = dataset.report
        write_json(runs / "data.json", data.to_json())
        progress.stage("choosing features")
        plan = audited_plan(config, dataset)
        record = audit(config, dataset, plan, progress)
    progress.stage("pages")
    write_json(runs / RECORD, record.to_json())
    write_text(runs / PAGE, render_audit(record))
    return CheckRecord(
        name=config.name,
        data=data,
        features=CheckedFeatures(count=len(plan.specs), absent=plan.absent),
        audit=record,
        passed=data.usable and record.status != "violated",
        rejects={name: str(path) for name, path in written.items()},
        page=str(runs / PAGE),
    )
