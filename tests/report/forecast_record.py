"""What a training run learnt for the forecast, as a record."""

from __future__ import annotations

from tenure.core.records.forecast import (
    ComponentFit,
    ForecastFit,
    ForecastTrack,
    PastWindow,
    PeriodFit,
    Rule,
)
from tenure.success.forecast.components import COMPONENTS
from tenure.success.forecast.track import TRACKED


def forecast_fit() -> ForecastFit:
    """A fit of both periods: churn and expansion by a model, contraction by the past rate."""
    windows = tuple(
        PastWindow(
            as_of=f"2023-{month:02d}-01", expected=2.0, observed=1.5 + month % 3 / 2, variance=1.4
        )
        for month in range(1, 12)
    )

    def fitted(target: str | None) -> ComponentFit:
        rule: Rule = "historic_rate" if target is None else "constant_hazard"
        ratio = {"due": 0.01, "not_due": 0.01} if target is None else {"due": 0.9, "not_due": 0.8}
        horizon = None if target is None else 90
        return ComponentFit(
            rule=rule, target=target, horizon_days=horizon, spread=1.2, windows=windows, **ratio
        )

    targets = {"contracted": None, "expanded": "expansion"}
    components: dict[str, dict[Rule, ComponentFit]] = {}
    for one in COMPONENTS:
        fit = fitted(targets.get(one.name, "churn"))
        components[one.name] = {fit.rule: fit}
    track = tuple(
        ForecastTrack(
            name=name,
            forecasts=22,
            windows=8,
            since="2023-02-01",
            until="2023-11-01",
            coverage=0.82,
            bias=0.004,
            error=0.0236,
            last_period_error=0.0353,
            mean_of_4_error=0.0251,
        )
        for name in TRACKED
    )
    part = PeriodFit(components=components, correlation={"churned logos": 0.4}, track=track)
    return ForecastFit(level=0.8, periods={"month": part, "quarter": part})
