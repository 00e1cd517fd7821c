"""The folder of runs belongs to one project, like the folder of models."""

from __future__ import annotations

import json

from tenure.core.config import Config
from tenure.core.errors import ModelError, Problem
from tenure.core.files import write_json

CLAIM = "project.json"
RECORDS = (CLAIM, "training.json", "audit.json")
"""Files that name the project whose run wrote them."""


def check_runs_folder(config: Config) -> None:
    """Refuse a folder of runs that is another project's, before anything is done.

    Raises:
        ModelError: If a record in the folder names another project.
    """
    for name in RECORDS:
        path = config.paths.runs / name
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        owner = record.get("name") if isinstance(record, dict) else None
        if owner and owner != config.name:
            fix = f"give `{config.name}` a folder of its own: `paths: {{runs: runs/{config.name}}}`"
            rule = f"belongs to the project `{owner}`, not to `{config.name}`"
            raise ModelError(Problem(str(path), rule, fix=fix))


def claim_runs_folder(config: Config) -> None:
    """Write into the folder of runs whose it is, before anything else is written there.

    Raises:
        ModelError: If a record in the folder names another project.
    """
    check_runs_folder(config)
    write_json(config.paths.runs / CLAIM, {"name": config.name})
