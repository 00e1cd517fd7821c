"""Champion of each target: one small file names its bundle, replaced atomically.

``models/<target>/champion.json`` is the truth; ``history.jsonl`` beside it has a line for every
change, the oldest first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tenure.core.errors import ModelError, Problem
from tenure.core.files import locked, write_json, write_text
from tenure.core.times import now
from tenure.model.bundle.bundle import read_bundle
from tenure.model.bundle.files import MANIFEST

FILE = "champion.json"
HISTORY = "history.jsonl"
WHOEVER = "*"
VERSION = re.compile("[0-9a-f]{12}")


@dataclass(frozen=True)
class Champion:
    """A change of champion."""

    version: str
    previous: str | None
    """The bundle before it, if any."""
    reason: str
    who: str
    at: str
    """When, ISO 8601 in UTC."""
    action: str = "set"
    """``first``, ``promoted``, ``forced``, ``rolled_back`` or ``set``; ``withdrawn`` where the
    bundle ceased to be champion and none took its place."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What was measured for the decision, JSON values."""


@dataclass(frozen=True)
class Change:
    """A wish to make a bundle champion."""

    version: str
    reason: str
    who: str
    action: str = "set"
    """See `Champion`."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What was measured, JSON values."""
    instead_of: str | None = WHOEVER
    """The champion that the decision was made against; None where there was none. By default
    whoever stands is replaced."""


def champion(root: Path, target: str) -> Champion | None:
    """Return the current champion of a target, or None where there is none.

    Raises:
        ModelError: If the file is damaged.
    """
    path = Path(root) / target / FILE
    try:
        standing = Champion(**json.loads(path.read_text(encoding="utf-8")))
        if not VERSION.fullmatch(standing.version):
            raise ValueError(f"`version` is no version: {standing.version!r}")
        return standing
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(
            Problem(str(path), "is damaged", str(error)[:80], "`tenure train` or set it again")
        ) from error


def change_champion(root: Path, target: str, change: Change) -> Champion:
    """Make a published bundle the champion, once it has been read and verified.

    Raises:
        ModelError: If the bundle is missing or damaged, or another champion stands by now than
            the one that the change was decided against; the champion then stays as it was.
    """
    home = Path(root) / target
    with locked(home):
        read_bundle(home / change.version)
        before = _before(root, target)
        if before:
            _note(home, before)
        if before and before.version == change.version:
            return before
        previous = before.version if before else None
        if change.instead_of not in (WHOEVER, previous):
            raise ModelError(
                Problem(
                    f"champion of `{target}`",
                    f"was changed meanwhile: not {change.instead_of} any more",
                    str(previous),
                    "run `tenure promote CONFIG` again: it compares with the one that stands now",
                )
            )
        at = f"{now().isoformat()}Z"
        facts = json.loads(json.dumps(dict(change.facts)))
        line = Champion(
            change.version, previous, change.reason, change.who, at, change.action, facts
        )
        write_json(home / FILE, asdict(line))
        _note(home, line)
    return line


def withdraw(root: Path, target: str, reason: str, who: str) -> Champion | None:
    """Leave a target without a champion; its bundle stays published.

    Returns:
        The history's line, None where no champion stood.

    Raises:
        ModelError: If the champion's file is damaged.
    """
    home = Path(root) / target
    if not (home / FILE).is_file():
        return None
    with locked(home):
        standing = champion(root, target)
        if standing is None:
            return None
        at = f"{now().isoformat()}Z"
        line = Champion(standing.version, standing.previous, reason, who, at, "withdrawn")
        _note(home, standing)
        _note(home, line)  # before the file goes: `settle` takes back what did not happen
        (home / FILE).unlink()
    return line


def settle(root: Path, target: str) -> None:
    """Write the history's last line where the process that changed the champion was killed."""
    home = Path(root) / target
    if (home / FILE).is_file():
        with locked(home):
            standing = _before(root, target)
            if standing:
                _note(home, standing)


def history(root: Path, target: str) -> tuple[Champion, ...]:
    """Return every change of champion, the oldest first."""
    return tuple(_lines(Path(root) / target / HISTORY))


def former_versions(root: Path, target: str) -> tuple[str, ...]:
    """Return every version that was champion, the last first; none where the history is damaged.

    One that was withdrawn, or rolled back from, is left out until it is champion again.
    """
    good: dict[str, None] = {}
    try:
        for line in history(root, target):
            for left in (line.version, line.previous if line.action == "rolled_back" else None):
                good.pop(str(left), None)
            if line.action != "withdrawn" and VERSION.fullmatch(line.version):
                good[line.version] = None
    except (OSError, ValueError, TypeError):
        return ()
    return tuple(reversed(good))


def versions(root: Path, target: str) -> tuple[str, ...]:
    """Return the versions published for a target, sorted."""
    manifests = (Path(root) / target).glob(f"*/{MANIFEST}")
    return tuple(sorted(path.parent.name for path in manifests if path.parent.name[0] != "."))


def _before(root: Path, target: str) -> Champion | None:
    """Return the champion, or None where its file is damaged and about to be replaced."""
    try:
        return champion(root, target)
    except ModelError:
        return None


def _note(home: Path, change: Champion) -> None:
    """Append a change unless it is the last line: a killed writer may have left it out."""
    lines = _lines(home / HISTORY)
    if not lines or lines[-1] != change:
        text = "".join(json.dumps(asdict(line), sort_keys=True) + "\n" for line in (*lines, change))
        write_text(home / HISTORY, text)


def _lines(path: Path) -> list[Champion]:
    if not path.is_file():
        return []
    text = path.read_text(encoding="utf-8")
    return [Champion(**json.loads(line)) for line in text.splitlines() if line]
