"""What an audit found, in sentences."""

from __future__ import annotations

from collections import Counter

from tenure.report.sentences.findings import Headline
from tenure.report.sentences.words import count, counted, day, listed, percent
from tenure.report.tables.layout import Entry

LABELS = {
    "clean": ("clean", "good"),
    "doubts": ("doubts", "warn"),
    "violated": ("violated", "bad"),
    "not_possible": ("not possible", "warn"),
}
MOST_NAMES = 5
NOT_AUDITED = "The data was not audited."


def headline(audit: Entry) -> Headline:
    """Return the verdict of an audit."""
    status = str(audit.get("status") or "not_possible")
    label, tone = LABELS.get(status, LABELS["not_possible"])
    first = {
        "clean": "No feature saw its future, and no column is too good to be true.",
        "doubts": "No feature saw its future, but some columns know the outcome too well.",
        "violated": "A feature saw its future: nothing fitted on it can be believed.",
        "not_possible": f"{NOT_AUDITED[:-1]}: {audit.get('reason') or 'no reason given'}.",
    }[status if status in LABELS else "not_possible"]
    return Headline(label, tone, first, tuple(_more(audit, status)))


def _more(audit: Entry, status: str) -> list[str]:
    if status == "violated":
        names = [*(audit.get("reads") or {}).get("violations", [])]
        names += [item["feature"] for shuffle in audit["shuffle"] for item in shuffle["moved"]]
        found = list(dict.fromkeys(names))
        more = f" and {count(len(found) - MOST_NAMES)} more" if len(found) > MOST_NAMES else ""
        return [f"It concerns {', '.join(found[:MOST_NAMES])}{more}."]
    if status == "doubts":
        names = list(dict.fromkeys(item["column"] for item in open_suspects(audit)))
        return [f"Look at {listed(names[:MOST_NAMES])} first."]
    return []


def open_suspects(audit: Entry) -> list[Entry]:
    """Return the suspects that the config does not allow."""
    return [item for item in audit.get("suspects") or [] if not item["allowed"]]


def sample(audit: Entry) -> str:
    """Return what was looked at."""
    found = audit.get("sample")
    if not found:
        return ""
    whole = found["accounts"] == found["of_accounts"]
    who = (
        f"all {count(found['accounts'])} accounts"
        if whole
        else f"{count(found['accounts'])} of {count(found['of_accounts'])} accounts, at random"
    )
    times = found["as_of"]
    return (
        f"Values were compared for {who}, at {counted(len(times), 'prediction time')} from "
        f"{day(times[0])} to {day(times[-1])}; what was read was looked up over all rows."
    )


def reads(audit: Entry) -> str:
    """Return what the features read, in a sentence."""
    found = audit.get("reads")
    if not found:
        return NOT_AUDITED
    size, bad = len(found["features"]), len(found["violations"])
    where = counted(len(found["as_of"]), "prediction time")
    if bad:
        return f"{count(bad)} of {counted(size, 'feature')} read something not before its as_of."
    return (
        f"{counted(size, 'feature')} at {where}: everything read had happened, and was known, "
        "before its as_of."
    )


def shuffle(audit: Entry) -> str:
    """Return what replacing the future did, in a sentence."""
    found = audit.get("shuffle")
    if found is None:
        return NOT_AUDITED
    if not found:
        return "The future was not replaced: audit.shuffles is 0."
    rows = sum(item["rows"] for item in found)
    values = sum(item["compared"] for item in found)
    moved = {item["feature"] for part in found for item in part["moved"]}
    said = (
        f"With everything at or after {counted(len(found), 'prediction time')} replaced by noise "
        f"({counted(rows, 'row')})"
    )
    if moved:
        return f"{said}, {counted(len(moved), 'feature')} changed in the past."
    return f"{said}, none of {counted(values, 'earlier value')} moved by a single bit."


def clocks(audit: Entry) -> str:
    """Return what was done about columns without a clock, in a sentence."""
    found = Counter(str(item["done"]) for item in audit.get("clocks") or [])
    if not found:
        return "Every column that is used has a clock."
    said = [f"{count(found[key])} {words}" for key, words in DONE.items() if found.get(key)]
    return f"{counted(sum(found.values()), 'column')} without a clock: {listed(said)}."


DONE = {
    "not_used": "not used",
    "excluded": "left out as today’s value",
    "assumed": "dated by an assumption",
    "constant": "taken as constant",
    "due_date": "due dates as written",
    "with_row": "taken as known with their row",
}


def late(audit: Entry) -> str:
    """Return how much came late and what it costs, in a sentence."""
    found = audit.get("late")
    if found is None:
        return NOT_AUDITED
    rows = [item for item in found["arrivals"] if item["late"]]
    if not rows:
        return (
            "Everything counts as known on the day it happened. Where a table has no known_at, "
            "that is an assumption."
        )
    worst = max(rows, key=lambda item: item["share"])
    changed = sum(item["changed"] for item in found["costs"])
    values = sum(item["values"] for item in found["costs"])
    return (
        f"{percent(worst['share'])} of {_clock(worst)} came in on a later day than it happened, "
        f"half of that within {counted(worst['lag_days']['median'], 'day')}; late data changes "
        f"{percent(changed / values) if values else percent(None)} of all feature values."
    )


def _clock(item: Entry) -> str:
    rows = item["clock"] == "event_time"
    return f"{item['table']}" if rows else f"{item['table']}.{item['clock']}"


def drift(audit: Entry) -> str:
    """Return how many features have moved, in a sentence."""
    found = audit.get("drift")
    if found is None:
        return NOT_AUDITED
    verdicts = Counter(item["verdict"] for item in found["features"])
    if verdicts["too_few"]:
        return "There are too few rows to tell how the features have moved."
    size = len(found["features"])
    since = day(found["recent_since"])
    said = f"Since {since} {count(verdicts['steady'])} of {counted(size, 'feature')} look as before"
    rest = {
        "shifted": ("has shifted", "have shifted"),
        "drifted": ("has drifted", "have drifted"),
        "ages": ("grows by itself as accounts age", "grow by themselves as accounts age"),
    }
    more = [counted(verdicts[key], *words) for key, words in rest.items() if verdicts[key]]
    return f"{said}; {listed(more)}." if more else f"{said}."


def suspects(audit: Entry) -> str:
    """Return how many columns are too good to be true, in a sentence."""
    if audit.get("suspects") is None:
        return NOT_AUDITED
    found = len({item["column"] for item in open_suspects(audit)})
    allowed = len({item["column"] for item in audit["suspects"] if item["allowed"]})
    said = (
        f"{counted(found, 'column')} too good to be true" if found else "No column knows too much"
    )
    return f"{said}; {count(allowed)} allowed by name." if allowed else f"{said}."


PARTS = {
    "reads": ("What each feature read", reads),
    "shuffle": ("The future replaced by noise", shuffle),
    "clocks": ("Columns without a clock", clocks),
    "late": ("Late data", late),
    "drift": ("Drift", drift),
    "suspects": ("Too good to be true", suspects),
}


def lines(audit: Entry) -> list[str]:
    """Return an audit as lines for a terminal."""
    said = headline(audit)
    found = [f"point-in-time audit: {said.label}", f"  {said.first}"]
    found += [f"  {text}" for text in said.more]
    if audit.get("status") == "not_possible":
        return found
    found += [f"  {name.lower()}: {say(audit)}" for name, say in PARTS.values()]
    return found + [f"  {item['column']}: {item['text']}" for item in open_suspects(audit)]
