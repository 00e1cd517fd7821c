"""Runs commands of Tenure in processes that kill themselves at a rename.

As a script it reads jobs, one JSON object a line, and answers each by the exit code of its process
and how many renames that made.  The processes are forks of one that has imported everything and
started nothing, so that a kill does not cost the imports.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

COUNT = "renames"


class Killer:
    """Hands jobs to the script.

    Args:
        process: The running script.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def __call__(self, folder: Path, place: int, side: str, *words: str) -> bool:
        """Return whether a command, run in a folder, was killed at its rename of that number."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        job = {"folder": str(folder), "place": place, "side": side, "words": words}
        print(json.dumps(job), file=self.process.stdin, flush=True)
        code = json.loads(self.process.stdout.readline())
        assert code in {0, -signal.SIGKILL}
        return bool(code)

    def renames(self, folder: Path, *words: str) -> int:
        """Return how many renames a whole command makes."""
        assert not self(folder, 0, "before", *words)
        return int((folder / COUNT).read_text(encoding="utf-8"))


@contextmanager
def killer(environment: dict[str, str]) -> Iterator[Killer]:
    """Yield a killer, whose script ends afterwards."""
    with subprocess.Popen(
        [sys.executable, __file__],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        yield Killer(process)
        assert process.stdin is not None
        process.stdin.close()


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


def work(job: dict[str, Any]) -> None:
    """Run the command of a job in this process, until its rename."""
    from tenure.cli import main

    os.chdir(job["folder"])
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    calls = [0]
    # pathlib's methods call these, so every rename is seen once.
    os.replace = deadly(os.replace, job["place"], job["side"], calls)
    os.rename = deadly(os.rename, job["place"], job["side"], calls)
    sys.argv = ["tenure", *job["words"]]
    try:
        main()
    finally:
        Path(COUNT).write_text(str(calls[0]), encoding="utf-8")


if __name__ == "__main__":
    import tenure.run.promote
    import tenure.run.score
    import tenure.run.train  # noqa: F401

    for line in sys.stdin:
        if (child := os.fork()) == 0:
            work(json.loads(line))
            sys.exit()
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
        sys.stdout.flush()
