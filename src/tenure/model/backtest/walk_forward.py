"""Walk forward through the past: at each prediction time, fit and predict as one would have then.

At an origin the booster learns from rows whose label was known by then.  Its calibrator learns from
the predictions that earlier origins made, as far as their outcome was known by then: rows that are
later than anything those boosters saw.  The final model is fitted the same way, on everything.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from tenure.core.errors import Problem, RefusedError
from tenure.core.progress import SILENT, Progress
from tenure.core.times import show
from tenure.labels.splits import Folds, Origin, Shortage, check_embargo, forward_origins
from tenure.model.backtest.baselines import SINGLE_COLUMNS, baseline_probabilities
from tenure.model.boosting.fit import (
    FittedBooster,
    FittedModel,
    ForwardPredictions,
    calibrate,
    fit_booster,
    refit_on_resample,
)
from tenure.model.boosting.search import parameters_at, search
from tenure.model.calibration.interval import MEMBERS, Interval
from tenure.model.calibration.selection import AUTO, CalibratorTrials, fit_candidates
from tenure.model.settings import FitSettings

if TYPE_CHECKING:
    from datetime import datetime


Floats = NDArray[np.float64]

CALIBRATION_ORIGINS = 6
BOUNDS_GROWTH = 2
"""Growth of the positive training rows after which a fold fits its bounds anew."""

ROW_COLUMNS = ("account_id", "as_of", "mrr", "currency", "label", "label_known_at", "outcome_id")


@dataclass(frozen=True)
class WalkForward:
    """Predictions at past prediction times, the baselines beside them, and the final model.

    Attributes:
        predictions: One row per account and evaluated prediction time: account_id, as_of, fold,
            mrr, label, label_known_at, outcome_id, row (its position in the caller's order),
            margin (log-odds), probability with its bounds
            probability_lo and probability_hi, base_rate (of the fold's training rows).
        baselines: Same index: the probability each baseline gave.
        folds: One row per evaluated prediction time: fold, as_of, train_rows, train_positives,
            train_cutoffs, train_known_until, base_rate, calibrated_on, calibrated_by, test_rows,
            test_positives.
        shortage: Set where there are fewer folds than a claim needs.
        final: The model fitted on every known label.
        train: Positions of its training rows, in the caller's order.
        tuned: Results of the searches for parameters: the output of `search`.
    """

    predictions: pd.DataFrame
    baselines: pd.DataFrame
    folds: pd.DataFrame
    shortage: Shortage | None
    final: FittedModel
    train: NDArray[np.intp] = field(repr=False)
    tuned: list[dict[str, Any]] = field(default_factory=list)


def walk_forward(
    values: pd.DataFrame,
    rows: pd.DataFrame,
    settings: FitSettings,
    *,
    since: Mapping[str, datetime] | None = None,
    progress: Progress = SILENT,
) -> WalkForward:
    """Fit and predict at every past prediction time that has enough past, then fit the final model.

    Args:
        values: Feature values, one row per row of `rows`, in the same order.
        rows: account_id, as_of, label (1, 0 or missing), label_known_at, outcome_id, mrr.
        settings: How.
        since: Columns that may be used only from a prediction time on.
        progress: Told of each search and its trials, each fold, and the final model.

    Raises:
        RefusedError: If there are not both positive and negative labels.
        ModelError: If a training label was not known in time.
    """
    return _Walk(values, rows, settings, since or {}, progress).run()


class _Walk:
    def __init__(
        self,
        values: pd.DataFrame,
        rows: pd.DataFrame,
        settings: FitSettings,
        since: Mapping[str, datetime],
        progress: Progress,
    ) -> None:
        order = np.lexsort((rows["account_id"].to_numpy(dtype=str), rows["as_of"].to_numpy()))
        self.order = order
        self.rows = rows.iloc[order].reset_index(drop=True)
        self.values = values.iloc[order].reset_index(drop=True)
        self.labels = self.rows["label"].to_numpy(dtype=np.float64, na_value=np.nan)
        self.settings = settings
        self.since = since
        self.progress = progress
        self.accounts = pd.factorize(self.rows["account_id"])[0]
        self.trials = CalibratorTrials(self.accounts)
        self.tuned: list[dict[str, Any]] = []

    def run(self) -> WalkForward:
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
        earlier = self._origins(1, min(10, settings.model.min_train_positives), CALIBRATION_ORIGINS)
        plan = [o for o in earlier.origins if o.as_of not in evaluated] + list(folds.origins)
        plan.sort(key=lambda origin: origin.as_of)
        self.tuned = search(
            self.values,
            self.rows,
            settings,
            folds.origins,
            since=self.since,
            progress=self.progress,
        )
        return self._walk(plan, evaluated, folds.shortage, known)

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
        plan: list[Origin],
        evaluated: set[pd.Timestamp],
        shortage: Shortage | None,
        known: NDArray[np.intp],
    ) -> WalkForward:
        margins = np.full(len(self.rows), np.nan)
        booster_positives = np.zeros(len(self.rows))
        predictions: list[pd.DataFrame] = []
        baselines: list[pd.DataFrame] = []
        folds: list[dict[str, Any]] = []
        # Boosters do not depend on each other; calibrators do, so they follow one after another.
        threads = self.settings.model.threads
        interval, bounds_from = None, 0
        with (
            _ignore_convergence(),
            threadpool_limits(limits=1),
            ThreadPoolExecutor(threads) as pool,
        ):
            last = pool.submit(self._boost, known, None)
            done = pool.map(lambda origin: self._origin(origin, origin.as_of in evaluated), plan)
            bounded = not self.settings.bare
            self.progress.stage("past prediction times")
            self.progress.step(0, len(plan))
            for number, (origin, (booster, beside)) in enumerate(zip(plan, done, strict=True)):
                self.progress.step(number, len(plan), show(origin.as_of))
                margins[origin.test] = booster.margins(self.values.iloc[origin.test])
                booster_positives[origin.test] = booster.positives
                fitted = self._calibrate(booster, margins, booster_positives, origin)
                if origin.as_of in evaluated:
                    if bounded and booster.positives >= BOUNDS_GROWTH * bounds_from:
                        interval = self._interval(pool, fitted, booster, origin)
                        bounds_from = booster.positives
                    folds.append(self._describe(fitted, origin, len(folds)))
                    fitted = replace(fitted, interval=interval)
                    predictions.append(self._predict(fitted, origin, margins, len(folds) - 1))
                    baselines += [] if beside is None else [beside]
            self.progress.stage("final model")
            booster = last.result()
            fitted = self._calibrate(booster, margins, booster_positives, None)
            newest = np.flatnonzero((self.rows["as_of"] == self.rows["as_of"].max()).to_numpy())
            latest = Origin(self.rows["as_of"].max(), known, newest)
            if bounded:
                interval = self._interval(pool, fitted, booster, latest)
            final = replace(fitted, interval=interval)
        return WalkForward(
            predictions=_stack(predictions),
            baselines=_stack(baselines),
            folds=pd.DataFrame(folds),
            shortage=shortage,
            final=final,
            train=self.order[known],
            tuned=self.tuned,
        )

    def _origin(self, origin: Origin, evaluated: bool) -> tuple[FittedBooster, pd.DataFrame | None]:
        """Fit the booster of one origin, and the baselines where it is evaluated."""
        check_embargo(self.rows.iloc[origin.train], None, self.rows.iloc[origin.test])
        booster = self._boost(origin.train, origin.as_of)
        compared = evaluated and not self.settings.bare
        return booster, self._baselines(origin) if compared else None

    def _boost(self, train: NDArray[np.intp], as_of: pd.Timestamp | None) -> FittedBooster:
        """Fit a booster on one thread: that many run side by side."""
        values = self._allowed(as_of).iloc[train]
        parameters = parameters_at(self.tuned, as_of, self.settings.model.parameters)
        settings = self.settings.with_model(threads=1, parameters=parameters)
        return fit_booster(values, self.labels[train], settings)

    def _calibrate(
        self,
        booster: FittedBooster,
        margins: Floats,
        booster_positives: Floats,
        origin: Origin | None,
    ) -> FittedModel:
        """Calibrate as of a prediction time, or on everything known.

        A forward prediction weighs as much as the positive rows of its booster are of this one's:
        a booster of few events ranks worse, and its log-odds mean less.
        """
        known = ~np.isnan(margins)
        if origin is not None:
            known &= (self.rows["label_known_at"] <= origin.as_of).to_numpy()
        weights = np.minimum(booster_positives[known] / booster.positives, 1)
        moments = self.rows["as_of"].to_numpy(dtype="datetime64[us]")[known].astype(np.int64)
        forward = ForwardPredictions(margins[known], self.labels[known], weights, moments)
        if self.settings.model.calibrator != AUTO:
            return calibrate(booster, forward, self.settings)
        best = self.trials.best(self.labels, known)
        if origin is not None:
            self.trials.record(origin.test, margins[origin.test], fit_candidates(forward))
        return calibrate(booster, forward, self.settings, best)

    def _interval(
        self, pool: ThreadPoolExecutor, fitted: FittedModel, booster: FittedBooster, origin: Origin
    ) -> Interval:
        """Fit bounds: how far apart boosters of resampled accounts lie on one time's rows.

        The outcome of those rows plays no part.
        """
        settings = self.settings
        train = booster.encoder.transform(self.values.iloc[origin.train])
        latest = booster.encoder.transform(self.values.iloc[origin.test])
        accounts = pd.factorize(self.accounts[origin.train])[0]

        def member(number: int) -> Floats:
            drawn = settings.with_model(seed=settings.model.seed + 1 + number)
            margins = refit_on_resample(booster, train, accounts, latest, drawn)
            return fitted.calibrator.probability(margins)

        members = np.array(list(pool.map(member, range(MEMBERS))))
        probabilities = fitted.calibrator.probability(booster.model.decision_function(latest))
        return Interval.fit(
            probabilities, members, level=settings.model.interval_level, outcome=settings.outcome
        )

    def _allowed(self, as_of: pd.Timestamp | None) -> pd.DataFrame:
        late = [name for name, start in self.since.items() if as_of is not None and start > as_of]
        return self.values.drop(columns=late)

    def _predict(
        self, fitted: FittedModel, origin: Origin, margins: Floats, fold: int
    ) -> pd.DataFrame:
        columns = [name for name in ROW_COLUMNS if name in self.rows.columns]
        frame = self.rows.iloc[origin.test][columns].copy()
        frame.insert(2, "fold", fold)
        frame["row"] = self.order[origin.test]
        frame["margin"] = margins[origin.test]
        probability = fitted.calibrator.probability(margins[origin.test])
        frame["probability"] = probability
        if fitted.interval is not None:
            frame["probability_lo"], frame["probability_hi"] = fitted.interval.bounds(probability)
        frame["base_rate"] = fitted.base_rate
        return frame

    def _baselines(self, origin: Origin) -> pd.DataFrame:
        probabilities = baseline_probabilities(
            self._allowed(origin.as_of),
            self.labels,
            origin.train,
            origin.test,
            SINGLE_COLUMNS,
        )
        return pd.DataFrame(probabilities)

    def _describe(self, fitted: FittedModel, origin: Origin, fold: int) -> dict[str, Any]:
        return {
            "fold": fold,
            "as_of": origin.as_of,
            "train_rows": fitted.rows,
            "train_positives": fitted.positives,
            "train_cutoffs": self.rows["as_of"].iloc[origin.train].nunique(),
            "train_known_until": self.rows["label_known_at"].iloc[origin.train].max(),
            "base_rate": fitted.base_rate,
            "calibrated_on": fitted.calibrated_on,
            "calibrated_by": fitted.calibrated_by,
            "test_rows": len(origin.test),
            "test_positives": int(self.labels[origin.test].sum()),
        }


@contextmanager
def _ignore_convergence() -> Iterator[None]:
    """Silence warnings of baselines that stop short of their tolerance, in all threads."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def _stack(frames: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
