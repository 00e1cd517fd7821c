"""What a training record says, in sentences for people who do not know the words."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from tenure.core.records.base import UNMEASURED, Figure
from tenure.core.records.data import DataRecord
from tenure.core.records.evaluation import Evaluation, Gains, Metrics
from tenure.core.records.training import DriverSummary, TargetRecord
from tenure.report.sentences.formatting import (
    count,
    counted,
    in_order,
    inside,
    listed,
    number,
    percent,
    plain,
    spread,
)
from tenure.report.sentences.names import BASELINES, TONES, VERDICTS, baseline
from tenure.report.sentences.outcome import Outcome

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
BASE_RATE = "base_rate"
NO_SIGNAL = (
    "That means: as far as one can tell, giving everyone the average rate would do as well. Do not "
    "choose accounts by these scores."
)
NOT_LATELY = (
    "That means: something has changed since most of what it was judged by. Do not choose accounts "
    "by these scores before you know what, or newer outcomes have made it usable again."
)
WHAT_IT_MEANS = {"no_usable_signal": (NO_SIGNAL,), "usable_before": (NOT_LATELY,)}


@dataclass(frozen=True)
class Headline:
    """What may be said of a target, shortest first."""

    label: str
    """The verdict in two words."""
    tone: str
    """``good``, ``warn`` or ``bad``."""
    first: str
    """The sentence that stands in the first line."""
    more: tuple[str, ...]
    """Why, and what to do."""


def headline(outcome: Outcome) -> Headline:
    """Return the verdict on a target; a baseline that wins stands in its first sentence."""
    verdict = outcome.target.verdict
    sentences = tuple(text for text in reasons(outcome.target) if not text.startswith("Loses to "))
    label = VERDICTS.get(verdict.status) or plain(verdict.status)
    tone = TONES[verdict.status]
    beaten, level = losses(outcome.evaluation, (BASE_RATE,) if verdict.over_base_rate else ())
    if verdict.status != "usable":
        first, *rest = sentences
        more = (*WHAT_IT_MEANS.get(verdict.status, ()), *rest)
        return Headline(label, tone, " ".join([first, *beaten]), more)
    if verdict.adds_over is False:
        best = inside(baseline(str(verdict.best_column)))
        first = f"Adds nothing over {best} alone: sorting accounts by it serves as well."
        label, tone = f"{label}, but adds nothing", "warn"
        return Headline(label, tone, " ".join([first, *beaten]), sentences)
    good = top_tenth(outcome) or list(sentences[:1])
    if beaten:
        label, tone = f"{label}, but beaten", "warn"
        return Headline(label, tone, " ".join(beaten), (*good, *sentences, *level))
    return Headline(label, tone, " ".join([*level, *good]), sentences)


def losses(evaluation: Evaluation, without: Collection[str]) -> tuple[list[str], list[str]]:
    """Return which baselines but some did better, in a sentence: beyond chance, and within it."""
    beaten, level = {}, {}
    for name, gains in differences(evaluation).items():
        if name in without:
            continue
        worse = {
            f"{words} {number(-gain.value, 4)} worse": gain.below
            for gain, words in ((gains.auc, "AUC"), (gains.log_loss, "log loss"))
            if gain.value is not None and gain.value < 0
        }
        if any(worse.values()):
            beaten[inside(baseline(name))] = [text for text, clear in worse.items() if clear]
        elif worse:
            level[inside(baseline(name))] = list(worse)
    return _compared("Loses to", beaten, ""), _compared("No better than", level, ", within chance")


def _compared(verb: str, worse: Mapping[str, Sequence[str]], end: str) -> list[str]:
    if not worse:
        return []
    names = listed(list(worse))
    if len(worse) > 1:
        return [f"{verb} {names}{end}."]
    return [f"{verb} {names}: {listed(worse[names])}{end}."]


def question(outcome: Outcome, threshold: float) -> str:
    """Return what the target predicts; `threshold` is the share of list MRR that counts."""
    definition = DEFINITIONS.get(outcome.event, f"there is {outcome.event} in the")
    definition = definition.format(threshold=percent(threshold))
    target = outcome.target
    gap = f", starting {counted(target.gap_days, 'day')} later" if target.gap_days else ""
    window = f"{target.horizon_days} days after the prediction time{gap}"
    return f"Predicted is the probability that {definition} {window}."


def labelling(outcome: Outcome) -> str:
    """Return how many accounts were looked at, how often, and for how many the outcome is known."""
    labels = outcome.target.labels
    times = counted(len(labels.by_cutoff), "prediction time")
    not_due = labels.dropped.get("not_due")
    due = f", {count(not_due)} without a renewal date in the days looked at" if not_due else ""
    known = (
        f"Every paying account was asked at each of {times}: "
        f"{counted(labels.snapshots, 'snapshot')} in all{due}. The outcome is known for "
        f"{count(labels.labelled)}. "
    )
    if not labels.labelled:
        return known + "There is nothing to learn from."
    distinct = outcome.counted(labels.distinct_events, distinct=True)
    return known + (
        f"{count(labels.positives)} of these ({percent(labels.base_rate)}, the base rate) "
        f"{outcome.happened} {outcome.window}: {distinct}, some seen from several snapshots."
    )


def baselines(evaluation: Evaluation) -> dict[str, Metrics]:
    """Return the metrics of each baseline, in the order of reports."""
    return in_order(evaluation.baselines, BASELINES)


def differences(evaluation: Evaluation) -> dict[str, Gains]:
    """Return the gains over each baseline, in the order of reports."""
    return in_order(evaluation.differences, BASELINES)


def top_tenth(outcome: Outcome) -> list[str]:
    """Return what became of the tenth of accounts at the end of the ranking that one looks at."""
    end = outcome.end
    lift, rate = end.metrics.lift_at_10.value, end.metrics.observed_rate
    if lift is None or rate is None or not end.metrics.positives:
        return []
    return [
        f"Of the 10% of accounts scored {end.scored}, {percent(lift * rate)} {end.happened} "
        f"{outcome.window}: {number(lift, 1)} times the average of the tested rows, "
        f"{percent(rate)}."
    ]


def reasons(target: TargetRecord) -> tuple[str, ...]:
    """Return the verdict's sentences, in words for people where its figures are known."""
    gains, best = target.evaluation.differences, str(target.verdict.best_column)
    gain, order = gains.get("base_rate", Gains()).log_loss, gains.get(best, Gains()).auc
    column = inside(baseline(best))
    plainly: dict[str, tuple[Figure, str]] = {
        "Usable: ": (
            gain,
            "Its probabilities are better than giving everyone the average rate, and that is not "
            f"luck: they gain {spread(gain, 4)} in log loss, the penalty for probabilities that "
            "are far from what happens.",
        ),
        "Adds to ": (
            order,
            f"It ranks accounts better than any single column: its AUC is {spread(order)} above "
            f"that of {column}, the best of them.",
        ),
        "Adds nothing ": (
            order,
            f"Its AUC lies {spread(order)} above that of {column} (below 0: under it), and that "
            "may be chance.",
        ),
    }
    sentences = []
    for text in target.verdict.sentences:
        start = next((start for start in plainly if text.startswith(start)), None)
        figure, better = plainly[start] if start else (UNMEASURED, "")
        sentences.append(text if figure == UNMEASURED else better)
    return tuple(sentences)


