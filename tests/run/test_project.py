"""A project is a config with its runs as methods, and their results are tables and charts."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pytest

import tenure
from champions import set_champion
from tenure.core.errors import ConfigError, DataError, ModelError
from tenure.explain.portfolio import effect
from tenure.model.boosting.fit import FittedModel
from tenure.model.registry.champion import champion
from tenure.run.project import Project
from tenure.run.results import Backtest, Training
from tenure.run.scores import Scores


def test_a_file_and_a_mapping_give_the_same_config(
    world: Path, project: Project, settings: dict[str, Any]
) -> None:
    mapping = {
        "name": "small",
        "data": {"path": Path("data")},
        "targets": ("churn",),
        "model": {
            "threads": 1,
            "min_events": 5,
            "min_train_positives": 10,
            "parameters": {"num_iterations": 20},
        },
        "evaluation": {"max_folds": 3, "bootstrap": 50, "contrast": False},
        "engine": {"threads": 1},
    }
    assert tenure.Project(mapping, base=world, **settings).config == project.config
    assert repr(project) == "<Project small: churn>"


def test_a_mapping_is_read_from_where_one_is(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(world)
    assert Project({"data": {"path": "data"}}).config.data.path == str(world / "data")


def test_a_sweep_needs_no_file(world: Path, project: Project, settings: dict[str, Any]) -> None:
    path = world / "small.yaml"
    seeds = [Project(path, model={"seed": seed}, **settings).config for seed in range(2)]
    assert [config.model.seed for config in seeds] == [0, 1]
    assert {config.model.min_events for config in seeds} == {5}  # what the file says stays
    assert seeds[0] == project.config
    other = Project(path, targets=["expansion"], model={"parameters": {"num_leaves": 4}})
    assert other.config.targets == ["expansion"]
    assert other.config.model.parameters == {"num_iterations": 20, "num_leaves": 4}
    assert Project(path, data={"path": world / "elsewhere"}).config.name == "small"
    with pytest.raises(ConfigError, match="did you mean `seed`"):
        Project(path, model={"sed": 1})
    with pytest.raises(ConfigError, match="did you mean `churn`"):
        Project({"data": {"path": "data"}}, targets=["chrun"])


@pytest.fixture(scope="module")
def trained(project: Project) -> Training:
    result = project.train()
    models, exported = project.config.paths.models, result.targets["churn"].model
    assert exported is not None
    if champion(models, "churn") is None:  # the world is too small for a model to prove itself
        set_champion(models, "churn", exported.version, "test", "test")
    return result


@pytest.fixture(scope="module")
def tested(project: Project, world: Path) -> Backtest:
    return project.backtest(world / "predictions.csv")


@pytest.fixture(scope="module")
def scores(project: Project, trained: Training) -> Scores:
    return project.score()


@pytest.mark.slow
def test_training_is_told_in_tables(trained: Training, project: Project) -> None:
    model = trained.models.loc["churn"]
    assert Path(model["path"]).is_dir()
    assert model["features"] > 100
    auc = [*trained.metrics.loc["churn"].loc["auc", ["lo", "value", "hi"]]]
    assert 0 < auc[0] <= auc[1] <= auc[2] < 1
    assert (
        trained.verdicts.loc["churn", "sentence"]
        == trained.record.targets["churn"].verdict.sentences[0]
    )
    assert trained.drivers()["share"].sum() == pytest.approx(1, abs=0.01)
    page = project.report(project.config.paths.runs / "page.html")
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.slow
def test_a_backtest_is_its_predictions_and_what_they_were_worth(
    tested: Backtest, trained: Training, world: Path
) -> None:
    folds = tested.folds()
    assert list(folds.index) == sorted(tested.predictions["as_of"].unique())
    rates = tested.predictions.groupby("as_of")["churn_outcome"].agg(["mean", "sum", "size"])
    np.testing.assert_allclose(folds["observed_rate"], rates["mean"])
    assert list(folds["positives"]) == list(rates["sum"])
    assert tested.metrics.equals(trained.metrics)
    assert len(pd.read_csv(world / "predictions.csv")) == len(tested.predictions)
    assert {"base_rate", "mrr"} <= set(tested.baselines().index.get_level_values(0))
    assert "no_usable_signal" in tested._repr_html_() or "usable" in tested._repr_html_()


CHARTS = ("folds", "reliability", "detection", "baselines")


@pytest.mark.slow
@pytest.mark.parametrize("name", CHARTS)
def test_a_backtest_is_drawn_as_in_the_report(tested: Backtest, name: str) -> None:
    drawn = getattr(tested, f"plot_{name}")()
    assert isinstance(drawn, alt.LayerChart | alt.HConcatChart)
    assert drawn.to_dict(validate=True)["config"]["font"]


@pytest.mark.slow
def test_what_was_not_measured_is_not_drawn(tested: Backtest, trained: Training) -> None:
    for draw in (tested.plot_contrast, tested.plot_lead_time):  # left out; nobody was warned of
        with pytest.raises(ConfigError, match="nothing to draw here"):
            draw()
    with pytest.raises(ConfigError, match="known: churn"):
        tested.plot_folds("renewal")
    assert trained.plot_drivers()
    assert trained.plot_labels()


@pytest.mark.slow
def test_scores_come_with_what_stands_behind_them(scores: Scores) -> None:
    main = scores.rows[scores.rows["horizon_days"] == 90]
    assert list(scores.X.index) == list(main["account_id"])
    shap = scores.shap
    assert shap.values.shape == (len(main), len(shap.feature_names))
    model = scores.scored.models["churn"].main
    assert isinstance(model, FittedModel)
    margins = shap.values.sum(axis=1) + shap.base_values
    chances = model.calibrator.probability(margins)
    known = main["churn_probability"].notna().to_numpy()
    np.testing.assert_allclose(chances[known], main["churn_probability"][known])
    assert scores.summary["share"].sum() == pytest.approx(1)
    top = scores.top(3)
    assert top["churn_probability"].iloc[0] == main["churn_probability"].max()
    assert len(top) == 3
    with pytest.raises(ConfigError, match="has no champion"):
        scores.shap_of("renewal")


@pytest.mark.slow
def test_an_account_is_drawn_by_its_strongest_drivers(scores: Scores) -> None:
    account = scores.top(1).index[0]
    row = scores.rows.set_index("account_id").loc[account]
    row = row.iloc[0] if isinstance(row, pd.DataFrame) else row
    values = scores.plot_drivers(account, most=4).to_dict()["layer"][0]["data"]["values"]
    assert [value["kind"] for value in values[-1:]] == ["all others"]
    assert len(values) == 5
    assert values[0]["contribution"] == pytest.approx(row["driver_1_contribution"])
    total = sum(value["contribution"] for value in values)
    place = list(scores.X.index).index(account)
    assert total == pytest.approx(scores.shap.values[place].sum())
    with pytest.raises(DataError, match="was not scored"):
        scores.plot_drivers("nobody")


@pytest.mark.slow
def test_the_book_is_drawn(scores: Scores) -> None:
    for drawn in (scores.plot_bands(), scores.plot_summary()):
        assert drawn.to_dict(validate=True)
    names = scores.shap.feature_names
    values = scores.scored.values("churn")
    words = next(name for name in names if not pd.api.types.is_numeric_dtype(values[name]))
    numbers = next(name for name in names if values[name].nunique() > 20)
    for name in (words, numbers):
        assert scores.plot_effect(name).to_dict(validate=True)
    with pytest.raises(ConfigError, match="is not read by the churn model"):
        scores.plot_effect("shoe_size")


@pytest.mark.slow
def test_an_account_is_explained_in_sentences(project: Project, scores: Scores) -> None:
    account = scores.top(1).index[0]
    reasons = project.explain(account)
    assert repr(reasons).startswith(f"{account} as of ")
    drivers = reasons.drivers()
    assert drivers["contribution"].abs().is_monotonic_decreasing
    assert drivers["sentence"].str.len().min() > 10
    with pytest.raises(ConfigError, match="is not an ISO date"):
        project.explain(account, "yesterday")


@pytest.mark.slow
def test_an_earlier_day_can_be_scored(project: Project, trained: Training, world: Path) -> None:
    early = project.score("2023-06-01", out=world / "scores.csv")
    assert set(early.rows["as_of"]) == {pd.Timestamp("2023-06-01")}
    assert len(pd.read_csv(world / "scores.csv")) == len(early.rows)


@pytest.mark.slow
def test_a_check_lists_tables_remarks_and_absent_features(project: Project) -> None:
    checked = project.check()
    assert checked.passed
    assert checked.tables.loc["accounts", "rows_in"] == 80
    assert list(checked.remarks) == ["table", "text", "rows", "share", "red"]
    assert "tickets_reopened" in set(checked.absent["name"])
    shown = checked._repr_html_()
    assert all(text in shown for text in checked.remarks["text"].str.slice(0, 20))


@pytest.mark.slow
def test_the_example_of_the_readme_runs(
    world: Path, trained: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", readme, flags=re.DOTALL)
    monkeypatch.chdir(world)
    shutil.copy("small.yaml", "my.yaml")
    names: dict[str, Any] = {}
    exec(compile(example, "README.md", "exec"), names)
    assert names["ts"].y.sum() > 0
    assert len(names["scores"].rows) > 0


def test_many_values_are_drawn_in_bins_and_words_by_how_many() -> None:
    values = pd.Series(np.arange(200.0))
    rows = effect(values, np.arange(200.0))
    assert len(rows) == 20
    assert [row["n"] for row in rows] == [10] * 20
    assert rows[0]["mean"] == rows[0]["value"] == 4.5
    assert rows[0]["lo"] == pytest.approx(0.9)
    plans = pd.Series(["a", "b", "b", None], dtype="object")
    assert [(row["value"], row["n"]) for row in effect(plans, np.zeros(4))] == [("b", 2), ("a", 1)]


@pytest.mark.slow
def test_reasons_can_be_checked_compared_and_played_with(project: Project, scores: Scores) -> None:
    as_of = scores.rows["as_of"].iloc[0]
    since = (as_of - pd.Timedelta(days=61)).to_pydatetime()
    both = set(project.score(since).rows["account_id"]) & set(scores.rows["account_id"])
    account = sorted(both)[0]
    record = project.explain(account, since=since, evidence=2).record
    drivers = record.drivers["churn"]
    assert len({driver.code for driver in drivers}) == len(drivers) > 2
    assert [one.code for one in record.evidence["churn"]] == [one.code for one in drivers]
    assert all(len(table.rows) <= 2 for one in record.evidence["churn"] for table in one.tables)
    change = record.changes["churn"]
    assert sum(part.log_odds for part in change.parts) == pytest.approx(change.move, abs=1e-9)
    assert sum(part.points for part in change.parts) == pytest.approx(change.points, abs=1e-9)
    book = project.changes(since)
    own = next(one for one in book.changes if one.account_id == account)
    assert own.move == pytest.approx(change.move, abs=1e-6), "the store tells the same"
    assert {one.account_id for one in book.changes} == both
    portfolio = project.portfolio()
    assert portfolio.accounts == len(scores.rows)
    assert sum(signal.share for signal in portfolio.signals) == pytest.approx(1)
    assert any(signal.effect for signal in portfolio.signals)
    with pytest.raises(ModelError, match=r"since: no run was kept.*tenure score CONFIG"):
        project.explain(account, since="2001-01-01")


@pytest.mark.slow
def test_a_lever_can_be_edited_within_what_was_seen(project: Project, scores: Scores) -> None:
    model = scores.scored.models["churn"]
    statistics = model.bundle.reference["features"]
    levers = [
        name
        for name in model.main.columns
        if model.specs[name].lever and name in model.plan.specs and not model.specs[name].text
    ]
    account = str(scores.rows["account_id"].iloc[0])
    moved = np.abs(scores.scored.main("churn").values[:, :-1]).sum(axis=0)
    gain = dict(zip(model.main.columns, moved, strict=True))
    lever = max(levers, key=lambda name: gain[name])
    ends = [statistics[lever]["quantiles"][cut] for cut in ("0.01", "0.99")]
    low, high = (project.what_if(account, {lever: value}) for value in ends)
    assert low.probability == pytest.approx(scores.rows["churn_probability"].iloc[0], abs=1e-12)
    assert low.edited_log_odds != high.edited_log_odds
    assert "not an effect" in low.note
    with pytest.raises(ConfigError, match="range seen"):
        project.what_if(account, {lever: ends[1] + 1e6})
    with pytest.raises(ConfigError, match="is no lever"):
        project.what_if(account, {"segment": 1.0})
