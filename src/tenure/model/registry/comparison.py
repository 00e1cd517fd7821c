"""Comparison of a challenger with the champion on the same rows, over all and by group.

The rule: a challenger takes over where it is better on the same past rows with the probability
that ``promotion.probability`` asks for, and can hardly lose more than a share of what the champion
gains over the base rate, neither over all rows nor in a group.

Both give a probability for every row, and none may have been fitted on any of them.  Intervals
draw accounts with all their rows, the same for both, so what a row is worth cancels out; that of
the gain also draws what the accounts of a month have in common.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from tenure.core.arrays import Floats
from tenure.core.records.base import Figure
from tenure.core.records.promotion import Comparison, GroupComparison
from tenure.core.sections import PromotionConfig
from tenure.core.times import show
from tenure.labels.splits import distinct_events, distinct_others
from tenure.model.calibration.losses import log_loss
from tenure.model.evaluation.bootstrap import Resamples, interval, ranking
from tenure.model.evaluation.metrics import Measures
from tenure.model.evaluation.over_time import paired_gain
from tenure.model.settings import EvaluationSettings

DEFAULT_LIMITS = PromotionConfig()


@dataclass(frozen=True)
class Decision:
    """Decision whether the challenger may take over."""

    better: bool
    """Whether the challenger may take over."""
    sentences: tuple[str, ...]
    """Why, for people; the first is the decision itself."""


def compare(
    rows: pd.DataFrame,
    groups: Mapping[str, pd.Series[Any]],
    settings: EvaluationSettings,
    limits: PromotionConfig = DEFAULT_LIMITS,
) -> Comparison:
    """Measure two models on the same rows.

    Args:
        rows: account_id, as_of, label (1 or 0), outcome_id, base_rate (that was known then), and
            the probabilities ``champion`` and ``challenger``; also ``as_it_stands`` where
            ``challenger`` are those of its recipe: those of the bundle itself, which may have been
            fitted on these rows.
        groups: What to divide by → the group of each row, in the order of `rows`; missing counts
            as a group of its own.
        settings: Intervals.
        limits: What a challenger has to show; the section ``promotion`` of a config.
    """
    rows = rows.reset_index(drop=True)
    labels = rows["label"].to_numpy(dtype=np.float64)
    level = settings.level
    with threadpool_limits(limits=1):  # more threads add up sums in another order
        pair = Measures(_pair(rows), settings)
        draws = pair.resamples
        sides = {name: _Side.of(rows, name, pair) for name in ("champion", "challenger")}
        gain = paired_gain(rows["as_of"].to_numpy(), pair, settings.horizon_days)
        auc = sides["challenger"].auc - sides["champion"].auc
        skill = Figure.from_json(interval(sides["champion"].over_base_rate, level))
        divided = [
            entry | {"worse": _much_worse(entry, limits, skill)}
            for entry in _groups(rows, groups, draws, level)
        ]
        stands = None
        if "as_it_stands" in rows:
            itself = _Side.of(rows, "as_it_stands", pair)
            stands = interval(itself.log_loss - sides["challenger"].log_loss, level)
    moments = [pd.Timestamp(moment).to_pydatetime() for moment in np.unique(rows["as_of"])]
    measures = {
        "rows": len(rows),
        "accounts": rows["account_id"].nunique(),
        "cutoffs": len(moments),
        "first": show(moments[0]),
        "last": show(moments[-1]),
        "positives": int(labels.sum()),
        "events": distinct_events(rows),
        "observed_rate": float(labels.mean()),
        **{name: side.shown(level) for name, side in sides.items()},
        "gain": {"log_loss": interval(gain, level), "auc": interval(auc, level)},
        "better": float(np.mean(gain[1:] > 0) + np.mean(gain[1:] == 0) / 2),
        "groups": divided,
        "as_it_stands": stands,
        "level": level,
        "limits": limits,
    }
    return Comparison.model_validate(measures)


def decide(comparison: Comparison, *, newer_twin: bool = False) -> Decision:
    """Return whether the challenger may take over, by the rule of this module.

    What the champion gains over the base rate bounds a loss only where that gain is above 0 beyond
    chance.  Where its recipe spoke for it, the bundle itself must not do worse than that, for it
    may know these rows.

    A `newer_twin` is made like the champion, from later outcomes: it may take over where both lose
    the same.
    """
    gain, limits = comparison.gain.log_loss, comparison.limits
    if gain.value is None or gain.lo is None:
        return Decision(
            False, (f"Refused: too few outcomes to compare (gain in log loss {_between(gain)}).",)
        )
    skill = comparison.champion.over_base_rate
    figures = (
        f"gain in log loss {_between(gain)}; the champion's over the base rate {_between(skill)}"
    )
    likely = f"better on the same rows with a probability of {comparison.better:.0%}"
    alike = newer_twin and gain.value == gain.lo == gain.hi == 0
    if not alike and comparison.better < limits.probability:
        rule = f"{limits.probability:.0%} are needed (promotion.probability)"
        return Decision(False, (f"Refused: {likely}, and {rule}: {figures}.",))
    slack = _slack(skill, limits.tolerance)
    if slack is not None and gain.lo < -slack:
        rule = f"it may lose more than {_percent(limits.tolerance)} of what the champion gains"
        return Decision(
            False, (f"Refused: {likely}, but {rule} (promotion.tolerance): {figures}.",)
        )
    stands = comparison.as_it_stands
    if stands is not None and stands.above and (stands.value or 0) > (slack or 0):
        rule = "the bundle does worse than its recipe would have, on rows that it may know"
        return Decision(
            False, (f"Refused: {rule}: log loss rises by {_between(stands)}; train it again.",)
        )
    worse = [item for item in comparison.groups if item.worse]
    if worse:
        reasons = tuple(_of_group(item, limits.group_tolerance) for item in worse)
        return Decision(False, (f"Refused: {likely}, but worse for some: {figures}.", *reasons))
    if alike:
        return Decision(True, ("Made like the champion, from later outcomes; as good as it.",))
    return Decision(True, (f"{likely[0].upper()}{likely[1:]}: {figures}.",))


def _pair(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows as predictions of the challenger, whose base rate is the champion's."""
    names = rows[["account_id", "as_of", "label"]]
    return names.assign(probability=rows["challenger"], base_rate=rows["champion"])


