"""The published bundles of a target: when each was trained, and which wait to be compared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tenure.core.errors import ModelError
from tenure.core.records.bundle import BundleMetrics
from tenure.core.records.evaluation import Verdict
from tenure.core.times import as_utc
from tenure.model.bundle.files import RUN, read_json
from tenure.model.registry.champion import champion, history, versions


@dataclass(frozen=True)
class Published:
    """A published bundle, as far as its small files tell."""

    version: str
    created_at: datetime
    written_ns: int
    """When its files were written, nanoseconds; settles ties."""
    verdict: Verdict | None
    recipe: str | None = None
    """Hash of its declarations, settings and code."""
    tested: tuple[str, str] | None = None
    """The first and the last prediction time of its backtest."""

    @property
    def promotable(self) -> bool:
        """Whether it may become champion without being forced."""
        return self.verdict is not None and self.verdict.promotable

    @property
    def order(self) -> tuple[datetime, int]:
        """Sort key by age, the oldest first."""
        return self.created_at, self.written_ns


def published_bundles(root: Path, target: str) -> tuple[Published, ...]:
    """Return the published bundles of a target, the oldest first; damaged ones are left out."""
    bundles = [_read(Path(root) / target / version) for version in versions(root, target)]
    return tuple(sorted((item for item in bundles if item), key=lambda item: item.order))


def challengers(root: Path, target: str) -> tuple[Published, ...]:
    """Return the bundles trained after the champion that were never champion, the latest first.

    Without a champion, or with one that is gone, every bundle that was never champion counts.
    """
    every = published_bundles(root, target)
    current = _current_version(root, target)
    crowned = {change.version for change in history(root, target)} | {current}
    after = next((item.order for item in every if item.version == current), None)
    return tuple(
        item
        for item in reversed(every)
        if item.version not in crowned and (after is None or item.order > after)
    )


def waiting(root: Path, target: str) -> str | None:
    """Return the version that a promotion would compare with the champion, None without one."""
    promotable = (item.version for item in challengers(root, target) if item.promotable)
    return next(promotable, None)


def _current_version(root: Path, target: str) -> str | None:
    try:
        current = champion(root, target)
    except ModelError:
        return None
    return current.version if current else None


def _read(folder: Path) -> Published | None:
    try:
        created_at = as_utc(read_json(folder / RUN)["created_at"])
        metrics = BundleMetrics.from_json(read_json(folder / "metrics.json"))
        recipe = read_json(folder / "spec.json").get("recipe")
        written = (folder / RUN).stat().st_mtime_ns
    except (ModelError, OSError, KeyError, TypeError, AttributeError, ValueError):
        return None
    times = [fold.as_of for fold in metrics.folds]
    tested = (times[0], times[-1]) if times else None
    return Published(folder.name, created_at, written, metrics.verdict, recipe, tested)
