"""The forecast on books whose risks and shocks are known."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from success.forecast.panels import Panel, predictions
from tenure.core.records.forecast import ComponentFit, ForecastFigure, PeriodFit
from tenure.core.times import days
from tenure.success.forecast.components import CHURNED, COMPONENTS, LOGOS, Component, sums, totals
from tenure.success.forecast.fit import fit_component, level
from tenure.success.forecast.forecast import BookForecast
from tenure.success.forecast.outlook import figures
from tenure.success.forecast.periods import nearest_horizon, period_end, scaled
from tenure.success.forecast.sources import Source, risks_from, sources
from tenure.success.forecast.stretch import stretch
from tenure.success.forecast.track import PastForecasts, fit_period, track

MODEL = Source("model", "churn", 30)
END = datetime(2030, 1, 1)


def fitted(rows: pd.DataFrame, component: Component) -> ComponentFit | None:
    risks = risks_from(rows, MODEL, predictions(rows), "month")
    past = sums(rows, component, risks.risk, risks.called)
    return fit_component(past, past, MODEL, "month")


def deviation(shock: float, seed: int) -> float:
    rows = Panel(shock=shock, seed=seed, accounts=2000).rows()
    fit = fitted(rows, LOGOS)
    assert fit is not None
    assert len(fit.windows) == 36
    return level(fit, rows["period_to"].max().to_pydatetime(), "month").deviation


def test_the_size_of_shared_shocks_is_recovered() -> None:
    calm = [deviation(0, seed) for seed in range(4)]
    rough = [deviation(0.4, seed) for seed in range(4)]
    assert max(calm) < 0.12
    assert np.mean(rough) == pytest.approx(0.4, abs=0.12)


def test_intervals_hold_as_often_as_they_say_whatever_the_shock() -> None:
    for shock in (0.0, 0.3):
        tracks = []
        for seed in range(2):
            rows = Panel(shock=shock, seed=seed, accounts=400, months=30).rows()
            tracks.append(PastForecasts(rows, predictions(rows), "month", 0.8).rows())
        among = pd.concat(tracks)
        among = among[among["name"] == "gross_revenue_retention"]
        held = ((among["lo"] <= among["actual"]) & (among["actual"] <= among["hi"])).mean()
        assert len(among) > 50
        assert 0.68 <= held <= 0.92


def test_independent_coins_would_promise_far_too_much() -> None:
    rows = Panel(shock=0.4, accounts=3000, seed=5).rows()
    fit = fitted(rows, CHURNED)
    assert fit is not None
    coin = np.mean([one.variance**0.5 / one.expected for one in fit.windows])
    assert level(fit, datetime(2023, 1, 1), "month").deviation > 2 * coin


def test_what_happens_later_changes_no_earlier_forecast() -> None:
    rows = Panel(shock=0.2, accounts=200, months=14).rows()
    before = PastForecasts(rows, predictions(rows), "month", 0.8).rows()
    time = sorted(rows["as_of"].unique())[9]
    later = (rows["settled_at"] > time).to_numpy()
    changed = rows.assign(gone=rows["gone"] | later, end_mrr=rows["end_mrr"].where(~later, 0.0))
    after = PastForecasts(changed, predictions(rows), "month", 0.8).rows()
    made = ["as_of", "name", "value", "lo", "hi"]
    same = before["as_of"] <= time
    assert same.sum() > 30
    pd.testing.assert_frame_equal(before[same][made], after[after["as_of"] <= time][made])
    last = before["as_of"].max()
    at_last = [one[one["as_of"] == last]["value"].to_numpy() for one in (before, after)]
    assert not np.allclose(*at_last)


def test_intervals_widen_where_past_forecasts_were_further_off_than_they_said() -> None:
    rows = Panel(accounts=300, months=24).rows()
    swing = np.where(rows["as_of"].dt.month % 2 == 0, 3.0, 0.1)
    noisy = rows.assign(mrr=rows["mrr"] * np.where(rows["gone"], swing, 1.0))
    fits = [
        fit_period(one.assign(unit=one["mrr"].mean()), predictions(one), "month", 0.8, END)
        for one in (rows, noisy)
    ]
    calm, wild = (one.stretch["churned"] for one in fits if one is not None)
    assert 0.7 < calm < 1.4
    assert wild > calm
    assert stretch({}, "month", 0.8) == pytest.approx(1.06, abs=0.01)
    starts = [END + days(31 * number) for number in range(40)]
    assert stretch(dict.fromkeys(starts, 2.0), "month", 0.8) == pytest.approx(1.84, abs=0.1)
    assert stretch(dict.fromkeys(starts, 9.0), "month", 0.8) < 4.0, "one outlier is bounded"


def test_naive_rates_are_those_of_periods_that_had_ended() -> None:
    rows = Panel(accounts=100, months=12).rows()
    among = PastForecasts(rows, predictions(rows), "month", 0.8).rows()
    rates = among[among["name"] == "logo_churn_rate"].set_index("as_of")
    actual = rows.groupby("as_of")["gone"].mean()
    time = rates.index[-1]
    previous = [time - pd.DateOffset(months=number) for number in (1, 2, 3, 4)]
    assert rates.loc[time, "actual"] == actual[time]
    assert rates.loc[time, "last_period"] == actual[previous[0]]
    assert rates.loc[time, "mean_of_4"] == pytest.approx(actual[previous].mean())


def test_a_track_is_what_its_rows_say() -> None:
    rows = pd.DataFrame(
        {
            "as_of": pd.to_datetime(["2024-01-01", "2024-02-01"]),
            "name": "logo_churn_rate",
            "value": [0.10, 0.20],
            "lo": [0.05, 0.15],
            "hi": [0.15, 0.25],
            "actual": [0.12, 0.12],
            "last_period": [0.10, 0.12],
            "mean_of_4": [0.08, np.nan],
        }
    )
    (one,) = track(rows, "month")
    assert (one.forecasts, one.windows, one.coverage) == (2, 2, 0.5)
    assert one.bias == pytest.approx(0.03)
    assert one.error == pytest.approx(0.05)
    assert one.last_period_error == pytest.approx(0.01)
    assert one.mean_of_4_error == pytest.approx(0.04)
    (quarter,) = track(rows, "quarter")
    assert quarter.windows == 1


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    return Panel(accounts=200, months=15).rows()


@pytest.fixture(scope="module")
def fit(panel: pd.DataFrame) -> PeriodFit:
    result = fit_period(panel, predictions(panel), "month", 0.8, END)
    assert result is not None
    return result


def book(panel: pd.DataFrame) -> pd.DataFrame:
    """The last book, in two segments and two currencies; the first three accounts gave notice."""
    last = panel[panel["as_of"] == panel["as_of"].max()].reset_index(drop=True)
    start, end = last["as_of"].iloc[0], last["period_to"].iloc[0]
    place = np.arange(len(last))
    return last.drop(columns=["period_to", "own_currency", "due", "known", "unit"]).assign(
        segment=np.where(place % 3 == 0, "small", "large"),
        currency=np.where(place % 4 == 0, "USD", "EUR"),
        notice_given=place < 3,
        ends_at=pd.Series([start + days(9), start + days(20), end]).reindex(place),
        renews_at=pd.Series([start + days(9)]).reindex(place).ffill().where(place % 2 == 0),
    )


def forecast(panel: pd.DataFrame, fit: PeriodFit) -> BookForecast:
    return BookForecast(book(panel), fit, predictions(panel), "month", 0.8)


def test_segments_add_up_to_the_total(panel: pd.DataFrame, fit: PeriodFit) -> None:
    made = forecast(panel, fit)
    total, parts = made.figures(), made.figures(["segment"])
    assert {one.group.get("segment") for one in parts} == {"small", "large"}
    for name in ("logo_churn", "churned_mrr", "contracted_mrr", "expanded_mrr", "arr_at_risk"):
        for currency in {one.currency for one in total if one.name == name}:
            whole, split = (
                [one for one in among if (one.name, one.currency) == (name, currency)]
                for among in (total, parts)
            )
            assert len(split) == 2
            assert sum(one.value or 0 for one in split) == pytest.approx(whole[0].value)
            assert sum(one.accounts for one in split) == whole[0].accounts


def of(figures_: list[ForecastFigure], name: str, currency: str | None) -> ForecastFigure:
    (one,) = (one for one in figures_ if (one.name, one.currency) == (name, currency))
    return one


def test_losses_that_are_known_are_counted_as_lost(panel: pd.DataFrame, fit: PeriodFit) -> None:
    made, accounts = forecast(panel, fit).figures(), book(panel)
    assert of(made, "logo_churn", None).known == 2  # the third ends after the month
    euro = of(made, "churned_mrr", "EUR")
    assert euro.known == pytest.approx(accounts["mrr"][1])
    assert of(made, "churned_mrr", "USD").known == pytest.approx(accounts["mrr"][0])
    assert euro.lo is not None
    assert (euro.known or 0) < euro.lo < (euro.value or 0) < (euro.hi or 0)
    at_risk = predictions(panel)["churn"][30].merge(accounts, on=["account_id", "as_of"])
    open_ones = at_risk[(at_risk["currency"] == "EUR") & ~at_risk["notice_given"]]
    expected = 12 * (open_ones["probability"] * open_ones["mrr"]).sum()
    assert of(made, "arr_at_risk", "EUR").value == pytest.approx(expected)


def test_retention_follows_from_its_parts(panel: pd.DataFrame, fit: PeriodFit) -> None:
    made, accounts = forecast(panel, fit).figures(), book(panel)
    start = accounts.loc[accounts["currency"] == "EUR", "mrr"].sum()
    churned, contracted, expanded, gross, net = (
        of(made, name, "EUR").value or 0
        for name in (
            *("churned_mrr", "contracted_mrr", "expanded_mrr"),
            *("gross_revenue_retention", "net_revenue_retention"),
        )
    )
    assert gross == pytest.approx(1 - (churned + contracted) / start)
    assert net == pytest.approx(gross + expanded / start)


def test_what_cannot_be_forecast_has_no_value_but_a_reason(
    panel: pd.DataFrame, fit: PeriodFit
) -> None:
    nothing_due = book(panel).assign(renews_at=None, notice_given=False)
    nothing_due = nothing_due.astype({"renews_at": "datetime64[us]"})
    made = BookForecast(nothing_due, fit, {}, "month", 0.8).figures()
    renewal, at_risk = (of(made, name, "EUR") for name in ("gross_renewal_rate", "arr_at_risk"))
    assert (renewal.value, renewal.reason) == (None, "no term ends in the month")
    assert (at_risk.value, at_risk.reason) == (None, "nothing gives a probability of churn")
    assert of(made, "churned_mrr", "EUR").rule == "historic_rate"
    without = fit.model_copy(update={"components": {"logos": fit.components["logos"]}})
    gross = of(
        BookForecast(nothing_due, without, {}, "month", 0.8).figures(),
        "gross_revenue_retention",
        "EUR",
    )
    assert gross.value is None
    assert gross.reason == "no past month that is settled tells of what was churned"
    assert figures({"accounts": 0.0, "start": 0.0, "due_start": 0.0, "logos": 0.0}) == {}


def test_without_past_periods_there_is_no_fit(panel: pd.DataFrame) -> None:
    assert fit_period(panel.iloc[:0], {}, "month", 0.8, END) is None
    nothing = panel[panel["as_of"] == panel["as_of"].min()].assign(gone=False, end_mrr=panel["mrr"])
    result = fit_period(nothing, predictions(panel), "month", 0.8, END)
    assert result is not None
    assert result.track == ()
    assert all(one.not_due > 0 for rules in result.components.values() for one in rules.values())


def test_accounts_without_a_probability_count_at_the_mean(panel: pd.DataFrame) -> None:
    known = predictions(panel)["churn"][30]
    some = known.assign(probability=known["probability"].where(known.index % 2 == 0))
    risk = risks_from(panel, MODEL, {"churn": {30: some}}, "month").risk
    first = panel["as_of"] == panel["as_of"].min()
    assert risk[1] == pytest.approx(some["probability"][first].mean())
    other_times = known[known["as_of"] > known["as_of"].min()]
    risk = risks_from(panel, MODEL, {"churn": {30: other_times}}, "month").risk
    assert np.isnan(risk[first]).all()


def test_horizons_stand_in_for_periods_by_a_named_rule() -> None:
    chosen = {"churn": {90: pd.DataFrame()}, "renewal": {30: pd.DataFrame()}}
    month = {one.name: sources(one, chosen, "month")[0] for one in COMPONENTS}
    assert month["churned"] == Source("constant_hazard", "churn", 90)
    assert month["lapsed"] == Source("model", "renewal", 30)
    assert month["expanded"] == Source("historic_rate")
    assert nearest_horizon("quarter", [7, 400]) is None
    assert scaled(np.array([0.271]), 90, "month")[0] == pytest.approx(0.1, abs=0.02)
    assert scaled(np.array([0.271]), 91, "quarter")[0] == 0.271


def test_a_period_ends_on_the_same_day_of_a_later_month() -> None:
    assert period_end(datetime(2024, 1, 31), "month") == datetime(2024, 2, 29)
    assert period_end(datetime(2024, 11, 1), "quarter") == datetime(2025, 2, 1)


def test_totals_hold_everything_that_happened(panel: pd.DataFrame) -> None:
    everything = totals(panel).sum()
    lost = (panel["mrr"] - panel["end_mrr"]).clip(lower=0) / panel["unit"]
    assert everything["churned"] + everything["contracted"] == pytest.approx(lost.sum())
    assert everything["logos"] == panel["gone"].sum()
