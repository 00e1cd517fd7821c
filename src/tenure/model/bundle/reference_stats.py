"""Statistics of a bundle's training rows per feature, and a few example rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tenure.core.arrays import Floats
from tenure.model.boosting.encoder import is_text
from tenure.model.evaluation.bootstrap import safe

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
EXAMPLES = 20


def statistics(values: pd.DataFrame) -> dict[str, Any]:
    """Return JSON-safe statistics of each feature.

    Returns:
        Per number: missing (share), mean, sd, and ``quantiles`` by probability.  Per text:
        missing, and the share of each of the 20 most frequent values.
    """
    return {str(name): _describe(values[name]) for name in values.columns}


def examples(values: pd.DataFrame, margins: Floats) -> pd.DataFrame:
    """Return up to 20 rows spread evenly over the order of their scores, without their index."""
    order = np.argsort(margins, kind="stable")
    places = np.unique(np.linspace(0, len(order) - 1, min(EXAMPLES, len(order))).round())
    chosen: pd.DataFrame = values.iloc[order[places.astype(int)]].reset_index(drop=True)
    return chosen


def to_records(values: pd.DataFrame) -> dict[str, Any]:
    """Return a frame as JSON: ``columns``, which of them are ``text``, and ``rows``."""
    text = [str(name) for name in values.columns if is_text(values[name])]
    columns = [
        _words(values[name]) if str(name) in text else _numbers(values[name])
        for name in values.columns
    ]
    rows = [list(row) for row in zip(*columns, strict=True)]
    return {"columns": [str(name) for name in values.columns], "text": text, "rows": rows}


def from_records(records: dict[str, Any]) -> pd.DataFrame:
    """Return the frame that `to_records` described; numbers come back as float64."""
    columns = list(zip(*records["rows"], strict=True)) or [()] * len(records["columns"])
    frame = {}
    for name, column in zip(records["columns"], columns, strict=True):
        kind: Any = object if name in records["text"] else np.float64
        frame[name] = pd.Series(list(column), dtype=kind)
    return pd.DataFrame(frame)


def _describe(column: pd.Series[Any]) -> dict[str, Any]:
    missing = float(column.isna().mean()) if len(column) else None
    if is_text(column):
        shares = column.dropna().astype(str).value_counts(normalize=True)
        top = sorted(((-float(share), str(word)) for word, share in shares.items()))[:20]
        return {"missing": missing, "values": {word: -share for share, word in top}}
    numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    present = numbers[np.isfinite(numbers)]
    if not len(present):
        return {"missing": missing, "mean": None, "sd": None, "quantiles": {}}
    cuts = np.quantile(present, QUANTILES)
    return {
        "missing": missing,
        "mean": safe(present.mean()),
        "sd": safe(present.std()),
        "quantiles": {str(q): float(cut) for q, cut in zip(QUANTILES, cuts, strict=True)},
    }


def _numbers(column: pd.Series[Any]) -> list[float | None]:
    return [safe(value) for value in column.to_numpy(dtype=np.float64, na_value=np.nan)]


def _words(column: pd.Series[Any]) -> list[str | None]:
    return [
        None if missing else str(value)
        for value, missing in zip(column, column.isna(), strict=True)
    ]
