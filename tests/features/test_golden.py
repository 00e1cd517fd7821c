"""The SQL of every source, word for word, for two prediction times.

A wanted change is taken over with ``TENURE_UPDATE_GOLDEN=1 pytest tests/features/test_golden.py``;
the difference is then read in the review.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from features.past import whole_plan
from tenure.engine.spark.dialect import to_spark
from tenure.features.compute.source_query import source_queries

GOLDEN = Path(__file__).parent / "golden"
CUTOFFS = (datetime(2024, 1, 1), datetime(2024, 2, 1, 12))
QUERIES = {f"{query.source}{query.part}": query for query in source_queries(whole_plan(), CUTOFFS)}


def check(path: Path, text: str) -> None:
    if os.environ.get("TENURE_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text + "\n", (
        f"the SQL differs from {path.name}; where that is wanted, run: "
        "TENURE_UPDATE_GOLDEN=1 .venv/bin/python -m pytest tests/features/test_golden.py"
    )


@pytest.mark.parametrize("dialect", ["duckdb", "spark"])
@pytest.mark.parametrize("name", QUERIES)
def test_the_text_is_the_agreed_one(name: str, dialect: str) -> None:
    step = QUERIES[name].step
    text = step.sql if dialect == "duckdb" else to_spark(step.sql)
    check(GOLDEN / f"{name}.{dialect}.sql", text)


def test_every_source_has_its_files_and_no_other_stands_there() -> None:
    files = {path.name for path in GOLDEN.glob("*.sql")}
    assert files == {f"{name}.{dialect}.sql" for name in QUERIES for dialect in ("duckdb", "spark")}


@pytest.mark.parametrize("name", QUERIES)
def test_the_text_holds_no_account_and_no_value_of_the_data(name: str) -> None:
    """Training, a batch and one account over HTTP run the same text."""
    step = QUERIES[name].step
    tree = sqlglot.parse_one(step.sql, read="duckdb")
    tables = {table.name for table in tree.find_all(exp.Table)}
    assert tables == {QUERIES[name].source, "feature_scope"}
    assert not any(True for _ in tree.find_all(exp.Window))
