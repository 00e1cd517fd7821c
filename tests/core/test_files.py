from __future__ import annotations

import math
from pathlib import Path

import pytest

from tenure.core import files
from tenure.core.errors import ConfigError
from tenure.core.files import (
    canonical_json,
    digest,
    publishing,
    replacing,
    sha256,
    write_json,
    write_text,
)


class Killed(BaseException):
    """Stands for whatever ends a block early."""


def half(path: Path) -> None:
    path.write_text("half")
    raise Killed


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "scores.csv"
    for text in ("old", "new"):
        with replacing(path) as temporary:
            temporary.write_text(text)
            assert not path.exists() or path.read_text() == "old"
        assert path.read_text() == text
    assert names(path.parent) == ["scores.csv"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("old")
    with pytest.raises(Killed), replacing(path) as temporary:
        half(temporary)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["scores.csv"]


def test_a_failed_rename_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("old")

    def refuse(source: Path, target: Path) -> Path:
        raise OSError("no space")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="no space"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert names(tmp_path) == ["scores.csv"]


@pytest.mark.parametrize("name", ["file/scores.csv", "file/deep/scores.csv"])
def test_a_place_where_nothing_can_be_written_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigError) as caught:
        write_text(tmp_path / name, "new")
    place = tmp_path / name
    assert str(caught.value) == (
        f"{place}: cannot be written: Not a directory → choose a folder you may write to"
    )
    assert names(tmp_path) == ["file"]


def test_the_bytes_are_on_disk_before_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "scores.csv"
    order: list[str] = []
    rename, sync = Path.replace, files._sync

    def synced(at: Path) -> None:
        order.append(f"sync {at.suffix}")
        sync(at)

    def renamed(at: Path, to: Path) -> Path:
        order.append("rename")
        return rename(at, to)

    monkeypatch.setattr(files, "_sync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    write_text(path, "new")
    assert order[:2] == ["sync .tmp", "rename"]
    assert len(order) == 3  # then the folder


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = tmp_path / "churn" / "abc"
    with pytest.raises(Killed), publishing(folder) as temporary:
        half(temporary / "spec.json")
    assert names(tmp_path / "churn") == []
    with publishing(folder) as temporary:
        (temporary / "deep").mkdir()
        (temporary / "deep" / "spec.json").write_text("whole")
        assert not folder.exists()
    assert (folder / "deep" / "spec.json").read_text() == "whole"
    assert names(tmp_path / "churn") == ["abc"]


def test_a_published_folder_is_never_changed(tmp_path: Path) -> None:
    folder = tmp_path / "abc"
    for text in ("first", "second"):
        with publishing(folder) as temporary:
            (temporary / "spec.json").write_text(text)
    assert (folder / "spec.json").read_text() == "first"
    assert names(tmp_path) == ["abc"]


def test_json_is_canonical(tmp_path: Path) -> None:
    one, other = tmp_path / "one.json", tmp_path / "other.json"
    write_json(one, {"b": [1, 2.5], "a": {"z": "é", "y": None}})
    write_json(other, {"a": {"y": None, "z": "é"}, "b": [1, 2.5]})
    assert one.read_bytes() == other.read_bytes()
    assert sha256(one) == sha256(other)
    assert "é".encode() in one.read_bytes()
    assert one.read_bytes().endswith(b"\n")
    assert b"\r" not in one.read_bytes()
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"a": math.nan})


def test_a_digest_tells_parts_apart() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    assert digest("ab", "c") == digest("ab", "c")
    assert len(digest("x")) == 16
