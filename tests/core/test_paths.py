"""Relative paths: against the config's folder first, then against the folder of the data."""

from __future__ import annotations

from pathlib import Path

from tenure.core.paths import absolute, exists, present


def test_relative_paths_stand_against_the_folder(tmp_path: Path) -> None:
    assert absolute("../x.csv", tmp_path / "sub") == str(tmp_path / "x.csv")
    assert absolute("/x.csv", tmp_path) == "/x.csv"
    assert absolute("s3://bucket/x", tmp_path) == "s3://bucket/x"


def test_the_first_folder_that_has_the_name_counts(tmp_path: Path) -> None:
    config, data = tmp_path / "config", tmp_path / "data"
    (data / "crm").mkdir(parents=True)
    config.mkdir()
    (data / "crm" / "a.csv").write_text("x\n1\n")
    assert present("crm/a.csv", (config, data)) == str(data / "crm" / "a.csv")
    assert present("crm/*.csv", (config, data)) == str(data / "crm" / "*.csv")
    assert present("crm/b.csv", (config, data)) == str(config / "crm" / "b.csv")
    (config / "crm").mkdir()
    (config / "crm" / "a.csv").write_text("x\n1\n")
    assert present("crm/a.csv", (config, data)) == str(config / "crm" / "a.csv")


def test_what_exists(tmp_path: Path) -> None:
    (tmp_path / "a[1].csv").write_text("")
    assert exists(str(tmp_path / "a[1].csv"))
    assert exists(str(tmp_path))
    assert not exists(str(tmp_path / "*.parquet"))
