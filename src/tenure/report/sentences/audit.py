"""What an audit came to, in sentences."""

from __future__ import annotations

from collections import Counter

from tenure.core.records.audit import ArrivalRecord, AuditRecord, SuspectRecord
from tenure.core.records.shape import LifetimeRecord
from tenure.report.sentences import shape
from tenure.report.sentences.findings import Headline
from tenure.report.sentences.formatting import (
    count,
    counted,
    day,
    first_of,
    listed,
    percent,
    plain,
    ratio,
)

VERDICTS = {
    "clean": ("good", "No feature saw its future, and no column is too good to be true."),
    "doubts": ("warn", "No feature saw its future, but some of the data seems to know it."),
    "violated": ("bad", "A feature saw its future: nothing fitted on it can be believed."),
    "not_possible": ("warn", "The data was not audited: {reason}."),
}
MOST_NAMES = 5
NOT_AUDITED = "The data was not audited."


def headline(audit: AuditRecord) -> Headline:
    """Return the verdict of an audit."""
    tone, first = VERDICTS[audit.status]
    first = first.format(reason=audit.reason or "no reason given")
    return Headline(plain(audit.status), tone, first, tuple(_more(audit)))


def _more(audit: AuditRecord) -> list[str]:
    if audit.status == "violated":
        names = list(audit.reads.violations) if audit.reads else []
        names += [item.feature for part in audit.shuffle or () for item in part.moved]
        names = list(dict.fromkeys(names))
        return [f"It concerns {first_of(names, MOST_NAMES)}."]
    if audit.status == "doubts":
        names = [item.table for item in open_lifetimes(audit)]
        names = list(dict.fromkeys([*names, *(item.column for item in open_suspects(audit))]))
        return [f"Look at {listed(names[:MOST_NAMES])} first."]
    return []


def open_suspects(audit: AuditRecord) -> list[SuspectRecord]:
    """Return the suspects that the config does not allow."""
    return [item for item in audit.suspects or () if not item.allowed]


def open_lifetimes(audit: AuditRecord) -> list[LifetimeRecord]:
    """Return the tables that look made for whole lives and that the config does not allow."""
    return [item for item in audit.lifetimes or () if not item.allowed]


def sample(audit: AuditRecord) -> str:
    """Return what was looked at."""
    part = audit.sample
    if part is None:
        return ""
    who = f"{count(part.accounts)} of {count(part.of_accounts)} accounts, at random"
    if part.accounts == part.of_accounts:
        who = f"all {count(part.accounts)} accounts"
    return (
        f"Values were compared for {who}, at {counted(len(part.as_of), 'prediction time')} from "
        f"{day(part.as_of[0])} to {day(part.as_of[-1])}; what was read was looked up over all rows."
    )


def reads(audit: AuditRecord) -> str:
    """Return what the features read, in a sentence."""
    part = audit.reads
    if part is None:
        return NOT_AUDITED
    size, bad = len(part.features), len(part.violations)
    where = counted(len(part.as_of), "prediction time")
    if bad:
        return f"{count(bad)} of {counted(size, 'feature')} read something not before its as_of."
    return (
        f"{counted(size, 'feature')} at {where}: everything read had happened, and was known, "
        "before its as_of."
    )


def shuffle(audit: AuditRecord) -> str:
    """Return what replacing the future did, in a sentence."""
    parts = audit.shuffle
    if parts is None:
        return NOT_AUDITED
    if not parts:
        return "The future was not replaced: audit.shuffles is 0."
    rows = sum(part.rows for part in parts)
    values = sum(part.compared for part in parts)
    moved = {item.feature for part in parts for item in part.moved}
    done = (
        f"With everything at or after {counted(len(parts), 'prediction time')} replaced by noise "
        f"({counted(rows, 'row')})"
    )
    if moved:
        return f"{done}, {counted(len(moved), 'feature')} changed in the past."
    return f"{done}, none of {counted(values, 'earlier value')} moved by a single bit."


