"""What `tenure export` sent to another system, or would send."""

from __future__ import annotations

from tenure.core.records.base import Record, Time

Value = str | float | int | bool | None
"""A value of a field in another system."""


class Undelivered(Record):
    """An account whose values did not arrive.

    Attributes:
        account_id: The account.
        reason: What the target, or the way to it, gave as the reason.
    """

    account_id: str
    reason: str


class DeliveryRecord(Record):
    """What a run of scores came to in another system.

    Attributes:
        target: Name of the section under `exports`.
        adapter: Name of the adapter.
        run_id: Run whose scores they are.
        as_of: Its prediction time.
        sent: Whether anything was sent; False in a dry run.
        unchanged: Accounts whose values the target has already: they are left out.
        changed: Accounts whose values differ from what was last delivered.
        requests: Requests that they fill, or would fill at least.
        written: Accounts that the target took.
        refused: Accounts that it did not take.
        not_processed: Accounts of which nobody knows: they are sent again next time.
        sample: Up to three accounts with the values that are sent, by field of the target.
    """

    target: str
    adapter: str
    run_id: str
    as_of: Time
    sent: bool
    unchanged: int
    changed: int
    requests: int
    written: int = 0
    refused: tuple[Undelivered, ...] = ()
    not_processed: tuple[Undelivered, ...] = ()
    sample: dict[str, dict[str, Value]]