def driver_finding(outcome: Outcome, drivers: Sequence[DriverSummary]) -> str:
    """Return what the strongest drivers are, as a title."""
    top = sum(row.share for row in drivers[:3])
    several = f"Three groups carry {percent(top)}" if len(drivers) > 3 else "Few groups carry all"
    return f"{several} of what moves the {outcome.event} score"


def association(value: float | None, outcome: Outcome) -> str:
    """Return which way a driver points, in words."""
    if value is None or abs(value) < 0.2:
        return "no single direction"
    more, less = f"more {outcome.event}", f"less {outcome.event}"
    return f"high values go with {more if value > 0 else less}"


def data_finding(data: DataRecord) -> str:
    """Return the state of the data in one sentence."""
    rows = sum(table.rows_in for table in data.tables.values())
    rejected = sum(table.rows_rejected for table in data.tables.values())
    finding = (
        f"{counted(data.accounts, 'account')}, {counted(rows, 'row')} in "
        f"{counted(len(data.tables), 'table')}, {count(rejected)} rejected"
    )
    finding += f" ({percent(rejected / rows)})." if rejected and rows else "."
    if data.red:
        red = len(data.red)
        finding += f" {counted(red, 'red warning')}: read {'it' if red == 1 else 'them'} first."
    missing = data.missing_tables
    return f"{finding} Missing: {listed(missing)}." if missing else finding
