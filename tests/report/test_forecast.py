"""What people read of a forecast."""

from __future__ import annotations

from tenure.core.records.forecast import (
    ForecastFigure,
    ForecastFit,
    ForecastRecord,
    ForecastTrack,
    PeriodFit,
)
from tenure.report.forecast import forecast_lines, forecast_view
from tenure.report.forecast_page import error_figures

TRACK = ForecastTrack(
    name="net_revenue_retention",
    forecasts=22,
    windows=8,
    since="2023-06-01",
    until="2025-03-01",
    coverage=0.82,
    bias=0.004,
    error=0.0236,
    last_period_error=0.0353,
)


def figure(name: str, **values: object) -> ForecastFigure:
    period = {"period": "quarter", "period_from": "2025-07-01", "period_to": "2025-10-01"}
    return ForecastFigure.from_json({"name": name, **period, **values})


RECORD = ForecastRecord(
    as_of="2025-07-01",
    run_id="r",
    level=0.8,
    figures=(
        figure("logo_churn", value=40.26, lo=31, hi=50.04, known=3, accounts=500, rule="model"),
        figure("churned_mrr", value=20123.4, lo=15000, hi=26000, currency="EUR", accounts=400),
        figure("net_revenue_retention", value=0.9123, lo=0.88, hi=0.94, currency="EUR"),
        figure("gross_renewal_rate", currency="EUR", reason="no term ends in the quarter"),
        figure("logo_churn", value=10, lo=6, hi=14, group={"segment": "small"}, accounts=90),
    ),
    track={"quarter": (TRACK,), "month": ()},
    notes=("of the accounts that pay at the start alone",),
)


def test_a_terminal_shows_figures_their_interval_and_how_such_forecasts_did() -> None:
    lines = forecast_lines(RECORD)
    text = "\n".join(" ".join(line.split()) for line in lines)
    assert "as of 2025-07-01, intervals of 80%" in text
    assert "quarter from 2025-07-01 to 2025-10-01 (exclusive)" in text
    assert "accounts that leave all 40.3 31.0 50.0 3 500 model" in text
    assert "accounts that leave small 10.0 6.0 14.0 90" in text
    assert "churned MRR all 20,123 EUR 15,000 26,000 400" in text
    assert "net revenue retention all 91.2% EUR 88.0% 94.0%" in text
    assert "gross renewal rate all – EUR" in text
    assert "gross renewal rate: no term ends in the quarter" in text
    assert "net revenue retention 22 8 82% 0.40% 2.36% 3.53% –" in text
    assert "no forecast of a past month could be made" in text
    assert "model: probability of the model" in text
    assert lines[-1] == RECORD.notes[0]


def test_a_report_shows_past_forecasts_where_any_could_be_made() -> None:
    made = ForecastFit(level=0.8, periods={"quarter": PeriodFit(components={}, track=(TRACK,))})
    view = forecast_view(made)
    assert view is not None
    assert [one.caption for one in view["tables"]] == [
        "Forecasts of a quarter, starts 2023-06-01 to 2025-03-01"
    ]
    none = ForecastFit(level=0.8, periods={"month": PeriodFit(components={})})
    assert forecast_view(none) is None
    assert forecast_view(None) is None
    (chart,) = error_figures(made)
    assert "Net revenue retention, forecast: 2.36%" in chart.text
    assert "rate of the last period: 3.53%" in chart.text
    assert "mean of four" not in chart.text, "it was never measured"
