"""The command line: settings that name nothing, whose folder it is, and lines that people read."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.road import Said, command
from report.record import record, usable
from tenure.cli.output import fitted
from tenure.core.progress import for_command
from tenure.engine.duckdb import _explained
from tenure.features.families.adoption import FAMILY as ADOPTION
from tenure.features.plan.config_checks import check_names, load_config
from tenure.features.plan.plan import config_families
from tenure.report.text import target_lines
from tenure.run.check import run_check
from worlds import tiny_world, write_world


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own with a small world in it."""
    monkeypatch.chdir(tmp_path)
    write_world(tiny_world(), tmp_path / "data")
    return tmp_path


def settings(name: str = "tiny", **sections: Any) -> Path:
    authored = {"name": name, "data": {"path": "data"}, "model": {"threads": 1}}
    path = Path(f"{name}.yaml")
    path.write_text(yaml.safe_dump(authored | sections), encoding="utf-8")
    return path


UNKNOWN: list[tuple[dict[str, Any], dict[str, str]]] = [
    (
        {
            "features": {"exclude": ["days_to_renewl"]},
            "evaluation": {"groups": ["segmnt"]},
            "audit": {"allow": ["foo.bar", "subscriptions.mr"]},
        },
        {
            "features.exclude: names nothing that exists (found: days_to_renewl)": (
                "did you mean `days_to_renewal`?"
            ),
            "evaluation.groups: is not a feature of words (found: segmnt)": (
                "did you mean `segment`?"
            ),
            "audit.allow: names nothing that exists (found: foo.bar)": "docs/features.md",
            "audit.allow: names nothing that exists (found: subscriptions.mr)": (
                "did you mean `subscriptions.mrr`?"
            ),
        },
    ),
    (
        {"model": {"parameters": {"num_leafs": 3, "min_child_samples": 3}}},
        {
            "is no LightGBM parameter (found: num_leafs)": "did you mean `num_leaves`?",
            "is another name of a parameter (found: min_child_samples)": (
                "write `min_data_in_leaf`"
            ),
        },
    ),
    (
        {"targets": ["chrun"]},
        {"targets: no such target (found: chrun)": "did you mean `churn`?"},
    ),
    (
        {"targets": ["churn_voluntary", "expansion"]},
        {"is a part of churn, which is no target (found: churn_voluntary)": "add `churn`"},
    ),
]


@pytest.mark.parametrize("words", [("check",), ("train",), ("backtest", "--out", "out.csv")])
@pytest.mark.parametrize(
    ("sections", "problems"), UNKNOWN, ids=["names", "parameters", "targets", "parts"]
)
def test_a_setting_that_names_nothing_is_refused_by_every_command(
    home: Path, words: tuple[str, ...], sections: dict[str, Any], problems: dict[str, str]
) -> None:
    said = command(words[0], settings(**sections), *words[1:])
    assert said.code == 2, said
    for rule, fix in problems.items():
        (line,) = [line for line in said.error.splitlines() if rule in line]
        assert fix in line
    assert not (home / "out.csv").exists()
    assert not (home / "runs" / "audit.json").exists()


def test_attributes_that_do_not_exist_are_refused(home: Path) -> None:
    data = {"path": "data", "constant_attributes": ["segmnt"], "changing_attributes": ["industri"]}
    said = command("check", settings(data=data))
    assert said.code == 3
    assert "data.constant_attributes: segmnt: is not a column of accounts" in said.error
    assert "data.changing_attributes: industri: is not a column of accounts" in said.error


def test_what_exists_may_be_named_though_the_data_cannot_give_it(home: Path) -> None:
    stem = next(item.name for item in ADOPTION.features if getattr(item, "each", None))
    column, base, member = "events_28d", "active_users", f"{stem}_of_no_row_28d"
    config = load_config(
        settings(
            features={"exclude": [column, base, member], "families": ["usage"]},
            audit={"allow": ["tickets.priority", "tickets_28d"]},
            evaluation={"groups": ["industry"]},
        )
    )
    check_names(config, config_families(config.features), {})


def test_a_folder_of_runs_belongs_to_one_project(home: Path) -> None:
    assert command("check", settings("mine")).code == 0
    before = {path: path.read_bytes() for path in (home / "runs").glob("*.*")}
    said = command("check", settings("other"))
    assert said.code == 4
    assert "belongs to the project `mine`, not to `other`" in said.error
    assert "paths: {runs: runs/other}" in said.error
    assert {path: path.read_bytes() for path in (home / "runs").glob("*.*")} == before
    assert command("check", settings("other", paths={"runs": "runs/other"})).code == 0
    assert command("check", settings("mine")).code == 0


@pytest.mark.parametrize("record", ["training.json", "audit.json"])
def test_runs_of_an_earlier_version_name_their_project_too(home: Path, record: str) -> None:
    (home / "runs").mkdir()
    (home / "runs" / record).write_text(json.dumps({"name": "mine"}))
    said = command("train", settings("other"))
    assert said.code == 4
    assert f"{record}: belongs to the project `mine`" in said.error
    assert [path.name for path in (home / "runs").iterdir()] == [record]


