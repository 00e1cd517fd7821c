"""One account alone, in a batch and on the command line has the same number to the last digit."""

from __future__ import annotations

import csv
import json

import pandas as pd
import pytest

from e2e.road import Project, command
from tenure.run.prepare import loaded
from tenure.score.score import load_models, score

NUMBERS = ("churn_probability", "expansion_probability", "driver_1_contribution")
RELATIVE = ("churn_rank", "churn_percentile", "risk_band")


@pytest.fixture(scope="module")
def batch(project: Project) -> pd.DataFrame:
    return pd.read_parquet(project.config.paths.runs / "scores.parquet")


def test_alone_as_in_the_batch(project: Project, batch: pd.DataFrame) -> None:
    config = project.config
    models = load_models(config)
    asked = batch[batch["abstain_reason"].isna()]["account_id"].tolist()
    assert len(asked) > 20
    with loaded(config) as dataset:
        alone = [
            score(dataset, models, config, dataset.observed_until, accounts=[account]).rows
            for account in asked[::12]
        ]
    found = pd.concat(alone, ignore_index=True)
    expected = batch[batch["account_id"].isin(found["account_id"])].reset_index(drop=True)
    same = [name for name in batch if name not in {"scored_at", *RELATIVE}]
    pd.testing.assert_frame_equal(found[same], expected[same], check_exact=True, check_dtype=False)


def test_the_command_line_says_the_same(project: Project, batch: pd.DataFrame) -> None:
    asked = batch[batch["abstain_reason"].isna()].sort_values("churn_probability")
    expected = asked.iloc[-1]
    said = command(
        "explain", project.root / "config.yaml", "--account", expected["account_id"], "--json"
    )
    assert said.code == 0, said.error
    row = json.loads(said.out)["row"]
    assert {name: row[name] for name in NUMBERS} == {name: expected[name] for name in NUMBERS}
    assert asked["churn_probability"].nunique() > 5


def test_a_csv_keeps_every_digit(project: Project, batch: pd.DataFrame) -> None:
    with (project.root / "scores.csv").open(encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file))
    for name in NUMBERS:
        expected = ["" if pd.isna(value) else float(value) for value in batch[name]]
        assert [row[name] and float(row[name]) for row in written] == expected
