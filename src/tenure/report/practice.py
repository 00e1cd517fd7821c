"""What a list would have been worth to the people who work through it, in plain sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tenure.report.findings import by_baseline, pooled
from tenure.report.layout import Entry
from tenure.report.words import (
    Outcome,
    baseline,
    count,
    counted,
    inside,
    known,
    listed,
    number,
    percent,
    sentence,
    spread,
)

SHARES = (5, 10, 20)
FEW_EVENTS = 200
NARROW = 0.05  # half width of an AUC's interval below which it is not called rough


def lists(outcome: Outcome, entry: Entry) -> list[str]:
    """Return how many of those with the outcome stood at the top of the list.

    Args:
        outcome: How to speak of it.
        entry: The target's part of the training record.
    """
    figures = pooled(entry)
    captures = {share: figures.get(f"capture_at_{share}") or {} for share in SHARES}
    held = {share: found for share, found in captures.items() if known(found.get("value"))}
    said = []
    if held:
        parts = [f"{_hundred(found)} among the {share}%" for share, found in held.items()]
        first = parts[0].replace(" among", " were among") + " ranked highest"
        said.append(
            f"Of 100 accounts that {outcome.happened}, {listed([first, *parts[1:]])}; a list in "
            f"random order would have held {listed([str(share) for share in held])}."
        )
    met, lift = figures.get("capture_at_capacity") or {}, figures.get("lift_at_capacity") or {}
    capacity = (entry.get("evaluation") or {}).get("capacity")
    if known(capacity) and known(met.get("value")):
        said.append(
            f"A team that looks after {counted(capacity, 'account')} at each prediction time "
            f"(score.capacity) would have met {_hundred(met)} of 100 accounts that "
            f"{outcome.happened}, {number(lift.get('value'), 1)} times as many as by chance."
        )
    return said


def money(outcome: Outcome, entry: Entry) -> list[str]:
    """Return how much of the money at stake stood at the top, and what contacts would have earned.

    Args:
        outcome: How to speak of it.
        entry: The target's part of the training record.
    """
    figures, about = pooled(entry), (entry.get("evaluation") or {}).get("money") or {}
    top = figures.get("mrr_capture_at_10") or {}
    said = []
    if known(top.get("value")) and about.get("at_stake"):
        unit = f" {about['currency']}" if about.get("currency") else ""
        stake = f"{_stake(outcome)} ({count(about['at_stake'])}{unit} a month, counted anew at each"
        said.append(
            f"The 10% ranked highest held {_share(top)} of {stake} prediction time)."
            + _left_out(figures, about)
        )
    return said + _campaign(entry)


def _stake(outcome: Outcome) -> str:
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
    said = [
        f"Suppose a contact costs {number(campaign['contact_cost'], 0)}{unit}, an account that "
        f"stays is worth {number(campaign['months'], 0)} months of MRR at a margin of "
        f"{percent(campaign['margin'], 0)}, whoever is contacted is offered "
        f"{percent(campaign['offer'], 0)} of that worth, and the offer keeps "
        f"{percent(campaign['accepted'], 0)} of those about to leave. Then contacting the "
        f"{percent(about.get('contacted'))} ranked highest would have earned "
        f"{_amounts(best)}{unit} per account asked and prediction time; no other length of list "
        "earns more (expected maximum profit, EMPB)."
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
    return [
        *said,
        "How many an offer keeps is assumed, not measured: only an experiment can tell. Set "
        "your own costs under evaluation.profit_*.",
    ]


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
    if not known(warned.get("value")):
        return []
    events = counted(found["outcomes"], f"distinct {outcome.event}", f"distinct {outcome.events}")
    said = [
        f"Of 100 accounts that {outcome.happened}, {_hundred(warned)} stood among the 10% ranked "
        f"highest when they were last asked ({events}; by chance 10 would have)."
    ]
    days = found.get("days") or {}
    if known(days.get("value")):
        said.append(
            f"Half of these had stood there without a break for {number(days['value'], 0)} days or "
            f"more{_days(days)} before the {outcome.event}. Half of all accounts could be watched "
            f"for at least {number(found.get('watched_days'), 0)} days before it."
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
    figures = pooled(entry)
    auc, top = figures.get("auc") or {}, figures.get("capture_at_10") or {}
    events = figures.get("events")
    if not known(auc.get("lo")) or not known(auc.get("hi")) or not known(events):
        return []
    behind = counted(events, f"distinct {outcome.event}", f"distinct {outcome.events}")
    level = percent((entry.get("evaluation") or {}).get("level", 0.95))
    width = (
        f"the AUC of {number(auc['value'], 2)} could as well be {number(auc['lo'], 2)} or "
        f"{number(auc['hi'], 2)}"
    )
    if known(top.get("lo")) and known(top.get("hi")):
        width += (
            f", and the {percent(top['value'], 0)} of {outcome.events} in the top 10% as well "
            f"{percent(top['lo'], 0)} or {percent(top['hi'], 0)}"
        )
    if events >= FEW_EVENTS and auc["hi"] - auc["lo"] <= 2 * NARROW:
        return [f"{sentence(behind)} stand behind these figures ({level} intervals): {width}."]
    return [
        f"Only {behind} stand behind these figures, so they are rough ({level} intervals): "
        f"{width}. Two models, two groups or two months that differ by less than that are not "
        "told apart.",
        "Use the order of the list and the rates of its top and bottom; do not read a second "
        "digit. More accounts or a longer history make the intervals narrower: four times as many "
        f"{outcome.events} halve them.",
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
    if unseen:
        said.append(
            f"On accounts the model had never seen its AUC is {spread(unseen['auc'])}, on the same "
            f"accounts when their own past was known {spread(unseen['walk']['auc'])}. The "
            "former was trained on half of the accounts."
        )
    return said


def _why(gap: Mapping[str, Any]) -> str:
    if known(gap.get("lo")) and gap["lo"] > 0:
        return (
            "Rows of one account at different times resemble each other and share their outcome; "
            "shuffled, the model is tested on what it has already seen. None of the difference "
            f"({_amounts(gap)}) would be there in use: be wary of figures made that way."
        )
    return f"Here the difference ({_amounts(gap)}) is not told apart from chance."


def _hundred(found: Mapping[str, Any]) -> str:
    """Return a share as so many of a hundred, with its interval."""
    said = number(100 * found["value"], 0)
    if known(found.get("lo")) and known(found.get("hi")):
        said += f" [{number(100 * found['lo'], 0)}, {number(100 * found['hi'], 0)}]"
    return said


def _share(found: Mapping[str, Any]) -> str:
    said = percent(found["value"])
    if known(found.get("lo")) and known(found.get("hi")):
        said += f" [{percent(found['lo'])}, {percent(found['hi'])}]"
    return said


def _amounts(found: Any) -> str:
    return spread(found, 2)
