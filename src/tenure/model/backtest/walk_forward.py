"""Walk forward through the past: at each prediction time, fit and predict as one would have then.

At an origin the booster learns from rows whose label was known by then; it is fitted again once the
known outcomes have grown (`tenure.model.backtest.refits`).  Its calibrator learns from the
predictions that earlier origins made, as far as their outcome was known by then: rows that are
later than anything those boosters saw.  The final model is fitted the same way, on everything.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from tenure.core.arrays import Places
from tenure.core.errors import Problem, RefusedError
from tenure.core.progress import SILENT, Progress
from tenure.core.times import show
from tenure.labels.splits import (
    Folds,
    Origin,
    Shortage,
    check_embargo,
    forward_origins,
    rarer,
    thinned,
)
from tenure.model.backtest.baselines import BASE_RATE, SINGLE_COLUMNS, baseline_probabilities
from tenure.model.backtest.bounded import up_to_date, with_bounds
from tenure.model.backtest.forward_log import ForwardLog
from tenure.model.backtest.refits import Stretch, stretches
from tenure.model.boosting.fit import FittedBooster, FittedModel, fit_booster
from tenure.model.boosting.part import ScoringModel
from tenure.model.boosting.search import parameters_at, search
from tenure.model.boosting.tune import usable
from tenure.model.settings import FitSettings

CALIBRATION_ORIGINS = 6
FEWEST_OUTCOMES = 4
"""Distinct outcomes behind a booster that only serves to learn calibrators."""
BASELINE_ROWS = 100_000
"""Training rows above which baselines learn from a part of the accounts."""
BOUNDS_GROWTH = 2
"""Growth of the known outcomes after which a fold fits its bounds anew."""

ROW_COLUMNS = ("account_id", "as_of", "mrr", "currency", "label", "label_known_at", "outcome_id")


@dataclass(frozen=True)
class WalkForward:
    """Predictions at past prediction times, the baselines beside them, and the final model."""

    predictions: pd.DataFrame
    """One row per account and evaluated prediction time: account_id, as_of, fold, mrr, label,
    label_known_at, outcome_id, row (its position in the caller's order), margin (log-odds),
    probability with its bounds probability_lo and probability_hi, base_rate (of the rows known at
    the time)."""
    baselines: pd.DataFrame
    """Same index: the probability each baseline gave."""
    folds: pd.DataFrame
    """One row per evaluated prediction time: fold, as_of, fitted_at (the prediction time that its
    booster was fitted at), train_rows, train_positives, train_cutoffs, train_known_until (of that
    booster), base_rate, calibrated_on, calibrated_by, level (the shift of all accounts' log-odds),
    test_rows, test_positives."""
    shortage: Shortage | None
    """Set where there are fewer folds than a claim needs."""
    final: ScoringModel
    """The model fitted on every known label; of a part of an event, the product of two."""
    train: Places = field(repr=False)
    """Positions of its training rows, in the caller's order."""
    tuned: list[dict[str, Any]] = field(default_factory=list)
    """Results of the searches for parameters: the output of `search`."""
    share: WalkForward | None = field(default=None, repr=False)
    """Of a part of an event: the walk of its type."""


def walk_forward(
    values: pd.DataFrame,
    rows: pd.DataFrame,
    settings: FitSettings,
    *,
    since: Mapping[str, datetime] | None = None,
    early: pd.DataFrame | None = None,
    progress: Progress = SILENT,
) -> WalkForward:
    """Fit and predict at every past prediction time that has enough past, then fit the final model.

    Args:
        values: Feature values, one row per row of `rows`, in the same order.
        rows: account_id, as_of, label (1, 0 or missing), label_known_at, outcome_id, mrr; `tested`
            where others than the labelled rows are to be predicted.
        settings: How.
        since: Columns that may be used only from a prediction time on.
        early: The same rows under a shorter horizon, whose labels are known sooner: they tell how
            the rate of all accounts moves.  By default `rows` tell it.
        progress: Told of each search and its trials, each fold, and the final model.

    Raises:
        RefusedError: If there are not both positive and negative labels.
        ModelError: If a training label was not known in time.
    """
    return _Walk(values, rows, settings, since or {}, early).run(progress)


class _Walk:
    def __init__(
        self,
        values: pd.DataFrame,
        rows: pd.DataFrame,
        settings: FitSettings,
        since: Mapping[str, datetime],
        early: pd.DataFrame | None,
    ) -> None:
        order = np.lexsort((rows["account_id"].to_numpy(dtype=str), rows["as_of"].to_numpy()))
        self.order = order
        self.rows = _sorted(rows, order)
        self.values = _sorted(values, order)
        self.labels = self.rows["label"].to_numpy(dtype=np.float64, na_value=np.nan)
        self.settings = settings
        self.since = since
        self.tuned: list[dict[str, Any]] = []
        shorter = None if early is None else _sorted(early, order)
        self.forward = ForwardLog(self.rows, shorter, settings)

    def run(self, progress: Progress) -> WalkForward:
        known = np.flatnonzero(~np.isnan(self.labels))
        if len(np.unique(self.labels[known])) < 2:
            raise RefusedError(
                Problem("labels", "a model needs positive and negative rows", f"{len(known)} rows")
            )
        settings = self.settings
        folds = self._origins(
            settings.model.min_train_cutoffs, settings.model.min_train_positives, 0
        )
        evaluated = {origin.as_of for origin in folds.origins}
        fewest = min(FEWEST_OUTCOMES, settings.model.min_train_positives)
        earlier = self._origins(1, fewest, CALIBRATION_ORIGINS)
        plan = [o for o in earlier.origins if o.as_of not in evaluated] + list(folds.origins)
        plan.sort(key=lambda origin: origin.as_of)
        self.tuned = search(
            self.values,
            self.rows,
            settings,
            folds.origins,
            since=self.since,
            progress=progress,
        )
        return self._walk(stretches(self.rows, plan), evaluated, folds.shortage, known, progress)

    def _origins(self, cutoffs: int, positives: int, more: int) -> Folds:
        return forward_origins(
            self.rows,
            min_train_cutoffs=cutoffs,
            min_train_positives=positives,
            min_test_cutoffs=self.settings.model.min_test_cutoffs,
            max_folds=(self.settings.max_folds or self.rows["as_of"].nunique()) + more,
        )

    def _walk(
        self,
        plan: list[Stretch],
        evaluated: set[pd.Timestamp],
        shortage: Shortage | None,
        known: Places,
        progress: Progress,
    ) -> WalkForward:
        predictions: list[pd.DataFrame] = []
        baselines: list[pd.DataFrame] = []
        folds: list[dict[str, Any]] = []
        # Boosters do not depend on each other; calibrators do, so they follow one after another.
        bounded: FittedModel | None = None
        bounds_from = 0
        bare = self.settings.bare
        with (
            _ignore_convergence(),
            threadpool_limits(limits=1),
            ThreadPoolExecutor(self.settings.model.threads) as pool,
        ):
            last = pool.submit(self._boost, known, None)
            done = pool.map(lambda stretch: self._stretch(stretch, evaluated), plan)
            progress.stage("past prediction times")
            total, number = sum(len(stretch.origins) for stretch in plan), 0
            for stretch, (booster, beside) in zip(plan, done, strict=True):
                margins = booster.margins(self.values.iloc[stretch.test])
                self.forward.record(stretch.test, margins, booster.outcomes)
                for origin in stretch.origins:
                    progress.step(number, total, show(origin.as_of))
                    number += 1
                    fitted = self.forward.calibrate(booster, origin)
                    if origin.as_of not in evaluated:
                        continue
                    if not bare and booster.outcomes >= BOUNDS_GROWTH * bounds_from:
                        learnt = replace(origin, train=stretch.first.train)
                        bounded = with_bounds(fitted, booster, self.forward, self.values, learnt)
                        bounds_from = booster.outcomes
                    elif bounded is not None:
                        bounded = up_to_date(bounded, fitted, self.forward, origin.train)
                    folds.append(self._describe(fitted, stretch, origin, len(folds)))
                    predictions.append(self._predict(fitted, bounded, origin, len(folds) - 1))
                baselines += [] if beside is None else [beside]
            progress.stage("final model")
            booster = last.result()
            fitted = self.forward.calibrate(booster, None)
            newest = np.flatnonzero((self.rows["as_of"] == self.rows["as_of"].max()).to_numpy())
            latest = Origin(self.rows["as_of"].max(), known, newest)
            final = (
                fitted if bare else with_bounds(fitted, booster, self.forward, self.values, latest)
            )
        return WalkForward(
            predictions=_stack(predictions),
            baselines=_stack(baselines),
            folds=pd.DataFrame(folds),
            shortage=shortage,
            final=final,
            train=self.order[known],
            tuned=self.tuned,
        )

    def _stretch(
        self, stretch: Stretch, evaluated: set[pd.Timestamp]
    ) -> tuple[FittedBooster, pd.DataFrame | None]:
        """Fit the booster of a stretch, and the baselines of the folds that are evaluated."""
        first = stretch.first
        for origin in stretch.origins:
            check_embargo(self.rows.iloc[origin.train], self.rows.iloc[origin.test])
        booster = self._boost(first.train, first.as_of)
        compared = [origin for origin in stretch.origins if origin.as_of in evaluated]
        if not compared or self.settings.bare:
            return booster, None
        test = np.concatenate([origin.test for origin in compared])
        learnt = np.zeros(len(self.rows), dtype=bool)
        learnt[first.train] = True
        seed = self.settings.model.seed
        sample = thinned(self.rows["account_id"], learnt, BASELINE_ROWS, seed)
        probabilities = baseline_probabilities(
            usable(self.values, self.since, first.as_of),
            self.labels,
            sample,
            test,
            SINGLE_COLUMNS,
        )
        rates = [np.full(len(fold.test), self.labels[fold.train].mean()) for fold in compared]
        return booster, pd.DataFrame(probabilities | {BASE_RATE: np.concatenate(rates)})

    def _boost(self, train: Places, as_of: pd.Timestamp | None) -> FittedBooster:
        """Fit a booster on one thread: that many run side by side."""
        values = usable(self.values, self.since, as_of).iloc[train]
        parameters = parameters_at(self.tuned, as_of, self.settings.model.parameters)
        settings = self.settings.with_model(threads=1, parameters=parameters)
        outcomes = rarer(self.rows.iloc[train])
        return fit_booster(values, self.labels[train], settings, outcomes=outcomes)

    def _predict(
        self, fitted: FittedModel, bounded: FittedModel | None, origin: Origin, fold: int
    ) -> pd.DataFrame:
        """Return the predictions of a fold; the model of their bounds may be an older one."""
        columns = [name for name in ROW_COLUMNS if name in self.rows.columns]
        frame = self.rows.iloc[origin.test][columns].copy()
        frame.insert(2, "fold", fold)
        frame["row"] = self.order[origin.test]
        frame["margin"] = self.forward.margins[origin.test]
        probability = fitted.calibrator.probability(self.forward.margins[origin.test])
        frame["probability"] = probability
        if bounded is not None:
            lo, hi = bounded.bounds(self.values.iloc[origin.test], probability)
            frame["probability_lo"], frame["probability_hi"] = lo, hi
        frame["base_rate"] = fitted.base_rate
        return frame

    def _describe(
        self, fitted: FittedModel, stretch: Stretch, origin: Origin, fold: int
    ) -> dict[str, Any]:
        train = stretch.first.train
        return {
            "fold": fold,
            "as_of": origin.as_of,
            "fitted_at": stretch.first.as_of,
            "train_rows": fitted.rows,
            "train_positives": fitted.positives,
            "train_cutoffs": self.rows["as_of"].iloc[train].nunique(),
            "train_known_until": self.rows["label_known_at"].iloc[train].max(),
            "base_rate": fitted.base_rate,
            "calibrated_on": fitted.calibrated_on,
            "calibrated_by": fitted.calibrated_by,
            "level": fitted.level.applied if fitted.level else 0.0,
            "test_rows": len(origin.test),
            "test_positives": int(np.nansum(self.labels[origin.test])),
        }


@contextmanager
def _ignore_convergence() -> Iterator[None]:
    """Silence warnings of baselines that stop short of their tolerance, in all threads."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def _sorted(frame: pd.DataFrame, order: Places) -> pd.DataFrame:
    """Return the rows in an order, under an index from 0; no copy where they are in it already."""
    if (order == np.arange(len(order))).all():
        return frame.reset_index(drop=True)
    return frame.iloc[order].reset_index(drop=True)


def _stack(frames: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
