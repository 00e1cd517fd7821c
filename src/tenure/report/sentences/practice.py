"""What a ranking would have been worth to the people who work through it, in plain sentences."""

from __future__ import annotations

from tenure.core.records.base import Figure
from tenure.core.records.evaluation import Evaluation, Metrics, Money, OtherSplit
from tenure.report.sentences.findings import baselines
from tenure.report.sentences.formatting import (
    count,
    counted,
    inside,
    listed,
    number,
    percent,
    sentence,
    spread,
)
from tenure.report.sentences.names import baseline
from tenure.report.sentences.outcome import Outcome, RankingEnd

SHARES = (5, 10, 20)
FEW_EVENTS = 200
LEAST = 0.005  # profit per account asked below which it is shown as nothing
NO_PROFIT = (
    "Then contacting nobody is best: whatever the length of the list, the contacts and offers cost "
    "more than the accounts they keep are worth (expected maximum profit 0, EMPB)."
)
ASSUMED = (
    "How many an offer keeps is assumed, not measured: only an experiment can tell. Set your own "
    "costs under evaluation.profit_*."
)
STAKES = {"expansion": "gained", "contraction": "given up"}
NARROW = 0.05  # half width of an AUC's interval below which it is not called rough


def detections(metrics: Metrics) -> dict[int, Figure]:
    """Return percent of the accounts on a list → share of the outcomes met, where measured."""
    figures = {share: metrics.figure(f"detection_at_{share}") for share in SHARES}
    return {share: figure for share, figure in figures.items() if figure.value is not None}


def by_chance(metrics: Metrics, name: int | str) -> float:
    """Return the share of the outcomes that lists as long in random order would meet."""
    return metrics.figure(f"chance_at_{name}").value or 0.0


def lists(outcome: Outcome) -> list[str]:
    """Return sentences on detection: the share of the outcomes that lists meet before they happen.

    An outcome counts once, however often its account stood on a list.
    """
    end = outcome.end
    shares, sentences = detections(end.metrics), []
    if shares:
        parts = [
            f"{spread(figure.times(100), 0)} with lists of {share}%"
            for share, figure in shares.items()
        ]
        random = [number(100 * by_chance(end.metrics, share), 0) for share in shares]
        sentences.append(
            f"Of 100 accounts that {end.happened}, a list of those ranked {end.scored} at each "
            f"prediction time would have held at least once, before it happened, {listed(parts)}; "
            f"in random order {listed(random)}."
        )
    capacity, met = outcome.evaluation.capacity, end.metrics.detection_at_capacity
    if capacity is not None and met.value is not None:
        sentences.append(
            f"A team that looks after {counted(capacity, 'account')} at each prediction time "
            f"(score.capacity), those ranked {end.scored}, would have met in time "
            f"{spread(met.times(100), 0)} of 100 accounts that {end.happened}; in random order "
            f"{number(100 * by_chance(end.metrics, 'capacity'), 0)}."
        )
    return sentences


def money(outcome: Outcome) -> list[str]:
    """Return how much of the money at stake the lists held, and what contacts would earn."""
    end = outcome.end
    top, sentences = end.metrics.mrr_detection_at_10, list[str]()
    if top.value is not None and end.money is not None and end.money.at_stake:
        text = (
            f"Lists of the 10% ranked {end.scored} held in time {spread(top, percent)} of "
            f"{_stake(outcome, end)} ({count(end.money.at_stake)}{_unit(end.money)} a month)."
        )
        if end.metrics.n and end.money.rows < end.metrics.n:
            text += (
                f" Figures in money cover the {percent(end.money.rows / end.metrics.n)} of "
                f"predictions in {end.money.currency}: other currencies are not added to it."
            )
        sentences.append(text)
    return sentences + _campaign(outcome.evaluation)


def amounts(outcome: Outcome) -> list[str]:
    """Return how the expected amounts did, where they were checked."""
    check = outcome.evaluation.amount
    if check is None or check.total.value is None:
        return []
    text = (
        f"The expected amounts (probability times the usual amount) "
        f"were added up over all accounts; what came was {spread(check.total)} times that."
    )
    if check.at_event.value is not None:
        text += (
            f" Among accounts that {outcome.happened}, it was {spread(check.at_event)} times the "
            "usual amount. 1 is perfect."
        )
    return [text]


def _unit(money: Money) -> str:
    return f" {money.currency}" if money.currency else ""


def _stake(outcome: Outcome, end: RankingEnd) -> str:
    became = STAKES.get(outcome.event, "lost" if outcome.target.bad else "")
    if end.lowest or not became:
        return f"the MRR of accounts that {end.happened}"
    return f"the MRR that was {became}"


def _campaign(evaluation: Evaluation) -> list[str]:
    pooled, money = evaluation.pooled, evaluation.money
    best = pooled.best_profit
    if money is None or money.campaign is None or best.value is None:
        return []
    campaign, unit = money.campaign, _unit(money)
    suppose = (
        f"Suppose a contact costs {number(campaign.contact_cost, 0)}{unit}, an account that "
        f"stays is worth {number(campaign.months, 0)} months of MRR at a margin of "
        f"{percent(campaign.margin, 0)}, whoever is contacted is offered "
        f"{percent(campaign.offer, 0)} of that worth, and the offer keeps "
        f"{percent(campaign.accepted, 0)} of those about to leave."
    )
    if best.value < LEAST:
        return [f"{suppose} {NO_PROFIT}", ASSUMED]
    sentences = [
        f"{suppose} Then contacting the {percent(money.contacted)} ranked highest would "
        f"have earned {spread(best)}{unit} per account asked and prediction time; no other "
        "length of list earns more (expected maximum profit, EMPB)."
    ]
    if pooled.profit.value is not None:
        sentences.append(
            "That length is only known afterwards. Contacting each account for which the model’s "
            f"probability promised a gain, as one could have done at the time, would have earned "
            f"{spread(pooled.profit)}{unit}."
        )
    return [*sentences, *_best_baseline(evaluation, unit), ASSUMED]


