"""Forecasts as they would have been made at past times, held against what happened.

A forecast at a time is made from the predictions of the fold of that time and from periods that had
been settled by then; nothing that became known later has a part in it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from tenure.core.records.forecast import (
    ComponentFit,
    FigureName,
    ForecastTrack,
    PeriodFit,
    PeriodName,
)
from tenure.core.times import show
from tenure.success.forecast.components import COMPONENTS, Component, sums, totals
from tenure.success.forecast.fit import correlations, fit_component, level
from tenure.success.forecast.outlook import Fitted, figures, interval, moments, outlook
from tenure.success.forecast.periods import SAME_LENGTH, period_days, spaced
from tenure.success.forecast.sources import Predictions, Source, risks_from, sources
from tenure.success.forecast.stretch import stretch

FEWEST = 3
"""Settled periods that a forecast of the past is made from at least."""
MOST = 36
"""Latest past forecasts that are made."""
TRACKED: tuple[FigureName, ...] = (
    *("logo_churn_rate", "churned_mrr", "contracted_mrr", "expanded_mrr"),
    *("gross_revenue_retention", "net_revenue_retention", "gross_renewal_rate"),
)
MEAN_OF = 4
PAST = ["as_of", "name", "value", "lo", "hi", "actual", "last_period", "mean_of_4"]


@dataclass(frozen=True)
class PastSums:
    """The sums of a component over past books, and where its risks come from."""

    source: Source
    """Where the risks come from."""
    sums: pd.DataFrame
    """Output of `sums`, by time."""
    known: pd.Series[Any] | None = None
    """Time → when the outcomes of it are known; None where none are needed."""

    @property
    def times(self) -> pd.Index[Any]:
        """Return the time of each row."""
        return self.sums.index.get_level_values("as_of")

    def fit(
        self, period: PeriodName, among: Collection[Any], now: pd.Timestamp
    ) -> ComponentFit | None:
        """Return what came of what was expected at some times; None where too little did.

        The period of the times in `among` is settled; outcomes known after `now` play no part.
        """
        past = self.sums[self.times.isin(list(among))]
        outcomes = past
        if self.known is not None:
            times = past.index.get_level_values("as_of")
            outcomes = past[(self.known.reindex(times) <= now).to_numpy()]
        return fit_component(past, outcomes, self.source, period)


def fit_period(
    rows: pd.DataFrame, predictions: Predictions, period: PeriodName, share: float, now: datetime
) -> PeriodFit | None:
    """Return what forecasts of a period are made with, and how such forecasts did in the past.

    `rows` are the output of `with_outcomes`, the predictions out of time, of the folds of a
    backtest.  An interval should hold the `share` of outcomes; observation stopped at `now`.

    Returns:
        None without a past period that is settled.
    """
    if rows.empty:
        return None
    past = {
        one.name: [
            _past_sums(rows, one, source, predictions, period)
            for source in sources(one, predictions, period)
        ]
        for one in COMPONENTS
    }
    everything = rows["as_of"].unique()
    fits = {
        name: {
            one.source.rule: fitted
            for one in alternatives
            if (fitted := one.fit(period, everything, pd.Timestamp(now))) is not None
        }
        for name, alternatives in past.items()
    }
    preferred = {name: next(iter(by_rule.values())) for name, by_rule in fits.items() if by_rule}
    history = PastForecasts(rows, predictions, period, share)
    return PeriodFit(
        components={name: by_rule for name, by_rule in fits.items() if by_rule},
        correlation=correlations(preferred),
        stretch={name: history.stretch(name, everything) for name in preferred},
        track=track(history.rows(), period),
    )


class PastForecasts:
    """Forecasts as they would have been made at past times, from the earliest on.

    Args:
        rows: Output of `with_outcomes`.
        predictions: Out of time, of the folds of a backtest.
        period: Its length.
        share: Share of outcomes that an interval should hold.
    """

    def __init__(
        self, rows: pd.DataFrame, predictions: Predictions, period: PeriodName, share: float
    ) -> None:
        self._period, self._share = period, share
        self._past = {
            one.name: _past_sums(
                rows, one, sources(one, predictions, period)[0], predictions, period
            )
            for one in COMPONENTS
        }
        self._books = totals(rows)
        self._ends = rows.groupby("as_of")[["period_to", "settled_at"]].first()
        self._off: dict[str, dict[pd.Timestamp, float]] = {one.name: {} for one in COMPONENTS}
        self._forecasts = [row for time in self._times() for row in self._forecast(time)]

    def rows(self) -> pd.DataFrame:
        """Return what was forecast, what happened, and what naive rates said.

        Returns:
            One row per time and figure: as_of, name, value, lo, hi, actual, last_period (the rate
            of the last period that had ended) and mean_of_4 (the mean rate of the last four);
            amounts of MRR are shares of the MRR at the start.
        """
        return pd.DataFrame(self._forecasts, columns=PAST)

    def stretch(self, name: str, among: Iterable[Any]) -> float:
        """Return the factor on the deviation of a component.

        The period of the times in `among` is settled.
        """
        settled = {pd.Timestamp(time) for time in among}
        off = {
            time.to_pydatetime(): one for time, one in self._off[name].items() if time in settled
        }
        return stretch(off, self._period, self._share)

    @cached_property
    def _actual(self) -> dict[Any, dict[str, Any]]:
        """Time → the shares that happened."""
        return {time: _shares(dict(self._books.loc[time])) for time in self._books.index}

    def _times(self) -> list[pd.Timestamp]:
        every = [one.times for one in self._past.values()]
        return [time for time in self._books.index if all(time in times for times in every)][-MOST:]

    def _forecast(self, time: pd.Timestamp) -> Iterator[dict[str, Any]]:
        """Yield the rows of a time, and keep how far its amounts were off."""
        ends, book = self._ends, dict(self._books.loc[time])
        settled = ends.index[(ends["settled_at"] <= time).to_numpy()]
        fitted = self._fitted(time, settled)
        own = {name: one.sums.loc[[time]] for name, one in self._past.items()}
        for name, one in fitted.items():
            expected, deviation = moments(replace(one, stretch=1.0), own[name])
            happened = book[name] - book.get(f"known_{name}", 0.0)
            if deviation > 0:
                self._off[name][time] = (happened - expected) / deviation
        if not fitted:
            return
        correlation = correlations({name: one.fit for name, one in fitted.items()})
        amounts, drawn = outlook(fitted, own, book, correlation)
        mean, draws = _shares(amounts), _shares(drawn)
        actual = self._actual
        ended = list(ends.index[(ends["period_to"] <= time).to_numpy()])
        for name in (one for one in mean if one in actual[time]):
            lo, hi = interval(draws[name], self._share)
            row = {"as_of": time, "name": name, "value": mean[name], "lo": lo, "hi": hi}
            naive = _naive(name, actual, ended, self._period)
            yield row | {"actual": actual[time][name]} | naive

    def _fitted(self, time: pd.Timestamp, settled: pd.Index[Any]) -> dict[str, Fitted]:
        """Return what the amounts of a time are forecast with; nothing where a past is short."""
        result = {}
        for name, one in self._past.items():
            known = one.times.unique().intersection(list(settled))
            fit = one.fit(self._period, known, time) if len(known) >= FEWEST else None
            if fit is None:
                return {}
            shock = level(fit, time.to_pydatetime(), self._period)
            result[name] = Fitted(fit, shock, self.stretch(name, settled))
        return result


def _past_sums(
    rows: pd.DataFrame,
    component: Component,
    source: Source,
    predictions: Predictions,
    period: PeriodName,
) -> PastSums:
    risks = risks_from(rows, source, predictions, period)
    return PastSums(source, sums(rows, component, risks.risk, risks.called), risks.known)


def _shares(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures that are tracked; amounts as shares of the MRR at the start."""
    result = figures(parts)
    return {
        name: result[name] / parts["start"] if name.endswith("_mrr") else result[name]
        for name in TRACKED
        if name in result
    }


