"""The forecast of a trained and scored project: on the command line, in files and in the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from e2e.road import Project, command
from tenure.core.errors import ConfigError, ModelError
from tenure.core.records.forecast import ForecastRecord
from tenure.core.records.training import TrainingRecord
from tenure.labels.snapshots import prediction_times, snapshots
from tenure.report.forecast import forecast_lines
from tenure.report.html import render
from tenure.run.forecast import run_forecast
from tenure.run.prepare import loaded
from tenure.success.forecast.components import totals
from tenure.success.forecast.outlook import figures
from tenure.success.forecast.past import with_outcomes
from tenure.success.forecast.periods import period_end
from tenure.success.interpret import MetricsRequest, metrics

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "forecast.json"


def trained(project: Project) -> TrainingRecord:
    path = project.root / "runs" / "training.json"
    return TrainingRecord.from_json(json.loads(path.read_text(encoding="utf-8")))


def test_what_happened_in_the_past_is_what_the_metrics_say(project: Project) -> None:
    config = project.config
    with loaded(config, thorough=False) as dataset:
        times = prediction_times(config, dataset)
        rows = with_outcomes(dataset, snapshots(dataset, times), "quarter")
        books, money = totals(rows), totals(rows, ("as_of", "own_currency"))
        assert len(books) >= 5
        for time in books.index[-5:]:
            start = time.to_pydatetime()
            request = MetricsRequest(
                start,
                period_end(start, "quarter"),
                only=("logo_churn_rate", "gross_revenue_retention", "net_revenue_retention"),
            )
            for one in metrics(config, dataset, request).metrics:
                book = money.loc[time, one.currency] if one.currency else books.loc[time]
                assert figures(dict(book))[one.name] == pytest.approx(one.value, abs=1e-9)


def test_the_forecast_stands_on_the_kept_scores(project: Project, tmp_path: Path) -> None:
    out = tmp_path / "forecast.parquet"
    record = run_forecast(project.config, ["segment"], out)
    Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(record.to_json())
    scores = pd.read_csv(project.root / "scores.csv")
    quarter = [one for one in record.figures if one.period == "quarter" and not one.group]
    at_risk = [one.value or 0 for one in quarter if one.name == "arr_at_risk"]
    main = scores[scores["horizon_days"] == 90]
    assert sum(at_risk) == pytest.approx(12 * main["mrr_at_risk"].sum())
    (logos,) = (one for one in quarter if one.name == "logo_churn")
    assert (logos.accounts, logos.rule) == (len(main), "model")
    assert logos.known is not None
    assert logos.known <= (main["abstain_reason"] == "notice_given").sum()
    contracted = {one.rule for one in quarter if one.name == "contracted_mrr"}
    assert contracted == {"historic_rate"}
    segments = {one.group["segment"] for one in record.figures if one.group}
    assert segments == set(scores["segment"])
    table = pd.read_parquet(out)
    assert len(table) == len(record.figures)
    assert (table["value"].notna() == table["reason"].isna()).all()
    text = "\n".join(forecast_lines(record))
    assert "net revenue retention" in text
    assert "new accounts" in text


def test_the_report_shows_how_past_forecasts_did(project: Project) -> None:
    record = trained(project)
    assert record.forecast is not None
    assert {"month", "quarter"} == record.forecast.periods.keys()
    shown = 'id="forecast"' in render(record)
    assert shown == any(one.track for one in record.forecast.periods.values())


@pytest.mark.parametrize(
    ("by", "change", "error", "words"),
    [
        (["cohort"], {}, ConfigError, "does not split a forecast"),
        ([], {"forecast": None}, ModelError, "no past period that is settled"),
    ],
)
def test_what_cannot_be_forecast_is_said(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    by: list[str],
    change: dict[str, Any],
    error: type[Exception],
    words: str,
) -> None:
    record = trained(project).model_copy(update=change)
    monkeypatch.setattr("tenure.run.forecast.training_record", lambda _: record)
    with pytest.raises(error, match=words):
        run_forecast(project.config, by)


def test_the_command_prints_the_forecast_instead_of_the_metrics(project: Project) -> None:
    config = str(project.root / "config.yaml")
    answer = command("metrics", config, "--forecast", "--by", "segment", "--json")
    assert answer.code == 0
    record = ForecastRecord.from_json(json.loads(answer.out))
    assert record.to_json() == run_forecast(project.config, ["segment"]).to_json()
    refused = command("metrics", config, "--forecast", "--from", "2023-01-01")
    assert refused.code == 2
    assert "does not go with --forecast" in refused.error