def _best_baseline(evaluation: Evaluation, unit: str) -> list[str]:
    """Return the baseline that earns most, beside the model."""
    earned = {
        name: metrics.best_profit.value
        for name, metrics in baselines(evaluation).items()
        if metrics.best_profit.value is not None
    }
    if not earned:
        return []
    name = max(earned, key=lambda key: earned[key])
    gain = evaluation.differences[name].best_profit
    way, sign = ("less", -1) if (gain.value or 0) < 0 else ("more", 1)
    return [
        f"Of the baselines, {inside(baseline(name))} earns most: {number(earned[name], 2)}"
        f"{unit}; the model earns {spread(gain.times(sign))}{unit} {way}."
    ]


def lead(outcome: Outcome) -> list[str]:
    """Return how early the list pointed at accounts with the outcome."""
    leads = outcome.evaluation.lead_time
    if leads is None or leads.warned.value is None or outcome.end.lowest:
        return []
    events, capacity = outcome.counted(leads.outcomes, distinct=True), outcome.evaluation.capacity
    length = counted(capacity, "account") if capacity else "10%"
    sentences = [
        f"Of 100 accounts that {outcome.happened}, {spread(leads.warned.times(100), 0)} stood on "
        f"the list of the {length} ranked highest when they were last asked ({events}; in random "
        f"order {number(100 * (leads.by_chance or 0), 0)} would have)."
    ]
    if leads.days.value is not None:
        sentences.append(
            f"Half of these had stood there without a break for {spread(leads.days, 0)} days or "
            f"more before the {outcome.event} (lead time): so early could a team have called. "
            "Nobody has a lead time longer than they were watched; half were for at least "
            f"{number(leads.watched_days, 0)} days."
        )
    return sentences


def rough(outcome: Outcome) -> list[str]:
    """Return what the width of the intervals means, and how few outcomes stand behind it."""
    end = outcome.end
    auc, top, events = (
        outcome.evaluation.pooled.auc,
        end.metrics.detection_at_10,
        end.metrics.events,
    )
    if auc.lo is None or auc.hi is None or events is None:
        return []
    behind, level = end.counted(events), percent(outcome.evaluation.level)
    width = (
        f"the AUC of {number(auc.value, 2)} could as well be {number(auc.lo, 2)} or "
        f"{number(auc.hi, 2)}"
    )
    if top.lo is not None and top.hi is not None:
        width += (
            f", and the {percent(top.value, 0)} of {end.events} met by lists of 10% as well "
            f"{percent(top.lo, 0)} or {percent(top.hi, 0)}"
        )
    if events >= FEW_EVENTS and auc.hi - auc.lo <= 2 * NARROW:
        return [f"{sentence(behind)} stand behind these figures ({level} intervals): {width}."]
    return [
        f"Only {behind} stand behind these figures, so they are rough ({level} intervals): "
        f"{width}. Two models, two groups or two months that differ by less than that are not "
        "told apart.",
        "Use the order of the list and the rates of its top and bottom; do not read a second "
        "digit. More accounts or a longer history make the intervals narrower: four times as many "
        f"{end.events} halve them.",
    ]


def contrast(evaluation: Evaluation) -> list[str]:
    """Return what other ways of testing would have said, the warning first."""
    if evaluation.contrast is None:
        return []
    split, unseen = evaluation.contrast.random_split, evaluation.contrast.new_accounts
    sentences = []
    if split is not None:
        sentences.append(
            f"A random split would have promised an AUC of {number(split.auc.value, 2)}; the "
            f"honest figure is {number(split.walk.auc.value, 2)}. {_why(split.gap.auc)}"
        )
        sentences += _promised(split)
    if unseen is not None:
        sentences.append(
            f"On accounts the model had never seen its AUC is {spread(unseen.auc)}, on the same "
            f"accounts when their own past was known {spread(unseen.walk.auc)}. The former was "
            "trained on half of the accounts."
        )
    return sentences


def _promised(split: OtherSplit) -> list[str]:
    """Return what a random split would have promised of the probabilities."""
    walk, loss, mean = split.walk, split.log_loss.value, split.mean_probability.value
    if loss is None or mean is None:
        return []
    return [
        f"Of the probabilities it would have promised a penalty (log loss) of {number(loss, 4)}, "
        f"where the honest test gives {number(walk.log_loss.value, 4)}; and predicted "
        f"{percent(mean, 1)} on average, where the honest test predicted "
        f"{percent(walk.mean_probability.value, 1)} and {percent(split.observed_rate, 1)} "
        "happened. A random split knows the rates of the months to come; in use nobody does."
    ]


def _why(gap: Figure) -> str:
    if gap.above:
        return (
            "Rows of one account at different times resemble each other and share their outcome; "
            "shuffled, the model is tested on what it has already seen. None of the difference "
            f"({spread(gap)}) would be there in use: be wary of figures made that way."
        )
    return f"Here the difference ({spread(gap)}) is not told apart from chance."
