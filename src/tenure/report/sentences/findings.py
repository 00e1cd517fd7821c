"""What a training record says, in sentences for people who do not know the words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tenure.report.sentences.list_end import list_end
from tenure.report.sentences.words import (
    BASELINES,
    TONES,
    VERDICTS,
    Outcome,
    baseline,
    count,
    counted,
    inside,
    known,
    listed,
    number,
    percent,
    plain,
    sentence,
    spread,
)
from tenure.report.tables.layout import Entry, in_order

DEFINITIONS = {
    "churn": "the decision to end the account’s last paid subscription falls in the",
    "voluntary churn": (
        "the account chooses to end its last paid subscription (a payment that fails is no choice) "
        "in the"
    ),
    "involuntary churn": (
        "the account’s last paid subscription ends without its choice, mostly for a payment that "
        "failed, in the"
    ),
    "renewal": "the account goes on paying after the renewal date that it has in the",
    "expansion": (
        "the account still pays, and its list MRR is at least {threshold} higher than today, at "
        "the end of the"
    ),
    "contraction": (
        "the account still pays, and its list MRR is at least {threshold} lower than today, at "
        "the end of the"
    ),
}
NO_SIGNAL = (
    "That means: as far as one can tell, giving everyone the average rate would do as well. Do not "
    "choose accounts by these scores."
)


@dataclass(frozen=True)
class Headline:
    """What may be said of a target, shortest first.

    Attributes:
        label: The verdict in two words.
        tone: ``good``, ``warn`` or ``bad``.
        first: The sentence that stands in the first line.
        more: Why, and what to do.
    """

    label: str
    tone: str
    first: str
    more: tuple[str, ...]


def headline(outcome: Outcome, entry: Entry) -> Headline:
    """Return the verdict on a target; a baseline that wins stands in its first sentence."""
    verdict = entry.get("verdict") or {}
    status = str(verdict.get("status") or "refused")
    said = tuple(text for text in reasons(entry) if not text.startswith("Loses to "))
    label, tone = VERDICTS.get(status, plain(status)), TONES.get(status, "warn")
    beaten, level = losses(entry)
    if status != "usable":
        first = said[0] if said else f"{sentence(label)}."
        more = (NO_SIGNAL, *said[1:]) if status == "no_usable_signal" else said[1:]
        return Headline(label, tone, " ".join([first, *beaten]), more)
    if verdict.get("adds_over") is False:
        best = inside(baseline(str(verdict.get("best_column"))))
        first = f"Adds nothing over {best} alone: sorting accounts by it serves as well."
        label, tone = f"{label}, but adds nothing", "warn"
        return Headline(label, tone, " ".join([first, *beaten]), said)
    good = top_tenth(outcome, entry) or list(said[:1])
    if beaten:
        label, tone = f"{label}, but beaten", "warn"
        return Headline(label, tone, " ".join(beaten), (*good, *said, *level))
    return Headline(label, tone, " ".join([*level, *good]), said)


def losses(entry: Entry) -> tuple[list[str], list[str]]:
    """Return which baselines did better, in a sentence: beyond chance, and within it."""
    beaten, level = {}, {}
    for name, gains in by_baseline(entry, "differences").items():
        parts = [_behind(gains.get("auc"), "AUC"), _behind(gains.get("log_loss"), "log loss")]
        found = [part for part in parts if part]
        if any(clear for _, clear in found):
            beaten[inside(baseline(name))] = [text for text, clear in found if clear]
        elif found:
            level[inside(baseline(name))] = [text for text, _ in found]
    return _compared("Loses to", beaten, ""), _compared("No better than", level, ", within chance")


def _compared(verb: str, found: Mapping[str, Sequence[str]], end: str) -> list[str]:
    if not found:
        return []
    names = listed(list(found))
    if len(found) > 1:
        return [f"{verb} {names}{end}."]
    return [f"{verb} {names}: {listed(found[names])}{end}."]


def _behind(gain: Mapping[str, Any] | None, name: str) -> tuple[str, bool] | None:
    """Return by how much the model is worse, and whether that is beyond chance."""
    if not gain or not known(gain.get("value")) or gain["value"] >= 0:
        return None
    worse = f"{name} {number(-gain['value'], 4)} worse"
    return worse, known(gain.get("hi")) and gain["hi"] < 0


def question(outcome: Outcome, config: Mapping[str, Any]) -> str:
    """Return what the target asks, in one sentence."""
    labels = config.get("labels") or {}
    threshold = percent(labels.get("threshold", 0.1))
    found = DEFINITIONS.get(outcome.event, f"there is {outcome.event} in the")
    found = found.format(threshold=threshold)
    gap = f", starting {counted(outcome.gap_days, 'day')} later" if outcome.gap_days else ""
    window = f"{outcome.horizon_days} days after the prediction time{gap}"
    return f"Predicted is the probability that {found} {window}."


def asked(outcome: Outcome, entry: Entry) -> str:
    """Return who was asked, how often, and what was known of the outcome."""
    labels = entry.get("labels") or {}
    snapshots, labelled = labels.get("snapshots") or 0, labels.get("labelled") or 0
    times = counted(len(labels.get("by_cutoff") or []), "prediction time")
    left_out = (labels.get("dropped") or {}).get("not_due")
    due = f", {count(left_out)} without a renewal date in the days looked at" if left_out else ""
    said = (
        f"Every paying account was asked at each of {times}: {counted(snapshots, 'snapshot')} in "
        f"all{due}. The outcome is known for {count(labelled)}. "
    )
    if not labelled:
        return said + "There is nothing to learn from."
    events = labels.get("distinct_events") or 0
    distinct = counted(events, f"distinct {outcome.event}", f"distinct {outcome.events}")
    return said + (
        f"{count(labels.get('positives') or 0)} of these ({percent(labels.get('base_rate'))}, the "
        f"base rate) {outcome.happened} {outcome.window}: {distinct}, some seen from several "
        "snapshots."
    )


def pooled(entry: Entry) -> Mapping[str, Any]:
    """Return the pooled figures of a target; empty where none were measured."""
    return (entry.get("evaluation") or {}).get("pooled") or {}


def by_baseline(entry: Entry, part: str) -> dict[str, Any]:
    """Return what the evaluation says of each baseline, in the order of reports."""
    return in_order((entry.get("evaluation") or {}).get(part) or {}, BASELINES)


def top_tenth(outcome: Outcome, entry: Entry) -> list[str]:
    """Return what became of the tenth of accounts at the end of the list that one looks at."""
    end = list_end(outcome, entry)
    figures = end.figures
    lift, rate = (figures.get("lift_at_10") or {}).get("value"), figures.get("observed_rate")
    if not known(lift) or not known(rate) or not figures.get("positives"):
        return []
    return [
        f"Of the 10% of accounts scored {end.scored}, {percent(lift * rate)} {end.happened} "
        f"{outcome.window}: {number(lift, 1)} times the average of {percent(rate)}."
    ]


def reasons(entry: Entry) -> tuple[str, ...]:
    """Return the verdict's sentences, in words for people where its figures are known."""
    verdict = entry.get("verdict") or {}
    gains, best = by_baseline(entry, "differences"), str(verdict.get("best_column"))
    gain = (gains.get("base_rate") or {}).get("log_loss")
    order = (gains.get(best) or {}).get("auc")
    column = inside(baseline(best))
    plainly = {
        "Usable: ": (
            "Its probabilities are better than giving everyone the average rate, and that is not "
            f"luck: they gain {spread(gain, 4)} in log loss, the penalty for probabilities that "
            "are far from what happens.",
            gain,
        ),
        "Adds to ": (
            f"It ranks accounts better than any single column: its AUC is {spread(order)} above "
            f"that of {column}, the best of them.",
            order,
        ),
        "Adds nothing ": (
            f"Its AUC lies {spread(order)} above that of {column} (below 0: under it), and that "
            "may be chance.",
            order,
        ),
    }
    said = []
    for text in verdict.get("sentences") or ():
        start = next((one for one in plainly if str(text).startswith(one)), None)
        better, figure = plainly[start] if start else ("", None)
        said.append(better if figure else str(text))
    return tuple(said)


