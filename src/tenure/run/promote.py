"""`tenure promote`: challenger beside champion on the same rows; the better one goes live."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tenure.core.config import Config
from tenure.core.errors import (
    ConfigError,
    ModelError,
    Problem,
    RefusedError,
    TenureError,
    suggestion,
)
from tenure.core.progress import SILENT, Progress
from tenure.core.records.evaluation import Verdict
from tenure.core.records.promotion import Action, Comparison, PromotionRecord, TargetPromotion
from tenure.core.times import show
from tenure.model.bundle.bundle import Bundle, read_bundle
from tenure.model.registry.champion import (
    Change,
    champion,
    change_champion,
    history,
    settle,
    versions,
)
from tenure.model.registry.comparison import Decision, compare, decide
from tenure.model.registry.ledger import Contest, note_contest, past_uses
from tenure.model.registry.published import challengers
from tenure.model.settings import EvaluationSettings
from tenure.run.announce import announce_champions
from tenure.run.mlflow_sync import mirror, user
from tenure.run.prepare import loaded
from tenure.run.replay import (
    BASES,
    Replay,
    TooFewOutcomesError,
    same_recipe,
    trained_until,
)
from tenure.score.score import check_owner
from tenure.sources.dataset import Dataset

FACTS = {
    *("basis", "rows", "events", "first", "last", "champion", "challenger"),
    *("gain", "better", "level", "limits", "used"),
}
"""Parts of a comparison that the history of champions keeps."""


@dataclass(frozen=True)
class PromotionRequest:
    """Which champions to compare with what, and what may be overruled."""

    target: str | None = None
    """The only target to look at; all of the config's by default."""
    to: str | None = None
    """The version that is to be champion; by default the latest challenger."""
    reason: str = ""
    """Why, for the history; by default what was measured."""
    force: bool = False
    """Whether to go on where the challenger would be refused."""
    dry_run: bool = False
    """Whether to write nothing."""


def run_promote(
    config: Config, request: PromotionRequest | None = None, progress: Progress = SILENT
) -> PromotionRecord:
    """Compare challengers with champions on the same rows; make those champion that are better.

    By default every target's latest challenger is compared.

    Raises:
        ConfigError: If the target is not one of the config's.
        ModelError: If there is no such version, a bundle is damaged, or the champion was changed
            meanwhile; champions that were set before stay.
    """
    request = request or PromotionRequest()
    with ExitStack() as stack:

        @cache
        def dataset() -> Dataset:
            """Load the tables when the first comparison asks for them."""
            return stack.enter_context(loaded(config, progress, thorough=False))

        decided = {
            target: _Look(config, target, request, dataset, progress).decide()
            for target in _targets(config, request)
        }
    if not request.dry_run:
        for target, decision in decided.items():
            settle(config.paths.models, target)
            _note(config, target, decision)
            _apply(config, target, decision, request)
    notes = () if request.dry_run else mirror(config, progress)
    if not request.dry_run:
        announce_champions(config, progress)
    return PromotionRecord(
        name=config.name,
        dry_run=request.dry_run,
        passed=all(decision.action != "refused" for decision in decided.values()),
        notes=notes,
        targets=decided,
    )


def _targets(config: Config, request: PromotionRequest) -> list[str]:
    """Return the targets to look at; a version belongs to one."""
    if request.target is not None and request.target not in config.targets:
        fix = suggestion(request.target, config.targets)
        raise ConfigError(Problem("--target", "is not a target of the config", request.target, fix))
    named = [request.target] if request.target is not None else list(config.targets)
    if request.to is None:
        return named
    published = {name: versions(config.paths.models, name) for name in named}
    owners = [name for name, own in published.items() if request.to in own]
    if not owners:
        every = sorted({version for own in published.values() for version in own})
        rule = f"is no published version of {', '.join(named)}"
        raise ModelError(Problem("--to", rule, request.to, suggestion(request.to, every)))
    return owners


