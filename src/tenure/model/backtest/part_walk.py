"""The backtest of a part of an event: that of the event times that of its type."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
import pandas as pd

from tenure.core.arrays import Floats
from tenure.model.backtest.walk_forward import WalkForward
from tenure.model.boosting.fit import FittedModel
from tenure.model.boosting.part import PartModel, product_bounds, typed, typed_with_bounds

FIGURES = ["probability", "probability_lo", "probability_hi"]
LABELS = ["label", "label_known_at", "outcome_id"]


def type_rows(rows: pd.DataFrame, churn_type: str) -> pd.DataFrame:
    """Return the rows of an event labelled by its type; rows without the event are only predicted.

    The label is 1 for `churn_type`, a column that `rows` have where the event happened.
    """
    typed = (rows["label"] == 1) & rows["churn_type"].notna()
    label = (rows["churn_type"] == churn_type).astype("float64").where(typed)
    return rows.assign(label=label, tested=rows["label"].notna())


def part_walk(
    whole: WalkForward, share: WalkForward, rows: pd.DataFrame, *, other: bool
) -> WalkForward:
    """Return the walk of a part of an event, made of two walks over the same snapshots.

    It has the prediction times at which both could predict, and the rows whose label is known.

    `share` is the walk over `type_rows`; `rows` are the labelled snapshots of the part, in the
    order of those walked over.  The part is that of the type, or of all `other` types.
    """
    final = PartModel(cast("FittedModel", whole.final), cast("FittedModel", share.final), other)
    joined = replace(
        whole, shortage=share.shortage or whole.shortage, final=final, tuned=[], share=share
    )
    none = pd.DataFrame()
    if whole.predictions.empty or share.predictions.empty:
        return replace(joined, predictions=none, baselines=none, folds=none)
    labels = rows.iloc[whole.predictions["row"]].reset_index(drop=True)
    place = pd.Index(share.predictions["row"]).get_indexer(whole.predictions["row"])
    both = np.flatnonzero((place >= 0) & labels["label"].notna().to_numpy())
    events, types = whole.predictions.iloc[both], share.predictions.iloc[place[both]]
    labels, fold = labels.iloc[both], pd.factorize(events["as_of"])[0]
    predictions = events.assign(
        **{name: labels[name].to_numpy() for name in LABELS},
        **_product(events, types, other=other),
        fold=fold,
    ).reset_index(drop=True)
    beside = whole.baselines.iloc[both], share.baselines.iloc[place[both]]
    baselines = {
        name: beside[0][name].to_numpy() * typed(beside[1][name].to_numpy(), other)
        for name in beside[0].columns.intersection(beside[1].columns)
    }
    folds = whole.folds[whole.folds["as_of"].isin(events["as_of"])].reset_index(drop=True)
    of_type = share.folds.set_index("as_of").loc[folds["as_of"]].reset_index()
    positives = of_type["train_positives"]
    folds = folds.assign(
        fold=folds.index,
        train_positives=of_type["train_rows"] - positives if other else positives,
        base_rate=folds["base_rate"] * typed(of_type["base_rate"].to_numpy(), other),
        test_rows=np.bincount(fold),
        test_positives=np.bincount(fold, labels["label"]).astype(int),
    )
    return replace(joined, predictions=predictions, baselines=pd.DataFrame(baselines), folds=folds)


def _product(events: pd.DataFrame, types: pd.DataFrame, *, other: bool) -> dict[str, Floats]:
    """Return what the columns of predictions are where two are multiplied."""
    share = typed_with_bounds(_figures(types), other)
    lo, hi = product_bounds(_figures(events), share)
    columns = {
        "margin": events["margin"].to_numpy() + (-1 if other else 1) * types["margin"].to_numpy(),
        "probability": events["probability"].to_numpy() * share[0],
        "base_rate": events["base_rate"].to_numpy() * typed(types["base_rate"].to_numpy(), other),
    }
    bounded = FIGURES[1] in events and FIGURES[1] in types
    return columns | (dict(zip(FIGURES[1:], (lo, hi), strict=True)) if bounded else {})


def _figures(predictions: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    """Return probability, lower and upper bound, NaN where there are no bounds."""
    chance, lo, hi = predictions.reindex(columns=FIGURES).to_numpy(dtype=np.float64).T
    return chance, lo, hi