def clocks(audit: AuditRecord) -> str:
    """Return what was done about columns without a clock, in a sentence."""
    done = Counter[str](item.done for item in audit.clocks)
    if not done:
        return "Every column that is used has a clock."
    parts = [f"{count(done[key])} {words}" for key, words in DONE.items() if done[key]]
    return f"{counted(sum(done.values()), 'column')} without a clock: {listed(parts)}."


DONE = {
    "not_used": "not used",
    "excluded": "left out as today’s value",
    "assumed": "dated by an assumption",
    "constant": "taken as constant",
    "due_date": "due dates as written",
    "with_row": "taken as known with their row",
}


def late(audit: AuditRecord) -> str:
    """Return how much came late and what it costs, in a sentence."""
    part = audit.late
    if part is None:
        return NOT_AUDITED
    rows = [item for item in part.arrivals if item.late]
    if not rows:
        return (
            "Everything counts as known on the day it happened. Where a table has no known_at, "
            "that is an assumption."
        )
    worst = max(rows, key=lambda item: item.share)
    changed = sum(item.changed for item in part.costs)
    values = sum(item.values for item in part.costs)
    return (
        f"{percent(worst.share)} of {_clock(worst)} came in on a later day than it happened, "
        f"half of that within {counted(worst.lag_days['median'], 'day')}; late data changes "
        f"{percent(ratio(changed, values))} of all feature values."
    )


def _clock(item: ArrivalRecord) -> str:
    return item.table if item.clock == "event_time" else f"{item.table}.{item.clock}"


def drift(audit: AuditRecord) -> str:
    """Return how many features have moved, in a sentence."""
    part = audit.drift
    if part is None:
        return NOT_AUDITED
    verdicts = Counter[str](item.verdict for item in part.features)
    if verdicts["too_few"]:
        return "There are too few rows to tell how the features have moved."
    steady = (
        f"Since {day(part.recent_since)} {count(verdicts['steady'])} of "
        f"{counted(len(part.features), 'feature')} look as before"
    )
    more = [counted(verdicts[key], *words) for key, words in MOVED.items() if verdicts[key]]
    return f"{steady}; {listed(more)}." if more else f"{steady}."


MOVED = {
    "shifted": ("has shifted", "have shifted"),
    "drifted": ("has drifted", "have drifted"),
    "ages": ("grows by itself as accounts age", "grow by themselves as accounts age"),
}


def suspects(audit: AuditRecord) -> str:
    """Return how many columns are too good to be true, in a sentence."""
    if audit.suspects is None:
        return NOT_AUDITED
    doubtful = len({item.column for item in open_suspects(audit)})
    allowed = len({item.column for item in audit.suspects if item.allowed})
    text = f"{counted(doubtful, 'column')} too good to be true"
    more = f"; {count(allowed)} allowed by name" if allowed else ""
    return (text if doubtful else "No column knows too much") + f"{more}."


def lifetimes(audit: AuditRecord) -> str:
    """Return how many tables look made for whole lives, in a sentence."""
    return NOT_AUDITED if audit.lifetimes is None else shape.lifetimes(audit.lifetimes)


PARTS = {
    "reads": ("What each feature read", reads),
    "shuffle": ("The future replaced by noise", shuffle),
    "clocks": ("Columns without a clock", clocks),
    "late": ("Late data", late),
    "drift": ("Drift", drift),
    "suspects": ("Too good to be true", suspects),
    "lifetimes": ("Rows against lifetimes", lifetimes),
}


def lines(audit: AuditRecord) -> list[str]:
    """Return an audit as lines for a terminal."""
    verdict = headline(audit)
    texts = [f"point-in-time audit: {verdict.label}", f"  {verdict.first}"]
    texts += [f"  {text}" for text in verdict.more]
    if audit.status == "not_possible":
        return texts
    texts += [f"  {name.lower()}: {describe(audit)}" for name, describe in PARTS.values()]
    texts += [f"  {item.column}: {item.text}" for item in open_suspects(audit)]
    return texts + [f"RED  {shape.lifetime(item)}" for item in open_lifetimes(audit)]
