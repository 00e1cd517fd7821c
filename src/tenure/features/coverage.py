"""How much each source says about an account, through the same cut as the features."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from tenure.core.spec import Family, Feature
from tenure.core.times import EPOCH
from tenure.engine import Engine
from tenure.features.matrix import build
from tenure.features.plan import plan
from tenure.features.timeline import Timeline


def coverage(
    engine: Engine, snapshots: pd.DataFrame, sources: Iterable[str], lookback_days: int
) -> pd.Series[float]:
    """Return the share of sources with any row in the look-back of each snapshot, in [0, 1]."""
    named = sorted(sources)
    if not named:
        return pd.Series(np.nan, index=snapshots.index)
    family = Family(
        "coverage",
        "Rows in the look-back",
        tuple(
            Feature(f"rows_{name}", name, "count(*)", "{value} rows", windows=(lookback_days,))
            for name in named
        ),
    )
    resolved = plan([family], dict.fromkeys(named, frozenset()))
    values = build(engine, snapshots, resolved).values
    return (values > 0).mean(axis=1).astype("float64").set_axis(snapshots.index)


def latest_known(engine: Engine, source: str, as_of: datetime) -> datetime | None:
    """Return the latest event time of a source that was known before `as_of`."""
    seen = Timeline((as_of,), ()).seen_sql(["known_at"])
    table = engine.fetch(f"SELECT epoch_us(max(event_time)) AS t FROM {source} WHERE {seen} = 0")
    value = table.column("t")[0].as_py()
    return None if value is None else EPOCH + timedelta(microseconds=int(value))
