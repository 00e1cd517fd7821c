"""Kept scores beside what happened: written when it is known, read by the metrics."""

from __future__ import annotations

from tenure.core.config import Config
from tenure.sources.dataset import Dataset
from tenure.success.scores.relation import with_scores
from tenure.success.scores.settle import settle


def with_kept_scores(dataset: Dataset, config: Config) -> Dataset:
    """Return a data set with the kept scores whose outcome is known, after writing new outcomes.

    Nothing is looked for where no store is, and none is made.
    """
    from tenure.score.store.database import stands
    from tenure.score.store.store import ScoreStore

    if not stands(config):
        return dataset
    with ScoreStore.open(config) as store:
        settle(store, dataset, config.labels)
        return with_scores(dataset, config, store)
