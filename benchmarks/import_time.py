"""How long `import tenure` takes in a fresh interpreter, beside importing pandas.

Usage: python benchmarks/import_time.py
"""

from __future__ import annotations

import subprocess
import sys
import time

from record import Claim, record

ROUNDS = 7
LIMIT = 0.15


def best(code: str) -> float:
    """Return the shortest wall time in seconds of running `code` in a new interpreter."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> int:
    """Measure, record, and return the exit code."""
    nothing = best("pass")
    claims = [
        Claim("import tenure", best("import tenure") - nothing, "s", LIMIT),
        Claim("import pandas, for comparison", best("import pandas") - nothing, "s"),
    ]
    return 0 if record("import_time", claims) else 1


if __name__ == "__main__":
    sys.exit(main())
