"""Run the long checks and every benchmark, and write what they gave to docs/acceptance.md.

Usage: python benchmarks/acceptance.py [NAME ...]   only these benchmarks; default: tests and all
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

from record import RESULTS

HERE = Path(__file__).parent
ROOT = HERE.parent
PAGE = ROOT / "docs" / "acceptance.md"
NOT_BENCHMARKS = {"acceptance", "record", "results"}
NO_TESTS = 5  # pytest's exit code where nothing was selected


def run_tests(name: str, *arguments: str) -> dict[str, str | bool]:
    """Run pytest under the long hypothesis profile; return a row of the table."""
    report = RESULTS / f"{name}.xml"
    RESULTS.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *arguments]
    environment = os.environ | {"HYPOTHESIS_PROFILE": "acceptance"}
    code = subprocess.run(command, cwd=ROOT, check=False, env=environment).returncode
    suite = ElementTree.parse(report).getroot().find("testsuite")
    report.unlink()
    counts = {} if suite is None else suite.attrib
    said = ", ".join(f"{counts.get(key, 0)} {key}" for key in ("tests", "failures", "skipped"))
    took = f"{float(counts.get('time', 0)):.0f} s"
    return {"what": name, "value": f"{said} in {took}", "limit": "", "kept": code in {0, NO_TESTS}}


def run_benchmark(name: str) -> list[dict[str, str | bool]]:
    """Run one script; return the rows that it recorded."""
    result = RESULTS / f"{name}.json"
    result.unlink(missing_ok=True)
    code = subprocess.run([sys.executable, f"{name}.py"], cwd=HERE, check=False).returncode
    if not result.exists():
        return [{"what": name, "value": f"exit code {code}", "limit": "", "kept": False}]
    rows: list[dict[str, str | bool]] = []
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


def write_page(rows: list[dict[str, str | bool]]) -> None:
    """Write the table."""
    lines = [
        "# Acceptance",
        "",
        f"Written by `make acceptance` on {datetime.now(UTC):%Y-%m-%d} "
        f"({os.cpu_count()} cores, Python {sys.version.split()[0]}).",
        "",
        "| check | measured | limit | kept |",
        "|---|---|---|---|",
    ]
    for row in rows:
        kept = "yes" if row["kept"] else "**no**"
        lines.append(f"| {row['what']} | {row['value']} | {row['limit']} | {kept} |")
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main(names: list[str]) -> int:
    """Run what was asked for and return the exit code."""
    rows: list[dict[str, str | bool]] = []
    if not names:
        rows.append(run_tests("acceptance tests", "-m", "acceptance"))
        for folder in ("contract", "oracle"):
            if (ROOT / "tests" / folder).exists():
                rows.append(run_tests(f"{folder} tests, long", f"tests/{folder}"))
        names = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in NOT_BENCHMARKS)
    for name in names:
        rows += run_benchmark(name)
    write_page(rows)
    print(f"written: {PAGE.relative_to(ROOT)}")
    return 0 if all(row["kept"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
