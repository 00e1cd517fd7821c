"""The models being served: a new champion is picked up between requests, unless it is damaged."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping

from tenure.core.config import Config
from tenure.core.errors import TenureError
from tenure.model.bundle.bundle import read_bundle
from tenure.model.registry.champion import FILE, champion
from tenure.score.model import Model, check_owner, joined, load_models

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
        needed: Whether there must be one.  Otherwise one that cannot be read is a warning.

    Attributes:
        models: Target → model; replaced whole, never changed, so a request sees one state.
        warnings: Why a target is served by another model than its champion.

    Raises:
        ModelError: If one is needed and no target has a champion, or one is damaged.
    """

    def __init__(self, config: Config, *, needed: bool = True) -> None:
        self._config = config
        folder = config.paths.models
        self._files = {name: str(folder / name / FILE) for name in config.targets}
        self._stamps = self._look() if needed else dict.fromkeys(self._files)
        self._retry_at: dict[str, float] = {}
        self._reading = threading.Lock()
        self.models: Mapping[str, Model] = load_models(config) if needed else {}
        self.warnings: dict[str, str] = {}
        if not needed:
            self.refresh(lambda _: None)

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
                self._warn(target, "there is no champion any more; the former one is still served")
                continue
            self.warnings = {name: text for name, text in self.warnings.items() if name != target}
            models = {**self.models, target: model}
            models = {name: models[name] for name in self._config.targets if name in models}
            self.models = joined(models)
            logger.info("%s: champion is now %s", target, model.bundle.version)

    def _warn(self, target: str, text: str) -> None:
        warning = f"{target}: {text}"
        if self.warnings.get(target) != warning:
            logger.warning(warning)
        self.warnings = {**self.warnings, target: warning}

    def _read(self, target: str) -> Model | None:
        folder = self._config.paths.models
        standing = champion(folder, target)
        if standing is None:
            return None
        place = folder / target / standing.version
        bundle = read_bundle(place, threads=self._config.model.threads)
        check_owner(bundle, self._config, target)
        return Model.of(bundle)

    def _look(self) -> dict[str, Stamp]:
        return {name: stamp(file) for name, file in self._files.items()}
