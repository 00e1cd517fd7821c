"""The interpreter of measures: accounts and prediction times in, values and points out.

It computes the columns of the measures as features are computed, through the one cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from tenure.core.config import Config
from tenure.core.errors import ConfigError, Problem, suggestion
from tenure.core.spec import Family
from tenure.features.compute.matrix import build
from tenure.features.families import FAMILIES
from tenure.features.plan.columns import FeatureSpec
from tenure.features.plan.custom import own_families
from tenure.features.plan.plan import Plan, resolve_plan
from tenure.sources.contract import SOURCES
from tenure.sources.dataset import Dataset
from tenure.success.scorecards.declarations import (
    MEASURES,
    MeasureDeclaration,
    activation,
    on_line,
    own_family,
)
from tenure.success.scorecards.weights import weighted

OF_SCORES = ("churn_probability", "expansion_lift")
"""Columns that come from the kept scores."""
LAST_NPS, REFERENCES = "scorecard_last_nps", "scorecard_references"
ADVOCACY = "advocacy"
ADVOCACY_RULE = "promoter_reference_activity"
ADVOCACY_WEIGHTS = (50.0, 30.0, 20.0)
"""Of the last NPS answer (6 gives 0, 9 gives 100), of a reference so far, of `adoption`."""
ROI = "roi_proxy"


@dataclass(frozen=True)
class MeasureSet:
    """The measures of a config, and the features behind them."""

    measures: tuple[MeasureDeclaration, ...]
    """Their declarations, in the order in which they are shown."""
    columns: frozenset[str]
    """The features that they and the parts of the health score read."""
    plan: Plan
    """How those are computed, of which the tables at hand may lack some."""
    absent: Mapping[str, str]
    """Feature → why the tables cannot give it."""

    @classmethod
    def of(cls, config: Config, dataset: Dataset) -> MeasureSet:
        """Return the measures of a config over a data set.

        Raises:
            ConfigError: If the config names a feature or a measure that does not exist.
        """
        measures = _measures(config)
        features = [part.feature for part in config.success.health if part.feature]
        columns = {item.column for item in measures} - {*OF_SCORES, ADVOCACY}
        columns |= {LAST_NPS, REFERENCES, *features}
        settings = config.metrics
        own = own_family(settings.activation_days, settings.activation_event)
        families = [*FAMILIES.values(), *own_families(config.features), own]
        every = _of_contract(families, dataset.columns)
        _check(config, {name for name, spec in every.items() if not spec.text}, measures)
        plan = resolve_plan(families, dataset.columns).only(columns)
        absent = {
            name: _lacking(every[name].source.split(", "), dataset)
            for name in columns - plan.specs.keys()
        }
        return cls(measures, frozenset(columns), plan, absent)

    def values(self, dataset: Dataset, rows: pd.DataFrame) -> pd.DataFrame:
        """Return the features of some rows as float64, missing where the tables lack them.

        `rows` have account_id and as_of; only what was known before as_of counts.
        """
        matrix = build(dataset.engine, rows, self.plan)
        return pd.DataFrame(
            {
                name: matrix.values[name].to_numpy(dtype=np.float64)
                if name in matrix.values
                else np.full(len(rows), np.nan)
                for name in sorted(self.columns)
            }
        )

    @cached_property
    def by_name(self) -> dict[str, MeasureDeclaration]:
        """Return the measures by name."""
        return {measure.name: measure for measure in self.measures}

    def reason(self, measure: MeasureDeclaration) -> str:
        """Return why an account has no value of a measure."""
        return self.absent.get(measure.column, measure.none)

    def points(self, values: pd.DataFrame) -> pd.DataFrame:
        """Return the points of every measure, 0 to 100, missing where it has no value.

        `values` have the columns of `values` and of `OF_SCORES`; `advocacy` is added to them.
        """
        values[ADVOCACY] = advocacy(values, self.by_name["adoption"])
        return pd.DataFrame(
            {item.name: item.points(values[item.column].to_numpy()) for item in self.measures},
            index=values.index,
        )


def _measures(config: Config) -> tuple[MeasureDeclaration, ...]:
    measures = [*MEASURES, activation(config.metrics.activation_days)]
    roi = config.success.roi_proxy
    if roi is not None:
        rule = f"`{roi.feature}`, which your config names for the return that customers get"
        cuts = (roi.bad, roi.good)
        none = "the feature has no value of this account"
        measures.append(
            MeasureDeclaration(ROI, "customer_outcomes", rule, roi.feature, *cuts, "score", none)
        )
    return tuple(measures)


def _check(config: Config, features: set[str], measures: tuple[MeasureDeclaration, ...]) -> None:
    """Make sure that what the config names exists.

    Raises:
        ConfigError: Listing what does not.
    """
    named = {item.name for item in measures}
    roi, parts = config.success.roi_proxy, config.success.health
    wishes = [("success.roi_proxy.feature", roi.feature, features)] if roi else []
    for place, part in enumerate(parts):
        known, name = (named, part.measure) if part.measure else (features, part.feature or "")
        kind = "measure" if part.measure else "feature"
        wishes.append((f"success.health.{place}.{kind}", name, known))
    problems = [
        Problem(place, "does not exist, or is a text", name, suggestion(name, known))
        for place, name, known in wishes
        if name not in known
    ]
    if problems:
        raise ConfigError(*problems)


def _of_contract(
    families: list[Family], columns: Mapping[str, frozenset[str]]
) -> dict[str, FeatureSpec]:
    """Return the features of families over all columns of the contract, and those at hand."""
    every = {
        name: frozenset(column.name for column in source.columns) | columns.get(name, frozenset())
        for name, source in SOURCES.items()
    }
    return resolve_plan(families, every).specs


def needs(measures: Iterable[MeasureDeclaration]) -> dict[str, str]:
    """Return what each measure needs, in words: its tables, or kept scores."""
    specs = _of_contract([*FAMILIES.values(), own_family(0, None)], {})
    named = dict.fromkeys(OF_SCORES, "kept scores") | {
        ADVOCACY: "any of survey_responses, touchpoints, usage_events"
    }
    return {
        item.name: named[item.column] if item.column in named else specs[item.column].source
        for item in measures
    }


def _lacking(tables: list[str], dataset: Dataset) -> str:
    missing = [name for name in tables if name not in dataset.columns]
    if missing:
        return f"needs the table {' and '.join(missing)}"
    return f"needs a column that {' or '.join(tables)} lacks"


def advocacy(values: pd.DataFrame, adoption: MeasureDeclaration) -> Any:
    """Return the likelihood to advocate, 0 to 100, by the rule `promoter_reference_activity`.

    Half of it is the last answer to NPS in 365 days (6 or less gives 0, 9 or 10 gives 100), 30 %
    whether it has given a reference, 20 % the days of use in 28 days; what has no data drops out.
    """
    parts = (
        on_line(values[LAST_NPS].to_numpy(), 6, 9),
        on_line(values[REFERENCES].to_numpy(), 0, 1),
        adoption.points(values[adoption.column].to_numpy()),
    )
    return weighted(np.column_stack(parts), ADVOCACY_WEIGHTS)[0]
