"""What `tenure worklist` came to, in lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from tenure.core.records.worklist import ListMoney, OwnerLists, WorkItem, WorkListRecord
from tenure.report.sentences.formatting import NONE, counted, day, percent
from tenure.report.tables.layout import aligned, table

TITLES = {
    "risk": "at risk, contracts that end soon first, then by MRR at risk, currencies in turn",
    "expansion": "may expand, by expected expansion MRR",
    "advocacy": "may advocate",
}
LEFT_OFF = {"nothing_new": "nothing new", "no_room": "no room", "held_out": "held out"}


def worklist_lines(record: WorkListRecord) -> list[str]:
    """Return the lists owner by owner, and what they come to in money."""
    lines = [f"as of {record.as_of}, scored {record.scored_at}"]
    for owner in record.owners:
        lines += ["", f"{owner.owner or 'no owner'}: {owner.why}", *_lists(owner)]
        if owner.losses:
            lines.append(f"  {_lost(owner)}")
    absent = [f"{name}: {reason}" for name, reason in record.absent.items()]
    return [*lines, "", *(_money(total) for total in record.money), *absent]


def _lists(owner: OwnerLists) -> Iterator[str]:
    for name, left_off in owner.left_off.items():
        items = [item for item in owner.items if item.list == name]
        counts = {what: getattr(left_off, key) for key, what in LEFT_OFF.items()}
        waiting = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
        if items or waiting:
            yield f"  {TITLES[name]}" + (f" (not listed: {waiting})" if waiting else "")
        shown = table(
            "",
            items,
            (">", lambda item: str(item.place)),
            ("account", _account),
            (">MRR", lambda item: _amount(item.mrr, item)),
            (">amount" if name != "advocacy" else ">likelihood", _worth),
            (">probability", lambda item: percent(item.probability)),
            ("band", lambda item: item.band or NONE),
            ("opt-out", lambda item: day(item.notice_by)),
            ("why", _why),
            ("new", lambda item: item.new[0]),
        )
        yield from (f"    {line}" for line in aligned(shown))


def _why(item: WorkItem) -> str:
    """Return the first reason that no other column shows."""
    further = item.reasons[1:] if item.probability is not None else item.reasons
    return (further or item.reasons)[0]


def _account(item: WorkItem) -> str:
    return f"{item.account_id} {item.name}" if item.name else item.account_id


def _amount(value: float | None, item: WorkItem) -> str:
    unit = f" {item.currency}" if item.currency else ""
    return NONE if value is None else f"{value:,.0f}{unit}"


def _worth(item: WorkItem) -> str:
    return f"{item.advocacy:.0f}" if item.advocacy is not None else _amount(item.amount, item)


def _lost(owner: OwnerLists) -> str:
    who = counted(len(owner.losses), "account")
    names = ", ".join(one.account_id for one in owner.losses)
    return f"known losses, not listed: {who} that gave notice ({names})"


def _money(total: ListMoney) -> str:
    unit = total.currency or "no currency"
    return (
        f"{unit}: MRR {total.mrr:,.0f}, at risk {total.mrr_at_risk:,.0f} of which "
        f"{total.listed_at_risk:,.0f} listed; expected expansion listed "
        f"{total.listed_expansion:,.0f}; known losses {total.lost:,.0f}"
    )
