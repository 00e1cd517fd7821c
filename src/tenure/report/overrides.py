"""Bands that people set in place of the model's, held against what happened, for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenure.core.flat_row import BANDS
from tenure.report.sentences.formatting import NONE, count, counted, percent
from tenure.report.tables.layout import Table, table

if TYPE_CHECKING:
    import pandas as pd

RANK = {band: place for place, band in enumerate(BANDS)}


@dataclass(frozen=True)
class OverrideView:
    """What became of overridden scores."""

    sentence: str
    """How many went the way of the override."""
    groups: Table | None
    """The same by the band of the model and that of the person."""


def override_view(rows: pd.DataFrame) -> OverrideView | None:
    """Return what became of overridden scores of churn; None where no outcome is known.

    `rows` are those of `tenure.score.store.override_outcomes.override_outcomes`.
    """
    if rows.empty:
        return None
    outcome = rows["outcome"].astype(bool)
    before, after = rows["own_band"].map(RANK), rows["band"].map(RANK)
    raised, lowered = after > before, after < before
    parts = [
        f"{count((raised & outcome).sum())} of {counted(raised.sum(), 'raised account')} left"
        if raised.any()
        else "",
        f"{count((lowered & ~outcome).sum())} of {counted(lowered.sum(), 'lowered account')} stayed"
        if lowered.any()
        else "",
    ]
    known = counted(len(rows), "override")
    words = "; ".join(filter(None, parts)) or "none of them changed the band"
    groups = rows.assign(own_band=rows["own_band"].fillna(NONE), outcome=outcome)
    return OverrideView(
        f"The outcome of {known} is known: {words}.",
        table(
            "By the band of the model and the one that people set",
            list(groups.groupby(["own_band", "band"], sort=True)),
            ("By the model", lambda item: str(item[0][0])),
            ("Set to", lambda item: str(item[0][1])),
            (">Accounts", lambda item: count(len(item[1]))),
            (">Left", lambda item: count(item[1]["outcome"].sum())),
            (">Share that left", lambda item: percent(float(item[1]["outcome"].mean()))),
            (">The model had expected", lambda item: _mean(item[1]["probability"])),
        ),
    )


def _mean(probabilities: pd.Series[float]) -> str:
    known = probabilities.dropna()
    return percent(float(known.mean())) if len(known) else NONE
