"""Detail of each prediction besides its score: the outcome's time, its money, and its groups."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from tenure.core.arrays import Array, Floats

GROUP = "group:"
TENURE = ((90, "under 90 days"), (365, "90 days to a year"), (730, "1 to 2 years"))
OLDEST = "2 years and more"
LARGEST = 10  # values of one column that have a group each; the rest are taken together
REST = "all others"
UNKNOWN = "not known"
BANDS = 3


def with_detail(
    predictions: pd.DataFrame,
    rows: pd.DataFrame,
    values: pd.DataFrame,
    groups: Sequence[str],
    *,
    change: bool = False,
) -> pd.DataFrame:
    """Return predictions with columns of the outcome, the money and the groups of the account.

    ``row`` is a position in `rows` and `values`.  Text columns of `values` named in `groups` make
    groups; the outcome may be a `change` of MRR rather than of the account as a whole.

    Returns:
        The predictions and, where the rows have them: outcome_at, amount (MRR that a positive row
        stands for: all of the account's, or its change; missing in another currency than the most
        frequent one) and ``group:<name>`` columns: the groups asked for, tenure, and MRR in thirds
        of the training past of the first fold.
    """
    if predictions.empty or "row" not in predictions.columns:
        return predictions
    places = predictions["row"].to_numpy()
    detailed = predictions.copy()
    for name in ("outcome_at", "outcome_id", "outcome_amount"):
        if name in rows.columns and name not in detailed.columns:
            detailed[name] = rows[name].to_numpy()[places]
    detailed["amount"] = _amounts(detailed, change=change)
    for name in groups:
        if name in values.columns and not pd.api.types.is_numeric_dtype(values[name]):
            detailed[GROUP + name] = _texts(values[name].to_numpy()[places])
    if "tenure_days" in values.columns:
        detailed[GROUP + "tenure"] = _tenures(values["tenure_days"].to_numpy()[places])
    past = rows["label"].notna() & (rows["label_known_at"] <= detailed["as_of"].min())
    detailed[GROUP + "mrr"] = mrr_thirds(_numbers(detailed["mrr"]), _numbers(rows["mrr"][past]))
    return detailed


def currency(predictions: pd.DataFrame) -> str | None:
    """Return the currency of most predictions, or None where none is named."""
    if "currency" not in predictions.columns or not predictions["currency"].notna().any():
        return None
    return str(predictions["currency"].value_counts().sort_index().idxmax())


def _amounts(predictions: pd.DataFrame, *, change: bool) -> Floats:
    """Return the money behind each row, missing in any currency but the most frequent one."""
    name = "outcome_amount" if change else "mrr"
    if name not in predictions.columns:
        return np.full(len(predictions), np.nan)
    money: Floats = np.abs(predictions[name].to_numpy(dtype=np.float64, na_value=np.nan))
    main = currency(predictions)
    if main is None:
        return money
    return np.where((predictions["currency"] == main).to_numpy(), money, np.nan)


def _texts(values: Array) -> pd.Categorical[str]:
    texts = pd.Series(values, dtype=object)
    sizes = texts[texts.notna()].astype(str).value_counts().sort_index()
    largest = list(sizes.nlargest(LARGEST).index)
    named = texts.map(lambda text: str(text) if str(text) in largest else REST, na_action="ignore")
    names = list(dict.fromkeys([*largest, REST, UNKNOWN]))
    return pd.Categorical(named.fillna(UNKNOWN), categories=names)


def _tenures(days: Array) -> pd.Categorical[str]:
    names = [*(name for _, name in TENURE), OLDEST]
    return _cut(np.asarray(days, dtype=np.float64), [edge for edge, _ in TENURE], names)


def mrr_thirds(mrr: Floats, past: Floats) -> pd.Categorical[str]:
    """Return the third of MRR that each row belongs to, cut as the MRR of `past` lay."""
    if np.isnan(past).all():
        return _cut(np.full(len(mrr), np.nan), [0.0], ["under 0", "0 and more"])
    edges = list(np.unique(np.nanquantile(past, [1 / BANDS, 2 / BANDS])))
    shown = [f"{edge:,.0f}" for edge in edges]
    middle = [f"{low} to {high}" for low, high in pairwise(shown)]
    return _cut(mrr, edges, [f"under {shown[0]}", *middle, f"{shown[-1]} and more"])


def _numbers(column: pd.Series[Any]) -> Floats:
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _cut(values: Floats, edges: Sequence[float], names: Sequence[str]) -> pd.Categorical[str]:
    """Return bands with an edge in the upper one."""
    place = np.searchsorted(np.asarray(edges), values, side="right")
    place[np.isnan(values)] = len(names)
    return pd.Categorical.from_codes(place, categories=pd.Index([*names, UNKNOWN]))
