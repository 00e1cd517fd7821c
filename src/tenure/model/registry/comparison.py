"""Comparison of a challenger with the champion on the same rows, over all and by group.

Both give a probability for every row, and none may have been fitted on any of them.  Intervals
draw accounts with all their rows, the same for both, so what a row is worth cancels out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from tenure.core.records.promotion import Comparison
from tenure.core.sections import PromotionConfig
from tenure.core.times import show
from tenure.labels.splits import distinct_events, distinct_others
from tenure.model.calibration.losses import log_loss
from tenure.model.evaluation.bootstrap import Resamples, interval, ranking

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tenure.core.records.base import Figure
    from tenure.core.records.promotion import GroupComparison
    from tenure.model.settings import EvaluationSettings

Floats = NDArray[np.float64]

DEFAULT_LIMITS = PromotionConfig()


@dataclass(frozen=True)
class Decision:
    """Decision whether the challenger may take over.

    Attributes:
        better: Whether the challenger may take over.
        sentences: Why, for people; the first is the decision itself.
    """

    better: bool
    sentences: tuple[str, ...]


def compare(
    rows: pd.DataFrame,
    groups: Mapping[str, pd.Series[Any]],
    settings: EvaluationSettings,
    limits: PromotionConfig = DEFAULT_LIMITS,
) -> Comparison:
    """Measure two models on the same rows.

    Args:
        rows: account_id, as_of, label (1 or 0), outcome_id, and the probabilities ``champion`` and
            ``challenger``; also ``as_it_stands`` where ``challenger`` are those of its recipe:
            those of the bundle itself, which may have been fitted on these rows.
        groups: What to divide by → the group of each row, in the order of `rows`; missing counts
            as a group of its own.
        settings: Intervals.
        limits: What counts as much worse; the section ``promotion`` of a config.
    """
    rows = rows.reset_index(drop=True)
    accounts = rows["account_id"].to_numpy(dtype=str)
    labels = rows["label"].to_numpy(dtype=np.float64)
    with threadpool_limits(limits=1):  # more threads add up sums in another order
        draws = Resamples.draw(accounts, settings.resamples, settings.seed)
        measured = {
            name: _measure(draws, labels, rows[name].to_numpy(dtype=np.float64))
            for name in ("champion", "challenger")
        }
        gain = {
            "log_loss": measured["champion"]["log_loss"] - measured["challenger"]["log_loss"],
            "auc": measured["challenger"]["auc"] - measured["champion"]["auc"],
        }
        divided = [
            entry | {"worse": _much_worse(entry, limits)}
            for entry in _groups(rows, groups, draws, settings.level)
        ]
        stands = None
        if "as_it_stands" in rows:
            itself = _measure(draws, labels, rows["as_it_stands"].to_numpy(dtype=np.float64))
            gap = itself["log_loss"] - measured["challenger"]["log_loss"]
            stands = interval(gap, settings.level)
    moments = [pd.Timestamp(moment).to_pydatetime() for moment in np.unique(rows["as_of"])]
    measures = {
        "rows": len(rows),
        "accounts": len(np.unique(accounts)),
        "cutoffs": len(moments),
        "first": show(moments[0]),
        "last": show(moments[-1]),
        "positives": int(labels.sum()),
        "events": distinct_events(rows),
        "observed_rate": float(labels.mean()),
        **{name: _shown(draws, rows[name], settings.level) for name, draws in measured.items()},
        "gain": {name: interval(draws, settings.level) for name, draws in gain.items()},
        "groups": divided,
        "as_it_stands": stands,
        "level": settings.level,
        "limits": limits,
    }
    return Comparison.model_validate(measures)


def decide(comparison: Comparison, *, newer_twin: bool = False) -> Decision:
    """Return whether the challenger may take over.

    It must lose less on the same rows, without a chance of being much worse: the lower end of the
    gain must not lie further below 0 than the limits allow, and in no group with outcomes enough
    may the upper end of the increase.  Where its recipe spoke for it, the bundle itself must not
    do worse than that, for it may know these rows.

    Args:
        comparison: Both models on the same rows, with the limits.
        newer_twin: Whether the challenger is made like the champion, from later outcomes: then it
            may take over where both lose the same.
    """
    gain, loss = comparison.gain.log_loss, comparison.champion.log_loss.value
    limits = comparison.limits
    if gain.value is None or loss is None or gain.lo is None:
        return Decision(
            False, (f"Refused: too few outcomes to compare (gain in log loss {_between(gain)}).",)
        )
    figures = f"gain in log loss {_between(gain)}, champion {loss:.4f}"
    alike = newer_twin and gain.value == 0
    if not alike and gain.value <= 0:
        return Decision(False, (f"Refused: not better on the same rows ({figures}).",))
    if gain.lo < -limits.tolerance * loss:
        rule = f"it may be more than {_percent(limits.tolerance)} worse"
        return Decision(False, (f"Refused: better by chance perhaps, but {rule} ({figures}).",))
    if comparison.as_it_stands is not None and _deviates(comparison, comparison.as_it_stands):
        rule = "the bundle does worse than its recipe would have, on rows that it may know"
        rise = _between(comparison.as_it_stands)
        return Decision(False, (f"Refused: {rule}: log loss rises by {rise}; train it again.",))
    worse = [item for item in comparison.groups if item.worse]
    if worse:
        reasons = tuple(_of_group(item, limits.group_tolerance) for item in worse)
        return Decision(
            False,
            (f"Refused: much worse for some, though better over all rows ({figures}).", *reasons),
        )
    if alike:
        return Decision(True, ("Made like the champion, from later outcomes; as good as it.",))
    return Decision(True, (f"Better on the same rows: {figures}.",))


def _measure(draws: Resamples, labels: Floats, probabilities: Floats) -> dict[str, Floats]:
    columns = np.column_stack([np.ones_like(labels), log_loss(labels, probabilities)])
    rows, losses = draws.sums(columns).T
    return {"log_loss": losses / rows, "auc": ranking(draws, labels, probabilities, ()).auc}


def _shown(
    draws: Mapping[str, Floats], probabilities: pd.Series[float], level: float
) -> dict[str, Any]:
    shown: dict[str, Any] = {name: interval(values, level) for name, values in draws.items()}
    return shown | {"mean_probability": float(probabilities.mean())}


def _groups(
    rows: pd.DataFrame, groups: Mapping[str, pd.Series[Any]], draws: Resamples, level: float
) -> list[dict[str, Any]]:
    labels = rows["label"].to_numpy(dtype=np.float64)
    before = log_loss(labels, rows["champion"].to_numpy(dtype=np.float64))
    after = log_loss(labels, rows["challenger"].to_numpy(dtype=np.float64))
    result = []
    for by, group in groups.items():
        names = group.astype(object).where(group.notna(), "(none)").astype(str).to_numpy()
        for name in sorted(set(names)):
            inside = names == name
            entry: dict[str, Any] = {
                "by": by,
                "name": name,
                "rows": int(inside.sum()),
                "events": distinct_events(rows[inside]),
                "others": distinct_others(rows[inside]),
                "log_loss": float(before[inside].mean()),
            }
            columns = np.column_stack([np.ones(len(rows)), after - before]) * inside[:, None]
            size, total = draws.sums(columns).T
            with np.errstate(divide="ignore", invalid="ignore"):
                entry["increase"] = interval(total / size, level)
            result.append(entry)
    return result


def _much_worse(entry: Mapping[str, Any], limits: PromotionConfig) -> bool | None:
    """Return whether a group may lose much; None where too few outcomes tell."""
    few = min(entry["events"], entry["others"]) < limits.group_events
    if few or entry["increase"]["hi"] is None:
        return None
    rises = entry["increase"]["value"] > 0
    return bool(rises and entry["increase"]["hi"] > limits.group_tolerance * entry["log_loss"])


def _deviates(comparison: Comparison, rise: Figure) -> bool:
    loss = comparison.challenger.log_loss.value
    if rise.value is None or loss is None:
        return False
    return rise.above and rise.value > comparison.limits.tolerance * loss


def _of_group(group: GroupComparison, tolerance: float) -> str:
    return (
        f"{group.by} `{group.name}` ({group.events} outcomes): log loss rises by "
        f"{_between(group.increase)} from {group.log_loss:.4f}; the upper end passes "
        f"{_percent(tolerance)} of it."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.3g}%"


def _between(gain: Figure) -> str:
    if gain.value is None:
        return "not measurable"
    if gain.lo is None or gain.hi is None:
        return f"{gain.value:+.4f}"
    return f"{gain.value:+.4f} [{gain.lo:+.4f}, {gain.hi:+.4f}]"
