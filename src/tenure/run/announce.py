"""What the webhooks of a config are told: bands that changed, and new champions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tenure.core.progress import Progress
from tenure.core.times import clock

if TYPE_CHECKING:
    from tenure.core.config import Config
    from tenure.score.store.store import ScoreStore


def announce_bands(config: Config, store: ScoreStore, progress: Progress) -> None:
    """Tell the webhooks which accounts have another band than in the run before, if any."""
    from tenure.score.delivery.webhooks import BAND_CHANGED, band_changes

    if not config.webhooks:
        return
    run = store.run_up_to(thing="webhooks")
    before = store.before(run.as_of)
    bodies = band_changes(store, run, before) if before else []
    _announce(config, store, BAND_CHANGED, bodies, progress)


def announce_champions(config: Config, progress: Progress) -> None:
    """Tell the webhooks which champions stand, each of them once."""
    from tenure.model.registry.champion import history
    from tenure.score.delivery.webhooks import CHAMPION_CHANGED
    from tenure.score.store.store import ScoreStore

    if not config.webhooks:
        return
    latest = {target: history(config.paths.models, target)[-1:] for target in config.targets}
    bodies = [
        {
            "type": CHAMPION_CHANGED,
            "timestamp": line.at,
            "data": {
                "project": config.name,
                "target": target,
                **{name: getattr(line, name) for name in ("version", "previous", "action")},
                "reason": line.reason,
            },
        }
        for target, lines in latest.items()
        for line in lines
    ]
    with ScoreStore.open(config) as store:
        _announce(config, store, CHAMPION_CHANGED, bodies, progress)


def _announce(
    config: Config,
    store: ScoreStore,
    kind: str,
    bodies: Sequence[dict[str, Any]],
    progress: Progress,
) -> None:
    """Enqueue messages and send what is due; what does not arrive is no failure of the run."""
    from tenure.score.delivery.webhooks import send_due
    from tenure.score.store.outbox import enqueue

    wanted = {name: bodies for name, hook in config.webhooks.items() if kind in hook.events}
    enqueue(store.engine, config.name, kind, wanted, clock())
    progress.stage("webhooks")
    _, missed = send_due(store, config, progress)
    if missed:
        progress.note(f"{missed} messages to webhooks did not arrive; they are tried again")
