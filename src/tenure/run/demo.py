"""`tenure demo`: the whole road on the built-in world."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from tenure.core.config import Config
from tenure.core.files import write_text
from tenure.core.progress import SILENT, Progress
from tenure.core.records.training import TrainingRecord
from tenure.core.times import DAY
from tenure.demo import write_world
from tenure.features.plan.config_checks import load_config
from tenure.report.sentences.findings import headline
from tenure.report.sentences.outcome import Outcome
from tenure.run.account_words import account_lines, plain
from tenure.run.report import run_report
from tenure.run.runs_folder import check_runs_folder
from tenure.run.score import LAST, run_score
from tenure.run.train import run_train

CONFIG = """\
# Written by `tenure demo`.  Every key that is not here has a safe default.
name: demo
data:
  path: data
  constant_attributes: [region]
"""


PLACES = {"data": "data", "scores": "scores.csv", "report": "report.html"}
NOTHING = "No model is usable here, so nothing is scored; the report says why."


@dataclass(frozen=True)
class DemoResult:
    """Where the demo left what, and how its models did."""

    config: Path
    files: dict[str, str]
    """What it left, by name."""
    record: TrainingRecord
    account: str | None
    """The account with the highest risk; None where no model was usable."""
    reasons: list[str]
    """That account's score in sentences, or why there is none."""

    def to_json(self) -> dict[str, Any]:
        """Return the result as JSON values."""
        return {
            "config": str(self.config),
            "files": self.files,
            "account": self.account,
            "reasons": self.reasons,
            "targets": {
                name: {"status": target.status, "verdict": target.verdict.to_json()}
                for name, target in self.record.targets.items()
            },
            "took_seconds": self.record.took_seconds,
        }

    def lines(self) -> list[str]:
        """Return the result as lines for people."""
        targets = self.record.targets.items()
        lines = [f"{name}: {headline(Outcome(name, target)).first}" for name, target in targets]
        lines += [
            f"{name}: {target.withdrawn}, champion of an earlier demo, was withdrawn."
            for name, target in targets
            if target.withdrawn
        ]
        width = max(len(name) for name in self.files)
        lines += ["", *self.reasons, ""]
        lines += [f"{name:<{width}}  {path}" for name, path in self.files.items()]
        lines += ["", "next:", f"  open {self.files['report']} in a browser"]
        if self.account:
            lines.append(f"  tenure explain {self.config} --account {self.account}")
            lines.append(f"  tenure serve {self.config}")
        store = self.record.config.tracking.uri or f"sqlite:///{self.files['MLflow store']}"
        lines.append(f"  mlflow ui --backend-store-uri {store}")
        tried = (
            "  try the notebooks: train, backtest, review drivers (notebooks/ of the repository)"
        )
        return [*lines, tried]


def run_demo(
    out: Path, *, accounts: int = 1500, seed: int = 0, progress: Progress = SILENT
) -> DemoResult:
    """Write the demo world, train on it, score the last two months of it and report.

    What an earlier demo left is replaced: its scores go, and so does a champion that no usable
    model of this world replaces.

    Data, config, scores and report go to `out`; models and runs where every run puts them.
    """
    path, scores = out / "config.yaml", out / PLACES["scores"]
    write_text(path, CONFIG)
    config = load_config(path)
    check_runs_folder(config)
    for stale in (scores, config.paths.runs / LAST, *config.paths.runs.glob("tenure.db*")):
        stale.unlink(missing_ok=True)
    progress.stage(f"simulating {accounts:,} accounts")
    world = write_world(out / "data", accounts=accounts, seed=seed)
    # Another world's champion must not score this one.
    record = run_train(config, progress, replace="demo run")
    progress.stage("report")
    run_report(config, out / PLACES["report"])
    account, reasons = None, [NOTHING]
    if any(target.status == "champion" for target in record.targets.values()):
        month_before = (world.observed_until - DAY).replace(day=1)
        account, reasons = _scored(config, scores, month_before, progress)
    return DemoResult(path, _files(out, config, record), record, account, reasons)


def _scored(
    config: Config, scores: Path, month_before: datetime, progress: Progress
) -> tuple[str, list[str]]:
    """Score every account, twice; return the one with the highest risk, and why in sentences."""
    run_score(config, scores, progress=progress, before=[month_before])
    rows = pd.read_parquet(config.paths.runs / LAST)
    top = plain(rows.sort_values("churn_probability", ascending=False).iloc[0].to_dict())
    reported = [name for name in config.targets if top.get(f"{name}_probability") is not None]
    return str(top["account_id"]), account_lines(top, reported)


def _files(out: Path, config: Config, record: TrainingRecord) -> dict[str, str]:
    places = {name: out / place for name, place in PLACES.items()}
    files = {name: str(path) for name, path in places.items() if path.exists()}
    for name, target in record.targets.items():
        if target.model:
            files[f"{name} bundle"] = target.model.path
            tracked = target.model.mlflow
            files[f"{name} in MLflow"] = (tracked and tracked.uri) or "not recorded"
    files["MLflow store"] = str(config.paths.runs / "mlflow.db")
    return files
