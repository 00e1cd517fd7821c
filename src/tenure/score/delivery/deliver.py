"""Sends what changed to another system, and says of every account what became of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tenure.core.progress import SILENT, Progress
from tenure.core.sections import ExportConfig
from tenure.score.delivery.adapters import Adapter, Answer, Item
from tenure.score.delivery.channel import Channel, DeliveryError
from tenure.score.delivery.crm import HUBSPOT, SALESFORCE
from tenure.score.delivery.custom import HTTP, TABLE
from tenure.score.delivery.platforms import CHURNZERO, GAINSIGHT, PLANHAT, TOTANGO

ADAPTERS: dict[str, Adapter] = {
    "salesforce": SALESFORCE,
    "hubspot": HUBSPOT,
    "gainsight": GAINSIGHT,
    "planhat": PLANHAT,
    "churnzero": CHURNZERO,
    "totango": TOTANGO,
    "http": HTTP,
    "table": TABLE,
}
"""Name in the config → adapter."""
ABOUT_A_BATCH = frozenset({400, 409, 413, 422})
"""Answers that speak of the batch they answer, not of all that follow."""


@dataclass
class Delivery:
    """What became of the accounts of a delivery."""

    written: list[str] = field(default_factory=list)
    """Accounts that the system took."""
    refused: dict[str, str] = field(default_factory=dict)
    """account_id → why it was not taken."""
    not_processed: dict[str, str] = field(default_factory=dict)
    """account_id → why nobody knows."""
    requests: int = 0
    """Requests that were sent."""


def deliver(
    adapter: Adapter,
    settings: ExportConfig,
    items: Sequence[Item],
    arrived: Callable[[Sequence[Item]], None],
    progress: Progress = SILENT,
    channel: Channel | None = None,
) -> Delivery:
    """Send items in batches; what an answer does not speak of has arrived.

    An answer that speaks of the batch alone refuses it; any other failure ends the delivery, and
    all that was not sent is named as not processed.

    `arrived` is called after each batch with the items that the system took.  The default channel
    has the adapter's headers and pace.
    """
    delivery = Delivery()
    ended = ""
    opened = channel or Channel(adapter.headers(settings), adapter.per_minute)
    with opened as way:
        progress.stage(f"sending to {adapter.title}")
        done = 0
        for batch in adapter.batches(items):
            if ended:
                answer = Answer(not_processed=_all(batch, ended))
            else:
                answer, ended = _sent(way, adapter, settings, batch)
            missed = answer.refused.keys() | answer.not_processed.keys()
            taken = [item for item in batch if item.account_id not in missed]
            arrived(taken)
            delivery.written += [item.account_id for item in taken]
            delivery.refused |= answer.refused
            delivery.not_processed |= answer.not_processed
            done += len(batch)
            progress.step(done, len(items))
        delivery.requests = way.requests
    return delivery


def _sent(
    channel: Channel, adapter: Adapter, settings: ExportConfig, batch: Sequence[Item]
) -> tuple[Answer, str]:
    """Return what became of a batch, and why no further one is to be sent, empty if one is."""
    try:
        return adapter.write(channel, settings, batch), ""
    except DeliveryError as problem:
        if problem.status in ABOUT_A_BATCH:
            return Answer(refused=_all(batch, problem.reason)), ""
        return Answer(not_processed=_all(batch, problem.reason)), problem.reason
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        # Whatever a system answers that is not the shape its documentation gives.
        reason = f"the answer has another shape than documented ({type(error).__name__}: {error})"
        return Answer(not_processed=_all(batch, reason)), reason


def _all(batch: Sequence[Item], reason: str) -> dict[str, str]:
    return {item.account_id: reason for item in batch}
