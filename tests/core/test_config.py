from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tenure.core.authored import read_mapping, rewritten
from tenure.core.config import Config, load_config, make_config
from tenure.core.errors import ConfigError


def config(tmp_path: Path, text: str, name: str = "run.yaml") -> Config:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return load_config(path)


def refused(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        config(tmp_path, text)
    return str(caught.value)


def test_a_path_is_enough(tmp_path: Path) -> None:
    found = config(tmp_path, "data: {path: tables}", "my run.yaml")
    assert found.name == "my-run"
    assert Path(found.data.path) == tmp_path / "tables"
    assert Path(found.data.base) == tmp_path
    assert found.labels.horizon_days == 90
    assert found.targets == ["churn", "expansion"]


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    text = """
    data:
      path: ../elsewhere
      tables:
        tickets: support.csv
        accounts: {path: /data/accounts.csv, columns: {account_id: id}}
        usage_events: {sql: SELECT 1}
    """
    found = config(tmp_path, text)
    assert Path(found.data.path) == tmp_path.parent / "elsewhere"
    assert found.data.tables["tickets"].path == str(tmp_path / "support.csv")
    assert found.data.tables["accounts"].path == "/data/accounts.csv"
    assert found.data.tables["usage_events"].sql == "SELECT 1"


@pytest.mark.parametrize(
    ("text", "where", "fix"),
    [
        ("data: {path: x}\nlabel: {}", "label: unknown key", "did you mean `labels`?"),
        ("data: {path: x, pth: y}", "data.pth: unknown key", "did you mean `path`?"),
        (
            "data: {path: x}\nlabels: {horizon_day: 3}",
            "labels.horizon_day: unknown key",
            "did you mean `horizon_days`?",
        ),
        (
            "data: {path: x, tables: {tickets: {path: t.csv, colums: {}}}}",
            "data.tables.tickets.colums: unknown key",
            "did you mean `columns`?",
        ),
        ("data: {path: x}\nzzz: 1", "zzz: unknown key", "known: audit"),
    ],
)
def test_an_unknown_key_comes_with_a_suggestion(
    tmp_path: Path, text: str, where: str, fix: str
) -> None:
    message = refused(tmp_path, text)
    assert f"run.yaml: {where}" in message
    assert fix in message


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("name: x", ["run.yaml: data: Field required"]),
        ("data: {}", ["run.yaml: data.path: Field required"]),
        (
            "data: {path: x}\nlabels: {horizon_days: many}",
            ["labels.horizon_days", "valid integer", "'many'"],
        ),
        ("data: {path: x}\nlabels: {horizon_days: 0}", ["labels.horizon_days", "greater", "0"]),
        (
            "data: {path: x, observed_until: 13/01/2024}",
            ["data.observed_until: is not an ISO date or time", "13/01/2024"],
        ),
        ("data: {path: x, tables: {tickets: {}}}", ["data.tables.tickets: needs exactly one of"]),
        (
            "data: {path: x, tables: {tickets: {path: a, sql: b}}}",
            ["data.tables.tickets: needs exactly one of"],
        ),
        ("data: {path: x}\ntargets: []", ["targets", "at least 1"]),
        ("data: {path: x}\ncalendar: {cadence: daily}", ["calendar.cadence", "'daily'"]),
        ("data: {path: x}\nname: a b", ["name", "pattern"]),
    ],
)
def test_a_broken_rule_names_the_key_and_the_value(
    tmp_path: Path, text: str, parts: list[str]
) -> None:
    message = refused(tmp_path, text)
    for part in parts:
        assert part in message


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "labels: {horizon_days: ninety}",
            "labels.horizon_days: must be a valid integer (found: 'ninety') → "
            "write a whole number in digits",
        ),
        (
            "labels: {horizon_days: -5}",
            "labels.horizon_days: must be greater than or equal to 1 (found: -5) → "
            "change it, or leave the key out for its default",
        ),
        (
            "score: {levers_first: maybe}",
            "score.levers_first: must be a valid boolean (found: 'maybe') → write true or false",
        ),
        ("data: {pth: x}", "data.pth: unknown key → did you mean `path`?"),
        ("dat: {path: x}", "dat: unknown key → did you mean `data`?"),
        ("data: {}", "data.path: Field required → add it"),
    ],
)
def test_a_broken_rule_is_one_problem_with_a_next_step(
    tmp_path: Path, text: str, problem: str
) -> None:
    text = text if text.startswith("dat") else f"data: {{path: x}}\n{text}"
    assert refused(tmp_path, text) == f"{tmp_path}/run.yaml: {problem}"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("data: [", "line 1, column 8: expected the node content, but found '<stream end>'"),
        ("data: {path: x\nlabels: 3", "line 2, column 7: expected ',' or '}', but got ':'"),
        ('a: "b\nc: d', "line 2, column 5: found unexpected end of stream"),
    ],
)
def test_what_is_no_yaml_is_named_by_its_place(tmp_path: Path, text: str, place: str) -> None:
    assert refused(tmp_path, text) == (
        f"{tmp_path}/run.yaml: is not valid YAML (found: {place}) → "
        "close the bracket or quote, or mend the indent, there or above"
    )


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            "data: {path: x}\nlabels: {horizons: [30, renewl]}",
            ["labels.horizons.1: must be a valid integer", "'renewl'", "did you mean `renewal`?"],
        ),
        (
            "data: {path: x}\nengine: {settings: {spark.a: [1]}}",
            ["engine.settings.spark.a: must be a valid string; or must be a valid integer"],
        ),
        (
            "data: {path: x}\ncalendar: {cadence: montly}",
            ["calendar.cadence: must be 'monthly' or 'weekly'", "did you mean `monthly`?"],
        ),
    ],
)
def test_alternatives_are_one_problem_at_the_place_that_was_written(
    tmp_path: Path, text: str, parts: list[str]
) -> None:
    message = refused(tmp_path, text)
    assert "problems" not in message
    assert not any(word in message for word in ("constrained", "literal", "Input", ".str", ".int"))
    for part in parts:
        assert part in message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("data: {path: x}\nname: a\ndata: {path: y}", "data: is given twice (found: in lines 1"),
        ("data:\n  path: x\n  path: y", "path: is given twice (found: in lines 2 and 3)"),
        ('data:\n  path: x\n  "path": y', "path: is given twice (found: in lines 2 and 3)"),
        ("data: {path: x, tables: {tickets: {columns: {a: b, a: c}}}}", "a: is given twice"),
        ("data: {path: x}\nfeatures:\n- {name: a,\n   name: b}", "name: is given twice"),
    ],
)
def test_a_key_that_stands_twice_is_refused(tmp_path: Path, text: str, said: str) -> None:
    message = refused(tmp_path, text)
    assert "run.yaml" in message
    assert said in message