def _slack(skill: Figure, share: float) -> float | None:
    """Return a share of a model's gain over the base rate; None where it gains nothing for sure."""
    return share * skill.value if skill.value is not None and skill.above else None


@dataclass(frozen=True)
class _Side:
    """Figures of one model, each the figure itself and then that of each resample."""

    log_loss: Floats
    auc: Floats
    over_base_rate: Floats
    mean_probability: float

    @classmethod
    def of(cls, rows: pd.DataFrame, name: str, pair: Measures) -> _Side:
        """Measure a column of probabilities, on the resamples of the pair."""
        probabilities = rows[name].to_numpy(dtype=np.float64)
        lost = log_loss(pair.labels, probabilities)
        without = log_loss(pair.labels, rows["base_rate"].to_numpy(dtype=np.float64))
        columns = np.column_stack([np.ones_like(lost), lost, without - lost])
        size, losses, gains = pair.resamples.sums(columns).T
        auc = ranking(pair.resamples, pair.labels, probabilities, ()).auc
        return cls(losses / size, auc, gains / size, float(probabilities.mean()))

    def shown(self, level: float) -> dict[str, Any]:
        """Return the figures with their intervals."""
        draws = {"log_loss": self.log_loss, "auc": self.auc, "over_base_rate": self.over_base_rate}
        figures = {name: interval(values, level) for name, values in draws.items()}
        return figures | {"mean_probability": self.mean_probability}


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


def _much_worse(entry: Mapping[str, Any], limits: PromotionConfig, skill: Figure) -> bool | None:
    """Return whether a group may lose much; None where too few outcomes tell."""
    few = min(entry["events"], entry["others"]) < limits.group_events
    if few or entry["increase"]["hi"] is None:
        return None
    slack = _slack(skill, limits.group_tolerance)
    rises = entry["increase"]["value"] > 0
    return bool(slack is not None and rises and entry["increase"]["hi"] > slack)


def _of_group(group: GroupComparison, tolerance: float) -> str:
    return (
        f"{group.by} `{group.name}` ({group.events} outcomes): log loss rises by "
        f"{_between(group.increase)} from {group.log_loss:.4f}; the upper end passes "
        f"{_percent(tolerance)} of what the champion gains over all rows "
        "(promotion.group_tolerance)."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.3g}%"


def _between(gain: Figure) -> str:
    if gain.value is None:
        return "not measurable"
    if gain.lo is None or gain.hi is None:
        return f"{gain.value:+.4f}"
    return f"{gain.value:+.4f} [{gain.lo:+.4f}, {gain.hi:+.4f}]"
