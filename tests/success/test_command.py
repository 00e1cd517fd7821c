"""`tenure metrics` and `Project.metrics`: the same rows as a table, JSON and files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from tenure import ConfigError, Project
from tenure.cli import cli
from worlds import tiny_world, write_world


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_world(tiny_world(), tmp_path / "data")
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump({"data": {"path": "data"}}), encoding="utf-8")
    return path


def run(*words: Any) -> str:
    result = CliRunner().invoke(cli, ["metrics", *map(str, words)], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_months_and_segments_are_periods_and_groups(config: Path) -> None:
    split = ("--from", "2023-01-01", "--to", "2023-04-01", "--by", "month", "--by", "segment")
    answer = json.loads(run(config, *split, "--only", "mrr", "--only", "movement_churn", "--json"))
    assert (answer["as_of"], answer["currency"]) == ("2024-03-25", "USD")
    rows = answer["metrics"]
    assert {row["name"] for row in rows} == {"mrr", "movement_churn"}
    assert len(rows) == 2 * 3 * 3
    march = [row for row in rows if row["period_from"] == "2023-03-01"]
    assert {row["period_to"] for row in march} == {"2023-04-01"}
    lost = {row["group"]["segment"]: row["value"] for row in march if row["name"] != "mrr"}
    assert lost == {"enterprise": 0, "mid": -150, "smb": 0}  # a07 ends on the first of March


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_file_holds_the_rows(config: Path, suffix: str) -> None:
    out = config.with_name(f"metrics.{suffix}")
    text = run(config, "--out", out)
    read = pd.read_csv if suffix == "csv" else pd.read_parquet
    rows = read(out)
    expected = Project(config).metrics()
    assert list(rows.columns) == list(expected.columns)
    assert list(rows["name"]) == list(expected["name"])
    assert rows["value"].to_numpy() == pytest.approx(expected["value"].to_numpy(), nan_ok=True)
    assert "gross_revenue_retention" in text
    needed = "subscriptions.notice_period_days or `metrics.notice_period_days` in the config"
    assert f"opt_out_mrr: needs {needed}" in text
    assert text.count("needs kept scores whose outcome is known") == 1


def test_a_method_is_chosen_by_name(config: Path) -> None:
    project = Project(config)
    daily = project.metrics(only=["logo_churn_rate"], methods={"logo_churn_rate": "daily_sum"})
    assert list(daily["method"]) == ["daily_sum"]


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"only": ["mmr"]}, "did you mean `mrr`"),
        ({"by": ["segmnt"]}, "did you mean `segment`"),
        ({"methods": {"nps": "last"}}, "known: last_answer"),
        ({"start": "2024-02-01", "end": "2024-01-01"}, "must end after it starts"),
    ],
)
def test_what_does_not_exist_is_refused(config: Path, wish: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Project(config).metrics(**wish)
