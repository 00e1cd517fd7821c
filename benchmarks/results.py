"""Run every command on the outside data sets and the demo world; write ``docs/results.md``.

    python benchmarks/results.py            # all
    python benchmarks/results.py churnsim   # one, the others as they were last measured

The outside data are read from ``TENURE_TESTDATA`` (default ``../shared/data``); a config whose data
are absent is skipped, and said so.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from contextlib import chdir
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ablation import SAID
from peers.ablation_page import overview
from peers.accuracy_sets import LEAKING, LEAKS
from record import RESULTS

from tenure.core.config import Config, load_config
from tenure.core.errors import TenureError
from tenure.report.charts.look import to_png
from tenure.report.charts.target import driver_chart, reliability_chart
from tenure.run.backtest import run_backtest
from tenure.run.check import run_check
from tenure.run.demo import run_demo
from tenure.run.report import run_report
from tenure.run.score import run_score
from tenure.run.train import run_train

ROOT = Path(__file__).parent.parent
NAMES = ("churnsim", "ravenstack", "ravenstack_subscriptions")
PAGE = ROOT / "docs" / "results.md"
PICTURES = ROOT / "docs" / "images"


def main(chosen: list[str]) -> None:
    """Measure what was chosen (everything by default) and write the page."""
    default = (ROOT / ".." / "shared" / "data").resolve()
    data = Path(os.environ.setdefault("TENURE_TESTDATA", str(default)))
    found = _kept("results")
    for name in ("demo", *NAMES):
        if chosen and name not in chosen:
            continue
        if name != "demo" and not data.is_dir():
            print(f"skipped {name}: {data} is not there")
            continue
        print(f"measuring {name}", flush=True)
        found[name] = measure(name)
        RESULTS.mkdir(exist_ok=True)
        text = json.dumps(found, indent=1) + "\n"
        (RESULTS / "results.json").write_text(text, encoding="utf-8")
    PAGE.write_text(page(found), encoding="utf-8")


def measure(name: str) -> dict[str, Any]:
    """Run the commands in a folder of their own and return what they gave."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        started = time.monotonic()
        if name == "demo":
            record = run_demo(Path("demo")).record.to_json()
            config = load_config("demo/config.yaml")
            draw(record["targets"]["churn"])
        else:
            config = load_config(ROOT / "configs" / f"{name}.yaml")
            run_check(config)
            record = run_train(config).to_json()
        commands = {
            "backtest": command(lambda: f"{run_backtest(config, Path('b.parquet'))['rows']} rows"),
            "score": command(lambda: f"{run_score(config, Path('s.parquet')).rows} accounts"),
            "report": command(lambda: f"{_size(config)} KiB"),
        }
        return {
            "measured_at": datetime.now(UTC).date().isoformat(),
            "seconds": round(time.monotonic() - started),
            "commands": commands,
            "red": record["data"]["red"],
            "tables": {item["name"]: item for item in _tables(record)},
            "targets": {name: _target(found) for name, found in record["targets"].items()},
        }


def draw(entry: dict[str, Any]) -> None:
    """Write the pictures of the README: the calibration and the drivers of churn."""
    PICTURES.mkdir(exist_ok=True)
    bins = entry["evaluation"]["reliability"]
    title = "Churn: what was predicted, and what happened"
    (PICTURES / "calibration.png").write_bytes(to_png(reliability_chart(bins, title), 1.5))
    title = "What moves the churn scores of the demo world"
    (PICTURES / "drivers.png").write_bytes(to_png(driver_chart(entry["drivers"][:10], title), 1.5))


def command(call: Any) -> str:
    """Return what a command gave, or its refusal."""
    try:
        return str(call())
    except TenureError as error:
        return f"refused: {str(error).splitlines()[0]}"


def _size(config: Config) -> int:
    run_report(config, Path("r.html"))
    return Path("r.html").stat().st_size // 1024


def _tables(record: dict[str, Any]) -> list[dict[str, Any]]:
    tables = record["data"]["tables"]
    listed = tables.values() if isinstance(tables, dict) else tables
    kept = ("name", "rows_in", "rows_used", "rows_rejected", "set_aside")
    return [{key: item[key] for key in kept} for item in listed]


