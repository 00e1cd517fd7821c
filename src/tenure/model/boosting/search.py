"""The searches of a walk forward: each in the past of a prediction time, used until the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tenure.core.times import as_utc, show
from tenure.model.boosting.tune import Budget, tune

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd
    from numpy.typing import NDArray

    from tenure.labels.splits import Origin
    from tenure.model.settings import FitSettings

Progress = Callable[[str], None]


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

    Args:
        values: Feature values, one row per row of `rows`, in the same order.
        rows: account_id, as_of, label, label_known_at.
        settings: How the walk is made.
        evaluated: The origins that are evaluated, oldest first.
        since: Columns that may be used only from a prediction time on.
        progress: Called with a line for each trial.

    Returns:
        `Tuned.to_json` of each search with its ``as_of``, oldest first; None for the last, which
        is that of the final model.
    """
    tuning = settings.model.tuning
    if not tuning.wanted:
        return []
    known = np.flatnonzero(rows["label"].notna().to_numpy())
    asked: list[tuple[str | None, NDArray[np.intp]]] = [
        (show(origin.as_of), origin.train) for origin in evaluated[:: tuning.every]
    ]
    asked.append((None, known))
    left, found = tuning.seconds, []
    for number, (as_of, train) in enumerate(asked):
        share = None if left is None else left / (len(asked) - number)
        told = _teller(progress, as_of, f"{number + 1} of {len(asked)}")
        past, seen = values.iloc[train], rows.iloc[train]
        budget = Budget(tuning.trials, share)
        tuned = tune(past, seen, settings, budget, since=since, progress=told)
        left = None if left is None else max(0.0, left - tuned.seconds)
        found.append({"as_of": as_of} | tuned.to_json())
    return found


def parameters_at(
    found: Sequence[Mapping[str, Any]], as_of: datetime | None, otherwise: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return the parameters of the latest search that was made by a prediction time.

    Args:
        found: Output of `search`.
        as_of: The prediction time; None for the final model.
        otherwise: What holds where none was made by then.
    """
    made = [item for item in found if as_of is None or _made(item, as_of)]
    return made[-1]["parameters"] if made else otherwise


def _made(item: Mapping[str, Any], as_of: datetime) -> bool:
    return item["as_of"] is not None and as_utc(item["as_of"]) <= as_of


def _teller(progress: Progress, as_of: str | None, place: str) -> Progress:
    what = "the final model" if as_of is None else as_of
    return lambda line: progress(f"tuning {place}, {what}: {line}")
