"""Other ways of testing, for comparison: on accounts never seen, and on rows split at random.

Both measure the rows that the walk forward has measured, so the figures differ by the way of
testing alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from tenure.core.arrays import Floats, Places
from tenure.labels.splits import forward_origins, rarer
from tenure.model.backtest.walk_forward import WalkForward
from tenure.model.boosting.fit import fit_booster
from tenure.model.boosting.search import parameters_at
from tenure.model.boosting.tune import usable
from tenure.model.calibration.calibrators import Sigmoid
from tenure.model.calibration.losses import log_loss
from tenure.model.evaluation.bootstrap import Resamples, interval, ranking
from tenure.model.settings import EvaluationSettings, FitSettings

if TYPE_CHECKING:
    import pandas as pd


PARTS = 4  # of the random split: each part is predicted from the others
FOLDS = 6  # prediction times at which accounts never seen are tested
MANY_ROWS = 200_000  # rows above which one part, and two of those times, say enough
TOP = 0.10


@dataclass(frozen=True)
class _Test:
    """One model of another way of testing: its training rows and its test rows."""

    train: Places
    test: Places
    as_of: pd.Timestamp | None


class OtherSplits:
    """The rows, the features and the walk that other ways of testing are compared with.

    Args:
        values: Feature values, one row per row of `rows`, in the same order.
        rows: account_id, as_of, label, label_known_at, outcome_id.
        walk: The walk over them.
        settings: How the walk's models were fitted.
        since: Columns that may be used only from a prediction time on.
    """

    def __init__(
        self,
        values: pd.DataFrame,
        rows: pd.DataFrame,
        walk: WalkForward,
        settings: FitSettings,
        since: Mapping[str, datetime] | None = None,
    ) -> None:
        self.values = values
        self.rows = rows
        self.labels = rows["label"].to_numpy(dtype=np.float64, na_value=np.nan)
        self.settings = settings
        self.since = since or {}
        self.walked = walk.predictions
        self.tuned = walk.tuned

    def measure(self, how: EvaluationSettings) -> dict[str, Any]:
        """Return both figures beside the walk's.

        The seed of `how` draws the parts and the halves.

        Returns:
            JSON-safe: ``random_split`` and ``new_accounts``, each empty where it cannot be
            measured, else n, positives, observed_rate, auc, lift_at_10, log_loss and
            mean_probability, the walk's on the same rows under ``walk``, and ``gap``: this way
            minus the walk's, paired.
        """
        if self.walked.empty:
            return {"random_split": {}, "new_accounts": {}}
        return {
            "random_split": self._compared(self._random(how.seed), how),
            "new_accounts": self._compared(self._unseen(how.seed), how),
        }

    def _random(self, seed: int) -> list[_Test]:
        """Split all labelled rows at random, as if they did not depend on each other.

        Each part holds the same share of positives: else a part with more of them is predicted
        lower, by a base rate fitted without it, and the pooled order suffers.
        """
        known = np.flatnonzero(~np.isnan(self.labels))
        mixed = np.random.default_rng(seed).permutation(known)
        dealt = mixed[np.argsort(self.labels[mixed], kind="stable")]
        parts = [np.sort(dealt[part::PARTS]) for part in range(PARTS)]
        measured = np.zeros(len(self.rows), dtype=bool)
        measured[self.walked["row"].to_numpy()] = True
        return [
            _Test(np.setdiff1d(known, part), part[measured[part]], None)
            for part in parts[: 1 if len(known) > MANY_ROWS else PARTS]
            if measured[part].any()
        ]

    def _unseen(self, seed: int) -> list[_Test]:
        """Train on one half of the accounts and test on the other, forward in time."""
        settings = self.settings.model
        folds = forward_origins(
            self.rows,
            min_train_cutoffs=settings.min_train_cutoffs,
            min_train_positives=max(4, settings.min_train_positives // 2),
            max_folds=len(self.rows),
            disjoint_seed=seed,
        )
        times = set(self.walked["as_of"])
        shared = [origin for origin in folds.origins if origin.as_of in times]
        folds_tested = min(2 if len(self.rows) > MANY_ROWS else FOLDS, len(shared))
        chosen = np.linspace(0, len(shared) - 1, folds_tested).round().astype(int)
        return [
            _Test(shared[place].train, shared[place].test, shared[place].as_of) for place in chosen
        ]

    def _compared(self, tests: Sequence[_Test], how: EvaluationSettings) -> dict[str, Any]:
        if not tests or any(len(np.unique(self.labels[test.train])) < 2 for test in tests):
            return {}
        with threadpool_limits(limits=1), ThreadPoolExecutor(self.settings.model.threads) as pool:
            scores = np.concatenate(list(pool.map(self._predict, tests)))
            places = np.concatenate([test.test for test in tests])
            return self._beside(places, scores, how)

    def _predict(self, test: _Test) -> Floats:
        """Return probabilities that meet the base rate: the same for all models of a comparison."""
        allowed = usable(self.values, self.since, test.as_of)
        labels = self.labels[test.train]
        parameters = parameters_at(self.tuned, test.as_of, self.settings.model.parameters)
        settings = self.settings.with_model(threads=1, parameters=parameters)
        outcomes = rarer(self.rows.iloc[test.train])
        booster = fit_booster(allowed.iloc[test.train], labels, settings, outcomes=outcomes)
        calibrator = Sigmoid.through(booster.training_margins, float(labels.mean()))
        return calibrator.probability(booster.margins(allowed.iloc[test.test]))

    def _beside(self, places: Places, scores: Floats, how: EvaluationSettings) -> dict[str, Any]:
        """Compare predictions with the walk's of the same rows."""
        rows = self.walked.set_index("row").loc[places]
        labels = rows["label"].to_numpy(dtype=np.float64)
        if len(np.unique(labels)) < 2:
            return {}
        accounts = rows["account_id"].to_numpy(dtype=str)
        draws = Resamples.draw(accounts, how.resamples, how.seed)
        mine = _figures(draws, labels, scores)
        theirs = _figures(draws, labels, rows["probability"].to_numpy(dtype=np.float64))
        return {
            "n": len(labels),
            "positives": int(labels.sum()),
            "observed_rate": float(labels.mean()),
            **{name: interval(values, how.level) for name, values in mine.items()},
            "walk": {name: interval(values, how.level) for name, values in theirs.items()},
            "gap": {name: interval(mine[name] - theirs[name], how.level) for name in mine},
        }


def _figures(draws: Resamples, labels: Floats, scores: Floats) -> dict[str, Floats]:
    ranks = ranking(draws, labels, scores, (TOP,))
    columns = np.column_stack([np.ones_like(labels), log_loss(labels, scores), scores])
    rows, losses, total = draws.sums(columns).T
    return {
        "auc": ranks.auc,
        "lift_at_10": ranks.capture[:, 0] / TOP,
        "log_loss": losses / rows,
        "mean_probability": total / rows,
    }