def _target(found: dict[str, Any]) -> dict[str, Any]:
    pooled = found["evaluation"].get("pooled", {})
    kept = (
        "auc",
        "log_loss",
        "brier_skill",
        "calibration_error",
        "calibration_slope",
        "lift_at_10",
    )
    return {
        "status": found["status"],
        "verdict": found["verdict"]["sentences"],
        "folds": len(found["folds"]),
        "labels": {
            key: found["labels"][key]
            for key in ("snapshots", "labelled", "positives", "distinct_events", "base_rate")
        },
        "metrics": {key: pooled[key] for key in kept if key in pooled},
        "drivers": [driver["label"] for driver in found["drivers"][:5]],
    }


def page(found: dict[str, Any]) -> str:
    """Return the results as Markdown."""
    lines = [
        "# Results",
        "",
        "Written by `make results` (`benchmarks/results.py`); do not edit by hand.",
        f"Machine: {os.cpu_count()} cores. Every figure is out of time: each prediction time of",
        "the past is predicted by a model fitted on what was known then. Intervals resample",
        "accounts (95 %). The demo world is Tenure's own; the others were made by others",
        "(`configs/*.yaml` say how their columns are mapped) and are synthetic too.",
        "",
        "| data | target | outcome | snapshots | distinct events | base rate | AUC | log loss |"
        " calibration error | Brier skill | lift at 10 % | folds |",
        "|---|---|---|---:|---:|---:|---|---|---|---|---|---:|",
    ]
    for name, result in found.items():
        if name not in LEAKING:
            lines += [_row(name, target, entry) for target, entry in result["targets"].items()]
    for name, result in found.items():
        note = [LEAKS.format(name=name), ""] if name in LEAKING else []
        lines += ["", f"## {name}", "", *note, *_section(result)]
    lines += [
        "",
        "## What single changes of the default model would do",
        "",
        "Gain in log loss, in thousandths, beside the default on the same rows, with its 95 %",
        "interval over accounts (above 0: the change is better; empty: not measured there). The",
        "demo worlds of [accuracy.md](accuracy.md) took no part in any choice. More in",
        "[ablation.md](ablation.md).",
        "",
        *overview(_kept("ablation"), SAID, _kept("phases")),
    ]
    return "\n".join(lines) + "\n"


def _kept(name: str) -> dict[str, Any]:
    path = RESULTS / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    return found


def _row(name: str, target: str, entry: dict[str, Any]) -> str:
    labels, metrics = entry["labels"], entry["metrics"]
    rate = "–" if labels["base_rate"] is None else f"{labels['base_rate']:.1%}"
    shown = [
        _interval(metrics.get(key), digits)
        for key, digits in (
            ("auc", 3),
            ("log_loss", 4),
            ("calibration_error", 3),
            ("brier_skill", 3),
            ("lift_at_10", 2),
        )
    ]
    cells = [
        name,
        target,
        entry["status"].replace("_", " "),
        f"{labels['labelled']:,}",
        f"{labels['distinct_events']:,}",
        rate,
        *shown,
        str(entry["folds"]),
    ]
    return f"| {' | '.join(cells)} |"


def _interval(found: dict[str, Any] | None, digits: int) -> str:
    if not found or found["value"] is None:
        return "–"
    value = f"{found['value']:.{digits}f}"
    if found["lo"] is None:
        return value
    return f"{value} [{found['lo']:.{digits}f}, {found['hi']:.{digits}f}]"


def _section(result: dict[str, Any]) -> list[str]:
    lines = ["| table | rows in | used | rejected | set aside |", "|---|---:|---:|---:|---:|"]
    for name, item in result["tables"].items():
        counts = (item[key] for key in ("rows_in", "rows_used", "rows_rejected", "set_aside"))
        lines.append(f"| {name} | {' | '.join(f'{count:,}' for count in counts)} |")
    for target, entry in result["targets"].items():
        lines += ["", f"**{target}**: {' '.join(entry['verdict'])}"]
        if entry["drivers"]:
            lines += ["", f"Strongest drivers: {'; '.join(entry['drivers'])}."]
    if result["red"]:
        lines += ["", "Red in the data report:", "", *(f"- {text}" for text in result["red"])]
    given = "; ".join(f"`{name}`: {what}" for name, what in result["commands"].items())
    lines += ["", f"{given}. All commands took {result['seconds']} s, {result['measured_at']}."]
    return lines


if __name__ == "__main__":
    main(sys.argv[1:])
