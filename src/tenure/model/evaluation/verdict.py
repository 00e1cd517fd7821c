"""The verdict on a model: what its backtest allows to be claimed, in plain sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tenure.core.records.base import Figure
from tenure.core.records.evaluation import Evaluation, Gains, Metrics, Status, Verdict
from tenure.core.records.over_time import FoldSpan
from tenure.labels.splits import Shortage, distinct_events, distinct_others
from tenure.model.backtest.baselines import BASE_RATE, SINGLE_COLUMNS

if TYPE_CHECKING:
    import pandas as pd

MATERIAL = 0.1
"""Share of the rate, or of the rest where that is rarer, by which a mean prediction is surely off.

Of 200 simulated stable worlds 4 are called so by it (14 by an interval that need only exclude 0),
of 20 whose base rate doubles all.
"""


def refusal(rows: pd.DataFrame, *, min_events: int, event: str, events: str) -> Verdict | None:
    """Return why no model can be fitted, or None where one can.

    `rows` have account_id, label and outcome_id.  A model needs `min_events` distinct past events
    and as many accounts without one: the rarer of the two decides (of renewals, the lapses).
    """
    known = rows[rows["label"].notna()]
    known_events, others = distinct_events(known), distinct_others(known)
    if known.empty:
        reason = f"no snapshot is old enough for its outcome ({event}) to be known"
        advice = "Give a longer history, or a shorter labels.horizon_days."
    elif known_events == 0 and not (known["label"] == 1).any():
        reason = f"no positive labels: none of {len(known):,} snapshots was followed by {_a(event)}"
        advice = f"Check that the data records {events}, or leave this target out of `targets`."
    elif (known["label"] == 1).all():
        reason = (
            f"no negative labels: every one of {len(known):,} snapshots was followed by {_a(event)}"
        )
        advice = "Check the end dates and amounts in `subscriptions`."
    elif known_events < min_events:
        reason = (
            f"the past holds {_count(known_events, event, events)}, and a model needs at least "
            f"{min_events} (model.min_events)"
        )
        advice = (
            "Give a longer history, a longer labels.horizon_days, or more accounts; until then "
            "look at the accounts themselves: rates on so few events are mostly chance."
        )
    elif others < min_events:
        reason = (
            f"the past holds {_count(others, 'account', 'accounts')} without {_a(event)}, and a "
            f"model needs at least {min_events} of these too (model.min_events)"
        )
        advice = (
            "Give a longer history, or more accounts; until then look at the accounts themselves: "
            "what sets so few apart is mostly chance."
        )
    else:
        return None
    return Verdict(status="refused", sentences=(f"Refused: {reason}.", advice))


def judge(
    evaluation: Evaluation,
    shortage: Shortage | None,
    columns: Sequence[str] = SINGLE_COLUMNS,
) -> Verdict:
    """Return the verdict that the backtest allows.

    `shortage` says why there are too few folds, if so; `columns` are those that the model must beat
    alone.
    """
    if shortage is not None:
        first = f"Trained without a claim: {str(shortage).rstrip('.')}."
        advice = "Its accuracy is not known; do not act on it alone."
        return Verdict(status="no_claim", sentences=(first, advice))
    if not evaluation.pooled.positives:
        first = "Trained without a claim: the test prediction times hold no positive row."
        return Verdict(status="no_claim", sentences=(first,))
    best = _best(evaluation.baselines, columns)
    added, comparison = _adds(evaluation.differences, best)
    losses = _losses(evaluation.differences)
    status, measured = _status(evaluation, BASE_RATE in losses)
    but = f"; it loses to {', '.join(losses)}" if losses else ""
    return Verdict(
        status=status,
        sentences=tuple(filter(None, [f"{measured}{but}.", comparison, *losses.values()])),
        best_column=best,
        adds_over=added,
        loses_to=tuple(losses),
    )


def _status(evaluation: Evaluation, beaten: bool) -> tuple[Status, str]:
    """Return what may be claimed against the base rate, and why; the one rule that decides it.

    A model is usable where it gains in log loss over the base rate beyond chance, the base rate
    does not beat it in AUC either (it does where it follows the months and the model ranks nobody),
    and lately neither its gain is below 0 nor its mean prediction off.
    """
    gain = evaluation.differences[BASE_RATE].log_loss
    measured = f"the gain in log loss over the base rate is {_show(gain, 4)}"
    if not gain.above:
        return "no_usable_signal", f"No usable signal: {measured}, not above 0 for sure"
    if beaten:
        return "no_usable_signal", f"No usable signal: {measured}, but it ranks no better"
    lately = evaluation.over_time.lately if evaluation.over_time else None
    faults = _lately(lately) if lately else []
    if lately and faults:
        since = f"at the {lately.folds} prediction times since {lately.since}"
        first = f"Usable before, not lately: {since} {' and '.join(faults)}"
        return "usable_before", f"{first}; over all of them {measured}"
    return "usable", f"Usable: {measured}"


def _lately(span: FoldSpan) -> list[str]:
    """Return what is wrong with the latest prediction times, beyond chance."""
    faults = []
    if span.log_loss_gain.below:
        faults.append(f"the gain in log loss over the base rate is {_show(span.log_loss_gain, 4)}")
    if surely_off(span.calibration_gap, span.observed_rate):
        faults.append(
            f"{span.mean_probability:.1%} were predicted and {span.observed_rate:.1%} happened"
        )
    return faults


def surely_off(gap: Figure, rate: float) -> bool:
    """Return whether a mean prediction is off by a share that matters, beyond chance.

    `gap` is the mean probability minus the observed `rate`.
    """
    if gap.lo is None or gap.hi is None:
        return False
    return max(gap.lo, -gap.hi) > MATERIAL * min(rate, 1 - rate)


def _best(baselines: Mapping[str, Metrics], columns: Sequence[str]) -> str | None:
    areas = {name: baselines[name].auc.value for name in columns if name in baselines}
    measured = {name: area for name, area in areas.items() if area is not None}
    return max(sorted(measured), key=lambda name: measured[name]) if measured else None


def _adds(differences: Mapping[str, Gains], best: str | None) -> tuple[bool | None, str]:
    if best is None:
        return None, ""
    gain = differences[best].auc
    measured = f"the gain in AUC is {_show(gain, 3)}"
    if gain.above:
        return True, f"Adds to {best}, the best single column: {measured}."
    return False, (
        f"Adds nothing over {best}: {measured}, not above 0 for sure; sorting accounts by {best} "
        "serves as well."
    )


def _losses(differences: Mapping[str, Gains]) -> dict[str, str]:
    """Return, by baseline that beats the model beyond chance, the sentence that says so."""
    sentences = {}
    for name, gains in differences.items():
        lost = [
            f"the model's gain in {words} is {_show(gain, digits)}"
            for gain, words, digits in ((gains.auc, "AUC", 3), (gains.log_loss, "log loss", 4))
            if gain.below
        ]
        if lost:
            sentences[name] = f"Loses to {name}: {' and '.join(lost)}."
    return sentences


def _show(gain: Figure, digits: int) -> str:
    if gain.value is None:
        return "not measurable"
    if gain.lo is None or gain.hi is None:
        return f"{gain.value:.{digits}f} (no interval)"
    return f"{gain.value:.{digits}f} [{gain.lo:.{digits}f}, {gain.hi:.{digits}f}]"


def _count(number: int, event: str, events: str) -> str:
    return f"{number} distinct {event if number == 1 else events}"


def _a(event: str) -> str:
    return f"an {event}" if event[:1] in "aeiou" else f"a {event}"
