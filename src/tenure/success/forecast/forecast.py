"""The forecast of a scored book, in total and by groups of accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tenure.core.records.forecast import (
    ComponentFit,
    FigureName,
    ForecastFigure,
    PeriodFit,
    PeriodName,
)
from tenure.core.times import show
from tenure.success.forecast.components import (
    CHURNED,
    COMPONENTS,
    CONTRACTED,
    EXPANDED,
    LAPSED,
    LOGOS,
    sums,
    totals,
)
from tenure.success.forecast.fit import level
from tenure.success.forecast.outlook import Fitted, figures, interval, outlook
from tenure.success.forecast.past import described
from tenure.success.forecast.sources import Predictions, Source, risks_from

ALL = "everybody"
CURRENCY = "own_currency"
COUNTED: tuple[FigureName, ...] = ("logo_churn", "logo_churn_rate")
MONEY: tuple[FigureName, ...] = (
    *("churned_mrr", "contracted_mrr", "expanded_mrr"),
    *("gross_revenue_retention", "net_revenue_retention", "gross_renewal_rate", "arr_at_risk"),
)
PART: Mapping[str, str] = {
    "logo_churn": LOGOS.name,
    "logo_churn_rate": LOGOS.name,
    "churned_mrr": CHURNED.name,
    "arr_at_risk": CHURNED.name,
    "contracted_mrr": CONTRACTED.name,
    "expanded_mrr": EXPANDED.name,
    "gross_renewal_rate": LAPSED.name,
}
"""Figure → the one amount that it follows from, where it is one."""


class BookForecast:
    """The forecast of one book and one period.

    Args:
        book: The columns of `tenure.success.forecast.past.BOOK`, all of one time, and those that
            groups are made of.
        fit: What it is made with.
        predictions: Target → horizon in days → probabilities of the accounts.
        period: How long.
        share: Share of outcomes that an interval should hold.
    """

    def __init__(
        self,
        book: pd.DataFrame,
        fit: PeriodFit,
        predictions: Predictions,
        period: PeriodName,
        share: float,
    ) -> None:
        self._period, self._fit, self._share = period, fit, share
        rows = described(book, period)
        further = [name for name in book.columns if name not in rows]
        self._rows = pd.concat([rows, book[further].reset_index(drop=True)], axis=1)
        self._rows[ALL], self._rows["currency"] = "", rows[CURRENCY]
        self._fits = {
            name: chosen
            for name, by_rule in fit.components.items()
            if (chosen := _usable(by_rule, predictions)) is not None
        }
        start = self._rows["as_of"].iloc[0].to_pydatetime()
        self._fitted = {
            name: Fitted(one, level(one, start, period), fit.stretch.get(name, 1.0))
            for name, one in self._fits.items()
        }
        self._risks = {
            name: risks_from(self._rows, _source(one), predictions, period).risk
            for name, one in self._fits.items()
        }

    @property
    def stands_in(self) -> list[str]:
        """Return the components that another rule than the preferred one forecasts."""
        first = {name: preferred(fits)[0] for name, fits in self._fit.components.items()}
        return [name for name, one in self._fits.items() if one.rule != first[name].rule]

    def figures(self, by: Sequence[str] = ()) -> list[ForecastFigure]:
        """Return the figures of every group of accounts, and currency where they are money."""
        return [
            *self._grouped([ALL, *by], COUNTED),
            *self._grouped([ALL, *by, CURRENCY], MONEY),
        ]

    def _grouped(self, keys: list[str], names: Sequence[FigureName]) -> list[ForecastFigure]:
        sizes = totals(self._rows, keys)
        own = {
            one.name: sums(self._rows, one, self._risks[one.name], keys=keys)
            for one in COMPONENTS
            if one.name in self._risks
        }
        units = self._rows.groupby(keys, dropna=False)["unit"].first()
        result = []
        for key in sizes.index:
            parts = {name: _of(frame, key) for name, frame in own.items()}
            values = self._values(parts, dict(sizes.loc[key]), float(units[key]))
            words = dict(zip(keys, key if isinstance(key, tuple) else (key,), strict=True))
            result += [
                self._figure(name, values, words, int(sizes.loc[key, "accounts"])) for name in names
            ]
        return result

    def _values(
        self, parts: Mapping[str, pd.DataFrame], sizes: Mapping[str, float], unit: float
    ) -> dict[str, dict[str, float]]:
        """Return value, lo, hi and known, where a part is, of the figures that can be forecast."""
        mean, draws = outlook(self._fitted, parts, sizes, self._fit.correlation)
        values, drawn = figures(mean), figures(draws)
        known = {
            "logo_churn": sizes["known_logos"],
            "churned_mrr": sizes["known_churned"],
            "logo_churn_rate": sizes["known_logos"] / sizes["accounts"],
        }
        if CHURNED.name in self._fits and self._fits[CHURNED.name].target is not None:
            at_risk = 12 * float(parts[CHURNED.name]["expected"].sum())
            left = mean[CHURNED.name] - sizes["known_churned"]
            values["arr_at_risk"] = at_risk
            spread = (draws[CHURNED.name] - sizes["known_churned"]) / left if left > 0 else 1.0
            drawn["arr_at_risk"] = at_risk * spread * np.ones(len(draws["start"]))
        result = {}
        for name, value in values.items():
            scale = unit if name.endswith("_mrr") or name == "arr_at_risk" else 1.0
            lo, hi = interval(drawn[name], self._share)
            numbers = {"value": float(value), "lo": lo, "hi": hi}
            numbers |= {"known": known[name]} if name in known else {}
            result[name] = {key: number * scale for key, number in numbers.items()}
        return result

    def _figure(
        self,
        name: FigureName,
        values: Mapping[str, Mapping[str, float]],
        words: Mapping[str, Any],
        accounts: int,
    ) -> ForecastFigure:
        start, end = self._rows["as_of"].iloc[0], self._rows["period_to"].iloc[0]
        part = PART.get(name)
        return ForecastFigure(
            name=name,
            period=self._period,
            period_from=show(start.to_pydatetime()),
            period_to=show(end.to_pydatetime()),
            group={key: str(word) for key, word in words.items() if key not in (ALL, CURRENCY)},
            currency=words.get(CURRENCY) or None,
            **values.get(name, {}),
            accounts=accounts,
            rule=self._fits[part].rule if part in self._fits else None,
            reason=self._reason(name) if name not in values else None,
        )

    def _reason(self, name: str) -> str:
        if name == "arr_at_risk":
            return "nothing gives a probability of churn"
        needed = {"gross_revenue_retention": ("churned", "contracted")}.get(name) or (
            ("churned", "contracted", "expanded")
            if name == "net_revenue_retention"
            else (PART[name],)
        )
        if lacking := [one for one in needed if one not in self._fits]:
            return f"no past {self._period} that is settled tells of what was {lacking[0]}"
        return f"no term ends in the {self._period}"


def preferred(by_rule: Mapping[Any, ComponentFit]) -> list[ComponentFit]:
    """Return the fits of a component, those by a model first."""
    return sorted(by_rule.values(), key=lambda one: one.target is None)


def _usable(by_rule: Mapping[Any, ComponentFit], predictions: Predictions) -> ComponentFit | None:
    """Return the preferred fit of those whose probabilities are at hand."""
    for one in preferred(by_rule):
        if one.target is None:
            return one
        known = predictions.get(one.target, {}).get(one.horizon_days or 0)
        if known is not None and known["probability"].notna().any():
            return one
    return None


def _source(fit: ComponentFit) -> Source:
    return Source(fit.rule, fit.target, fit.horizon_days)


def _of(frame: pd.DataFrame, key: Any) -> pd.DataFrame:
    """Return the rows of one group, by `due`; none where it has none."""
    try:
        part: pd.DataFrame = frame.loc[key]
    except KeyError:
        return frame.iloc[:0]
    return part
