"""What is searched when a booster is tuned: one line for each of its parameters."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["SPACE", "Dial", "Range", "searched"]

FEW_POSITIVES = 200  # positive rows below which trees stay shallow
DIGITS = 3  # of a number that is drawn: more would say nothing

Kind = Literal["whole", "real", "flag"]


@dataclass(frozen=True)
class Dial:
    """One parameter that may be searched.

    Attributes:
        name: As `TenureClassifier` or LightGBM calls it.
        low: Least value.
        high: Greatest value.
        few: Greatest value where there are few positive rows.
        kind: A ``whole`` number, any ``real`` one, or a ``flag`` that is on or off.
        log: Whether equal ratios count as equal steps.
        share: Greatest value as a share of the training rows.
        idle: Value that stands where the estimator has none of its own.
        known_as: Further names under which a user may have fixed it.
    """

    name: str
    low: float = 0.0
    high: float = 1.0
    few: float = float("inf")
    kind: Kind = "real"
    log: bool = False
    share: float = float("inf")
    idle: float = 0.0
    known_as: tuple[str, ...] = ()


SPACE = (
    Dial("depth", 1, 6, few=3, kind="whole", known_as=("max_depth",)),
    Dial("leaves", 2, 32, few=8, kind="whole", log=True, known_as=("num_leaves",)),
    Dial("rounds", 50, 600, kind="whole", log=True, known_as=("num_iterations",)),
    Dial("learning_rate", 0.01, 0.15, log=True),
    Dial(
        "min_rows_leaf", 5, 1000, kind="whole", log=True, share=0.1, known_as=("min_data_in_leaf",)
    ),
    Dial("l2", 0.1, 100, log=True, known_as=("lambda_l2",)),
    Dial("feature_fraction", 0.1, 1),
    Dial("feature_fraction_bynode", 0.2, 1, idle=1),
    Dial("bagging_fraction", 0.4, 1),
    Dial("path_smooth", 0, 50),
    Dial("extra_trees", kind="flag"),
)


@dataclass(frozen=True)
class Range:
    """A dial and its values that suit an amount of data.

    Attributes:
        dial: The dial.
        low: Least value.
        high: Greatest value.
    """

    dial: Dial
    low: float
    high: float

    def draw(self, trial: Any) -> Any:
        """Return the value that a trial of the search suggests."""
        dial = self.dial
        if dial.kind == "flag":
            return trial.suggest_categorical(dial.name, [False, True])
        if dial.kind == "whole":
            return trial.suggest_int(dial.name, int(self.low), int(self.high), log=dial.log)
        found = trial.suggest_float(dial.name, self.low, self.high, log=dial.log)
        return float(f"{found:.{DIGITS}g}")

    def nearest(self, parameters: Mapping[str, float]) -> Any:
        """Return the value nearest to that of some parameters."""
        wanted = min(max(parameters.get(self.dial.name, self.dial.idle), self.low), self.high)
        kinds = {"flag": bool, "whole": int, "real": float}
        return kinds[self.dial.kind](wanted)


def searched(fixed: Collection[str], positives: int, rows: int) -> list[Range]:
    """Return the dials that are free, with the values that suit an amount of data.

    Args:
        fixed: Names of the parameters that a user has set.
        positives: Positive rows.
        rows: All rows.

    >>> [item.dial.name for item in searched({"num_leaves"}, 50, 1_000)][:3]
    ['depth', 'rounds', 'learning_rate']
    >>> searched((), 50, 1_000)[0].high, searched((), 5_000, 90_000)[0].high
    (3, 6)
    """
    found = []
    for dial in SPACE:
        if set(fixed) & {dial.name, *dial.known_as}:
            continue
        high = min(dial.high, dial.few) if positives < FEW_POSITIVES else dial.high
        found.append(Range(dial, dial.low, max(dial.low, min(high, dial.share * rows))))
    return found
