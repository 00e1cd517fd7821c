"""A weighted health score beside the model of churn, on the test rows of its backtest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tenure.core.config import Config
from tenure.core.records.base import Figure
from tenure.core.records.scorecards import HealthComparison, RankedBy
from tenure.labels.snapshots import snapshots
from tenure.model.evaluation.bootstrap import Ranking, Resamples, interval, ranking
from tenure.sources.dataset import Dataset
from tenure.success.scorecards.cards import HEALTH, composed, measured
from tenure.success.scorecards.measure import OF_SCORES, MeasureSet

if TYPE_CHECKING:
    import pandas as pd

TENTH = 0.1


def compared_health(
    config: Config, dataset: Dataset, predictions: pd.DataFrame
) -> HealthComparison | None:
    """Return how well the weighted health score and the model tell who leaves.

    The predictions are those of the backtest: account_id, as_of, probability, and label (1: it
    left).

    Returns:
        The comparison on rows that have a health score; None where the config has no such score,
        no such row left, or none stayed.
    """
    if not config.success.health or predictions.empty:
        return None
    rows = predictions[["account_id", "as_of", "probability", "label"]].reset_index(drop=True)
    health = health_scores(config, dataset, rows)
    known = ~np.isnan(health)
    if not 0 < rows.loc[known, "label"].sum() < known.sum():
        return None
    moments = [moment.to_pydatetime() for moment in rows["as_of"].drop_duplicates()]
    paid = snapshots(dataset, moments)
    money = rows.merge(paid, how="left", on=["account_id", "as_of"])[["mrr", "currency"]]
    comparison = compared(rows[known], health[known], money[known], config)
    return comparison.model_copy(update={"left_out": int((~known).sum())})


def health_scores(config: Config, dataset: Dataset, rows: pd.DataFrame) -> Any:
    """Return the weighted health of some rows at their own time, missing where nothing tells.

    A part that looks at `retention` reads the probability of the same row.
    """
    measures = MeasureSet.of(config, dataset)
    values = measures.values(dataset, rows[["account_id", "as_of"]])
    values[OF_SCORES[0]], values[OF_SCORES[1]] = rows["probability"].to_numpy(), np.nan
    return composed(config, measures, measured(config, measures, values))[0][HEALTH].to_numpy()


def compared(
    rows: pd.DataFrame, health: Any, money: pd.DataFrame, config: Config
) -> HealthComparison:
    """Return the comparison of rows that all have a health score.

    `rows` have account_id, probability and label, `money` the mrr and currency of the same rows;
    `health` is 0 to 100, high is good, shape (rows,).
    """
    labels = rows["label"].to_numpy(dtype=np.float64)
    risk = rows["probability"].to_numpy(dtype=np.float64)
    settings = config.evaluation
    draws = Resamples.draw(rows["account_id"], settings.bootstrap, config.model.seed)
    by_health = ranking(draws, labels, -health, [TENTH])
    by_model = ranking(draws, labels, risk, [TENTH])
    green = health >= config.success.green_at
    safest = np.zeros(len(risk), dtype=bool)
    safest[np.argsort(risk, kind="stable")[: green.sum()]] = True

    def figure(values: Any) -> Figure:
        return Figure(**interval(values, settings.level))

    def ranked(order: Ranking, stands_green: Any) -> RankedBy:
        sums = draws.sums(np.column_stack([labels * stands_green, labels]))
        with np.errstate(invalid="ignore", divide="ignore"):
            missed = sums[:, 0] / sums[:, 1]
        return RankedBy(
            auc=figure(order.auc),
            lift_at_10=figure(order.capture[:, 0] / TENTH),
            false_greens=figure(missed),
            false_green_mrr=_missed_money(money, labels > 0, stands_green),
        )

    return HealthComparison(
        rows=len(rows),
        left_out=0,
        churned=int(labels.sum()),
        green_share=float(green.mean()),
        health=ranked(by_health, green),
        model=ranked(by_model, safest),
        gain=figure(by_model.auc - by_health.auc),
    )


def _missed_money(money: pd.DataFrame, left: Any, green: Any) -> dict[str, float | None]:
    """Return the share of the leavers' MRR that stood green, by currency."""
    lost = money[left].assign(missed=money["mrr"].where(green, 0.0)[left])
    sums = lost.groupby(lost["currency"].fillna(""))[["mrr", "missed"]].sum()
    return {
        str(name): float(row["missed"] / row["mrr"]) if row["mrr"] else None
        for name, row in sums.iterrows()
    }
