"""How fast features are built: Tenure beside hand-written code and other tools, in one run.

    python benchmarks/features.py            # 1, 10 and 50 million usage events
    python benchmarks/features.py --quick    # 1 million only
    python benchmarks/features.py --sizes 10 # this size only
    python benchmarks/features.py --only account            # one account from its own rows
    python benchmarks/features.py --only day                # one new day on 10 million events

Every run is a process of its own on two threads, reads the same Parquet files from a warm file
cache and writes the same columns; the order of the sides alternates from round to round.  What the
others write is compared with what Tenure wrote, column by column, and any difference fails the
script.  Writes ``benchmarks/results/features.json``, ``docs/speed.md`` and its picture.  Data and
the environments of the other tools stay in ``--work`` (about 6 GB) for the next run.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

from peers.common import FEW, SMALL, THREADS, USAGE
from peers.compare import differences
from peers.page import write_page
from peers.slices import cut
from peers.world import write
from record import RESULTS, Claim, record

HERE = Path(__file__).parent
PEERS = HERE / "peers"
ROUNDS = {1: 3, 10: 3, 50: 1}
SAME = "tenure, same columns"
DEFAULT = "tenure, all default families"
BY_HAND = ("DuckDB and numpy", "DuckDB SQL", "Polars")
LOOP = "pandas loop"
COMMANDS: dict[str, list[str]] = {
    SAME: ["tenure_side.py", "same"],
    BY_HAND[0]: ["duckdb_numpy.py"],
    BY_HAND[1]: ["duckdb_sql.py"],
    BY_HAND[2]: ["polars_loop.py"],
    LOOP: ["pandas_loop.py"],
    DEFAULT: ["tenure_side.py", "build"],
}
ONE_DAY = "tenure, one new day, load and build"
DAYS: dict[str, list[str]] = {
    "tenure, the day before, nothing kept": ["tenure_side.py", "day_before"],
    ONE_DAY: ["tenure_side.py", "new_day"],
}
WHOLE = "tenure, load and build in one process"
ONCE: dict[str, list[str]] = {
    "tenure, load and check a partitioned folder": ["tenure_side.py", "load_hive"],
    WHOLE: ["tenure_side.py", "loaded"],
}
TOO_LARGE = {(LOOP, 50)}
"""Sides that are left out at a size: they hold every row in memory."""
ACCOUNT_SECONDS = 0.25
MANY_OVER_ONE = 6.0
"""Most that 100 accounts posted together may take, in times of one."""
PROCESSES = 5
"""How often one account is timed: each process has its own luck with the machine's memory."""
SLICES = (100, 200, 400)
SMALL_SIDES: dict[str, list[str]] = {
    "tenure": ["tenure_side.py", "small"],
    "DuckDB SQL": ["duckdb_small.py"],
}
Run = dict[str, Any]
Runs = dict[str, list[Run]]


