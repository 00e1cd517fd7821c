"""`tenure promote`: challenger beside champion on the same rows; the better one goes live."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tenure.core.config import Config
from tenure.core.errors import (
    ConfigError,
    ModelError,
    Problem,
    RefusedError,
    TenureError,
    suggestion,
)
from tenure.model.bundle.bundle import read_bundle
from tenure.model.registry.champion import (
    Change,
    champion,
    change_champion,
    history,
    settle,
    versions,
)
from tenure.model.registry.comparison import Decision, compare, decide
from tenure.model.registry.published import challengers
from tenure.model.settings import EvaluationSettings
from tenure.run.mlflow_sync import mirror, user
from tenure.run.prepare import Progress, loaded, silent
from tenure.run.replay import WORDS, paired_predictions, same_recipe, trained_until
from tenure.score.score import check_owner

if TYPE_CHECKING:
    from tenure.sources.dataset import Dataset

PROMOTED, FORCED, ROLLED_BACK, FIRST = "promoted", "forced", "rolled_back", "first"
REFUSED, NOTHING = "refused", "nothing"


@dataclass(frozen=True)
class PromotionRequest:
    """What is asked of a promotion.

    Attributes:
        target: The only target to look at; all of the config's by default.
        to: The version that is to be champion; by default the latest challenger.
        reason: Why, for the history; by default what was measured.
        force: Whether to go on where the challenger would be refused.
        dry_run: Whether to write nothing.
    """

    target: str | None = None
    to: str | None = None
    reason: str = ""
    force: bool = False
    dry_run: bool = False


@dataclass(frozen=True)
class _Verdict:
    """What is to become of one target."""

    action: str
    sentences: tuple[str, ...]
    version: str | None = None
    standing: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


def run_promote(
    config: Config, wish: PromotionRequest | None = None, progress: Progress = silent
) -> dict[str, Any]:
    """Compare challengers with champions on the same rows; make those champion that are better.

    Args:
        config: Settings.
        wish: What is asked; by default every target's latest challenger is compared.
        progress: Called with a line for each step.

    Returns:
        JSON-safe: ``name``, ``dry_run``, ``passed`` (whether nothing was refused), ``notes`` on
        MLflow and ``targets``: per target ``action`` (promoted, first, forced, rolled_back,
        refused, nothing), ``champion`` (before), ``version`` (the challenger), ``sentences`` and
        ``comparison`` (from `comparison.compare`, with ``basis`` and ``notes``).

    Raises:
        ConfigError: If the target is not one of the config's.
        ModelError: If there is no such version, a bundle is damaged, or the champion was changed
            meanwhile; champions that were set before stay.
    """
    wish = wish or PromotionRequest()
    with _lazily(config, progress) as tables:
        decided = {
            target: _Look(config, target, wish, tables, progress).decide()
            for target in _targets(config, wish)
        }
    if not wish.dry_run:
        for target, verdict in decided.items():
            settle(config.paths.models, target)
            _apply(config, target, verdict, wish)
    notes = () if wish.dry_run else mirror(config, progress)
    return {
        "name": config.name,
        "dry_run": wish.dry_run,
        "passed": all(item.action != REFUSED for item in decided.values()),
        "notes": list(notes),
        "targets": {target: _shown(item) for target, item in decided.items()},
    }


@contextmanager
def _lazily(config: Config, progress: Progress) -> Iterator[_Tables]:
    with ExitStack() as stack:
        yield _Tables(config, progress, stack)


class _Tables:
    """The data, loaded when the first comparison asks for them."""

    def __init__(self, config: Config, progress: Progress, stack: ExitStack) -> None:
        self._config, self._progress, self._stack = config, progress, stack
        self._found: Dataset | None = None

    def get(self) -> Dataset:
        if self._found is None:
            opened = loaded(self._config, self._progress, thorough=False)
            self._found = self._stack.enter_context(opened)
        return self._found


def _targets(config: Config, wish: PromotionRequest) -> list[str]:
    """Return the targets to look at; a version belongs to one."""
    if wish.target is not None and wish.target not in config.targets:
        fix = suggestion(wish.target, config.targets)
        raise ConfigError(Problem("--target", "is not a target of the config", wish.target, fix))
    named = [wish.target] if wish.target is not None else list(config.targets)
    if wish.to is None:
        return named
    there = {name: versions(config.paths.models, name) for name in named}
    owners = [name for name, found in there.items() if wish.to in found]
    if not owners:
        every = sorted({version for found in there.values() for version in found})
        rule = f"is no published version of {', '.join(named)}"
        raise ModelError(Problem("--to", rule, wish.to, suggestion(wish.to, every)))
    return owners


@dataclass(frozen=True)
class _Look:
    """One target, looked at."""

    config: Config
    target: str
    wish: PromotionRequest
    tables: _Tables
    progress: Progress

    @property
    def root(self) -> Path:
        return Path(self.config.paths.models)

    def decide(self) -> _Verdict:
        standing = self._standing()
        if self.wish.to is not None:
            return self._named(self.wish.to, standing)
        waiting = challengers(self.root, self.target)
        able = next((item for item in waiting if item.promotable or self.wish.force), None)
        if able is not None:
            return self._compared(able.version, standing)
        if waiting:
            return self._refused(waiting[0].version, standing, _unable(waiting[0].verdict))
        said = f"The champion {standing} stays" if standing else "There is no champion"
        return _Verdict(NOTHING, (f"{said}: no later bundle waits.",), None, standing)

    def _standing(self) -> str | None:
        try:
            found = champion(self.root, self.target)
        except ModelError:
            if self.wish.to is None and not self.wish.force:
                raise
            return None  # a damaged file is replaced
        return found.version if found else None

    def _named(self, version: str, standing: str | None) -> _Verdict:
        """Decide on a version that was asked for: one that was champion before needs no proof."""
        bundle = read_bundle(self.root / self.target / version)
        check_owner(bundle, self.config)
        if version == standing:
            return _Verdict(NOTHING, (f"{version} is champion already.",), version, standing)
        if version in {change.version for change in history(self.root, self.target)}:
            said = f"Back to {version}, which was champion before."
            return _Verdict(ROLLED_BACK, (said,), version, standing)
        verdict = bundle.metrics.get("verdict", {})
        if not verdict.get("promotable") and not self.wish.force:
            return self._refused(version, standing, _unable(verdict))
        return self._compared(version, standing)

    def _compared(self, version: str, standing: str | None) -> _Verdict:
        challenger = read_bundle(self.root / self.target / version)
        check_owner(challenger, self.config)
        verdict = challenger.metrics.get("verdict", {})
        if standing is None:
            able = verdict.get("promotable") is True
            said = "There is no champion to compare it with."
            return _Verdict(FIRST if able else FORCED, (said,), version, None)
        try:
            decision, facts = self._contest(version, standing)
        except TenureError as error:
            if not self.wish.force and not isinstance(error, RefusedError):
                raise
            decision, facts = Decision(False, (f"Refused: not compared: {error}",)), {}
        if decision.better and verdict.get("promotable") is True:
            return _Verdict(PROMOTED, decision.sentences, version, standing, facts)
        if self.wish.force:
            first = decision.sentences[0].replace("Refused:", "Overruled:")
            overruled = (first, *decision.sentences[1:])
            return _Verdict(FORCED, overruled, version, standing, facts)
        return self._refused(version, standing, decision.sentences, facts)

    def _contest(self, version: str, standing: str) -> tuple[Decision, dict[str, Any]]:
        home = self.root / self.target
        threads = self.config.model.threads
        one, other = (read_bundle(home / name, threads=threads) for name in (standing, version))
        check_owner(one, self.config)
        found = paired_predictions(self.tables.get(), self.config, one, other, self.progress)
        self.progress(f"{self.target}: comparing on {len(found.rows):,} rows")
        settings = EvaluationSettings.of(self.config)
        facts = compare(found.rows, found.groups, settings, self.config.promotion)
        newer_twin = same_recipe(one, other) and trained_until(other) > trained_until(one)
        said = {"basis": found.basis, "how": WORDS[found.basis], "notes": list(found.notes)}
        return decide(facts, newer_twin=newer_twin), facts | said

    def _refused(
        self,
        version: str,
        standing: str | None,
        sentences: tuple[str, ...],
        facts: Mapping[str, Any] | None = None,
    ) -> _Verdict:
        return _Verdict(REFUSED, sentences, version, standing, facts or {})


def _unable(verdict: Mapping[str, Any]) -> tuple[str, ...]:
    """Return why a bundle may not be promoted, by its own backtest."""
    said = [str(sentence) for sentence in verdict.get("sentences", ())]
    return ("Refused: its own backtest does not allow it; --force overrules that.", *said)


def _apply(config: Config, target: str, found: _Verdict, wish: PromotionRequest) -> None:
    if found.version is None or found.action in {REFUSED, NOTHING}:
        return
    reason = wish.reason or found.sentences[0]
    what = ("basis", "rows", "events", "first", "last", "champion", "challenger")
    kept = (*what, "gain", "level", "limits")
    facts: dict[str, Any] = {name: found.facts[name] for name in kept if name in found.facts}
    facts["said"] = list(found.sentences)
    change = Change(found.version, reason, user(), found.action, facts, found.standing)
    change_champion(config.paths.models, target, change)


def _shown(found: _Verdict) -> dict[str, Any]:
    return {
        "action": found.action,
        "champion": found.standing,
        "version": found.version,
        "sentences": list(found.sentences),
        "comparison": dict(found.facts) or None,
    }