def _naive(
    name: str, actual: Mapping[Any, Mapping[str, float]], ended: Sequence[Any], period: PeriodName
) -> dict[str, float]:
    """Return the rate of the last period that had ended, and the mean of the last four."""
    apart = (1 - SAME_LENGTH) * period_days(period)
    last = spaced([time for time in ended if name in actual[time]], apart)[-MEAN_OF:]
    rates = [actual[time][name] for time in last]
    if not rates:
        return {"last_period": np.nan, "mean_of_4": np.nan}
    return {"last_period": rates[-1], "mean_of_4": float(np.mean(rates))}


def track(forecasts: pd.DataFrame, period: PeriodName) -> tuple[ForecastTrack, ...]:
    """Return how past forecasts did, figure by figure.

    `forecasts` are the rows of `PastForecasts`.
    """
    by_name = dict(iter(forecasts.groupby("name")))
    return tuple(_figure_track(name, by_name[name], period) for name in TRACKED if name in by_name)


def _figure_track(name: FigureName, rows: pd.DataFrame, period: PeriodName) -> ForecastTrack:
    actual = rows["actual"]
    errors = {
        column: float((rows[column] - actual).abs().mean())
        for column in ("value", "last_period", "mean_of_4")
    }
    times = [time.to_pydatetime() for time in rows["as_of"]]
    return ForecastTrack(
        name=name,
        forecasts=len(rows),
        windows=len(spaced(times, (1 - SAME_LENGTH) * period_days(period))),
        since=show(times[0]),
        until=show(times[-1]),
        coverage=float(((rows["lo"] <= actual) & (actual <= rows["hi"])).mean()),
        bias=float((rows["value"] - actual).mean()),
        error=errors["value"],
        last_period_error=_number(errors["last_period"]),
        mean_of_4_error=_number(errors["mean_of_4"]),
    )


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value
