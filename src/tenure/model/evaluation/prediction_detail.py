"""What is known of each prediction beyond its score: the outcome's time, money, and its groups."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

GROUP = "group:"
TENURE = ((90, "under 90 days"), (365, "90 days to a year"), (730, "1 to 2 years"))
OLDEST = "2 years and more"
LARGEST = 10  # values of one column that are told apart; the rest are taken together
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
    """Return predictions with what their rows say of the outcome, the money and the account.

    Args:
        predictions: `WalkForward.predictions`; ``row`` is a position in `rows` and `values`.
        rows: Labelled snapshots.
        values: Feature values, in the same order.
        groups: Text columns of `values` that make groups; those it lacks are left out.
        change: Whether the outcome is a change of MRR, rather than of the account as a whole.

    Returns:
        The predictions and, where they can be told: outcome_at, amount (MRR that a positive row
        stands for: all of the account's, or its change; missing in another currency than the most
        frequent one) and ``group:<name>`` columns: the groups asked for, tenure, and MRR in thirds
        of the training past of the first fold.
    """
    if predictions.empty or "row" not in predictions.columns:
        return predictions
    places = predictions["row"].to_numpy()
    found = predictions.copy()
    for name in ("outcome_at", "outcome_id", "outcome_amount"):
        if name in rows.columns and name not in found.columns:
            found[name] = rows[name].to_numpy()[places]
    found["amount"] = _amounts(found, change=change)
    for name in groups:
        if name in values.columns and not pd.api.types.is_numeric_dtype(values[name]):
            found[GROUP + name] = _texts(values[name].to_numpy()[places])
    if "tenure_days" in values.columns:
        found[GROUP + "tenure"] = _tenures(values["tenure_days"].to_numpy()[places])
    found[GROUP + "mrr"] = _bands(found, rows)
    return found


def currency(predictions: pd.DataFrame) -> str | None:
    """Return the currency of most predictions, or None where none is named."""
    if "currency" not in predictions.columns or not predictions["currency"].notna().any():
        return None
    return str(predictions["currency"].value_counts().sort_index().idxmax())


def _amounts(found: pd.DataFrame, *, change: bool) -> Floats:
    """Return the money behind each row, missing in any currency but the most frequent one."""
    name = "outcome_amount" if change else "mrr"
    if name not in found.columns:
        return np.full(len(found), np.nan)
    money: Floats = np.abs(found[name].to_numpy(dtype=np.float64, na_value=np.nan))
    main = currency(found)
    if main is None:
        return money
    return np.where((found["currency"] == main).to_numpy(), money, np.nan)


def _texts(values: NDArray[Any]) -> pd.Categorical[str]:
    texts = pd.Series(values, dtype=object)
    sizes = texts[texts.notna()].astype(str).value_counts().sort_index()
    largest = list(sizes.nlargest(LARGEST).index)
    named = texts.map(lambda text: str(text) if str(text) in largest else REST, na_action="ignore")
    names = list(dict.fromkeys([*largest, REST, UNKNOWN]))
    return pd.Categorical(named.fillna(UNKNOWN), categories=names)


def _tenures(days: NDArray[Any]) -> pd.Categorical[str]:
    names = [*(name for _, name in TENURE), OLDEST]
    return _cut(np.asarray(days, dtype=np.float64), [edge for edge, _ in TENURE], names)


def _bands(found: pd.DataFrame, rows: pd.DataFrame) -> pd.Categorical[str]:
    """Return thirds of MRR, cut as they lay among the rows known at the first prediction time."""
    past = rows["label"].notna() & (rows["label_known_at"] <= found["as_of"].min())
    before = rows.loc[past, "mrr"].to_numpy(dtype=np.float64, na_value=np.nan)
    mrr = found["mrr"].to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isnan(before).all():
        return _cut(np.full(len(found), np.nan), [0.0], ["under 0", "0 and more"])
    edges = list(np.unique(np.nanquantile(before, [1 / BANDS, 2 / BANDS])))
    shown = [f"{edge:,.0f}" for edge in edges]
    middle = [f"{low} to {high}" for low, high in pairwise(shown)]
    return _cut(mrr, edges, [f"under {shown[0]}", *middle, f"{shown[-1]} and more"])


def _cut(values: Floats, edges: Sequence[float], names: Sequence[str]) -> pd.Categorical[str]:
    """Return bands with an edge in the upper one."""
    place = np.searchsorted(np.asarray(edges), values, side="right")
    place[np.isnan(values)] = len(names)
    return pd.Categorical.from_codes(place, categories=pd.Index([*names, UNKNOWN]))
