"""Run the long checks and every benchmark, and write what they gave to docs/acceptance.md.

python benchmarks/acceptance.py             # every suite and every benchmark
python benchmarks/acceptance.py labels worlds  # only these, the others as they were last measured
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from record import RESULTS

HERE = Path(__file__).parent
ROOT = HERE.parent
PAGE = ROOT / "docs" / "acceptance.md"
NOT_BENCHMARKS = {"ablation", "acceptance", "accuracy", "phases", "record", "results", "service"}
SUITES = {
    "labels": ("labels", "labels against the slow restatement, 300 random worlds per target"),
    "contract": ("contract", "nothing later, late or foreign moves a feature, 200 random worlds"),
    "metrics": (
        "success",
        "every metric by every method against the slow restatement, 38 random worlds; a table "
        "turned off removes what depends on it alone",
    ),
    "worlds": ("e2e/test_planted.py", "five demo worlds; medians (least to most)"),
    "shuffled": ("e2e/test_shuffled.py", "outcomes dealt anew among the accounts of each time"),
    "outside": ("e2e/test_outside_data.py", "labels without a signal put no model live"),
    "kills": (
        "e2e/test_kill.py e2e/test_promote_kill.py score/store/test_store.py",
        "train, score, promote and a write of the store killed at 20 random moments",
    ),
    "same_bytes": ("e2e/test_determinism.py", "the same Parquet scores in another process"),
    "outage": (
        "service/test_outage.py",
        "two replicas on PostgreSQL: kills, swaps, writes and ten seconds without the store",
    ),
    "document": (
        "service/test_schema.py service/test_generated_client.py",
        "20,000 generated requests and a generated client against the OpenAPI document",
    ),
    "files": (
        "sources/test_fuzz_files.py",
        "3,000 tables as files of random shapes: every row is read or counted",
    ),
    "landing": (
        "sources/landing",
        "a landing killed at 200 random moments leaves the last whole one",
    ),
    "spark_road": (
        "e2e/test_whole_on_spark.py e2e/test_check_spark.py engine/test_spark_road.py",
        "the same boosters, scores, audit, labels and rejects on both engines",
    ),
    "kept_parts": (
        "sources/cache",
        "histories of files that change: what is kept gives what a load of everything gives",
    ),
    "features": ("features", "features against the slow restatement, at the ticks that matter"),
}
"""Name → its files in `tests`, and what they show."""
KEYS = ("tests", "failures", "errors", "skipped")
Row = dict[str, str | bool]


def run_suite(name: str) -> list[Row]:
    """Run the acceptance tests of one suite under the long hypothesis profile."""
    places, shown = SUITES[name]
    report = RESULTS / f"{name}.xml"
    RESULTS.mkdir(exist_ok=True)
    paths = [f"tests/{place}" for place in places.split()]
    chosen = ["-m", "acceptance", *paths, "-n", "2", "--timeout", "3000"]
    command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *chosen]
    environment = os.environ | {"HYPOTHESIS_PROFILE": "acceptance"}
    code = subprocess.run(command, cwd=ROOT, check=False, env=environment).returncode
    suite = ElementTree.parse(report).getroot().find("testsuite")
    measured = [] if suite is None else suite.iterfind("testcase/properties/property")
    rows: list[Row] = [
        {"what": item.attrib["name"], **json.loads(item.attrib["value"])} for item in measured
    ]
    report.unlink()
    counts = {} if suite is None else suite.attrib
    said = ", ".join(f"{counts.get(key, 0)} {key}" for key in KEYS)
    took = f"{float(counts.get('time', 0)):.0f} s"
    what = f"{', '.join(paths)}: {shown}"
    return [{"what": what, "value": f"{said} in {took}", "limit": "", "kept": code == 0}, *rows]


def run_benchmark(name: str) -> list[Row]:
    """Run one script; return the rows that it recorded."""
    result = RESULTS / f"{name}.json"
    result.unlink(missing_ok=True)
    code = subprocess.run([sys.executable, f"{name}.py"], cwd=HERE, check=False).returncode
    if not result.exists():
        return [{"what": name, "value": f"exit code {code}", "limit": "", "kept": False}]
    rows: list[Row] = []
    for claim in json.loads(result.read_text(encoding="utf-8"))["claims"]:
        sign = "≤" if claim["at_most"] else "≥"
        limit = "" if claim["limit"] is None else f"{sign} {claim['limit']:g} {claim['unit']}"
        rows.append(
            {
                "what": f"{name}: {claim['what']}",
                "value": f"{claim['value']:.4g} {claim['unit']}",
                "limit": limit,
                "kept": bool(claim["kept"]),
            }
        )
    return rows


def write_page(found: dict[str, dict[str, Any]]) -> None:
    """Write the table."""
    lines = [
        "# Acceptance",
        "",
        "Written by `make acceptance`: what is too long for CI.",
        f"{os.cpu_count()} cores, Python {sys.version.split()[0]}.",
        "",
        "| check | measured | limit | kept | on |",
        "|---|---|---|---|---|",
    ]
    for entry in found.values():
        for row in entry["rows"]:
            kept = "yes" if row["kept"] else "**no**"
            cells = (row["what"], row["value"], row["limit"], kept, entry["measured_at"])
            lines.append(f"| {' | '.join(map(str, cells))} |")
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main(names: list[str]) -> int:
    """Run what was asked for and return the exit code."""
    store = RESULTS / "acceptance.json"
    found: dict[str, Any] = json.loads(store.read_text()) if store.is_file() else {}
    benchmarks = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in NOT_BENCHMARKS)
    known = [*SUITES, *benchmarks]
    found = {name: entry for name, entry in found.items() if name in known}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SystemExit(f"{', '.join(unknown)}: not one of {', '.join(known)}")
    for name in names or known:
        rows = run_suite(name) if name in SUITES else run_benchmark(name)
        found[name] = {"measured_at": f"{datetime.now(UTC):%Y-%m-%d}", "rows": rows}
        RESULTS.mkdir(exist_ok=True)
        store.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        write_page(found)
    print(f"written: {PAGE.relative_to(ROOT)}")
    return 0 if all(row["kept"] for entry in found.values() for row in entry["rows"]) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
