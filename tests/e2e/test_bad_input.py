"""Bad input gives an exit code and one message that names thing, rule, value and next step."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml

from e2e.road import Project, Said, command, tenure
from tenure.model.registry.champion import champion
from worlds import tiny_world, write_world

World = dict[str, pa.Table]
CONFIG, DATA, MODEL, REFUSED = 2, 3, 4, 5
SCORE = ("score", "config.yaml", "--out", "scores.csv")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said_of(
    home: Path,
    *words: str,
    change: Callable[[World], World] | None = None,
    config: Mapping[str, Any] | None = None,
) -> Said:
    """Run a command on the small world, changed."""
    world = tiny_world()
    write_world(change(world) if change else world, home / "data")
    settings = {"name": "tiny", "data": {"path": "data"}, "model": {"threads": 1}}
    text = yaml.safe_dump(settings | dict(config or {}))
    (home / "config.yaml").write_text(text, encoding="utf-8")
    return command(*words)


def refused(said: Said, code: int, *parts: str) -> None:
    """Assert one message on stderr, with a next step, and nothing on stdout."""
    assert said.code == code, said
    assert said.error.startswith("tenure: ")
    assert said.error.count("tenure: ") == 1
    assert "Traceback" not in said.error
    assert "→" in said.error
    for part in parts:
        assert part in said.error
    assert said.out == ""


def column(table: str, name: str, made: Callable[[pa.Table], Any]) -> Callable[[World], World]:
    """Return a change of one column."""

    def change(world: World) -> World:
        old = world[table]
        at = old.column_names.index(name)
        return world | {table: old.set_column(at, name, made(old))}

    return change


def text(*values: str) -> Callable[[pa.Table], Any]:
    return lambda table: pa.array([values[i % len(values)] for i in range(table.num_rows)])


def empty(table: str) -> Callable[[World], World]:
    return lambda world: world | {table: world[table].slice(0, 0)}


BAD_TABLES: dict[str, tuple[Callable[[World], World], tuple[str, ...]]] = {
    "no required table": (
        lambda world: {name: table for name, table in world.items() if name != "subscriptions"},
        ("subscriptions",),
    ),
    "no required column": (
        lambda world: (
            world | {"subscriptions": world["subscriptions"].drop_columns(["started_at"])}
        ),
        ("subscriptions", "started_at"),
    ),
    "dates in another format": (
        column("usage_events", "occurred_at", text("31.12.2023", "13.01.2023")),
        ("usage_events", "occurred_at", ".2023)", "%d.%m.%Y"),
    ),
    "nobody's events": (
        column("usage_events", "account_id", text("x1", "x2")),
        ("usage_events", "account_id", "x1"),
    ),
    "a required column without values": (
        column("subscriptions", "mrr", lambda table: pa.nulls(table.num_rows, pa.float64())),
        ("subscriptions", "mrr"),
    ),
    "a required table without rows": (
        empty("accounts"),
        ("tenure: accounts: the table is empty → fill it\n",),
    ),
    "an optional table without rows": (empty("touchpoints"), ("touchpoints", "fill it")),
    "amounts that are words": (
        column("subscriptions", "mrr", text("a lot", "little")),
        ("subscriptions", "mrr", "a lot"),
    ),
}


@pytest.mark.parametrize("case", BAD_TABLES)
@pytest.mark.parametrize("word", ["check", "train"])
def test_tables_that_cannot_be_used(home: Path, case: str, word: str) -> None:
    change, parts = BAD_TABLES[case]
    refused(said_of(home, word, "config.yaml", change=change), DATA, *parts)
    assert not (home / "models").exists()


def test_all_problems_come_at_once(home: Path) -> None:
    def change(world: World) -> World:
        first, _ = BAD_TABLES["dates in another format"]
        second, _ = BAD_TABLES["no required column"]
        return first(second(world))

    said = said_of(home, "check", "config.yaml", change=change)
    refused(said, DATA, "2 problems", "started_at", "occurred_at")


def checked(home: Path, change: Callable[[World], World]) -> dict[str, Any]:
    said = said_of(home, "check", "config.yaml", "--json", change=change)
    assert (said.code, said.error) == (0, "")
    found: dict[str, Any] = json.loads(said.out)
    return found


def test_single_bad_rows_are_set_aside_and_listed(home: Path) -> None:
    def change(world: World) -> World:
        events = world["usage_events"]
        stranger = events.slice(0, 1)
        at = events.column_names.index("account_id")
        stranger = stranger.set_column(at, "account_id", pa.array(["stranger"]))
        key = events.column_names.index("event_id")
        stranger = stranger.set_column(key, "event_id", pa.array(["e-stranger"]))
        return world | {"usage_events": pa.concat_tables([events, events.slice(3, 2), stranger])}

    found = checked(home, change)
    table = found["data"]["tables"]["usage_events"]
    assert {name: count for name, count in table["rejected"].items() if count} == {
        "duplicate_key": 2,
        "unknown_account": 1,
    }
    listed = pq.read_table(found["rejects"]["usage_events"]).to_pylist()
    reasons = sorted(row["reason"] for row in listed)
    assert reasons == ["duplicate_key", "duplicate_key", "unknown_account"]
    assert all(row["rule"] and row["row"] for row in listed)


def test_an_optional_column_without_values_only_costs_its_features(home: Path) -> None:
    change = column(
        "tickets", "escalated_at", lambda table: pa.nulls(table.num_rows, pa.timestamp("us"))
    )
    whole, found = checked(home, lambda world: world), checked(home, change)
    assert found["data"]["usable"]
    assert found["features"]["count"] < whole["features"]["count"]
    lost = {item["name"]: item["reason"] for item in found["features"]["absent"]}
    before = {item["name"] for item in whole["features"]["absent"]}
    new = {name: reason for name, reason in lost.items() if name not in before}
    assert any("escalated" in name for name in new), new
    assert all(new.values())


def without_churn(world: World) -> World:
    """Nobody ever leaves: only the rows that run on."""
    rows = world["subscriptions"]
    return world | {"subscriptions": rows.filter(pc.is_null(rows["ended_at"]))}


@pytest.mark.parametrize(
    ("change", "words"),
    [(without_churn, "no positive labels"), (lambda world: world, "at least 30")],
    ids=["no churn", "little churn"],
)
def test_too_few_outcomes_refuse_the_model(
    home: Path, change: Callable[[World], World], words: str
) -> None:
    """The command fails with the whole record, and the report of it can be written."""
    said = said_of(home, "train", "config.yaml", "--json", change=change)
    assert (said.code, said.error) == (REFUSED, "")
    churn = json.loads(said.out)["targets"]["churn"]
    assert (churn["status"], churn["model"]) == ("refused", None)
    assert words in churn["verdict"]["sentences"][0]
    assert churn["verdict"]["sentences"][1]
    refused(command(*SCORE), MODEL, "no champion", "tenure train")
    report = command("report", "config.yaml", "--out", "report.html")
    assert report.code == 0
    assert "Refused" in (home / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("config", "parts"),
    [
        ({"labels": {"horizon_day": 30}}, ("labels.horizon_day", "did you mean `horizon_days`")),
        ({"labels": {"horizon_days": -1}}, ("labels.horizon_days", "-1")),
        ({"data": {"path": "data", "timezone": "Mars"}}, ("data.timezone", "Mars")),
        ({"features": {"families": ["usages"]}}, ("usages", "usage")),
    ],
)
def test_configs_that_break_a_rule(home: Path, config: Mapping[str, Any], parts: Any) -> None:
    said = said_of(home, "check", "config.yaml", config=config)
    assert said.code == CONFIG, said
    assert said.error.startswith("tenure: ")
    for part in parts:
        assert part in said.error
    assert "Traceback" not in said.error


@pytest.mark.parametrize("word", ["train", "backtest"])
def test_a_target_that_does_not_exist(home: Path, word: str) -> None:
    out = ["--out", "past.csv"] if word == "backtest" else []
    said = said_of(home, word, "config.yaml", *out, config={"targets": ["chrun"]})
    refused(said, CONFIG, "targets", "chrun", "did you mean `churn`")


@pytest.mark.parametrize("content", [None, "data: [", "", "- 1\n", "data: {path: ${NOT_SET_HERE}}"])
def test_configs_that_are_none(home: Path, content: str | None) -> None:
    if content is not None:
        (home / "config.yaml").write_text(content, encoding="utf-8")
    said = command("check", "config.yaml")
    assert said.code == CONFIG, said
    assert said.error.startswith("tenure: ")
    assert "config.yaml" in said.error or "NOT_SET_HERE" in said.error


@pytest.mark.parametrize(
    ("words", "code", "parts"),
    [
        (SCORE, MODEL, ("no champion", "churn", "tenure train")),
        (("explain", "config.yaml", "--account", "a01"), MODEL, ("no champion",)),
        (("report", "config.yaml", "--out", "r.html"), MODEL, ("no training run",)),
        ((*SCORE[:3], "scores"), CONFIG, ("--out", "scores", ".csv")),
        (("backtest", "config.yaml", "--out", "past.txt"), CONFIG, ("--out", ".parquet")),
        ((*SCORE, "--as-of", "yesterday"), CONFIG, ("--as-of", "yesterday", "2026-01-01")),
    ],
)
def test_commands_that_come_too_early_or_misspelt(
    home: Path, words: tuple[str, ...], code: int, parts: tuple[str, ...]
) -> None:
    refused(said_of(home, *words), code, *parts)


def test_times_outside_the_data(project: Project, tmp_path: Path) -> None:
    config, out = project.root / "config.yaml", tmp_path / "scores.csv"
    late = command("score", config, "--out", out, "--as-of", "2031-01-01")
    refused(late, DATA, "as_of", "2031-01-01", "2024-01-01")
    early = command("score", config, "--out", out, "--as-of", "2001-01-01")
    refused(early, DATA, "as_of", "2001-01-01")
    assert not out.exists()


def test_an_account_that_nobody_knows(project: Project) -> None:
    said = command("explain", project.root / "config.yaml", "--account", "acc-nobody")
    refused(said, DATA, "acc-nobody", "is not in the table `accounts`", "ids look like `acc-")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def edit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    place = next(i for i in range(len(content) // 2, len(content)) if chr(content[i]).isdigit())
    content[place] = ord("3") if content[place] != ord("3") else ord("4")
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("damage", [cut, edit, Path.unlink])
@pytest.mark.parametrize("name", ["models.json", "reference.json", "MANIFEST.json", "run.json"])
def test_a_damaged_bundle_scores_nobody(
    project: Project, tmp_path: Path, damage: Callable[[Path], None], name: str
) -> None:
    own = project.copied(tmp_path / "own")
    standing = champion(own.config.paths.models, "churn")
    assert standing is not None
    damage(own.config.paths.models / "churn" / standing.version / name)
    before = (own.root / "scores.csv").read_bytes()
    said = command("score", own.root / "config.yaml", "--out", own.root / "scores.csv")
    # An edited hash in the manifest is told from the file that no longer matches it.
    file = standing.version if name == "MANIFEST.json" and damage is edit else name
    refused(said, MODEL, file, standing.version, "tenure train")
    assert (own.root / "scores.csv").read_bytes() == before


def test_a_damaged_champion_file_scores_nobody(project: Project, tmp_path: Path) -> None:
    own = project.copied(tmp_path / "own")
    cut(own.config.paths.models / "churn" / "champion.json")
    said = command("score", own.root / "config.yaml", "--out", own.root / "scores.csv")
    refused(said, MODEL, "champion.json", "damaged")


def test_a_champion_of_another_horizon_or_project(project: Project, tmp_path: Path) -> None:
    own = project.copied(tmp_path / "own")
    for change, part in (({"labels": {"horizon_days": 30}}, "horizon"), ({"name": "x"}, "belongs")):
        own.set(**change)
        said = command("score", own.root / "config.yaml", "--out", own.root / "scores.csv")
        refused(said, MODEL, part, "churn")


def test_in_a_process_of_its_own(home: Path) -> None:
    said_of(home, "check", "config.yaml")
    refused(tenure(*SCORE, cwd=home), MODEL, "no champion")
