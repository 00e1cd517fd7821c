"""Run a command of Tenure that kills itself at a rename: `python killer.py N before|after WORD...`.

The count of renames goes to the file ``renames`` in the current folder.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tenure.cli import main


def deadly(
    rename: Callable[..., Any], last: int, side: str, count: list[int]
) -> Callable[..., Any]:
    """Return the rename, made to kill the process before or after its `last` call."""

    def renamed(*arguments: Any, **options: Any) -> Any:
        count[0] += 1
        if count[0] == last and side == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = rename(*arguments, **options)
        if count[0] == last and side == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return renamed


if __name__ == "__main__":
    calls = [0]
    last, side = int(sys.argv[1]), sys.argv[2]
    # pathlib's methods call these, so every rename is seen once.
    os.replace = deadly(os.replace, last, side, calls)
    os.rename = deadly(os.rename, last, side, calls)
    sys.argv = ["tenure", *sys.argv[3:]]
    try:
        main()
    finally:
        Path("renames").write_text(str(calls[0]), encoding="utf-8")
