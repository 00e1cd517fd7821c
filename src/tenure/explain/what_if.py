"""What if: the score for other values of levers, as the model associates them with the outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tenure.core.errors import ConfigError, Problem, suggestion
from tenure.core.formulas import evaluate
from tenure.core.records.explain import WhatIf
from tenure.explain.wording import label
from tenure.features.plan.plan import Plan

if TYPE_CHECKING:
    import pandas as pd

    from tenure.model.boosting.part import ScoringModel

NOTE = (
    "The model's association, not an effect: accounts with such values had such outcomes. Changing "
    "the value does not have to change what happens."
)


@dataclass(frozen=True)
class EditableModel:
    """A model whose inputs can be edited."""

    model: ScoringModel
    """From feature values to probabilities."""
    plan: Plan
    statistics: Mapping[str, Mapping[str, Any]]
    """Feature → statistics of the training rows, with ``quantiles``."""

    def bounds(self, name: str) -> tuple[float, float]:
        """Return the values that a lever may take: the middle 98 % of the training rows.

        Raises:
            ConfigError: If it is no number that a team can act on and the model reads.
        """
        spec = self.plan.described.get(name)
        levers = [
            column
            for column in self.model.columns
            if (one := self.plan.described.get(column)) and one.lever and not one.text
        ]
        quantiles = self.statistics.get(name, {}).get("quantiles")
        if spec is None or name not in levers or not quantiles:
            fix = suggestion(name, levers)
            raise ConfigError(Problem("what if", "is no lever that the model reads", name, fix))
        numbers = [number for number in _numbers(quantiles) if number is not None]
        return min(numbers), max(numbers)


def _numbers(quantiles: Any) -> list[float | None]:
    return list(quantiles.values()) if isinstance(quantiles, Mapping) else list(quantiles)


def shown(plan: Plan) -> Plan:
    """Return a plan whose matrix has the columns that only serve others too."""
    measured = tuple(replace(one, spec=replace(one.spec, hidden=False)) for one in plan.measured)
    computed = tuple(replace(one, spec=replace(one.spec, hidden=False)) for one in plan.computed)
    return replace(plan, measured=measured, computed=computed)


def what_if(
    editable: EditableModel,
    values: pd.DataFrame,
    edits: Mapping[str, float],
    *,
    account: str,
    target: str,
) -> WhatIf:
    """Return the score of an account with other values of levers.

    Features that are computed from the edited ones follow; all others stay as they are.

    `values` are the account's features under the plan of `shown`, one row; each edit lies within
    `EditableModel.bounds`.

    Raises:
        ConfigError: If a feature is no lever, or a value lies outside the training past.
    """
    bounds = {name: editable.bounds(name) for name in edits}
    for name, value in edits.items():
        low, high = bounds[name]
        if not low <= value <= high:
            rule = f"must lie between {low:g} and {high:g}, the range seen in the training past"
            raise ConfigError(Problem(f"what if: {name}", rule, f"{value:g}"))
    edited, followed = _edited(editable.plan, values, edits)
    model = editable.model
    specs = editable.plan.described
    return WhatIf(
        account_id=account,
        target=target,
        edits={
            name: {"value": value, "label": label(specs[name]), "low": low, "high": high}
            for (name, value), (low, high) in zip(edits.items(), bounds.values(), strict=True)
        },
        probability=float(model.probabilities(values)[0]),
        edited_probability=float(model.probabilities(edited)[0]),
        log_odds=float(model.margins(values)[0]),
        edited_log_odds=float(model.margins(edited)[0]),
        followed=followed,
        note=NOTE,
    )


def _edited(
    plan: Plan, values: pd.DataFrame, edits: Mapping[str, float]
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the features with edits, and the names of those that follow."""
    edited = values.copy()
    for name, value in edits.items():
        edited[name] = np.float32(value)
    changed, followed = set(edits), []
    for item in plan.computed:
        name = item.spec.name
        if name in edits or not item.needs & changed or not item.needs <= set(edited.columns):
            continue
        numbers = {part: edited[part].to_numpy(dtype=np.float64) for part in item.needs}
        edited[name] = evaluate(item.formula, numbers).astype(np.float32)
        changed.add(name)
        followed.append(name)
    ranked = [item.spec.name for item in plan.placed if item.needs & changed]
    return edited.drop(columns=[name for name in ranked if name in edited]), (*followed, *ranked)
