"""What may be said about a model, in plain sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tenure.labels.splits import Shortage, distinct_events, distinct_others
from tenure.model.backtest.baselines import BASE_RATE, SINGLE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

Status = Literal["usable", "no_usable_signal", "no_claim", "refused"]


@dataclass(frozen=True)
class Verdict:
    """What may be said.

    Attributes:
        status: ``usable``; ``no_usable_signal`` (no better than the base rate); ``no_claim`` (too
            little past to test on); ``refused`` (no model was fitted).
        sentences: Why, for people; the first is the verdict itself.
        best_column: The best single column, where it was compared.
        adds_over: Whether the model's AUC beats that column's; None where not compared.
        loses_to: Baselines that do better beyond chance, in AUC or in log loss.
    """

    status: Status
    sentences: tuple[str, ...]
    best_column: str | None = None
    adds_over: bool | None = None
    loses_to: tuple[str, ...] = ()

    @property
    def promotable(self) -> bool:
        """Whether the model may become champion without being forced."""
        return self.status == "usable" and self.adds_over is not False

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as JSON values."""
        return {
            "status": self.status,
            "sentences": list(self.sentences),
            "best_column": self.best_column,
            "adds_over": self.adds_over,
            "loses_to": list(self.loses_to),
            "promotable": self.promotable,
        }


def refusal(rows: pd.DataFrame, *, min_events: int, event: str, events: str) -> Verdict | None:
    """Return why no model can be fitted, or None where one can.

    Args:
        rows: Labelled snapshots: account_id, label, outcome_id.
        min_events: Distinct past events a model needs, and as many accounts without one: the rarer
            of the two decides (of renewals, the lapses).
        event: The outcome in words, singular.
        events: The same in the plural.
    """
    known = rows[rows["label"].notna()]
    found, others = distinct_events(known), distinct_others(known)
    if known.empty:
        reason = f"no snapshot is old enough for its outcome ({event}) to be known"
        advice = "Give a longer history, or a shorter labels.horizon_days."
    elif found == 0 and not (known["label"] == 1).any():
        reason = f"no positive labels: none of {len(known):,} snapshots was followed by {_a(event)}"
        advice = f"Check that the data records {events}, or leave this target out of `targets`."
    elif (known["label"] == 1).all():
        reason = (
            f"no negative labels: every one of {len(known):,} snapshots was followed by {_a(event)}"
        )
        advice = "Check the end dates and amounts in `subscriptions`."
    elif found < min_events:
        reason = (
            f"the past holds {_count(found, event, events)}, and a model needs at least "
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
    return Verdict("refused", (f"Refused: {reason}.", advice))


def judge(
    metrics: Mapping[str, Any],
    shortage: Shortage | None,
    columns: Sequence[str] = SINGLE_COLUMNS,
) -> Verdict:
    """Return what the backtest allows to be said.

    Args:
        metrics: From `tenure.model.evaluation.evaluate.evaluate`.
        shortage: From the walk: why there are too few folds, if so.
        columns: Single columns the model must beat.
    """
    if shortage is not None:
        first = f"Trained without a claim: {str(shortage).rstrip('.')}."
        return Verdict("no_claim", (first, "Its accuracy is not known; do not act on it alone."))
    if not metrics["pooled"].get("positives"):
        return Verdict(
            "no_claim",
            ("Trained without a claim: the test prediction times hold no positive row.",),
        )
    gain = metrics["differences"][BASE_RATE]["log_loss"]
    measured = f"the gain in log loss over the base rate is {_show(gain, 4)}"
    best = _best(metrics["baselines"], columns)
    added, comparison = _adds(metrics["differences"], best)
    losses = _losses(metrics["differences"])
    rest = tuple(filter(None, [comparison, *losses.values()]))
    but = f"; it loses to {', '.join(losses)}" if losses else ""
    if gain["lo"] is None or gain["lo"] <= 0:
        first = f"No usable signal: {measured}, not above 0 for sure{but}."
        return Verdict("no_usable_signal", (first, *rest), best, added, tuple(losses))
    return Verdict("usable", (f"Usable: {measured}{but}.", *rest), best, added, tuple(losses))


def _best(baselines: Mapping[str, Any], columns: Sequence[str]) -> str | None:
    found = {
        name: baselines[name]["auc"]["value"]
        for name in columns
        if name in baselines and baselines[name]["auc"]["value"] is not None
    }
    return max(sorted(found), key=lambda name: found[name]) if found else None


def _adds(differences: Mapping[str, Any], best: str | None) -> tuple[bool | None, str]:
    if best is None:
        return None, ""
    gain = differences[best]["auc"]
    measured = f"the gain in AUC is {_show(gain, 3)}"
    if gain["lo"] is not None and gain["lo"] > 0:
        return True, f"Adds to {best}, the best single column: {measured}."
    return False, (
        f"Adds nothing over {best}: {measured}, not above 0 for sure; sorting accounts by {best} "
        "serves as well."
    )


def _losses(differences: Mapping[str, Any]) -> dict[str, str]:
    """Return the baselines whose gain is beyond chance, with what it is."""
    found = {}
    for name, gains in differences.items():
        lost = [
            f"the model's gain in {words} is {_show(gains[key], digits)}"
            for key, words, digits in (("auc", "AUC", 3), ("log_loss", "log loss", 4))
            if gains[key]["hi"] is not None and gains[key]["hi"] < 0
        ]
        if lost:
            found[name] = f"Loses to {name}: {' and '.join(lost)}."
    return found


def _show(gain: Mapping[str, float | None], digits: int) -> str:
    if gain["value"] is None:
        return "not measurable"
    if gain["lo"] is None or gain["hi"] is None:
        return f"{gain['value']:.{digits}f} (no interval)"
    lo, hi = f"{gain['lo']:.{digits}f}", f"{gain['hi']:.{digits}f}"
    return f"{gain['value']:.{digits}f} [{lo}, {hi}]"


def _count(found: int, event: str, events: str) -> str:
    return f"{found} distinct {event if found == 1 else events}"


def _a(event: str) -> str:
    return f"an {event}" if event[:1] in "aeiou" else f"a {event}"
