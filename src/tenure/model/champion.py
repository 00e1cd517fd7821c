"""Which bundle is champion: one small file per target, replaced atomically.

``models/<target>/champion.json`` is the truth; ``history.jsonl`` beside it has a line for every
change, the oldest first.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tenure.core.errors import ModelError, Problem
from tenure.core.files import write_json, write_text
from tenure.core.times import now
from tenure.model.bundle import read_bundle
from tenure.model.bundle_files import MANIFEST
from tenure.model.folders import locked

FILE = "champion.json"
HISTORY = "history.jsonl"


@dataclass(frozen=True)
class Champion:
    """A change of champion.

    Attributes:
        version: The bundle.
        previous: The bundle before it, if any.
        reason: Why.
        who: Who decided.
        at: When, ISO 8601 in UTC.
    """

    version: str
    previous: str | None
    reason: str
    who: str
    at: str


def champion(root: Path, target: str) -> Champion | None:
    """Return the current champion of a target, or None where there is none.

    Raises:
        ModelError: If the file is damaged.
    """
    path = Path(root) / target / FILE
    try:
        return Champion(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(
            Problem(str(path), "is damaged", str(error)[:80], "`tenure train` or set it again")
        ) from error


def champion_folder(root: Path, target: str) -> Path:
    """Return the folder of the champion's bundle.

    Raises:
        ModelError: If there is no champion.
    """
    found = champion(root, target)
    if found is None:
        raise ModelError(
            Problem(
                f"target {target}",
                "has no champion model",
                str(Path(root) / target),
                "train one: `tenure train CONFIG`; a model without usable signal is not promoted",
            )
        )
    return Path(root) / target / found.version


def set_champion(root: Path, target: str, version: str, reason: str, who: str) -> Champion:
    """Make a published bundle the champion, once it has been read and verified.

    Raises:
        ModelError: If the bundle is missing or damaged; the champion then stays as it was.
    """
    home = Path(root) / target
    with locked(home):
        read_bundle(home / version)
        before = _before(root, target)
        if before and before.version == version:
            _note(home, before)
            return before
        if before:
            _note(home, before)
        previous = before.version if before else None
        change = Champion(version, previous, reason, who, f"{now().isoformat()}Z")
        write_json(home / FILE, asdict(change))
        _note(home, change)
    return change


def history(root: Path, target: str) -> tuple[Champion, ...]:
    """Return every change of champion, the oldest first."""
    return tuple(_lines(Path(root) / target / HISTORY))


def versions(root: Path, target: str) -> tuple[str, ...]:
    """Return the versions published for a target, sorted."""
    found = (Path(root) / target).glob(f"*/{MANIFEST}")
    return tuple(sorted(path.parent.name for path in found if path.parent.name[0] != "."))


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
