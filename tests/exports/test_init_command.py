"""`tenure init` on the command line: what it refuses, what it writes, what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from sources.presets.vendor_cases import OWN
from tenure.cli import cli
from tenure.core.errors import ConfigError
from tenure.core.records.init import InitRecord
from tenure.run.init import InitRequest, run_init


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    exports = tmp_path / "my exports"
    exports.mkdir()
    for name, text in OWN.items():
        (exports / name).write_text(text)
    (exports / "odd.csv").write_text("a,b\n1,2\n")
    (exports / "tickets.csv").write_text(
        "id,requester_id,organization_id,created_at\n1,7,8001,2023-03-01T10:00:00Z\n"
    )
    return exports


def test_a_config_that_exists_is_not_replaced(folder: Path) -> None:
    (folder / "tenure.yaml").write_text("mine")
    with pytest.raises(ConfigError, match=r"exists already → use --force"):
        run_init(InitRequest(folder))
    assert (folder / "tenure.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "holds no file that can be read"),
        ({"x.csv": "a,b\n1,2\n"}, r"x\.csv: is nothing that is known"),
        (
            {"subs.csv": "id,customer,start_date\n1,c,2023-01-01\n"},
            "is nearest to Stripe subscription, without `period_end` or `current_period_end`",
        ),
    ],
)
def test_a_folder_without_anything_known_is_refused(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=message):
        run_init(InitRequest(tmp_path))
    assert not (tmp_path / "tenure.yaml").exists()


def test_a_folder_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not a folder"):
        run_init(InitRequest(tmp_path / "none"))


def test_what_is_mapped_missing_and_open_is_told(folder: Path) -> None:
    result = CliRunner().invoke(cli, ["init", str(folder), "--out", "deep/my.yaml", "--json"])
    record = InitRecord.from_json(json.loads(result.stdout))
    assert result.exit_code == int(not record.passed)
    assert Path("deep/my.yaml").read_text().count('path: "../my exports"') == 1
    assert [item.vendor for item in record.files] == [
        *("your warehouse", "", "your warehouse", "Zendesk")
    ]
    assert "map it by hand" in record.files[1].remark
    tables = {item.name: item for item in record.tables}
    assert tables["subscriptions"].rows[0]["mrr"] == "100.0"
    assert "do not meet" in tables["tickets"].left_out
    missing = {part.name: part for part in record.missing}
    assert "Segment" in missing["usage_events"].usually
    assert missing["subscriptions.seats"].without == "features per seat are absent"
    assert "accounts.name" not in missing


def test_the_same_in_words(folder: Path) -> None:
    lines = CliRunner().invoke(cli, ["init", str(folder)]).stdout
    for text in (
        "odd.csv            unknown",
        "subscriptions (warehouse 1)",
        "account_id  started_at           mrr",
        "tickets (zendesk 1) is left out: tickets.csv: its ids do not meet",
        "usage_events",
        f"config: {folder / 'tenure.yaml'}",
    ):
        assert text in lines, lines