class Bench:
    """One benchmark in one folder.

    Args:
        work: Where data, environments and outputs stay.
    """

    def __init__(self, work: Path) -> None:
        self.work = work
        self.wrong: list[str] = []

    @cached_property
    def pythons(self) -> dict[str, str]:
        """Return the interpreters of the other tools, which have environments of their own."""
        uv = shutil.which("uv") or str(HERE.parent / ".uv" / "bin" / "uv")
        return {name: self._environment(uv, name) for name in ("polars", "featuretools")}

    def _environment(self, uv: str, name: str) -> str:
        """Return the interpreter of an environment with the pinned packages of a tool."""
        place, pins = self.work / f"env-{name}", PEERS / f"requirements-{name}.txt"
        python = place / "bin" / "python"
        stamp = place / pins.name
        if not stamp.exists() or stamp.read_text() != pins.read_text():
            shutil.rmtree(place, ignore_errors=True)
            subprocess.run([uv, "venv", "-q", "--python", "3.11", str(place)], check=True)
            install = [uv, "pip", "install", "-q", "-p", str(python), "-r", str(pins)]
            subprocess.run(install, check=True)
            shutil.copy(pins, stamp)
        return str(python)

    def run(self, script: list[str], folder: Path, out: Path | None = None) -> Run:
        """Run one side in a process of its own and return what it printed."""
        tool = script[0].split("_")[0]
        python = sys.executable if tool == "tenure" else self.pythons.get(tool, sys.executable)
        command = [python, str(PEERS / script[0]), *script[1:], str(folder)]
        threads = {f"{name}_NUM_THREADS": str(THREADS) for name in ("OMP", "OPENBLAS", "MKL")}
        done = subprocess.run(
            [*command, *([str(out)] if out else [])],
            check=False,
            capture_output=True,
            text=True,
            env=os.environ | threads | {"POLARS_MAX_THREADS": str(THREADS)},
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(script)} failed:\n{done.stderr[-3000:]}")
        found: Run = json.loads(done.stdout.strip().splitlines()[-1])
        return found

    def size(self, millions: int, rounds: int) -> Runs:
        """Measure every side on one size."""
        folder = self.work / f"{millions}M"
        write(folder, millions)
        runs: Runs = {"tenure, load and check": []}
        for _ in range(rounds):
            self.note(runs, "tenure, load and check", self.run(["tenure_side.py", "load"], folder))
        for name, command in ONCE.items():
            self.note(runs, name, self.run(command, folder, folder / "out-once.parquet"))
        names = [name for name in COMMANDS if (name, millions) not in TOO_LARGE]
        for turn in range(rounds):
            for name in names if turn % 2 == 0 else reversed(names):
                warm(folder)
                out = folder / f"out-{name.replace(' ', '-').replace(',', '')}.parquet"
                self.note(runs, name, self.run(COMMANDS[name], folder, out))
        for _ in range(rounds):
            for name, command in DAYS.items():
                self.note(runs, name, self.run(command, folder, folder / "out-day.parquet"))
        ours = folder / f"out-{SAME.replace(' ', '-').replace(',', '')}.parquet"
        for name in (*BY_HAND, LOOP):
            if name in runs:
                self.wrong += differences(
                    ours, folder / f"out-{name.replace(' ', '-')}.parquet", USAGE
                )
        return runs

    def slices(self, millions: int) -> Runs:
        """Measure featuretools on slices, and compare what it gives with Tenure's columns."""
        runs: Runs = {}
        for accounts in SLICES:
            folder = cut(self.work / f"{millions}M", accounts)
            theirs, ours = folder / "out-featuretools.parquet", folder / "out-tenure.parquet"
            name = f"featuretools, {accounts} accounts"
            self.note(runs, name, self.run(["featuretools_slice.py"], folder, theirs))
            self.note(
                runs,
                f"tenure, {accounts} accounts",
                self.run(["tenure_side.py", "few"], folder, ours),
            )
            self.wrong += differences(ours, theirs, FEW)
        return runs

    def small(self, millions: int, rounds: int) -> Runs:
        """Measure the columns about tickets and surveys, which no number of events changes."""
        folder, runs = self.work / f"{millions}M", Runs()
        for turn in range(rounds):
            for name in SMALL_SIDES if turn % 2 == 0 else reversed(SMALL_SIDES):
                warm(folder)
                self.note(runs, name, self.run(SMALL_SIDES[name], folder, folder / f"small-{name}"))
        ours, theirs = (folder / f"small-{name}" for name in SMALL_SIDES)
        self.wrong += differences(ours, theirs, SMALL)
        return runs

    def account(self) -> Run:
        """Score one account from its own rows in some processes; seconds of the middle one."""
        runs = [self.run(["tenure_account.py"], self.work / "account") for _ in range(PROCESSES)]
        found = sorted(runs, key=lambda run: float(run["median"]))[PROCESSES // 2]
        print(
            f"  one account: {1e3 * found['median']:.0f} ms, {found['many']} together: "
            f"{1e3 * found['median_many']:.0f} ms",
            flush=True,
        )
        return found

    @staticmethod
    def note(runs: Runs, name: str, found: Run) -> None:
        """Say what a run took, and add it to the others."""
        print(f"  {name}: {found['seconds']:.2f} s, {found['peak_mib']:.0f} MiB", flush=True)
        runs.setdefault(name, []).append(found)


def warm(folder: Path) -> None:
    """Read the files that the sides read, so that each finds them in memory."""
    for path in (folder / "canonical").glob("*.parquet"):
        with path.open("rb") as file:
            while file.read(1 << 24):
                pass


def seconds(runs: Runs, name: str) -> float:
    return median(run["seconds"] for run in runs[name])


def part(runs: Runs, name: str, stage: str) -> float:
    return median(run["stages"][stage] for run in runs[name])


def claims_of(found: dict[str, Runs], slices: Runs, wrong: list[str]) -> list[Claim]:
    """Return the limits of the feature engine beside what was measured."""
    claims = [Claim("columns in which another side disagrees with Tenure", len(wrong), "", 0)]
    for size, runs in found.items():
        best = min(seconds(runs, name) for name in BY_HAND)
        limit = 1.3 if size == "10" else None
        what = f"{size} million events: Tenure over the best by hand, same columns"
        claims.append(Claim(what, seconds(runs, SAME) / best, "times", limit))
        limit = 0.25 if size == "10" else None
        what = f"{size} million events: one new day over all 24"
        share = seconds(runs, ONE_DAY) / seconds(runs, WHOLE)
        claims.append(Claim(f"{what}, from raw files", share, "", limit))
        share = (seconds(runs, ONE_DAY) - part(runs, ONE_DAY, "load")) / seconds(runs, DEFAULT)
        claims.append(Claim(f"{what}, loading left out", share, "", limit))
        peak = max(run["peak_mib"] for name in runs if "tenure" in name for run in runs[name])
        limit = 4.0 if size == "50" else None
        claims.append(Claim(f"{size} million events: peak memory", peak / 1024, "GiB", limit))
    for small, large in (("1", "10"), ("10", "50")):
        if small in found and large in found:
            for name in (SAME, DEFAULT):
                growth = seconds(found[large], name) / seconds(found[small], name)
                limit = int(large) / int(small)
                what = f"{name}: time at {large} million events over that at {small}"
                claims.append(Claim(what, growth, "times", limit))
    slow = per_value(slices[f"featuretools, {SLICES[-1]} accounts"][-1])
    fast = median(per_value(run) for run in found["10" if "10" in found else min(found)][SAME])
    what = "featuretools on a slice over Tenure on all rows, per row and feature"
    claims.append(Claim(what, slow / fast, "times", 20, at_most=False))
    same = per_value(slices[f"tenure, {SLICES[-1]} accounts"][-1])
    claims.append(Claim("the same, both on the slice", slow / same, "times"))
    return claims


def per_value(run: Run) -> float:
    """Return seconds per value of the matrix."""
    return float(run["seconds"] / (run["rows"] * run["columns"]))


def account_claims(account: Run) -> list[Claim]:
    """Return the limits of posted accounts beside what was measured."""
    one, many = "one account scored from its own rows", f"{account['many']} accounts together"
    times = account["median_many"] / account["median"]
    return [
        Claim(f"{one}, median", 1e3 * account["median"], "ms", 1e3 * ACCOUNT_SECONDS),
        Claim(f"{many} over {one}", times, "times", MANY_OVER_ONE),
    ]


def anew(account: Run) -> int:
    """Put what one account took in the place of what it took before; return the exit code."""
    path = RESULTS / "features.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    claims = {claim.what: asdict(claim) | {"kept": claim.kept} for claim in account_claims(account)}
    others = [item for item in document["claims"] if item["what"] not in claims]
    document["claims"] = [*others, *claims.values()]
    document["account"] = account
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    write_page(document)
    return 0 if all(claim["kept"] for claim in claims.values()) else 1


def days_anew(bench: Bench, millions: int, rounds: int) -> int:
    """Put what a new day takes, and what it is compared with, in the place of what they took."""
    path = RESULTS / "features.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    folder, runs = bench.work / f"{millions}M", document["runs"][str(millions)]
    fresh: Runs = {}
    for _ in range(rounds):
        for name, command in ({WHOLE: ONCE[WHOLE], DEFAULT: COMMANDS[DEFAULT]} | DAYS).items():
            warm(folder)
            bench.note(fresh, name, bench.run(command, folder, folder / "out-day.parquet"))
    runs |= fresh
    claims = {
        claim.what: asdict(claim) | {"kept": claim.kept}
        for claim in claims_of(document["runs"], document["slices"], [])
    }
    days = {what for what in claims if "one new day" in what}
    document["claims"] = [
        claims[item["what"]] if item["what"] in days else item for item in document["claims"]
    ]
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    write_page(document)
    return 0 if all(claims[what]["kept"] for what in days) else 1


def main() -> int:
    """Measure, compare, write, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="1 million events only")
    parser.add_argument("--sizes", type=int, nargs="+", choices=ROUNDS, default=list(ROUNDS))
    parser.add_argument("--rounds", type=int, help="runs of each side instead of 3 (50 million: 1)")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "tenure-speed")
    parser.add_argument("--only", choices=["account", "day"], help="measure this alone")
    options = parser.parse_args()
    sizes = [1] if options.quick else options.sizes
    bench = Bench(options.work)
    if options.only == "account":
        return anew(bench.account())
    if options.only == "day":
        return days_anew(bench, 10, options.rounds or ROUNDS[10])
    found: dict[str, Runs] = {}
    for size in sizes:
        print(f"{size} million events", flush=True)
        found[str(size)] = bench.size(size, options.rounds or ROUNDS[size])
    sliced = 10 if 10 in sizes else sizes[0]
    slices = bench.slices(sliced)
    print("tickets and surveys", flush=True)
    small = bench.small(sizes[0], options.rounds or 3)
    account = bench.account()
    claims = [*claims_of(found, slices, bench.wrong), *account_claims(account)]
    kept = record("features", claims)
    path = RESULTS / "features.json"
    document = json.loads(path.read_text(encoding="utf-8")) | {
        "runs": found,
        "slices": slices,
        "small": small,
        "account": account,
    }
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    write_page(document)
    for line in bench.wrong:
        print(line)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