def driver_finding(outcome: Outcome, drivers: Sequence[Mapping[str, Any]]) -> str:
    """Return what the strongest drivers are, as a title."""
    if not drivers:
        return "Drivers"
    top = sum(row.get("share") or 0 for row in drivers[:3])
    several = f"Three groups carry {percent(top)}" if len(drivers) > 3 else "Few groups carry all"
    return f"{several} of what moves the {outcome.event} score"


def association(value: Any, outcome: Outcome) -> str:
    """Return which way a driver points, in words."""
    if not known(value) or abs(value) < 0.2:
        return "no single direction"
    more, less = f"more {outcome.event}", f"less {outcome.event}"
    return f"high values go with {more if value > 0 else less}"


def red_count(data: Mapping[str, Any]) -> int:
    """Return the number of red warnings in a data report."""
    return len(data.get("red") or [])


def data_finding(data: Mapping[str, Any]) -> str:
    """Return the state of the data in one sentence."""
    tables = data.get("tables") or {}
    rows = sum(table.get("rows_in") or 0 for table in tables.values())
    rejected = sum(table.get("rows_rejected") or 0 for table in tables.values())
    said = (
        f"{counted(data.get('accounts') or 0, 'account')}, {counted(rows, 'row')} in "
        f"{counted(len(tables), 'table')}, {count(rejected)} rejected"
    )
    said += f" ({percent(rejected / rows)})." if rejected and rows else "."
    red = red_count(data)
    if red:
        said += f" {counted(red, 'red warning')}: read {'it' if red == 1 else 'them'} first."
    missing = data.get("missing_tables") or []
    return f"{said} Missing: {listed(missing)}." if missing else said