@dataclass(frozen=True)
class _Look:
    """One target, looked at."""

    config: Config
    target: str
    request: PromotionRequest
    dataset: Callable[[], Dataset]
    progress: Progress

    @property
    def root(self) -> Path:
        return self.config.paths.models

    def decide(self) -> TargetPromotion:
        standing = self._standing()
        if self.request.to is not None:
            return self._named(self.request.to, standing)
        waiting = challengers(self.root, self.target)
        able = next((item for item in waiting if item.promotable or self.request.force), None)
        if able is not None:
            return self._compared(able.version, standing)
        if waiting:
            sentences = _unable(waiting[0].verdict)
            return _promotion("refused", sentences, waiting[0].version, standing)
        stays = f"The champion {standing} stays" if standing else "There is no champion"
        return _promotion("nothing", (f"{stays}: no later bundle waits.",), None, standing)

    def _standing(self) -> str | None:
        try:
            standing = champion(self.root, self.target)
        except ModelError:
            if self.request.to is None and not self.request.force:
                raise
            return None  # a damaged file is replaced
        return standing.version if standing else None

    def _named(self, version: str, standing: str | None) -> TargetPromotion:
        """Decide on a chosen version: one that was champion before needs no proof."""
        bundle = self._bundle(version)
        if version == standing:
            return _promotion("nothing", (f"{version} is champion already.",), version, standing)
        if version in {change.version for change in history(self.root, self.target)}:
            back = f"Back to {version}, which was champion before."
            return _promotion("rolled_back", (back,), version, standing)
        if not _promotable(bundle) and not self.request.force:
            return _promotion("refused", _unable(bundle.metrics.verdict), version, standing)
        return self._compared(version, standing)

    def _compared(self, version: str, standing: str | None) -> TargetPromotion:
        other = self._bundle(version)
        able = _promotable(other)
        if standing is None:
            alone = ("There is no champion to compare it with.",)
            return _promotion("first" if able else "forced", alone, version, None)
        comparison: Comparison | None = None
        try:
            one = self._bundle(standing)
            newer_twin = same_recipe(one, other) and trained_until(other) > trained_until(one)
            comparison = self._contest(one, other)
            decision = decide(comparison, newer_twin=newer_twin)
        except TooFewOutcomesError as error:
            decision = _refreshed(one, other) if newer_twin else _not_compared(error)
        except TenureError as error:
            if not self.request.force and not isinstance(error, RefusedError):
                raise
            decision = _not_compared(error)
        if decision.better and able:
            return _promotion("promoted", decision.sentences, version, standing, comparison)
        if not self.request.force:
            return _promotion("refused", decision.sentences, version, standing, comparison)
        first, *rest = decision.sentences
        overruled = (first.replace("Refused:", "Overruled:"), *rest)
        return _promotion("forced", overruled, version, standing, comparison)

    def _bundle(self, version: str) -> Bundle:
        """Read a bundle whose checksums and examples hold."""
        folder = self.root / self.target / version
        bundle = read_bundle(folder, threads=self.config.model.threads)
        check_owner(bundle, self.config, self.target)
        return bundle

    def _contest(self, one: Bundle, other: Bundle) -> Comparison:
        pair = Replay(self.dataset(), self.config, one, other, self.progress).pair()
        self.progress.stage(f"{self.target}: comparing on {len(pair.rows):,} rows")
        settings = EvaluationSettings.of(self.config)
        comparison = compare(pair.rows, pair.groups, settings, self.config.promotion)
        entry = Contest(one.version, other.version, comparison.first, comparison.last)
        used = past_uses(self.root, self.target, entry.first, entry.last, entry)
        about = {"basis": pair.basis, "how": BASES[pair.basis], "notes": pair.notes, "used": used}
        return comparison.model_copy(update=about)


def _refreshed(one: Bundle, other: Bundle) -> Decision:
    """Return that a newer twin takes over without a contest."""
    until = f"until {show(trained_until(other))} instead of {show(trained_until(one))}"
    return Decision(
        True,
        (
            f"Made like the champion, from outcomes {until}: too few outcomes are known for a "
            "contest, its own backtest finds it usable, and its examples score as they did.",
        ),
    )


def _not_compared(error: TenureError) -> Decision:
    return Decision(False, (f"Refused: not compared: {error}",))


def _promotion(
    action: Action,
    sentences: tuple[str, ...],
    version: str | None,
    standing: str | None,
    comparison: Comparison | None = None,
) -> TargetPromotion:
    return TargetPromotion(
        action=action,
        champion=standing,
        version=version,
        sentences=sentences,
        comparison=comparison,
    )


def _promotable(bundle: Bundle) -> bool:
    return bundle.metrics.verdict is not None and bundle.metrics.verdict.promotable


def _unable(verdict: Verdict | None) -> tuple[str, ...]:
    """Return why a bundle may not be promoted, by its own backtest."""
    sentences = verdict.sentences if verdict else ()
    return ("Refused: its own backtest does not allow it; --force overrules that.", *sentences)


def _note(config: Config, target: str, decision: TargetPromotion) -> None:
    """Add what was compared to the ledger, whatever was decided."""
    compared = decision.comparison
    if compared and decision.champion and decision.version:
        entry = Contest(decision.champion, decision.version, compared.first, compared.last)
        note_contest(config.paths.models, target, entry)


def _apply(
    config: Config, target: str, decision: TargetPromotion, request: PromotionRequest
) -> None:
    if decision.version is None or decision.action in {"refused", "nothing"}:
        return
    facts: dict[str, Any] = {}
    if decision.comparison:
        facts = decision.comparison.model_dump(mode="json", include=FACTS)
    facts["said"] = list(decision.sentences)
    reason = request.reason or decision.sentences[0]
    change = Change(decision.version, reason, user(), decision.action, facts, decision.champion)
    change_champion(config.paths.models, target, change)
