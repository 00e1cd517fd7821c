"""How well a model did, and how far its probabilities can be trusted, in plain sentences."""

from __future__ import annotations

from tenure.core.records.base import Figure
from tenure.core.records.evaluation import BoundsCheck, Evaluation
from tenure.core.records.promotion import PastUses
from tenure.core.records.training import TargetRecord
from tenure.report.sentences.findings import top_tenth
from tenure.report.sentences.formatting import count, counted, day, number, percent, spread
from tenure.report.sentences.outcome import Outcome

WIDE = 5.0  # width of a slope's interval from which it says nothing
FEW_USES = 3  # of the same past, up to which nothing is made of them


def performance(outcome: Outcome) -> list[str]:
    """Return how well the model did, in plain words."""
    pooled = outcome.evaluation.pooled
    if pooled.n is None or pooled.positives is None:
        return ["No accuracy was measured: there is no past prediction whose outcome is known."]
    sentences = [
        f"The past was replayed at {counted(len(outcome.evaluation.folds), 'prediction time')}: "
        "each time the model was fitted only on what was known then, and its predictions were "
        f"compared with what happened next: {counted(pooled.n, 'prediction')}, "
        f"{outcome.counted(pooled.positives)}."
    ]
    sentences += top_tenth(outcome)
    if pooled.auc.value is not None:
        sentences.append(
            f"Of one account that {outcome.did} and one that {outcome.did_not}, the model ranked "
            f"the first higher {percent(pooled.auc.value)} of the time (AUC {spread(pooled.auc)}; "
            "a coin: 50%)."
        )
    return sentences + _penalties(outcome.evaluation)


def _penalties(evaluation: Evaluation) -> list[str]:
    """Return how far the probabilities were from what happened, beside the average rate."""
    sentences, pooled = [], evaluation.pooled
    base = evaluation.baselines.get("base_rate")
    loss, average = pooled.log_loss.value, base.log_loss.value if base else None
    if loss is not None and average:
        way = "less" if loss <= average else "more"
        sentences.append(
            "Each probability pays a penalty that grows the further it was from what happened "
            f"(log loss): {number(loss, 4)} on average, {percent(abs(1 - loss / average))} {way} "
            f"than the {number(average, 4)} that the average rate pays if it is given to everyone."
        )
    if pooled.brier_skill.value is not None:
        sentences.append(
            "Of the squared error of that average rate the model removes "
            f"{spread(pooled.brier_skill, percent)} (Brier skill: 0% is no better than the "
            "average, 100% would be knowing it all; even good models of rare outcomes remove "
            "little)."
        )
    return sentences


def calibration(outcome: Outcome) -> list[str]:
    """Return how far the probabilities can be taken at their word."""
    pooled = outcome.evaluation.pooled
    if pooled.mean_probability is None or not pooled.n:
        return []
    expected = round(pooled.mean_probability * pooled.n)
    sentences = [
        f"Summed up, the probabilities promised {outcome.counted(expected)} and "
        f"{count(pooled.positives)} happened."
    ]
    if pooled.calibration_error.value is not None:
        sentences.append(
            "Sorted by probability and cut into ten bins of equally many predictions, predicted "
            f"and observed rates differ by {number(100 * pooled.calibration_error.value, 1)} "
            "percentage points on average (calibration error)."
        )
        sentences += _by_chance(outcome.evaluation.error_by_chance)
    sentences += _bounds(outcome.evaluation.bounds)
    sentences += lately(outcome)
    slope = pooled.calibration_slope
    return [*sentences, _slope(slope)] if slope.value is not None else sentences


def _by_chance(error: Figure) -> list[str]:
    """Return what the calibration error of a perfect model would be, where that was measured."""
    if error.value is None or error.hi is None:
        return []
    return [
        "Chance alone keeps them apart: a model whose probabilities are true would show "
        f"{number(100 * error.value, 1)} points on the same rows, and in 95 of 100 cases at most "
        f"{number(100 * error.hi, 1)}."
    ]


def _bounds(check: BoundsCheck | None) -> list[str]:
    """Return how often outcomes lay within the bounds, of groups and of months."""
    if check is None or not check.groups.n:
        return []
    level = percent(check.level)
    shares = [
        f"{count(tally.inside)} of {counted(tally.n, word)}"
        for tally, word in ((check.groups, "group"), (check.months, "monthly total"))
        if tally.n
    ]
    return [
        f"Bounds are to hold {level} of the true probabilities. Of accounts grouped by segment, "
        f"tenure and prediction time, outcomes lay within what the bounds and chance allow in "
        f"{' and in '.join(shares)}; well below {level} would mean that they are too narrow."
    ]


def lately(outcome: Outcome) -> list[str]:
    """Return how the latest prediction times went, and which way things went over all of them."""
    times = outcome.evaluation.over_time
    span = times.lately if times else None
    if times is None or span is None:
        return []
    fewer = span.log_loss_gain
    return [
        f"At the latest {counted(span.folds, 'prediction time')}, from {day(span.since)} on, "
        f"{percent(span.mean_probability, 1)} were predicted and {percent(span.observed_rate, 1)} "
        f"{outcome.happened}; the gain in log loss over the average rate was {spread(fewer, 4)}.",
        "Along a line from the first prediction time to the last, predicted minus observed rates "
        f"moved by {spread(times.gap_trend.times(100), 1)} percentage points, and that gain by "
        f"{spread(times.gain_trend, 4)}; in brackets also what a month may do to all accounts.",
    ]


def _slope(slope: Figure) -> str:
    low, high = slope.lo, slope.hi
    if slope.value is None or low is None or high is None or high - low > WIDE:
        return (
            "Whether the probabilities are spread too widely or too narrowly (calibration slope) "
            "cannot be told from so few outcomes."
        )
    measured = f"Calibration slope {spread(slope)}, where 1 is perfect"
    if low <= 1 <= high:
        return f"{measured}: the spread of the probabilities fits what happened."
    if slope.value < 1:
        return (
            f"{measured}: too bold; high probabilities are somewhat too high and low ones too low."
        )
    return f"{measured}: too timid; high probabilities could be higher and low ones lower."


def bounds(level: float) -> str:
    """Return what bounds mean that should hold the share `level` of the true probabilities."""
    return (
        f"Each score comes with bounds, made to hold the true probability of {percent(level, 0)} "
        "of accounts: that coverage was measured on simulated data, where the "
        "truth is known. On your own data only rates of many accounts can be checked, as here."
    )


def past_uses(used: PastUses | None) -> list[str]:
    """Return how many contests and recipes the outcomes of some past times have judged."""
    if used is None:
        return []
    contests = counted(used.contests, "contest") if used.contests else "no contest"
    text = (
        f"The outcomes of {day(used.first)} to {day(used.last)} have decided {contests} and tested "
        f"{counted(used.recipes, 'recipe')}"
    )
    if used.contests + used.recipes <= FEW_USES:
        return [f"{text}."]
    return [f"{text}: the best of many on the same past looks better there than it is."]


def tuning(target: TargetRecord) -> str:
    """Return what the search for the final model's parameters came to; nothing without one."""
    if not target.tuning:
        return ""
    search = target.tuning[-1]
    if not search.trials:
        return "too few outcomes to search with, so the default stays"
    trials = f"{count(search.trials)} trials, each judged by {count(search.positives)} outcomes"
    if not search.gain:
        return f"{trials}; none was better than the default by more than chance"
    return f"{trials}; the best saves {search.gain:.4f} of the default's log loss on them"
