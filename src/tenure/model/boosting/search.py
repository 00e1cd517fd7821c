"""Searches of a walk forward: each in the past of a prediction time, used until the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from tenure.core.arrays import Places
from tenure.core.progress import Progress
from tenure.core.times import as_utc, show
from tenure.labels.splits import Origin
from tenure.model.boosting.tune import Budget, tune
from tenure.model.settings import FitSettings

if TYPE_CHECKING:
    import pandas as pd


def search(
    values: pd.DataFrame,
    rows: pd.DataFrame,
    settings: FitSettings,
    evaluated: Sequence[Origin],
    *,
    since: Mapping[str, datetime],
    progress: Progress,
) -> list[dict[str, Any]]:
    """Search as of every so many evaluated prediction times, and on everything known.

    Seconds that a search leaves over are shared out over those that follow.

    `rows` have account_id, as_of, label and label_known_at, and `values` are their features in the
    same order.  The `evaluated` origins stand oldest first; columns in `since` may be used only
    from a prediction time on.

    Returns:
        `Tuned.to_json` of each search with its ``as_of``, oldest first; None for the last, which
        is that of the final model.
    """
    tuning = settings.model.tuning
    if not tuning.wanted:
        return []
    known = np.flatnonzero(rows["label"].notna().to_numpy())
    pasts: list[tuple[str | None, Places]] = [
        (show(origin.as_of), origin.train) for origin in evaluated[:: tuning.every]
    ]
    pasts.append((None, known))
    left, searches = tuning.seconds, []
    for number, (as_of, train) in enumerate(pasts):
        share = None if left is None else left / (len(pasts) - number)
        what = "the final model" if as_of is None else as_of
        progress.stage(f"tuning {number + 1} of {len(pasts)}, {what}")
        past, labelled = values.iloc[train], rows.iloc[train]
        budget = Budget(tuning.trials, share)
        tuned = tune(past, labelled, settings, budget, since=since, progress=progress)
        left = None if left is None else max(0.0, left - tuned.seconds)
        searches.append({"as_of": as_of} | tuned.to_json())
    return searches


def parameters_at(
    searches: Sequence[Mapping[str, Any]], as_of: datetime | None, otherwise: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return the parameters of the latest search in the past of a prediction time.

    None stands for the final model; where no search lies in that past, the parameters are those of
    `otherwise`.
    """
    usable = [item for item in searches if as_of is None or _in_past(item, as_of)]
    return usable[-1]["parameters"] if usable else otherwise


def _in_past(item: Mapping[str, Any], as_of: datetime) -> bool:
    return item["as_of"] is not None and as_utc(item["as_of"]) <= as_of
