"""The SQL of snapshots and labels, as text, so that a change of it is seen in review.

Each text of a step is stored once: where an earlier file has it, a line says which.

To refresh after a change that is meant:

    TENURE_UPDATE_GOLDEN=1 .venv/bin/python -m pytest tests/labels/test_golden.py
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import sqlglot
from sqlglot import expressions as exp

from tenure.core.steps import Step
from tenure.engine.spark.dialect import to_spark
from tenure.labels.outcomes import outcome_steps
from tenure.labels.snapshots import snapshot_steps
from tenure.labels.spells import Rules
from tenure.labels.targets import TARGETS

FOLDER = Path(__file__).parent / "golden"
OF_SPARK = {"MAKE_YM_INTERVAL"}
"""Functions of Spark that sqlglot does not know."""


def _rules(sign: int | None, **changes: bool) -> Rules:
    plain = {"effective": False, "list_prices": True, "rates": False, "constant_price": False}
    return Rules(winback_gap_days=30, threshold=0.1, sign=sign, **(plain | changes))


TEXTS: dict[str, list[Step]] = {
    "snapshots": snapshot_steps(),
    "churn": outcome_steps(TARGETS["churn"], _rules(None)),
    "churn_effective": outcome_steps(TARGETS["churn"], _rules(None, effective=True)),
    "churn_voluntary": outcome_steps(TARGETS["churn_voluntary"], _rules(None)),
    "renewal": outcome_steps(TARGETS["renewal"], _rules(None)),
    "expansion": outcome_steps(TARGETS["expansion"], _rules(1)),
    "expansion_at_constant_price": outcome_steps(
        TARGETS["expansion"], _rules(1, constant_price=True)
    ),
    "contraction_rates_no_list_prices": outcome_steps(
        TARGETS["contraction"], _rules(-1, list_prices=False, rates=True)
    ),
}


def _golden() -> dict[str, str]:
    """Return the text of each file."""
    stored: dict[tuple[str, str], str] = {}
    files = {}
    for name, steps in TEXTS.items():
        parts = []
        for step in steps:
            text = (step.name, step.sql.strip())
            earlier = stored.setdefault(text, name)
            parts.append(f"-- {step.name}\n{text[1] if earlier == name else f'-- as in {earlier}'}")
        files[name] = "\n\n".join(parts) + "\n"
    return files


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_the_text_is_the_golden_one(name: str) -> None:
    path = FOLDER / f"{name}.sql"
    text = _golden()[name]
    if os.environ.get("TENURE_UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in FOLDER.glob("*.sql")} == set(TEXTS)


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_spark_reads_its_translation(name: str) -> None:
    for step in TEXTS[name]:
        (tree,) = sqlglot.parse(to_spark(step.sql), read="spark")
        assert tree is not None
        calls = {node.name for node in tree.find_all(exp.Anonymous)}
        assert calls <= OF_SPARK, step.name
        assert not list(tree.find_all(exp.Qualify)), step.name


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_no_step_asks_for_the_present(name: str) -> None:
    clocks = (exp.CurrentTimestamp, exp.CurrentDate, exp.CurrentTime)
    for step in TEXTS[name]:
        assert not list(sqlglot.parse_one(step.sql, read="duckdb").find_all(*clocks))
