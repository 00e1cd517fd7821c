"""The published bundles of a target: when each was made, and which of them wait to be compared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tenure.core.errors import ModelError
from tenure.core.times import as_utc
from tenure.model.bundle.files import RUN, read_json
from tenure.model.registry.champion import champion, history, versions

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Published:
    """A published bundle, as far as its small files tell.

    Attributes:
        version: The bundle.
        created_at: When it was made.
        written_ns: When its files were written, nanoseconds; settles ties.
        verdict: What its backtest allowed to be said, JSON values.
    """

    version: str
    created_at: datetime
    written_ns: int
    verdict: Mapping[str, Any]

    @property
    def promotable(self) -> bool:
        """Whether it may become champion without being forced."""
        return self.verdict.get("promotable") is True

    @property
    def order(self) -> tuple[datetime, int]:
        """Return what sorts bundles by age, the oldest first."""
        return self.created_at, self.written_ns


def published_bundles(root: Path, target: str) -> tuple[Published, ...]:
    """Return the published bundles of a target, the oldest first; damaged ones are left out."""
    found = [_read(Path(root) / target / version) for version in versions(root, target)]
    return tuple(sorted((item for item in found if item), key=lambda item: item.order))


def challengers(root: Path, target: str) -> tuple[Published, ...]:
    """Return the bundles made after the champion that were never champion, the latest first.

    Without a champion, or with one that is gone, every bundle that was never champion counts.
    """
    every = published_bundles(root, target)
    standing = _standing(root, target)
    crowned = {change.version for change in history(root, target)} | {standing}
    after = next((item.order for item in every if item.version == standing), None)
    return tuple(
        item
        for item in reversed(every)
        if item.version not in crowned and (after is None or item.order > after)
    )


def waiting(root: Path, target: str) -> str | None:
    """Return the version that a promotion would compare with the champion, None without one."""
    found = (item.version for item in challengers(root, target) if item.promotable)
    return next(found, None)


def _standing(root: Path, target: str) -> str | None:
    try:
        found = champion(root, target)
    except ModelError:
        return None
    return found.version if found else None


def _read(folder: Path) -> Published | None:
    try:
        made = as_utc(read_json(folder / RUN)["created_at"])
        verdict = read_json(folder / "metrics.json").get("verdict", {})
        written = (folder / RUN).stat().st_mtime_ns
    except (ModelError, OSError, KeyError, TypeError, AttributeError, ValueError):
        return None
    return Published(folder.name, made, written, verdict)