@pytest.mark.parametrize(
    ("value", "part"),
    [("on", "true or false"), ("no", "true or false"), ("2023-01-01", ""), ("7", "")],
)
def test_what_yaml_takes_for_no_text_is_to_be_quoted(tmp_path: Path, value: str, part: str) -> None:
    table = f"{{path: y, columns: {{opened_at: {value}}}}}"
    text = f"data: {{path: x, tables: {{tickets: {table}}}}}"
    message = refused(tmp_path, text)
    assert "columns.opened_at: must be a valid string" in message
    assert "→ write it in quotes" in message
    assert part in message
    assert config(tmp_path, text.replace(value, f"'{value}'")).data.tables["tickets"].columns


def test_a_list_is_no_key(tmp_path: Path) -> None:
    assert "is not valid YAML" in refused(tmp_path, "data: {path: x, tables: {[a]: b, [c]: d}}")


def test_a_key_may_stand_in_two_mappings_and_be_merged(tmp_path: Path) -> None:
    text = """
    data:
      path: x
      tables:
        tickets: &one {path: t.csv, columns: {a: b}}
        invoices: {<<: *one, path: i.csv}
    """
    tables = config(tmp_path, text).data.tables
    assert tables["invoices"].path == str(tmp_path / "i.csv")
    assert tables["invoices"].columns == {"a": "b"}


def test_a_table_may_lie_in_the_folder_of_the_data(tmp_path: Path) -> None:
    (tmp_path / "exports" / "crm").mkdir(parents=True)
    (tmp_path / "exports" / "crm" / "companies.csv").write_text("id\n1\n")
    text = "data: {path: exports, tables: {accounts: {path: crm/companies.csv}}}"
    place = tmp_path / "exports" / "crm" / "companies.csv"
    assert config(tmp_path, text).data.tables["accounts"].path == str(place)
    (tmp_path / "crm").mkdir()
    (tmp_path / "crm" / "companies.csv").write_text("id\n2\n")
    nearer = tmp_path / "crm" / "companies.csv"
    assert config(tmp_path, text).data.tables["accounts"].path == str(nearer)


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    message = refused(tmp_path, "data: {pat: x}\nlabels: {gap_days: -1}")
    assert message.startswith("2 problems:")


