"""What a list would have been worth to the people who work through it, in plain sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tenure.report.sentences.findings import by_baseline, pooled
from tenure.report.sentences.list_end import End, list_end
from tenure.report.sentences.words import (
    Outcome,
    baseline,
    count,
    counted,
    inside,
    known,
    listed,
    number,
    of_hundred,
    percent,
    portion,
    sentence,
    spread,
)
from tenure.report.tables.layout import Entry

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
NARROW = 0.05  # half width of an AUC's interval below which it is not called rough


def lists(outcome: Outcome, entry: Entry) -> list[str]:
    """Return how many of those one looks for stood at the end of the list that one looks at.

    Args:
        outcome: How to speak of it.
        entry: The target's part of the training record.
    """
    end = list_end(outcome, entry)
    figures = end.figures
    captures = {share: figures.get(f"capture_at_{share}") or {} for share in SHARES}
    held = {share: found for share, found in captures.items() if known(found.get("value"))}
    said = []
    if held:
        parts = [f"{of_hundred(found)} among the {share}%" for share, found in held.items()]
        first = parts[0].replace(" among", " were among") + f" ranked {end.scored}"
        said.append(
            f"Of 100 accounts that {end.happened}, {listed([first, *parts[1:]])}; a list in "
            f"random order would have held {listed([str(share) for share in held])}."
        )
    met, lift = figures.get("capture_at_capacity") or {}, figures.get("lift_at_capacity") or {}
    capacity = (entry.get("evaluation") or {}).get("capacity")
    if known(capacity) and known(met.get("value")):
        said.append(
            f"A team that looks after {counted(capacity, 'account')} at each prediction time "
            f"(score.capacity), those ranked {end.scored}, would have met {of_hundred(met)} of 100 "
            f"accounts that {end.happened}, {number(lift.get('value'), 1)} times as many as by "
            "chance."
        )
    return said


def money(outcome: Outcome, entry: Entry) -> list[str]:
    """Return how much of the money at stake stood at the top, and what contacts would have earned.

    Args:
        outcome: How to speak of it.
        entry: The target's part of the training record.
    """
    end = list_end(outcome, entry)
    figures, about = end.figures, end.money
    top = figures.get("mrr_capture_at_10") or {}
    said = []
    if known(top.get("value")) and about.get("at_stake"):
        unit = f" {about['currency']}" if about.get("currency") else ""
        stake = f"{_stake(outcome, end)} ({count(about['at_stake'])}{unit} a month, counted anew at"
        said.append(
            f"The 10% ranked {end.scored} held {portion(top)} of {stake} each prediction time)."
            + _left_out(figures, about)
        )
    return said + _campaign(entry)


def amounts(outcome: Outcome, entry: Entry) -> list[str]:
    """Return how the expected amounts did, where they were checked.

    Args:
        outcome: How to speak of it.
        entry: The target's part of the training record.
    """
    found = (entry.get("evaluation") or {}).get("amount") or {}
    total, given = found.get("total") or {}, found.get("given") or {}
    if not known(total.get("value")):
        return []
    said = (
        f"The expected amounts (expected_{outcome.name}_mrr: probability times the usual amount) "
        f"were added up over all accounts; what came was {_amounts(total)} times that."
    )
    if known(given.get("value")):
        said += (
            f" Among accounts that {outcome.happened}, it was {_amounts(given)} times the usual "
            "amount. 1 is perfect."
        )
    return [said]


def _stake(outcome: Outcome, end: End) -> str:
    if end.lowest:
        return f"the MRR of accounts that {end.happened}"
    if outcome.event == "expansion":
        return "the MRR that was gained"
    if outcome.event == "contraction":
        return "the MRR that was given up"
    return (
        "the MRR that was lost" if outcome.bad else f"the MRR of accounts that {outcome.happened}"
    )


def _left_out(figures: Entry, about: Entry) -> str:
    rows, every = about.get("rows") or 0, figures.get("n") or 0
    if rows >= every:
        return ""
    return (
        f" Figures in money cover the {percent(rows / every)} of predictions in "
        f"{about.get('currency')}: other currencies are not added to it."
    )


def _campaign(entry: Entry) -> list[str]:
    figures, about = pooled(entry), (entry.get("evaluation") or {}).get("money") or {}
    campaign, best = about.get("campaign") or {}, figures.get("best_profit") or {}
    if not campaign or not known(best.get("value")):
        return []
    unit = f" {about['currency']}" if about.get("currency") else ""
    suppose = (
        f"Suppose a contact costs {number(campaign['contact_cost'], 0)}{unit}, an account that "
        f"stays is worth {number(campaign['months'], 0)} months of MRR at a margin of "
        f"{percent(campaign['margin'], 0)}, whoever is contacted is offered "
        f"{percent(campaign['offer'], 0)} of that worth, and the offer keeps "
        f"{percent(campaign['accepted'], 0)} of those about to leave."
    )
    if best["value"] < LEAST:
        return [f"{suppose} {NO_PROFIT}", ASSUMED]
    said = [
        f"{suppose} Then contacting the {percent(about.get('contacted'))} ranked highest would "
        f"have earned {_amounts(best)}{unit} per account asked and prediction time; no other "
        "length of list earns more (expected maximum profit, EMPB)."
    ]
    own = figures.get("profit") or {}
    if known(own.get("value")):
        said.append(
            "That length is only known afterwards. Contacting each account for which the model’s "
            f"probability promised a gain, as one could have done at the time, would have earned "
            f"{_amounts(own)}{unit}."
        )
    rival = _rival(entry)
    if rival:
        said.append(rival)
    return [*said, ASSUMED]


def _rival(entry: Entry) -> str:
    """Return the baseline that earns most, beside the model."""
    earned = {
        name: found["best_profit"]["value"]
        for name, found in by_baseline(entry, "baselines").items()
        if known((found.get("best_profit") or {}).get("value"))
    }
    if not earned:
        return ""
    name = max(earned, key=lambda key: earned[key])
    gain = (by_baseline(entry, "differences").get(name) or {}).get("best_profit") or {}
    way, sign = ("less", -1) if known(gain.get("value")) and gain["value"] < 0 else ("more", 1)
    ends = ("value", "lo", "hi") if sign > 0 else ("value", "hi", "lo")
    shown = {
        key: sign * gain[end] if known(gain.get(end)) else None
        for key, end in zip(("value", "lo", "hi"), ends, strict=True)
    }
    return (
        f"Of the baselines, {inside(baseline(name))} earns most: {number(earned[name], 2)}; the "
        f"model earns {_amounts(shown)} {way}."
    )


def lead(outcome: Outcome, entry: Entry) -> list[str]:
    """Return how early the list pointed at accounts with the outcome.

    Args:
        outcome: How to speak of it.
        entry: The target's part of the training record.
    """
    found = (entry.get("evaluation") or {}).get("lead_time") or {}
    warned = found.get("warned") or {}
    if not known(warned.get("value")) or list_end(outcome, entry).lowest:
        return []
    events = counted(found["outcomes"], f"distinct {outcome.event}", f"distinct {outcome.events}")
    said = [
        f"Of 100 accounts that {outcome.happened}, {of_hundred(warned)} stood among the 10% ranked "
        f"highest when they were last asked ({events}; by chance 10 would have)."
    ]
    days = found.get("days") or {}
    if known(days.get("value")):
        said.append(
            f"Half of these had stood there without a break for {number(days['value'], 0)}"
            f"{_days(days)} days or more before the {outcome.event} (lead time): so early could a "
            "team have called. Nobody has a lead time longer than they were watched; half were for "
            f"at least {number(found.get('watched_days'), 0)} days."
        )
    return said


def _days(found: Mapping[str, Any]) -> str:
    if not known(found.get("lo")) or not known(found.get("hi")):
        return ""
    return f" [{number(found['lo'], 0)}, {number(found['hi'], 0)}]"


def rough(outcome: Outcome, entry: Entry) -> list[str]:
    """Return what the width of the intervals means, and how few outcomes stand behind it.

    Args:
        outcome: How to speak of it.
        entry: The target's part of the training record.
    """
    end = list_end(outcome, entry)
    auc, top = pooled(entry).get("auc") or {}, end.figures.get("capture_at_10") or {}
    events = end.figures.get("events")
    if not known(auc.get("lo")) or not known(auc.get("hi")) or not known(events):
        return []
    behind = end.counted(events)
    level = percent((entry.get("evaluation") or {}).get("level", 0.95))
    width = (
        f"the AUC of {number(auc['value'], 2)} could as well be {number(auc['lo'], 2)} or "
        f"{number(auc['hi'], 2)}"
    )
    if known(top.get("lo")) and known(top.get("hi")):
        width += (
            f", and the {percent(top['value'], 0)} of {end.events} among the 10% scored "
            f"{end.scored} as well {percent(top['lo'], 0)} or {percent(top['hi'], 0)}"
        )
    if events >= FEW_EVENTS and auc["hi"] - auc["lo"] <= 2 * NARROW:
        return [f"{sentence(behind)} stand behind these figures ({level} intervals): {width}."]
    return [
        f"Only {behind} stand behind these figures, so they are rough ({level} intervals): "
        f"{width}. Two models, two groups or two months that differ by less than that are not "
        "told apart.",
        "Use the order of the list and the rates of its top and bottom; do not read a second "
        "digit. More accounts or a longer history make the intervals narrower: four times as many "
        f"{end.events} halve them.",
    ]


def contrast(entry: Entry) -> list[str]:
    """Return what other ways of testing would have said: first the warning, then the other figure.

    Args:
        entry: The target's part of the training record.
    """
    found = (entry.get("evaluation") or {}).get("contrast") or {}
    split, unseen = found.get("random_split") or {}, found.get("new_accounts") or {}
    said = []
    if split:
        promised, honest = split["auc"]["value"], split["walk"]["auc"]["value"]
        said.append(
            f"A random split would have promised an AUC of {number(promised, 2)}; the honest "
            f"figure is {number(honest, 2)}. {_why(split['gap']['auc'])}"
        )
        said += _promised(split)
    if unseen:
        said.append(
            f"On accounts the model had never seen its AUC is {spread(unseen['auc'])}, on the same "
            f"accounts when their own past was known {spread(unseen['walk']['auc'])}. The "
            "former was trained on half of the accounts."
        )
    return said


def _promised(split: Mapping[str, Any]) -> list[str]:
    """Return what a random split would have promised of the probabilities."""
    walk = split["walk"]
    loss, mean = split.get("log_loss") or {}, split.get("mean_probability") or {}
    if not known(loss.get("value")) or not known(mean.get("value")):
        return []
    return [
        f"Of the probabilities it would have promised a penalty (log loss) of "
        f"{number(loss['value'], 4)}, where the honest test gives "
        f"{number(walk['log_loss']['value'], 4)}; and predicted {percent(mean['value'], 1)} on "
        f"average, where the honest test predicted {percent(walk['mean_probability']['value'], 1)} "
        f"and {percent(split['observed_rate'], 1)} happened. A random split knows the rates of the "
        "months to come; in use nobody does."
    ]


def _why(gap: Mapping[str, Any]) -> str:
    if known(gap.get("lo")) and gap["lo"] > 0:
        return (
            "Rows of one account at different times resemble each other and share their outcome; "
            "shuffled, the model is tested on what it has already seen. None of the difference "
            f"({_amounts(gap)}) would be there in use: be wary of figures made that way."
        )
    return f"Here the difference ({_amounts(gap)}) is not told apart from chance."


def _amounts(found: Any) -> str:
    return spread(found, 2)
