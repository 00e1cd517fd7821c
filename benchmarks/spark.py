"""DuckDB beside Spark on growing histories: seconds and memory of loading and of the features.

    python benchmarks/spark.py [--sizes 0.1,1,10] [--limit 300]

The data are those of `benchmarks/features.py` (20,000 accounts, 24 monthly prediction times, the
given millions of usage events).  Each engine works in a process of its own, both with two cores
and 4 GB; memory is the peak of the resident memory of the process and all its children (for Spark
that is Java and the Python workers).  A run that takes longer than the limit is stopped, and
reported to have taken more.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from record import Claim, record

PAGE = os.sysconf("SC_PAGE_SIZE")
SELF = Path(__file__)
DOCS = SELF.parent.parent / "docs" / "spark.md"
sys.path.insert(0, str(SELF.parent / "peers"))


def work(kind: str, folder: Path) -> None:
    """Load the tables and build the features with one engine; print seconds as JSON."""
    from world import CUTOFFS, NEW_DAY

    from tenure.core.config import make_config
    from tenure.engine import open_engine
    from tenure.features.compute.categories import choose_categories
    from tenure.features.compute.matrix import build
    from tenure.features.plan.plan import config_families, resolve_plan
    from tenure.labels.snapshots import snapshots
    from tenure.sources.load import load

    authored = {
        "data": {"path": str(folder), "observed_until": NEW_DAY},
        "engine": {"kind": kind, "threads": 2, "memory_limit": "4GB"},
    }
    config = make_config(authored, base=folder)
    clock = time.perf_counter
    began = clock()
    engine = open_engine(config)
    started = clock()
    dataset = load(config, engine)
    read = clock()
    families = config_families(config.features)
    members = choose_categories(engine, families, dataset.columns, CUTOFFS).values
    resolved = resolve_plan(families, dataset.columns, members=members)
    matrix = build(engine, snapshots(dataset, CUTOFFS), resolved)
    done = clock()
    engine.close()
    spent = {"start": started - began, "load": read - started, "features": done - read}
    total = float(matrix.values.select_dtypes("number").astype("float64").sum().sum())
    print(json.dumps(spent | {"rows": len(matrix.rows), "total": total}))


def resident(root: int) -> int:
    """Return the resident bytes of a process and its descendants."""
    parents: dict[int, list[int]] = {}
    sizes: dict[int, int] = {}
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                fields = (place / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(place.name))
            sizes[int(place.name)] = int(fields[21]) * PAGE
    total, todo = 0, [root]
    while todo:
        process = todo.pop()
        total += sizes.get(process, 0)
        todo += parents.get(process, [])
    return total


def measured(kind: str, folder: Path, limit: float) -> dict[str, float] | None:
    """Run one engine in a process of its own; nothing where it takes longer than the limit."""
    command = [sys.executable, str(SELF), "--work", kind, "--folder", str(folder)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    peak = 0
    ended = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not ended.wait(0.2):
            peak = max(peak, resident(child.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        output, _ = child.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        return None
    finally:
        ended.set()
        watcher.join()
    if child.returncode:
        raise SystemExit(f"{kind} failed on {folder}")
    spent: dict[str, float] = json.loads(output.splitlines()[-1])
    return spent | {"memory": peak / 1024**2}


def claims_of(size: float, kind: str, spent: dict[str, float] | None, limit: float) -> list[Claim]:
    name = f"{size:g} million events, {kind}"
    if spent is None:
        return [Claim(f"{name}: stopped after", limit, "s")]
    seconds = [Claim(f"{name}: {part}", spent[part], "s") for part in ("start", "load", "features")]
    return [*seconds, Claim(f"{name}: peak memory", spent["memory"], "MiB")]


def write_curve(claims: list[Claim]) -> None:
    """Put the table of what was measured into the page."""
    rows: dict[str, dict[str, str]] = {}
    for claim in claims:
        name, _, part = claim.what.partition(": ")
        shown = f"{claim.value:,.0f}" if claim.value >= 10 else f"{claim.value:.1f}"
        rows.setdefault(name, {})[part] = shown
    lines = [
        "| events, engine | start s | load s | features s | peak MiB |",
        "|---|---|---|---|---|",
    ]
    for name, parts in rows.items():
        if "stopped after" in parts:
            lines.append(f"| {name} | stopped after {parts['stopped after']} s | | | |")
        elif "load" in parts:
            cells = [parts[part] for part in ("start", "load", "features", "peak memory")]
            lines.append(f"| {name} | {' | '.join(cells)} |")
    text = DOCS.read_text(encoding="utf-8")
    head, mark, rest = text.partition("benchmarks/spark.py` -->\n")
    _, end, tail = rest.partition("<!-- end of curve -->")
    DOCS.write_text(head + mark + "\n".join(["", *lines, "", end]) + tail, encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="0.1,1,10")
    parser.add_argument("--limit", type=float, default=300)
    parser.add_argument("--work")
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if options.work:
        work(options.work, options.folder)
        return 0
    from world import write

    claims: list[Claim] = []
    for size in [float(text) for text in options.sizes.split(",")]:
        with tempfile.TemporaryDirectory(prefix="tenure-spark-") as place:
            folder = Path(place)
            write(folder, size)
            totals = []
            for kind in ("duckdb", "spark"):
                spent = measured(kind, folder, options.limit)
                claims += claims_of(size, kind, spent, options.limit)
                if spent:
                    totals.append(spent["total"])
                    print(f"{size:g} M, {kind}: {spent}", flush=True)
            if len(totals) == 2:
                distance = abs(totals[0] - totals[1]) / max(1.0, abs(totals[0]))
                name = f"{size:g} million events: difference of the sum of all features"
                claims.append(Claim(name, distance, "of it", 1e-9))
    write_curve(claims)
    return 0 if record("spark", claims) else 1


if __name__ == "__main__":
    raise SystemExit(main())