def test_a_wrong_query_is_shown_as_it_was_written(home: Path) -> None:
    wrong = "SELECT id, account_id, opened FROM 'data/tickets.parquet'"
    said = command("check", settings(data={"path": "data", "tables": {"tickets": {"sql": wrong}}}))
    assert said.code == 3
    assert "data.tables.tickets.sql: cannot be run" in said.error
    assert wrong in said.error
    assert "CREATE" not in said.error
    assert len(said.error.splitlines()) < 5


def test_a_file_that_is_nowhere_is_named_with_both_places(home: Path) -> None:
    tables = {"tickets": {"path": "t.csv"}, "invoices": {"sql": "SELECT * FROM 'i.csv'"}}
    said = command("check", settings(data={"path": "data", "tables": tables}))
    assert said.code == 3
    for place in ("t.csv", "i.csv"):
        assert str(home / place) in said.error
        assert str(home / "data" / place) in said.error


def test_a_query_reads_the_file_beside_the_config_first(home: Path) -> None:
    (home / "data" / "t.csv").write_text("ticket_id,account_id,opened_at\nt1,a01,2023-01-01\n")
    query = "SELECT * FROM 't.csv'"
    path = settings(data={"path": "data", "tables": {"tickets": {"sql": query}}})
    first = json.loads(command("check", path, "--json").out)["data"]["tables"]["tickets"]
    (home / "t.csv").write_text(
        "ticket_id,account_id,opened_at\na,a01,2023-01-01\nb,a02,2023-01-01\n"
    )
    both = json.loads(command("check", path, "--json").out)["data"]["tables"]["tickets"]
    assert (first["rows_in"], both["rows_in"]) == (1, 2)


def test_without_a_terminal_there_is_a_line_for_each_stage(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with for_command() as progress:
        run_check(load_config(settings()), progress)
    out, error = capsys.readouterr()
    assert out == ""
    stages = [line.split("  ", 1)[1] for line in error.splitlines()]
    assert stages[:2] == ["reading tables", "checking rows"]
    assert "audit: drift" in stages
    assert len(stages) == len(set(stages))


def test_help_says_what_exit_codes_mean() -> None:
    said: Said = command("--help")
    for code in (*range(6), 130):
        assert f"\n    {code}  " in said.out


@pytest.mark.parametrize(
    "words",
    [
        *(("score", "s.csv"), ("backtest", "b.csv"), ("metrics", "m.xlsx"), ("report", "r.html")),
        *(("scorecards", "s.csv"), ("worklist", "w.csv"), ("init", "t.yaml"), ("demo", "world")),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_before_the_work(
    home: Path, words: tuple[str, str]
) -> None:
    (home / "file").write_text("in the way")
    config = [] if words[0] == "demo" else ["data"] if words[0] == "init" else [settings()]
    said = command(words[0], *config, "--out", f"file/{words[1]}")
    place = f"file/{words[1]}"
    assert said.code == 2, said
    assert said.error.startswith(f"tenure: {place}: cannot be written: Not a directory → choose")
    assert not (home / "runs").exists()


def test_an_interrupted_command_says_what_it_leaves(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        with _explained("SELECT 1"):
            raise RuntimeError("Query interrupted")

    monkeypatch.setattr("tenure.run.check.run_check", stopped)
    assert command("check", settings()) == Said(
        130, "", "\ntenure: interrupted: no file is half-written, and it can be run again\n"
    )


def test_training_that_every_target_is_refused_fails(home: Path) -> None:
    said = command("train", settings(), "--json")
    assert {item["status"] for item in json.loads(said.out)["targets"].values()} == {"refused"}
    assert (said.code, (home / "runs" / "training.json").is_file()) == (5, True)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_long_lines_break_between_words_and_keep_a_number_with_its_interval(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    line = "  +0.412  The gain in log loss over the base rate is 0.0274 [0.0160, 0.0392]."
    broken = fitted(line, Terminal()).splitlines()
    assert broken == [
        "  +0.412  The gain in log loss over the",
        "          base rate is",
        "          0.0274 [0.0160, 0.0392].",
    ]
    assert fitted(line, io.StringIO()) == line
    assert fitted("short", Terminal()) == "short"
    table = "  accounts        1,500      1,500  2020-01-01  2023-06-30"
    assert fitted(table, Terminal()) == table


def test_commands_name_the_file_that_they_write(home: Path) -> None:
    path = settings()
    for name, what in (("metrics", "metrics"), ("scorecards", "scorecards")):
        said = command(name, path, "--out", "out.csv")
        assert said.out.splitlines()[-1] == f"{what}: out.csv", said


def test_without_scores_or_a_champion_training_comes_first(home: Path) -> None:
    before = "(`tenure train CONFIG` before it, where no champion stands)"
    for words in (("worklist",), ("account", "--account", "a01")):
        said = command(words[0], settings(), *words[1:])
        assert before in said.out + said.error


def test_a_backtest_says_what_training_says_of_each_target(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = record({"churn": usable()})
    result = {
        "predictions": None,
        "records": trained.targets,
        "rows": 9,
        "folds": 2,
        "health": None,
    }
    monkeypatch.setattr("tenure.run.backtest.run_backtest", lambda *_, **__: dict(result))
    lines = command("backtest", settings(), "--out", "b.csv").out.splitlines()
    assert lines[-1] == "9 predictions in 2 folds: b.csv"
    assert lines[:-2] == target_lines(trained.targets)
    assert any("auc" in line.lower() for line in lines)
