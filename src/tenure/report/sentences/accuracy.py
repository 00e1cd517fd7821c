"""How well a model did, and how far its probabilities can be trusted, in plain sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tenure.report.sentences.findings import by_baseline, pooled, top_tenth
from tenure.report.sentences.words import (
    Outcome,
    count,
    counted,
    known,
    number,
    percent,
    portion,
    spread,
)
from tenure.report.tables.layout import Entry

WIDE = 5.0  # width of a slope's interval from which it says nothing


def performance(outcome: Outcome, entry: Entry) -> list[str]:
    """Return how well the model did, in plain words."""
    figures = pooled(entry)
    if not figures:
        return ["No accuracy was measured: there is no past prediction whose outcome is known."]
    folds = len((entry.get("evaluation") or {}).get("folds") or [])
    said = [
        f"The past was replayed at {counted(folds, 'prediction time')}: each time the model was "
        "fitted only on what was known then, and its predictions were compared with what happened "
        f"next: {counted(figures['n'], 'prediction')}, {outcome.counted(figures['positives'])}."
    ]
    said += top_tenth(outcome, entry)
    auc = figures.get("auc") or {}
    if known(auc.get("value")):
        said.append(
            f"Of one account that {outcome.did} and one that {outcome.did_not}, the model ranked "
            f"the first higher {percent(auc['value'])} of the time (AUC {spread(auc)}; a coin: "
            "50%)."
        )
    return said + _penalties(entry)


def _penalties(entry: Entry) -> list[str]:
    """Return how far the probabilities were from what happened, beside the average rate."""
    figures, said = pooled(entry), []
    mine = (figures.get("log_loss") or {}).get("value")
    base = by_baseline(entry, "baselines").get("base_rate") or {}
    theirs = (base.get("log_loss") or {}).get("value")
    if known(mine) and known(theirs) and theirs > 0:
        way = "less" if mine <= theirs else "more"
        said.append(
            "Each probability pays a penalty that grows the further it was from what happened "
            f"(log loss): {number(mine, 4)} on average, {percent(abs(1 - mine / theirs))} {way} "
            f"than the {number(theirs, 4)} that the average rate pays if it is given to everyone."
        )
    skill = figures.get("brier_skill") or {}
    if known(skill.get("value")):
        said.append(
            f"Of the squared error of that average rate the model removes {portion(skill)} (Brier "
            "skill: 0% is no better than the average, 100% would be knowing it all; even good "
            "models of rare outcomes remove little)."
        )
    return said


def calibration(outcome: Outcome, entry: Entry) -> list[str]:
    """Return how far the probabilities can be taken at their word."""
    figures = pooled(entry)
    if not known(figures.get("mean_probability")) or not figures.get("n"):
        return []
    expected = figures["mean_probability"] * figures["n"]
    said = [
        f"Summed up, the probabilities promised {outcome.counted(round(expected))} and "
        f"{count(figures['positives'])} happened."
    ]
    error = (figures.get("calibration_error") or {}).get("value")
    if known(error):
        said.append(
            "Sorted by probability and cut into ten bins of equally many predictions, predicted "
            f"and observed rates differ by {number(100 * error, 1)} percentage points on average "
            "(calibration error)."
        )
    slope = figures.get("calibration_slope") or {}
    if known(slope.get("value")):
        said.append(_slope(slope))
    return said


def _slope(slope: Mapping[str, Any]) -> str:
    low, high = slope.get("lo"), slope.get("hi")
    if not known(low) or not known(high) or high - low > WIDE:
        return (
            "Whether the probabilities are spread too widely or too narrowly (calibration slope) "
            "cannot be told from so few outcomes."
        )
    said = f"Calibration slope {spread(slope)}, where 1 is perfect"
    if low <= 1 <= high:
        return f"{said}: the spread of the probabilities fits what happened."
    if slope["value"] < 1:
        return f"{said}: too bold; high probabilities are somewhat too high and low ones too low."
    return f"{said}: too timid; high probabilities could be higher and low ones lower."


def bounds(outcome: Outcome, config: Entry) -> list[str]:
    """Return what the bounds of each probability mean; nothing where no level is known.

    Args:
        outcome: How to speak of it.
        config: Settings, with ``interval_level`` under ``model`` or ``model_settings``.
    """
    level = (config.get("model") or config.get("model_settings") or {}).get("interval_level")
    if not known(level):
        return []
    name = f"{outcome.name}_probability"
    return [
        f"Each score comes with bounds ({name}_lo and _hi), made to hold the true probability of "
        f"{percent(level, 0)} of accounts: that coverage was measured on simulated data, where the "
        "truth is known. On your own data only rates of many accounts can be checked, as here."
    ]


def searched(entry: Entry) -> str:
    """Return what the search for the final model's parameters found; nothing without one."""
    found = (entry.get("tuning") or [None])[-1]
    if found is None:
        return ""
    if not found["trials"]:
        return "too few outcomes to search with, so the default stays"
    tried = f"{count(found['trials'])} trials, each judged by {count(found['positives'])} outcomes"
    if not found["gain"]:
        return f"{tried}; none was better than the default by more than chance"
    return f"{tried}; the best saves {found['gain']:.4f} of the default's log loss on them"
