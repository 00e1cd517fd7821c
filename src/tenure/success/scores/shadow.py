"""Champion and shadow challenger side by side: what each gave, and which of them was right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenure.core.config import Config
from tenure.core.records.promotion import Comparison, ShadowRecord
from tenure.core.times import show
from tenure.model.registry.comparison import compare
from tenure.model.settings import EvaluationSettings
from tenure.score.store.shadow import ShadowPair, answers_apart, last_pairs, read_pair
from tenure.score.store.store import ScoreStore

if TYPE_CHECKING:
    import pandas as pd


def shadow_records(config: Config, store: ScoreStore) -> dict[str, ShadowRecord]:
    """Return target → how its champion and its challenger compare on the runs that both scored.

    The pair is that of the last run that a challenger scored too, under the main horizon.
    """
    pairs = last_pairs(store.engine, store.project, str(config.labels.horizon_days))
    records = {
        target: shadow_record(config, store, pairs[target])
        for target in config.targets
        if target in pairs
    }
    return {target: record for target, record in records.items() if record is not None}


def shadow_record(config: Config, store: ScoreStore, pair: ShadowPair) -> ShadowRecord | None:
    """Return how a champion and a challenger compare; None where they have no row in common."""
    horizon = str(config.labels.horizon_days)
    rows = read_pair(store.engine, store.project, pair, horizon)
    if rows.empty:
        return None
    posted = answers_apart(store.engine, store.project, pair)
    apart = (rows["challenger"] - rows["champion"]).abs().mean()
    return ShadowRecord(
        champion=pair.champion,
        challenger=pair.challenger,
        runs=int(rows["as_of"].nunique()),
        rows=len(rows),
        last=show(rows["as_of"].max().to_pydatetime()),
        mean_champion=float(rows["champion"].mean()),
        mean_challenger=float(rows["challenger"].mean()),
        apart=float(apart),
        posted_rows=int(posted["rows"]),
        posted_apart=posted.get("apart"),
        comparison=_matured(config, rows),
    )


def _matured(config: Config, rows: pd.DataFrame) -> Comparison | None:
    """Return both on the rows whose outcome is known, None where these tell nothing.

    An account counts as one outcome: the store has no name for what happened.
    """
    known = rows[rows["outcome"].notna()]
    labels = known["outcome"].astype("float64")
    if labels.nunique() < 2:
        return None
    matured = known.assign(label=labels, outcome_id=known["account_id"])
    settings = EvaluationSettings.of(config)
    comparison = compare(matured, {}, settings, config.promotion)
    how = "both as they stand, on kept scores from before anything was known of the outcome"
    return comparison.model_copy(update={"basis": "unseen", "how": how})
