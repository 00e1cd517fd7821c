"""`tenure demo`: the whole road on the built-in world."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tenure.core.files import write_text
from tenure.features.authored import load_config
from tenure.run.prepare import Progress, silent
from tenure.run.report import run_report
from tenure.run.score import LAST, plain, run_score, sentences
from tenure.run.train import run_train
from tenure.sources.demo import write_world

CONFIG = """\
# Written by `tenure demo`.  Every key that is not here has a safe default.
name: demo
data:
  path: data
  constant_attributes: [region]
"""


@dataclass(frozen=True)
class DemoResult:
    """Where the demo left what, and how its models did.

    Attributes:
        config: The config it ran.
        files: What it left, by name.
        record: The training record.
        account: The account with the highest risk.
        reasons: That account's score in sentences.
    """

    config: Path
    files: dict[str, str]
    record: dict[str, Any]
    account: str
    reasons: list[str]

    def to_json(self) -> dict[str, Any]:
        """Return the result as JSON values."""
        return {
            "config": str(self.config),
            "files": self.files,
            "account": self.account,
            "reasons": self.reasons,
            "targets": {
                name: {"status": target["status"], "verdict": target["verdict"]}
                for name, target in self.record["targets"].items()
            },
            "took_seconds": self.record["took_seconds"],
        }

    def lines(self) -> list[str]:
        """Return the result as lines for people."""
        width = max(len(name) for name in self.files)
        verdicts = [
            f"{name}: {target['verdict']['sentences'][0]}"
            for name, target in self.record["targets"].items()
        ]
        return [
            *verdicts,
            "",
            *self.reasons,
            "",
            *(f"{name:<{width}}  {path}" for name, path in self.files.items()),
            "",
            "next:",
            f"  tenure explain {self.config} --account {self.account}",
            f"  tenure serve {self.config}",
        ]


def run_demo(
    out: Path, *, accounts: int = 1500, seed: int = 0, progress: Progress = silent
) -> DemoResult:
    """Write the demo world, train on it, score it and report.

    Args:
        out: Folder for the data, the config, the scores and the report; models and runs go where
            every run puts them.
        accounts: Accounts to simulate.
        seed: Seed of the simulation.
        progress: Called with a line for each step.
    """
    progress(f"simulating {accounts:,} accounts")
    write_world(out / "data", accounts=accounts, seed=seed)
    path = out / "config.yaml"
    write_text(path, CONFIG)
    config = load_config(path)
    # Another world's champion must not score this one.
    record = run_train(config, progress, replace="demo run")
    scores, page = out / "scores.csv", out / "report.html"
    progress("scoring")
    run_score(config, scores, progress=progress)
    run_report(config, page)
    rows = pd.read_parquet(config.paths.runs / LAST)
    top = plain(rows.sort_values("churn_probability", ascending=False).iloc[0].to_dict())
    reported = [name for name in config.targets if top.get(f"{name}_probability") is not None]
    files = {"data": str(out / "data"), "scores": str(scores), "report": str(page)}
    for name, entry in record["targets"].items():
        if entry["model"]:
            files[f"{name} bundle"] = entry["model"]["path"]
            files[f"{name} in MLflow"] = entry["model"]["mlflow"]["uri"] or "not recorded"
    files["MLflow store"] = str(config.paths.runs / "mlflow.db")
    return DemoResult(path, files, record, str(top["account_id"]), sentences(top, reported))
