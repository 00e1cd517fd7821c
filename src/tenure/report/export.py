"""What `tenure export` came to, in lines for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from tenure.core.records.delivery import DeliveryRecord, Undelivered, Value
from tenure.report.sentences.formatting import count, counted

SHOWN = 3
"""Accounts and reasons that are named."""


def export_lines(record: DeliveryRecord) -> list[str]:
    """Return what was sent, or would be, and why the rest did not arrive."""
    of = f"scores as of {record.as_of}, to {record.target} ({record.adapter})"
    lines = [f"{of}: {counted(record.changed, 'account')} changed, {count(record.unchanged)} not"]
    if not record.sent:
        requests = f"at least {counted(record.requests, 'request')}" if record.changed else "none"
        lines.append(f"dry run, nothing was sent; with --send: {requests}")
        lines += [f"  {account}: {_values(values)}" for account, values in record.sample.items()]
        return lines
    lines.append(f"written: {count(record.written)}, with {counted(record.requests, 'request')}")
    lines += _reasons("refused", record.refused)
    lines += _reasons("not processed, and sent again next time", record.not_processed)
    return lines


def _values(values: Mapping[str, Value]) -> str:
    return ", ".join(
        f"{name} = {'–' if value is None else value}" for name, value in values.items()
    )


def _reasons(title: str, rows: Sequence[Undelivered]) -> list[str]:
    if not rows:
        return []
    common = Counter(row.reason for row in rows).most_common(SHOWN)
    first = {row.reason: row.account_id for row in reversed(rows)}
    lines = [f"{title}: {count(len(rows))}"]
    lines += [f"  {count(n)} × {reason} (e.g. {first[reason]})" for reason, n in common]
    rest = len({row.reason for row in rows}) - len(common)
    return [*lines, f"  and {counted(rest, 'further reason')}: see --json"] if rest else lines
