"""Flat rows as JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from tenure.core.times import show


def plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a flat row as JSON values: times as text, nothing for what is missing."""
    return {str(name): _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    if value is None or pd.isna(value):
        return None
    if hasattr(value, "to_pydatetime"):
        return show(value.to_pydatetime())
    return value.item() if hasattr(value, "item") else value
