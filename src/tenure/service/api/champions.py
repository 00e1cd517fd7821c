"""The models being served: a new champion is picked up between requests, a damaged one is not."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tenure.core.errors import TenureError
from tenure.model.bundle.bundle import read_bundle
from tenure.model.registry.champion import FILE, champion
from tenure.score.score import Model, check_owner, load_models

if TYPE_CHECKING:
    from tenure.core.config import Config

logger = logging.getLogger("tenure.service")
Stamp = tuple[int, int, int] | None


def stamp(path: Path) -> Stamp:
    """Return what changes when a file is replaced; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


class Champions:
    """The champion of each target.

    Args:
        config: The run; its targets and `paths.models`.

    Attributes:
        models: Target → model; replaced whole, never changed, so a request sees one state.
        warnings: Why a target is served by another model than its champion.

    Raises:
        ModelError: If no target has a champion, or one is damaged.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._stamps = self._look()
        self.models: Mapping[str, Model] = load_models(config)
        self.warnings: dict[str, str] = {}

    @property
    def changed(self) -> bool:
        """Return whether any champion file was replaced since it was last read."""
        return self._look() != self._stamps

    def refresh(self, check: Callable[[Mapping[str, Model]], None]) -> None:
        """Read what changed; whatever cannot be read or fails the check leaves the old model.

        Args:
            check: Raises a `TenureError` where a model cannot score the data that is loaded.
        """
        before, self._stamps = self._stamps, self._look()
        for target, found in self._stamps.items():
            if found == before.get(target):
                continue
            try:
                model = self._read(target)
                check({target: model} if model else {})
            except TenureError as error:
                self._warn(target, f"the new champion is not served: {error}")
                continue
            if model is None:
                self._warn(target, "there is no champion any more; the former one is still served")
                continue
            self.warnings = {name: text for name, text in self.warnings.items() if name != target}
            self.models = self._ordered({**self.models, target: model})
            logger.info("%s: champion is now %s", target, model.bundle.version)

    def _warn(self, target: str, text: str) -> None:
        warning = f"{target}: {text}"
        self.warnings = {**self.warnings, target: warning}
        logger.warning(warning)

    def _read(self, target: str) -> Model | None:
        folder = Path(self._config.paths.models)
        found = champion(folder, target)
        if found is None:
            return None
        bundle = read_bundle(folder / target / found.version, threads=self._config.model.threads)
        check_owner(bundle, self._config)
        return Model.of(bundle)

    def _ordered(self, models: Mapping[str, Model]) -> dict[str, Model]:
        return {name: models[name] for name in self._config.targets if name in models}

    def _look(self) -> dict[str, Stamp]:
        folder = Path(self._config.paths.models)
        return {name: stamp(folder / name / FILE) for name in self._config.targets}
