"""The search space of tuning: one line for each parameter of the booster."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["SPACE", "Parameter", "Range", "search_ranges"]

FEW_POSITIVES = 200  # positive rows below which trees stay shallow
DIGITS = 3  # of a number that is drawn: more would say nothing

Kind = Literal["whole", "real", "flag"]


@dataclass(frozen=True)
class Parameter:
    """One parameter that may be searched."""

    name: str
    """As `TenureClassifier` or LightGBM calls it."""
    low: float = 0.0
    high: float = 1.0
    high_when_few: float = float("inf")
    """Greatest value where there are few positive rows."""
    kind: Kind = "real"
    """A ``whole`` number, any ``real`` one, or a ``flag`` that is on or off."""
    log: bool = False
    """Whether equal ratios count as equal steps."""
    share: float = float("inf")
    """Greatest value as a share of the training rows."""
    absent_value: float = 0.0
    """Value that stands where the estimator has none of its own."""
    aliases: tuple[str, ...] = ()
    """Further names under which a user may have fixed it."""


SPACE = (
    Parameter("depth", 1, 6, high_when_few=3, kind="whole", aliases=("max_depth",)),
    Parameter("leaves", 2, 32, high_when_few=8, kind="whole", log=True, aliases=("num_leaves",)),
    Parameter("rounds", 50, 600, kind="whole", log=True, aliases=("num_iterations",)),
    Parameter("learning_rate", 0.01, 0.15, log=True),
    Parameter(
        "min_rows_leaf", 5, 1000, kind="whole", log=True, share=0.1, aliases=("min_data_in_leaf",)
    ),
    Parameter("l2", 0.1, 100, log=True, aliases=("lambda_l2",)),
    Parameter("feature_fraction", 0.1, 1),
    Parameter("feature_fraction_bynode", 0.2, 1, absent_value=1),
    Parameter("bagging_fraction", 0.4, 1),
    Parameter("path_smooth", 0, 50),
    Parameter("extra_trees", kind="flag"),
)


@dataclass(frozen=True)
class Range:
    """A parameter and its values that suit an amount of data."""

    parameter: Parameter
    low: float
    high: float

    def draw(self, trial: Any) -> Any:
        """Return the value that a trial of the search suggests."""
        name, log = self.parameter.name, self.parameter.log
        if self.parameter.kind == "flag":
            return trial.suggest_categorical(name, [False, True])
        if self.parameter.kind == "whole":
            return trial.suggest_int(name, int(self.low), int(self.high), log=log)
        number = trial.suggest_float(name, self.low, self.high, log=log)
        return float(f"{number:.{DIGITS}g}")

    def nearest(self, parameters: Mapping[str, float]) -> Any:
        """Return the value in the range that is nearest to that of some parameters."""
        value = parameters.get(self.parameter.name, self.parameter.absent_value)
        wanted = min(max(value, self.low), self.high)
        kinds = {"flag": bool, "whole": int, "real": float}
        return kinds[self.parameter.kind](wanted)


def search_ranges(fixed: Collection[str], positives: int, rows: int) -> list[Range]:
    """Return the ranges to search: of parameters that the user has not set, by amount of data.

    `fixed` names the parameters that a user has set.

    >>> [item.parameter.name for item in search_ranges({"num_leaves"}, 50, 1_000)][:3]
    ['depth', 'rounds', 'learning_rate']
    >>> search_ranges((), 50, 1_000)[0].high, search_ranges((), 5_000, 90_000)[0].high
    (3, 6)
    """
    ranges = []
    for parameter in SPACE:
        if set(fixed) & {parameter.name, *parameter.aliases}:
            continue
        few = positives < FEW_POSITIVES
        high = min(parameter.high, parameter.high_when_few if few else float("inf"))
        high = max(parameter.low, min(high, parameter.share * rows))
        ranges.append(Range(parameter, parameter.low, high))
    return ranges
