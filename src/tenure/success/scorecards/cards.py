"""Scorecards of accounts at one prediction time, beside those of an earlier one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tenure.labels.snapshots import snapshots
from tenure.success.scorecards.declarations import CARDS, FULL, on_line
from tenure.success.scorecards.measure import OF_SCORES, MeasureSet
from tenure.success.scorecards.weights import joined, weighted

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from tenure.core.config import Config
    from tenure.core.sections import HealthPart
    from tenure.sources.dataset import Dataset

HEALTH = "weighted_health"
EXPERIENCE, OUTCOMES, SUCCESS = "client_experience", "customer_outcomes", "customer_success"
COMPOSED = (*CARDS, HEALTH)
"""Scores that are composed of measures or parts, each with its coverage."""


@dataclass(frozen=True)
class CardTable:
    """The scorecards of accounts, one row per account that pays, by account.

    Attributes:
        accounts: account_id, mrr, currency, and notice_given as known then.
        measures: What was measured, and why something was not.
        values: Measure → value, and the features behind the parts of the health score.
        points: Measure, and each of `COMPOSED` → points from 0 to 100; `customer_success` in
            [0, 1].
        coverage: Each of `COMPOSED` → share of its weights with data, in [0, 1].
        change: The points less those of the earlier time.
    """

    accounts: pd.DataFrame
    measures: MeasureSet
    values: pd.DataFrame
    points: pd.DataFrame
    coverage: pd.DataFrame
    change: pd.DataFrame


def card_table(
    config: Config,
    dataset: Dataset,
    moments: tuple[datetime, datetime],
    scores: Mapping[datetime, pd.DataFrame],
    accounts: Collection[str] | None = None,
) -> CardTable:
    """Return the scorecards of the accounts that pay at a time.

    Args:
        config: The run.
        dataset: Loaded tables.
        moments: The prediction time, and the earlier one that it is compared with.
        scores: Prediction time → kept scores by account_id, with the columns of `OF_SCORES`.
        accounts: Limits the rows to these accounts; no other's history is looked at.

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
    points, coverage = composed(config, measures, values)
    last = (paid["as_of"] == moments[0]).to_numpy()
    index = pd.Index(own, name="account_id")
    frames = [frame.set_axis(index) for frame in (values, points, coverage)]
    values, points, coverage = (frame[last] for frame in frames)
    before = frames[1][~last].reindex(points.index)
    named = ["account_id", "mrr", "currency", "notice_given"]
    return CardTable(
        paid.loc[last, named].reset_index(drop=True),
        measures,
        values,
        points,
        coverage,
        points - before,
    )


def composed(
    config: Config, measures: MeasureSet, values: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the points of measures and of what is composed of them, and the coverage of these.

    Args:
        config: The run.
        measures: What is measured.
        values: Its features and the columns of `OF_SCORES`, one row per account and time.
    """
    points = measures.points(values)
    coverage = pd.DataFrame(index=points.index)
    for card in CARDS:
        own = points[[item.name for item in measures.measures if item.card == card]]
        points[card], coverage[card] = weighted(own, np.ones(own.shape[1]))
    both = (points[EXPERIENCE] / FULL, points[OUTCOMES] / FULL)
    points[SUCCESS] = joined(*both, config.success.join)
    points[HEALTH], coverage[HEALTH] = health(config.success.health, points, values)
    return points, coverage


def health(parts: list[HealthPart], points: pd.DataFrame, values: pd.DataFrame) -> tuple[Any, Any]:
    """Return the weighted health score of a config, 0 to 100, and the share of it with data.

    A part without data drops out and its weight spreads over the rest, unless `missing` says what
    it is worth.
    """
    columns = [part_points(part, points, values) for part in parts]
    matrix = np.column_stack(columns) if columns else np.empty((len(points), 0))
    return weighted(matrix, [part.weight for part in parts])


def part_points(part: HealthPart, points: pd.DataFrame, values: pd.DataFrame) -> Any:
    """Return the points of one part of the health score, missing where it has no data."""
    if part.measure is not None:
        own = points[part.measure].to_numpy()
    else:
        own = on_line(values[part.feature].to_numpy(), part.bad or 0.0, part.good or 0.0)
    return own if part.missing is None else np.where(np.isnan(own), part.missing, own)
