"""`tenure account`, `worklist` and `scorecards`: what they print, return and write."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from success.stored_book import Stored, add_stored
from tenure import DataError, ModelError, Project
from tenure.cli import cli
from tenure.core.records.account import AccountRecord
from tenure.core.records.scorecards import HealthMap
from tenure.core.records.worklist import WorkListRecord
from tenure.score.store.lists import ListStore
from worlds import tiny_world, write_world

MARCH = datetime(2024, 3, 1)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tables, a config, and a store with one run."""
    folder = tmp_path_factory.mktemp("commands")
    write_world(tiny_world(), folder / "data")
    settings: dict[str, Any] = {"name": "tiny", "data": {"path": "data"}}
    settings["paths"] = {"runs": str(folder / "runs")}
    (folder / "tiny.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    with ListStore.open(Project(folder / "tiny.yaml").config) as store:
        book = {
            f"a{number:02}": Stored(churn=number / 30, expansion=0.05, owner=None)
            for number in (1, 2, 5, 8, 9, 12)
        }
        add_stored(store, MARCH, book)
    return folder


def run(command: str, root: Path, *words: str) -> str:
    line = [command, str(root / "tiny.yaml"), *words]
    result = CliRunner().invoke(cli, line, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_an_account_is_printed_and_returned(root: Path) -> None:
    words = ("--account", "a08", "--as-of", "2024-03-10")
    record = AccountRecord.from_json(json.loads(run("account", root, *words, "--json")))
    assert Project(root / "tiny.yaml").account("a08", "2024-03-10") == record
    assert record.scores is not None
    assert record.scores.as_of == "2024-03-01"
    assert run("account", root, *words).startswith("a08 as of 2024-03-10: pays\n")


@pytest.mark.parametrize(
    ("account", "as_of", "since", "message"),
    [
        ("a8", None, None, "did you mean `a08`"),
        ("a08", "2031-01-01", None, "when observation stopped"),
        ("a08", "2022-01-02", None, "is not known before"),
        ("a08", "2024-01-01", "2024-02-01", "must lie before 2024-01-01"),
    ],
)
def test_what_cannot_be_shown_is_refused(
    root: Path, account: str, as_of: str | None, since: str | None, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        Project(root / "tiny.yaml").account(account, as_of, since=since)


def test_a_work_list_is_printed_written_and_returned(root: Path) -> None:
    text = run("worklist", root, "--preview", "--json", "--capacity", "2")
    record = WorkListRecord.from_json(json.loads(text))
    assert record.absent == {}
    assert [item.account_id for item in record.owners[0].items] == ["a12", "a09"]
    out = root / "list.csv"
    assert "no owner: 6 accounts, a small book" in run("worklist", root, "--out", str(out))
    rows = pd.read_csv(out)
    again = Project(root / "tiny.yaml").worklist()
    assert list(rows["account_id"]) == list(again["account_id"]), "the same list, made again"
    assert list(rows.columns) == list(again.columns)
    assert rows["plan"].notna().all(), "a run that kept no names takes them from the tables"


def test_a_work_list_needs_scores(root: Path) -> None:
    with pytest.raises(ModelError, match="tenure score CONFIG --as-of 2024-02-01"):
        Project(root / "tiny.yaml").worklist("2024-02-01")


def test_scorecards_are_written_and_mapped(root: Path) -> None:
    out = root / "cards.parquet"
    text = run("scorecards", root, "--as-of", "2024-03-10", "--out", str(out), "--json")
    shown = HealthMap.from_json(json.loads(text))
    rows = pd.read_parquet(out)
    assert sum(cell.accounts for cell in shown.cells) + shown.left_out.accounts == len(rows)
    assert rows["retention"].notna().sum() == 6
    pd.testing.assert_frame_equal(rows, Project(root / "tiny.yaml").scorecards("2024-03-10"))
    by_points = run("scorecards", root, "--map", "experience")
    assert "columns: client experience: low under 50" in by_points
    assert Project(root / "tiny.yaml").health_map(as_of="2024-03-10") == shown
