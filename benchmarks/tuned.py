"""How long a tuned backtest takes, and what tuning changes in it.

    python benchmarks/tuned.py [--seconds 120] [--data demo churnsim]

`tenure backtest` runs on the demo world and on churnsim (``TENURE_TESTDATA``), first with the
default model, then with `model.tuning`: every sixth fold searches in its own past, in `seconds` for
all searches of a target.  Writes ``benchmarks/results/tuned.json``.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from contextlib import chdir
from pathlib import Path

from record import Claim, record
from sklearn.metrics import log_loss, roc_auc_score

from tenure.core.config import Config, load_config
from tenure.core.progress import StageLines
from tenure.demo import write_world
from tenure.run.backtest import run_backtest

ROOT = Path(__file__).parent.parent
MOST_SECONDS = 600
TARGETS = ("churn", "expansion")


def main() -> None:
    """Measure what was asked for and write the claims."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=120, help="of all searches of a target")
    parser.add_argument("--data", nargs="*", default=["demo", "churnsim"])
    asked = parser.parse_args()
    default = (ROOT / ".." / "shared" / "data").resolve()
    data = Path(os.environ.setdefault("TENURE_TESTDATA", str(default)))
    claims: list[Claim] = []
    for name in asked.data:
        if name != "demo" and not data.is_dir():
            print(f"skipped {name}: {data} is not there")
            continue
        with tempfile.TemporaryDirectory() as folder, chdir(folder):
            claims += measure(name, asked.seconds)
    record("tuned", claims)


def measure(name: str, seconds: float) -> list[Claim]:
    """Backtest one data set without and with tuning."""
    if name == "demo":
        write_world(Path("data"))
        Path("config.yaml").write_text("data: {path: data}\n", encoding="utf-8")
        config = load_config("config.yaml")
    else:
        config = load_config(ROOT / "configs" / f"{name}.yaml")
    tuning = config.model.tuning.model_copy(update={"seconds": seconds})
    tuned = config.model_copy(update={"model": config.model.model_copy(update={"tuning": tuning})})
    claims = backtest(f"{name}, default", config, None)
    return claims + backtest(f"{name}, tuned for {seconds:g} s a target", tuned, MOST_SECONDS)


def backtest(what: str, config: Config, limit: float | None) -> list[Claim]:
    """Run one backtest of both targets; return how long it took and how good it was."""
    print(what, flush=True)
    started = time.monotonic()
    rows = run_backtest(config, Path("out.parquet"), StageLines())["predictions"]
    claims = [Claim(f"{what}: seconds of the command", time.monotonic() - started, "s", limit)]
    for target in TARGETS:
        known = rows.dropna(subset=[f"{target}_outcome", f"{target}_probability"])
        outcome = known[f"{target}_outcome"].astype(float)
        said = known[f"{target}_probability"]
        claims += [
            Claim(f"{what}, {target}: AUC", roc_auc_score(outcome, said), ""),
            Claim(f"{what}, {target}: log loss", log_loss(outcome, said), ""),
        ]
    return claims


if __name__ == "__main__":
    main()
