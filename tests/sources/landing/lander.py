"""Lands the tables of a config again and again, in processes that may be killed on the way.

`python lander.py CONFIG` reads a line per landing and answers each with the exit codes of what it
started: `N before|after` (killed at the Nth rename), `S SECONDS` (killed then), `N at` (N at once).
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pandas  # noqa: F401 - loaded once, not by each of the processes
import pyarrow.parquet  # noqa: F401
import sqlalchemy.dialects.sqlite  # noqa: F401

from e2e.killer import deadly
from tenure.core.config import load_config
from tenure.sources.landing.land import land


def started(config: Path, last: int = 0, side: str = "") -> int:
    """Return the process that lands the tables; it kills itself at a rename, if at any."""
    process = os.fork()
    if process == 0:
        count = [0]
        os.replace = deadly(os.replace, last, side, count)
        os.rename = deadly(os.rename, last, side, count)
        code = 1
        try:
            land(load_config(config), anew=True)
            code = 0
        finally:
            os._exit(code)
    return process


def main(config: Path) -> None:
    for line in sys.stdin:
        first, second = line.split()
        if first == "S":
            processes = [started(config)]
            time.sleep(float(second))
            os.kill(processes[0], signal.SIGKILL)
        elif second == "at":
            processes = [started(config) for _ in range(int(first))]
        else:
            processes = [started(config, int(first), second)]
        codes = [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in processes]
        sys.stdout.write(" ".join(map(str, codes)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
