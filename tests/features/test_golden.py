"""The SQL of every stream, word for word, for two prediction times.

A wanted change is taken over with ``TENURE_UPDATE_GOLDEN=1 pytest tests/features/test_golden.py``;
the difference is then read in the review.
"""

from __future__ import annotations

import os
import re
from datetime import datetime
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from features.past import whole_plan
from tenure.features.cells import Stream, cells

GOLDEN = Path(__file__).parent / "golden"
CUTOFFS = (datetime(2024, 1, 1), datetime(2024, 2, 1, 12))
LACKING = {"epoch_us"}
"""Functions that Spark does not have under this name."""


def name_of(stream: Stream) -> str:
    parts = [stream.source, *stream.clocks]
    parts += ["ended_by", stream.at] if stream.at else []
    parts += ["running"] if stream.running else []
    parts += ["distinct", stream.member, stream.condition or ""] if stream.member else []
    return re.sub(r"[^a-z0-9]+", "_", "-".join(part for part in parts if part).lower()).strip("_")


STREAMS = {name_of(stream): stream for stream in whole_plan().streams}


def check(path: Path, text: str) -> None:
    if os.environ.get("TENURE_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text + "\n", "see the top of this file"


@pytest.mark.parametrize("name", STREAMS)
def test_the_text_is_the_agreed_one(name: str) -> None:
    step = cells(STREAMS[name], STREAMS[name].timeline(CUTOFFS))
    check(GOLDEN / f"{name}.duckdb.sql", step.text("duckdb"))


@pytest.mark.parametrize("name", STREAMS)
def test_the_text_can_be_said_to_spark(name: str) -> None:
    step = cells(STREAMS[name], STREAMS[name].timeline(CUTOFFS))
    text = sqlglot.transpile(step.text("spark"), read="spark", write="spark", pretty=True)[0]
    check(GOLDEN / f"{name}.spark.sql", text)
    tree = sqlglot.parse_one(step.text("spark"), read="spark")
    strange = {node.name.lower() for node in tree.find_all(exp.Anonymous)}
    assert strange <= LACKING


def test_every_stream_has_its_files_and_no_other_stands_there() -> None:
    plan = whole_plan()
    assert len(STREAMS) == len(plan.streams)
    files = {path.name for path in GOLDEN.glob("*.sql")}
    assert files == {f"{name}.{dialect}.sql" for name in STREAMS for dialect in ("duckdb", "spark")}


@pytest.mark.parametrize("name", STREAMS)
def test_the_text_holds_no_account_and_no_value_of_the_data(name: str) -> None:
    """Training, a batch and one account over HTTP run the same text."""
    step = cells(STREAMS[name], STREAMS[name].timeline(CUTOFFS))
    tree = sqlglot.parse_one(step.sql, read="duckdb")
    tables = {table.name for table in tree.find_all(exp.Table)}
    assert tables == {STREAMS[name].source, "feature_scope"}
    assert not any(True for _ in tree.find_all(exp.Window))
