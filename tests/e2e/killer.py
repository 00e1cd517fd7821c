"""Run a command of Tenure that kills itself at a rename: `python killer.py N before|after WORD...`.

The count of renames so far goes to the file that KILLER_COUNT names, if any.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tenure.cli import main

LAST, SIDE = int(sys.argv[1]), sys.argv[2]
COUNT = [0]


def _deadly(rename: Callable[..., Any]) -> Callable[..., Any]:
    def renamed(*arguments: Any, **options: Any) -> Any:
        COUNT[0] += 1
        if COUNT[0] == LAST and SIDE == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = rename(*arguments, **options)
        if COUNT[0] == LAST and SIDE == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return renamed


# pathlib's methods call these, so every rename is seen once.
os.replace, os.rename = _deadly(os.replace), _deadly(os.rename)
sys.argv = ["tenure", *sys.argv[3:]]
try:
    main()
finally:
    Path("renames").write_text(str(COUNT[0]), encoding="utf-8")
