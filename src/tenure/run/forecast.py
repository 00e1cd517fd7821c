"""`tenure metrics --forecast`: what the accounts that pay will do, and what it was learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from tenure.core.config import Config
from tenure.core.errors import ConfigError, ModelError, Problem, suggestion
from tenure.core.files import write_table
from tenure.core.progress import SILENT, Progress
from tenure.core.records.forecast import (
    ForecastFigure,
    ForecastFit,
    ForecastRecord,
    PeriodFit,
    PeriodName,
)
from tenure.core.times import show
from tenure.run.metrics import grouped_frame
from tenure.run.prepare import Prepared
from tenure.run.report import training_record
from tenure.score.abstain import NOTICE
from tenure.success.forecast.forecast import BookForecast
from tenure.success.forecast.past import BOOK, with_outcomes
from tenure.success.forecast.periods import APART, MONTHS, spaced
from tenure.success.forecast.sources import Predictions
from tenure.success.forecast.track import fit_period

if TYPE_CHECKING:
    from tenure.core.records.training import TrainingRecord
    from tenure.run.fit import TargetResult
    from tenure.score.store.store import StoredRun
    from tenure.sources.dataset import Dataset

SPLITS = ("segment", "plan", "owner", "currency")
NO_VALUE = "(none)"
COLUMNS = ("account_id", "as_of", "probability")
OUTCOMES = ("label", "label_known_at")
NEW = (
    "of the accounts that pay at the start alone: what new accounts bring or lose, and who comes "
    "back, is no part of it"
)


def out_of_time(result: TargetResult) -> dict[int, pd.DataFrame]:
    """Return the out-of-time predictions of a target by horizon in days; none where refused."""
    fit = result.fit
    if fit is None:
        return {}
    walks = {str(result.rows["horizon"].iloc[0]): fit.walk}
    walks |= {horizon: fit.ahead.walks[horizon] for horizon in fit.ahead.fitted}
    return {
        int(horizon): walk.predictions[[*COLUMNS, *OUTCOMES]]
        for horizon, walk in walks.items()
        if horizon.isdigit() and not walk.predictions.empty
    }


def fit_forecast(
    prepared: Prepared,
    predictions: Predictions,
    dataset: Dataset,
    config: Config,
    progress: Progress = SILENT,
) -> ForecastFit | None:
    """Return what the forecast is made with, from the predictions of a backtest.

    The predictions go by target and by horizon in days.

    Returns:
        None where no past period is settled.
    """
    progress.stage("what came of past forecasts")
    rows = next(iter(prepared.labels.values()))
    if rows.empty:
        return None
    times = spaced(prepared.cutoffs, APART)
    book = rows.loc[rows["as_of"].isin(times), list(BOOK)]
    level, now = config.model.interval_level, dataset.observed_until
    periods: dict[PeriodName, PeriodFit] = {}
    for period in MONTHS:
        past = with_outcomes(dataset, book, period)
        if (fitted := fit_period(past, predictions, period, level, now)) is not None:
            periods[period] = fitted
    return ForecastFit(level=level, periods=periods) if periods else None


def run_forecast(config: Config, by: Sequence[str] = (), out: Path | None = None) -> ForecastRecord:
    """Forecast the retention of the accounts of the latest kept run.

    Accounts are split by some of `SPLITS`; the figures are also written to `out`, .csv or .parquet.

    Raises:
        ConfigError: If there is no such split.
        ModelError: If nothing was trained or scored yet.
    """
    from tenure.score.store.store import ScoreStore

    if unknown := [name for name in by if name not in SPLITS]:
        rule = "does not split a forecast"
        raise ConfigError(Problem("--by", rule, unknown[0], suggestion(unknown[0], SPLITS)))
    trained = training_record(config)
    if trained.forecast is None:
        rule = "the last training run holds no past period that is settled"
        fix = "train on a longer history, or again if it was trained by an earlier version"
        raise ModelError(Problem("forecast", rule, fix=fix))
    with ScoreStore.open(config) as store:
        run = store.run_up_to(thing="forecast")
        rows = store.book(run)
    record = forecast_of(rows, run, trained, trained.forecast, by)
    if out is not None:
        write_table(forecast_frame(record), out)
    return record


def forecast_of(
    rows: pd.DataFrame,
    run: StoredRun,
    trained: TrainingRecord,
    fit: ForecastFit,
    by: Sequence[str] = (),
) -> ForecastRecord:
    """Return the forecast of a kept run.

    `rows` are those of `ScoreStore.book`; `trained` is the training run that the fit is of.
    """
    book, predictions = _book(rows, run), _predictions(rows, run)
    figures: list[ForecastFigure] = []
    notes = [NEW, *_other_models(rows, trained)]
    splits = [name for name in SPLITS if name in by]
    for period, fitted in fit.periods.items():
        forecast = BookForecast(book, fitted, predictions, period, fit.level)
        figures += forecast.figures()
        figures += forecast.figures(splits) if splits else []
        if other := forecast.stands_in:
            notes.append(
                f"{period}: the kept scores lack what the backtest had of what is "
                f"{', '.join(other)}: the rate of the past stands in, and how past forecasts did "
                "is about the former"
            )
    return ForecastRecord(
        as_of=show(run.as_of),
        run_id=run.run_id,
        level=fit.level,
        figures=tuple(figures),
        track={period: fitted.track for period, fitted in fit.periods.items()},
        notes=tuple(notes),
    )


def _book(rows: pd.DataFrame, run: StoredRun) -> pd.DataFrame:
    """Return one row per account of a run, as `tenure.labels.snapshots.snapshots` has them."""
    accounts = rows.drop_duplicates("account_id").reset_index(drop=True)
    notice = (accounts["abstain_reason"] == NOTICE).to_numpy(dtype=bool)
    named = {
        name: accounts[name].astype(object).where(accounts[name].notna(), NO_VALUE).astype(str)
        for name in SPLITS
        if name != "currency"
    }
    return accounts[["account_id", "mrr", "currency", "renews_at"]].assign(
        as_of=pd.Timestamp(run.as_of),
        notice_given=notice,
        ends_at=accounts["renews_at"].where(notice),
        **named,
    )


def _predictions(rows: pd.DataFrame, run: StoredRun) -> dict[str, dict[int, pd.DataFrame]]:
    numbered = rows[rows["horizon"].str.isdigit()].assign(as_of=pd.Timestamp(run.as_of))
    result: dict[str, dict[int, pd.DataFrame]] = {}
    for (target, horizon), part in numbered.groupby(["target", "horizon"]):
        result.setdefault(str(target), {})[int(str(horizon))] = part[list(COLUMNS)]
    return result


def _other_models(rows: pd.DataFrame, trained: TrainingRecord) -> list[str]:
    """Return a note for each target that another model scored than the last training run fitted."""
    versions = rows.drop_duplicates("target").set_index("target")["model_version"]
    notes = []
    for target, version in versions.items():
        record = trained.targets.get(str(target))
        fitted = record.model.version if record and record.model else None
        if fitted != version:
            notes.append(
                f"{target}: the scores are by model {version}, the past forecasts by "
                f"{fitted or 'none'}: `tenure promote` or `tenure train` brings them together"
            )
    return notes


def forecast_frame(record: ForecastRecord) -> pd.DataFrame:
    """Return the figures of a forecast as rows of a table; `group` is JSON, dates are text."""
    return grouped_frame(record.figures, ForecastFigure, ["value", "lo", "hi", "known"])
