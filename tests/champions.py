"""A published bundle made the champion without a comparison."""

from __future__ import annotations

from pathlib import Path

from tenure.model.registry.champion import Champion, Change, change_champion


def set_champion(root: Path, target: str, version: str, reason: str, who: str) -> Champion:
    """Make a published bundle the champion, whoever stands."""
    return change_champion(root, target, Change(version, reason, who))
