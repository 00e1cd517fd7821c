"""How long a large book takes: `tenure train` and `tenure score` on 5,000 to 50,000 accounts.

    python benchmarks/scale.py                        # 5,000 and 50,000 accounts, 36 months
    python benchmarks/scale.py --accounts 5000 15000

The books are made by the simulator of the demo world, in parts of 5,000 accounts with seeds of
their own.  Each command runs in a process of its own, on two threads; what counts is its processor
time, which other work on the machine does not move, its wall time beside it, and the most memory
that it held.  Writes ``benchmarks/results/scale.json``.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb
from record import Claim, record

from tenure.core.files import write_text
from tenure.demo import write_world

PART = 5_000
MONTHS = 36
THREADS = 2
CONFIG = """\
name: scale
data: {{path: {data}}}
targets: [churn, expansion]
model: {{threads: {threads}}}
engine: {{threads: {threads}}}
"""
TENURE = "from tenure.cli import main; main()"
TRAIN_MINUTES, SCORE_MINUTES, GIB = 60, 3, 16


@dataclass(frozen=True)
class Cost:
    """What a command took: seconds of its processors and of the clock, and bytes at its peak."""

    processor: float
    wall: float
    memory: float


def main() -> None:
    """Make the books, run the commands, write the claims."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", nargs="+", type=int, default=[PART, 10 * PART])
    parser.add_argument("--work", type=Path, help="folder to keep the books in")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        work = options.work or Path(scratch)
        costs = {accounts: measured(work, accounts) for accounts in sorted(options.accounts)}
    record("scale", claims(costs))


def measured(work: Path, accounts: int) -> dict[str, Cost]:
    """Return what training on a book and scoring it with drivers took."""
    home = work / f"book_{accounts}"
    write_book(home / "data", accounts)
    config = home / "scale.yaml"
    write_text(config, CONFIG.format(data=home / "data", threads=THREADS))
    os.chdir(home)
    costs = {"train": cost("train", str(config))}
    costs["score"] = cost("score", str(config), "--out", "scores.parquet")
    for name, one in costs.items():
        print(f"{accounts:,} accounts, {name}: {one}", flush=True)
    return costs


def write_book(folder: Path, accounts: int) -> None:
    """Write worlds of `PART` accounts under one roof, each with ids of its own."""
    if folder.is_dir():
        return
    parts = -(-accounts // PART)
    for number in range(parts):
        part = folder.with_name(f"part_{number}")
        if not part.is_dir():
            write_world(part, accounts=min(PART, accounts), months=MONTHS, seed=20_000 + number)
    unfinished = folder.with_name("unfinished")
    unfinished.mkdir(exist_ok=True)
    for path in sorted(folder.with_name("part_0").glob("*.parquet")):
        joined = " UNION ALL ".join(_part(folder, number, path.name) for number in range(parts))
        duckdb.sql(f"COPY ({joined}) TO '{unfinished / path.name}' (FORMAT parquet)")
    unfinished.rename(folder)


def _part(folder: Path, number: int, table: str) -> str:
    """Return a query for a table of one world, its ids marked by the number of the world."""
    path = folder.with_name(f"part_{number}") / table
    names = duckdb.read_parquet(str(path)).columns
    columns = [
        f"'{number}-' || {name} AS {name}" if name.endswith("_id") else name for name in names
    ]
    return f"SELECT {', '.join(columns)} FROM '{path}'"


def cost(*command: str) -> Cost:
    """Run a command of Tenure in a process of its own; return what it took."""
    started = time.monotonic()
    process = os.posix_spawn(
        sys.executable, [sys.executable, "-c", TENURE, *command], dict(os.environ)
    )
    _, status, usage = os.wait4(process, 0)
    if status:
        raise SystemExit(f"tenure {' '.join(command)} failed")
    wall = time.monotonic() - started
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * 1024)


def claims(costs: dict[int, dict[str, Cost]]) -> list[Claim]:
    """Return each figure; the limits are those of the largest book."""
    sizes = sorted(costs)
    made: list[Claim] = []
    for accounts in sizes:
        large = accounts >= 10 * PART
        for name, minutes in (("train", TRAIN_MINUTES), ("score", SCORE_MINUTES)):
            one, what = costs[accounts][name], f"tenure {name}, {accounts:,} accounts"
            limit = minutes * 60 if large else None
            made += [
                Claim(f"{what}: processor time over {THREADS} cores", one.processor / THREADS, "s"),
                Claim(f"{what}: wall time", one.wall, "s", limit),
                Claim(f"{what}: most memory", one.memory / 2**30, "GiB", GIB if large else None),
            ]
    if len(sizes) > 1:
        first, last = sizes[0], sizes[-1]
        ratio = costs[last]["train"].processor / costs[first]["train"].processor
        what = f"tenure train: processor time of {last:,} accounts over that of {first:,}"
        made.append(Claim(what, ratio, "×", last / first))
    return made


if __name__ == "__main__":
    main()
