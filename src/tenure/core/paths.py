"""What a config takes from around it: the environment, and the folder it stands in."""

from __future__ import annotations

import os
import re
from pathlib import Path

from tenure.core.errors import ConfigError, Problem


def absolute(path: str, base: Path) -> str:
    """Return a path against a folder; an absolute one or a URL is left alone."""
    if "://" in path or Path(path).is_absolute():
        return path
    return os.path.normpath(base.resolve() / path)


def expanded(text: str) -> str:
    """Return a text with `${VAR}` and `${VAR:-default}` taken from the environment.

    Raises:
        ConfigError: If a variable without a default is not set.
    """

    def value(match: re.Match[str]) -> str:
        name, default = match.group(1), match.group(2)
        found = os.environ.get(name) or default
        if found is None:
            raise ConfigError(
                Problem(f"${{{name}}}", "is not set in the environment", fix=f"export {name}=…")
            )
        return found

    return re.sub(r"\$\{([A-Z_][A-Z0-9_]*)(?::-([^}]*))?\}", value, text)
