"""What `tenure export` sent to another system, or would send."""

from __future__ import annotations

from tenure.core.records.base import Record, Time

Value = str | float | int | bool | None
"""A value of a field in another system."""


class Undelivered(Record):
    """An account whose values did not arrive."""

    account_id: str
    reason: str
    """What the target, or the way to it, gave as the reason."""


class DeliveryRecord(Record):
    """What a run of scores came to in another system."""

    target: str
    """Name of the section under `exports`."""
    adapter: str
    run_id: str
    """Run whose scores they are."""
    as_of: Time
    """Its prediction time."""
    sent: bool
    """Whether anything was sent; False in a dry run."""
    unchanged: int
    """Accounts whose values the target has already: they are left out."""
    changed: int
    """Accounts whose values differ from what was last delivered."""
    requests: int
    """Requests that they fill, or would fill at least."""
    written: int = 0
    """Accounts that the target took."""
    refused: tuple[Undelivered, ...] = ()
    """Accounts that it did not take."""
    not_processed: tuple[Undelivered, ...] = ()
    """Accounts of which nobody knows: they are sent again next time."""
    sample: dict[str, dict[str, Value]]
    """Up to three accounts with the values that are sent, by field of the target."""
