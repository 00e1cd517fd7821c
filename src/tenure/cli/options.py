"""Arguments and options that commands share, and what becomes of their values."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from tenure.core.errors import ConfigError, Problem
from tenure.core.files import check_writable

EXIT_UNUSABLE, EXIT_INTERRUPTED = 1, 130


class OutPath(click.Path):
    """Where a command writes: refused before any work is done if nothing can be written there."""

    def convert(self, *value: Any) -> Path:
        """Return the path."""
        path = Path(str(super().convert(*value)))
        check_writable(path)
        return path


CONFIG = click.argument("config", type=click.Path(path_type=Path))
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
FILE = OutPath(dir_okay=False)
OUT = click.option("--out", required=True, type=FILE, help="File to write.")
MAY_OUT = click.option("--out", default=None, type=FILE, help="File to write.")
SELECTION = click.Choice(["all", "slim"])
MAPS = click.Choice(["health", "experience"])
AS_OF = click.option("--as-of", default=None, help="Prediction time, e.g. 2026-01-01 (UTC).")


def settings(path: Path) -> Any:
    """Return the config at a path."""
    from tenure.features.plan.config_checks import load_config

    return load_config(path)


def moment(text: str | None, option: str = "--as-of") -> datetime | None:
    """Return a time given on the command line, as an option."""
    from tenure.core.times import as_utc

    if text is None:
        return None
    try:
        return as_utc(text)
    except ValueError:
        fix = "write it like 2026-01-01 or 2026-01-01T12:00:00Z"
        raise ConfigError(Problem(option, "is not an ISO date or time", text, fix)) from None


def table(path: Path, *suffixes: str) -> Path:
    """Return a path for a table, after checking that its suffix says how to write it.

    Args:
        path: The path.
        suffixes: Suffixes that it may have; .csv and .parquet by default.
    """
    suffixes = suffixes or (".csv", ".parquet")
    if path.suffix not in suffixes:
        fix = f"end the name in {', '.join(suffixes[:-1])} or {suffixes[-1]}"
        raise ConfigError(Problem("--out", "must say its format by its suffix", str(path), fix))
    return path
