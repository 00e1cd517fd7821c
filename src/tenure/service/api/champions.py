"""The models being served: a new champion is picked up between requests, unless it is damaged.

Where it is damaged as the service starts, the last good one of the target's history is served.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from tenure.core.config import Config
from tenure.core.errors import ModelError, TenureError
from tenure.model.registry.champion import FILE, champion, former_versions
from tenure.score.model import Model, joined, load_model, no_champion

logger = logging.getLogger("tenure.service")
Stamp = tuple[int, int, int] | None
RETRY_SECONDS = 5.0
"""How long a champion that was refused is left alone: its files may be on their way."""


def stamp(path: str) -> Stamp:
    """Return what changes when a file is replaced; None where there is none."""
    try:
        status = os.stat(path)  # noqa: PTH116 - it is looked at before every answer
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


class Champions:
    """The champion of each target.

    Args:
        config: The project.
        needed: Whether there must be one; a former one stands in where it cannot be read.

    Attributes:
        models: Target → model; replaced whole, never changed, so a request sees one state.
        warnings: Why a target is served by another model than its champion.

    Raises:
        ModelError: If one is needed and no target has one that can be read.
    """

    def __init__(self, config: Config, *, needed: bool = True) -> None:
        self._config = config
        folder = config.paths.models
        self._files = {name: str(folder / name / FILE) for name in config.targets}
        self._stamps: dict[str, Stamp] = dict.fromkeys(self._files)
        self._retry_at: dict[str, float] = {}
        self._reading = threading.Lock()
        self.models: Mapping[str, Model] = {}
        self.warnings: dict[str, str] = {}
        self.refresh(lambda _: None)
        if needed:
            for target in self.warnings:
                self._stand_in(target)
            if not self.models:
                raise ModelError(*self.warnings.values() or [no_champion(config)])

    @property
    def changed(self) -> bool:
        """Return whether a champion file should be read: it is new, or was refused a while ago."""
        return bool(self._due())

    def _due(self) -> dict[str, Stamp]:
        """Return the targets whose champion file should be read, and what it looks like now."""
        retried = {target for target, at in self._retry_at.items() if time.monotonic() >= at}
        return {
            target: present
            for target, present in self._look().items()
            if present != self._stamps[target] or target in retried
        }

    def refresh(self, check: Callable[[Mapping[str, Model]], None]) -> None:
        """Read what changed; whatever cannot be read or fails the check leaves the old model."""
        with self._reading:
            self._refresh(check)

    def _refresh(self, check: Callable[[Mapping[str, Model]], None]) -> None:
        for target, present in self._due().items():
            self._stamps[target] = present  # as it was before reading: it may change meanwhile
            self._retry_at.pop(target, None)
            try:
                model = self._read(target)
                check({target: model} if model else {})
            except Exception as error:  # whatever it is, the old one goes on
                if not isinstance(error, TenureError):
                    logger.exception("%s: the new champion cannot be read", target)
                self._retry_at[target] = time.monotonic() + RETRY_SECONDS
                self._warn(target, f"the new champion is not served: {error}")
                continue
            if model is None:
                more = "; the former one is still served" if target in self.models else ""
                self._warn(target, f"there is no champion any more{more}")
                continue
            self.warnings = {name: text for name, text in self.warnings.items() if name != target}
            self._serve(target, model)

    def _serve(self, target: str, model: Model) -> None:
        models = {**self.models, target: model}
        models = {name: models[name] for name in self._config.targets if name in models}
        self.models = joined(models)
        logger.info("%s: %s is served from now on", target, model.bundle.version)

    def _stand_in(self, target: str) -> None:
        """Serve the last of a target's champions that can be read, if there is any."""
        for version in former_versions(self._config.paths.models, target):
            with suppress(Exception):  # whatever it is, there may be an older one
                self._serve(target, load_model(self._config, target, version))
                return

    def _warn(self, target: str, text: str) -> None:
        warning = f"{target}: {text}"
        if self.warnings.get(target) != warning:
            logger.warning(warning)
        self.warnings = {**self.warnings, target: warning}

    def _read(self, target: str) -> Model | None:
        standing = champion(self._config.paths.models, target)
        return load_model(self._config, target, standing.version) if standing else None

    def _look(self) -> dict[str, Stamp]:
        return {name: stamp(file) for name, file in self._files.items()}
