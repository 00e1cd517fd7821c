"""`tenure export`: the latest kept scores, sent to another system."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tenure.core.errors import ConfigError, Problem, suggestion
from tenure.core.files import canonical_json, digest
from tenure.core.progress import SILENT, Progress
from tenure.core.records.delivery import DeliveryRecord, Undelivered
from tenure.core.times import clock

if TYPE_CHECKING:
    from tenure.core.config import Config
    from tenure.core.sections import ExportConfig
    from tenure.score.delivery.adapters import Adapter, Item

SAMPLE = 3


def run_export(
    config: Config, target: str, *, send: bool = False, progress: Progress = SILENT
) -> DeliveryRecord:
    """Send the latest kept scores to another system, as far as they differ from what it has.

    What was taken is kept account by account, so that an export which was broken off goes on with
    the rest, and the next one sends what changed.

    The target is a section under `exports`.  Without `send` nothing leaves this machine.

    Raises:
        ConfigError: If the target, its adapter or its columns cannot be used.
        ModelError: If no run is kept yet.
        DataError: If it has no scores of that horizon.
    """
    from tenure.score.delivery.deliver import deliver
    from tenure.score.delivery.rows import check_columns, flat_rows, items
    from tenure.score.store.deliveries import delivered, record_delivery
    from tenure.score.store.store import ScoreStore

    settings, adapter = _target(config, target)
    check_columns(target, settings.columns)
    with ScoreStore.open(config) as store:
        run = store.run_up_to(thing="export")
        progress.stage("scores of the latest run")
        horizon = settings.horizon_days or config.labels.horizon_days
        every = items(flat_rows(store, run, horizon), settings.columns)
        had = delivered(store.engine, config.name, target)
        digests = {item.account_id: _digest(settings, item) for item in every}
        changed = [item for item in every if had.get(item.account_id) != digests[item.account_id]]
        sample = {item.account_id: dict(item.values) for item in changed[:SAMPLE]}
        record = DeliveryRecord(
            target=target,
            adapter=settings.adapter or target,
            run_id=run.run_id,
            as_of=run.as_of,
            sent=send,
            unchanged=len(every) - len(changed),
            changed=len(changed),
            requests=adapter.requests(changed),
            sample=sample,
        )
        if not send or not changed:
            return record

        def arrived(taken: Sequence[Item]) -> None:
            values = {item.account_id: digests[item.account_id] for item in taken}
            record_delivery(store.engine, (config.name, target), run.run_id, clock(), values)

        delivery = deliver(adapter, settings, changed, arrived, progress)
    return record.model_copy(
        update={
            "requests": delivery.requests,
            "written": len(delivery.written),
            "refused": _undelivered(delivery.refused),
            "not_processed": _undelivered(delivery.not_processed),
        }
    )


def _target(config: Config, target: str) -> tuple[ExportConfig, Adapter]:
    from tenure.score.delivery.deliver import ADAPTERS

    if target not in config.exports:
        known = suggestion(target, config.exports) if config.exports else "see docs/export.md"
        fix = f"name a section under `exports`: {known}"
        raise ConfigError(Problem("--to", "names no target of the config", target, fix))
    settings = config.exports[target].settled()
    name = settings.adapter or target
    if name not in ADAPTERS:
        thing, rule = f"exports.{target}.adapter", "is no adapter"
        raise ConfigError(Problem(thing, rule, name, suggestion(name, ADAPTERS)))
    adapter = ADAPTERS[name]
    adapter.check(target, settings)
    return settings, adapter


def _digest(settings: ExportConfig, item: Item) -> str:
    """Return a hash of what a system has once it took an item."""
    return digest(settings.object, settings.key, canonical_json(dict(item.values)))


def _undelivered(reasons: dict[str, str]) -> tuple[Undelivered, ...]:
    return tuple(
        Undelivered(account_id=account, reason=reason) for account, reason in reasons.items()
    )
