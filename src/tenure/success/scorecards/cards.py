"""Scorecards of accounts at one prediction time, beside those of an earlier one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from tenure.core.config import Config
from tenure.core.sections import HealthPart
from tenure.labels.snapshots import snapshots
from tenure.sources.dataset import Dataset
from tenure.success.scorecards.declarations import CARDS, FULL, on_line
from tenure.success.scorecards.measure import OF_SCORES, MeasureSet
from tenure.success.scorecards.weights import joined, weighted

HEALTH = "weighted_health"
EXPERIENCE, OUTCOMES, SUCCESS = "client_experience", "customer_outcomes", "customer_success"
COMPOSED = (*CARDS, HEALTH)
"""Scores that are composed of measures or parts, each with its coverage."""


@dataclass(frozen=True)
class CardTable:
    """The scorecards of accounts, one row per account that pays, by account."""

    accounts: pd.DataFrame
    """account_id, mrr, currency, and notice_given as known then."""
    measures: MeasureSet
    """What was measured, and why something was not."""
    values: pd.DataFrame
    """Measure → value, and the features behind the parts of the health score."""
    points: pd.DataFrame
    """Measure, and each of `COMPOSED` → points from 0 to 100; `customer_success` in [0, 1]."""
    coverage: pd.DataFrame
    """Each of `COMPOSED` → share of its weights with data, in [0, 1]."""
    change: pd.DataFrame
    """The points less those of the earlier time; what is composed compares the parts that have data
    at both."""


def card_table(
    config: Config,
    dataset: Dataset,
    moments: tuple[datetime, datetime],
    scores: Mapping[datetime, pd.DataFrame],
    accounts: Collection[str] | None = None,
) -> CardTable:
    """Return the scorecards of the accounts that pay at a time.

    `moments` are the prediction time, and the earlier one that it is compared with; `scores` are,
    by prediction time, the kept scores by account_id, with the columns of `OF_SCORES`.  Where
    `accounts` are named no other's history is looked at.

    Raises:
        ConfigError: If the config names a feature or a measure that does not exist.
    """
    measures = MeasureSet.of(config, dataset)
    paid = snapshots(dataset, moments, accounts)
    values = measures.values(dataset, paid)
    own = paid["account_id"].to_numpy()
    for name in OF_SCORES:
        values[name] = np.nan
        for moment, frame in scores.items():
            part = (paid["as_of"] == moment).to_numpy()
            if name in frame:
                values.loc[part, name] = frame[name].reindex(own[part]).to_numpy(dtype=np.float64)
    points = measured(config, measures, values)
    last = (paid["as_of"] == moments[0]).to_numpy()
    index = pd.Index(own, name="account_id")
    values, points = (frame.set_axis(index) for frame in (values, points))
    now, before = points[last], points[~last].reindex(index[last])
    both = now.notna() & before.notna()
    composite, coverage = composed(config, measures, now)
    then, since = (composed(config, measures, frame.where(both))[0] for frame in (before, now))
    named = ["account_id", "mrr", "currency", "notice_given"]
    return CardTable(
        paid.loc[last, named].reset_index(drop=True),
        measures,
        values[last],
        composite,
        coverage,
        since - then,
    )


def measured(config: Config, measures: MeasureSet, values: pd.DataFrame) -> pd.DataFrame:
    """Return the points of all measures, and of the parts of the health score by their number.

    `values` are the features of the measures and the columns of `OF_SCORES`, one row per account
    and time.
    """
    points = measures.points(values)
    for place, part in enumerate(config.success.health):
        points[place] = part_points(part, points, values)
    return points


def part_points(part: HealthPart, points: pd.DataFrame, values: pd.DataFrame) -> Any:
    """Return the points of one part of the health score, missing where it has no data."""
    if part.measure is not None:
        own = points[part.measure].to_numpy()
    else:
        own = on_line(values[part.feature].to_numpy(), part.bad or 0.0, part.good or 0.0)
    return own if part.missing is None else np.where(np.isnan(own), part.missing, own)


def composed(
    config: Config, measures: MeasureSet, points: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the points of measures with what is composed of them, and the coverage of this.

    `points` are the output of `measured`.
    """
    scores = points[[item.name for item in measures.measures]].copy()
    coverage = pd.DataFrame(index=points.index)
    for card in CARDS:
        own = points[[item.name for item in measures.measures if item.card == card]]
        scores[card], coverage[card] = weighted(own, np.ones(own.shape[1]))
    both = (scores[EXPERIENCE] / FULL, scores[OUTCOMES] / FULL)
    scores[SUCCESS] = joined(*both, config.success.join)
    parts = config.success.health
    weights = [part.weight for part in parts]
    scores[HEALTH], coverage[HEALTH] = weighted(points[list(range(len(parts)))], weights)
    return scores, coverage
