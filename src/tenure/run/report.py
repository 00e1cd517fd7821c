"""`tenure report`: the last training run as one offline page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tenure.core.config import Config
from tenure.core.errors import ModelError, Problem
from tenure.core.files import write_text
from tenure.core.records.training import TrainingRecord
from tenure.report.html import render
from tenure.run.audit import last_audit
from tenure.run.mlflow_sync import RECORD


def training_record(config: Config) -> TrainingRecord:
    """Return the record of the last training run.

    Raises:
        ModelError: If there is none, or it is of another project, or damaged.
    """
    path = config.paths.runs / RECORD
    fix = "run `tenure train CONFIG` first"
    try:
        record = TrainingRecord.from_json(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise ModelError(Problem(str(path), "there is no training run yet", fix=fix)) from None
    except ValueError as error:
        raise ModelError(Problem(str(path), "is damaged", str(error)[:80], fix)) from None
    if record.name != config.name:
        owner = f"`{record.name}`, not `{config.name}`"
        raise ModelError(Problem(str(path), "belongs to another project", owner, fix))
    return record


def run_report(config: Config, out: Path) -> dict[str, Any]:
    """Write the report of the last training run, with the audit of its data if there is one."""
    record = training_record(config)
    write_text(out, render(record, last_audit(config, record.fingerprint)))
    return {"out": str(out)}