@pytest.mark.parametrize(
    ("text", "part"),
    [("", "must be a mapping"), ("- a", "must be a mapping"), ("a: [", "is not valid YAML")],
)
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str, part: str) -> None:
    assert part in refused(tmp_path, text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: is not a file"):
        load_config(tmp_path / "nowhere.yaml")


def test_the_environment_fills_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "data: {path: '${TENURE_X:-fallback}/${TENURE_Y}'}"
    monkeypatch.delenv("TENURE_X", raising=False)
    monkeypatch.setenv("TENURE_Y", "tables")
    assert Path(config(tmp_path, text).data.path) == tmp_path / "fallback" / "tables"
    monkeypatch.setenv("TENURE_X", "given")
    assert Path(config(tmp_path, text).data.path) == tmp_path / "given" / "tables"
    monkeypatch.delenv("TENURE_Y")
    message = refused(tmp_path, text)
    assert "${TENURE_Y}: is not set" in message
    assert "export TENURE_Y" in message


def test_a_variable_of_a_target_or_webhook_is_needed_when_that_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = """
data: {path: x}  # or ${NEVER_SET}
exports:
  crm: {url: 'https://${TENURE_HOST}/a', token: ${TENURE_TOKEN}, headers: {X: '${TENURE_X:-y}'}}
  own: {url: https://example.com}
webhooks: {team: {url: https://example.com, secrets: ['${TENURE_SECRET}']}}
"""
    monkeypatch.setenv("TENURE_HOST", "${NEVER_SET}")
    read = config(tmp_path, text)
    assert read.exports["own"].settled() == read.exports["own"]
    for part, name in ((read.exports["crm"], "TOKEN"), (read.webhooks["team"], "SECRET")):
        with pytest.raises(ConfigError) as caught:
            part.settled()
        message = f"${{TENURE_{name}}}: is not set in the environment → export TENURE_{name}=…"
        assert str(caught.value) == message
        monkeypatch.setenv(f"TENURE_{name}", "s3cret")
    crm = read.exports["crm"].settled()
    assert (crm.url, crm.token, crm.headers) == ("https://${NEVER_SET}/a", "s3cret", {"X": "y"})
    assert read.webhooks["team"].settled().secrets == ["s3cret"]
    assert "s3cret" not in f"{crm!r}{crm.model_dump_json()}"


def test_times_are_naive_utc(tmp_path: Path) -> None:
    text = (
        "data: {path: x, observed_until: 2024-01-01T02:00:00+02:00}\ncalendar: {start: 2023-01-01}"
    )
    found = config(tmp_path, text)
    assert found.data.observed_until == datetime(2024, 1, 1)
    assert found.calendar.start == datetime(2023, 1, 1)


def test_a_config_is_frozen() -> None:
    found = make_config({"data": {"path": "x"}}, base=Path())
    with pytest.raises(ValueError, match="frozen"):
        found.labels.horizon_days = 30  # type: ignore[misc]


def test_every_default_is_valid() -> None:
    found = make_config({"data": {"path": "x"}}, base=Path())
    again: dict[str, Any] = found.model_dump(mode="json")
    assert make_config(again, base=Path()) == found


def test_what_a_key_means_is_one_line_of_the_reference() -> None:
    sections = Config.model_json_schema()["$defs"].values()
    texts = [
        item["description"]
        for section in sections
        for item in section["properties"].values()
        if "description" in item
    ]
    assert "Trials of each search; 0 and no seconds: no tuning." in texts
    assert not [text for text in texts if "\n" in text]


def test_a_config_is_rewritten_with_its_variables_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = tmp_path / "one.yaml", tmp_path / "other.yaml"
    path.write_text(
        "data: {path: ${HERE}, timezone: Europe/Berlin}\n"
        "store: {url: postgresql://${SOMEBODY}@db/Söhne}\n"
        "service: {port: ${PORT:-3000}}\n"
        "exports: {crm: {token: '${TOKEN:-hidden}'}}\n"
    )
    sections = {"data", "store", "service"}
    other.write_text(rewritten(path, sections, {"name": "x", "data": {"path": "data"}}))
    assert "hidden" not in other.read_text()
    monkeypatch.setenv("SOMEBODY", "me")
    assert read_mapping(other) == {
        "name": "x",
        "data": {"path": "data", "timezone": "Europe/Berlin"},
        "store": {"url": "postgresql://me@db/Söhne"},
        "service": {"port": 3000},
    }
