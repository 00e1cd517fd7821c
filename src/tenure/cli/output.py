"""What commands write: JSON for machines, lines as wide as the terminal for people."""

from __future__ import annotations

import json
import re
import shutil
import sys
import textwrap
from pathlib import Path
from typing import Any, TextIO

import click

INTERVAL = re.compile(r"\S+ \[[^\[\]]{1,40}\]")
"""A number and its interval."""
GLUE = "\N{NO-BREAK SPACE}"


def show(result: Any, lines: list[str], *, as_json: bool) -> None:
    """Write a result to stdout: as JSON, or as lines for people."""
    if as_json:
        click.echo(json.dumps(result, indent=1, sort_keys=True))
        return
    for line in lines:
        click.echo(fitted(line, sys.stdout))


def written(what: str, out: Path | None) -> list[str]:
    """Return the line that names a file that was written, if one was."""
    return [f"{what}: {out}"] if out else []


def fitted(text: str, stream: TextIO) -> str:
    """Return lines broken between words where they are longer than a terminal is wide.

    What does not fit goes on below the last column of a line; a number stays with its interval.
    A stream that is no terminal gets the lines as they are.
    """
    if not stream.isatty():
        return text
    width = shutil.get_terminal_size().columns
    return "\n".join(_broken(line, width) for line in text.splitlines())


def _broken(line: str, width: int) -> str:
    start = max((match.end() for match in re.finditer(r"(^| ) +", line)), default=0)
    if len(line) <= width or start > width // 2:
        return line
    words = INTERVAL.sub(lambda match: match.group().replace(" ", GLUE), line[start:])
    wrapper = textwrap.TextWrapper(width - start, break_long_words=False, break_on_hyphens=False)
    parts = wrapper.wrap(words)
    return (line[:start] + ("\n" + " " * start).join(parts)).replace(GLUE, " ")
