"""Variables and relative paths of a config."""

from __future__ import annotations

import pytest

from tenure.core.errors import ConfigError
from tenure.core.paths import absolute, expanded


def test_variables_come_from_the_environment_or_their_default(monkeypatch):
    monkeypatch.setenv("HERE", "/data")
    monkeypatch.delenv("THERE", raising=False)
    assert expanded("${HERE}/a ${THERE:-b} $HERE") == "/data/a b $HERE"
    with pytest.raises(ConfigError, match="THERE"):
        expanded("${THERE}")


def test_relative_paths_stand_against_the_folder(tmp_path):
    assert absolute("../x.csv", tmp_path / "sub") == str(tmp_path / "x.csv")
    assert absolute("/x.csv", tmp_path) == "/x.csv"
    assert absolute("s3://bucket/x", tmp_path) == "s3://bucket/x"
