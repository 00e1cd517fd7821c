"""Scores of history that somebody hands in as rows, by the same road as a batch.

A table that a model reads but that was not handed in counts as one without rows, and a column that
was left out as one without values, so an account has the features that it would have in a batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import pandas as pd

from tenure.core.config import Config
from tenure.core.errors import DataError, Problem, suggestion
from tenure.engine import ENGINES, Engine
from tenure.score.evidence import AccountEvidence, evidence_behind
from tenure.score.posted_rows import Row, columns_of, declared_kinds, posted_tables, read_by
from tenure.score.score import Model, score
from tenure.sources.contract import SOURCES
from tenure.sources.dataset import Dataset
from tenure.sources.load import load_frames

if TYPE_CHECKING:
    import pyarrow as pa

EMPTY_BOOK = pd.DataFrame({"churn_probability": pd.Series(dtype="float64")})
MOST_PROBLEMS = 20


@dataclass(frozen=True)
class PostedScores:
    """What came of posted history."""

    rows: pd.DataFrame
    """Flat rows of the contract; rank and percentile are empty."""
    not_asked: list[str]
    """Accounts with rows but without a paid subscription at that time."""
    rejects: list[dict[str, str]]
    """Rows that break the contract: table, reason, rule, row (JSON text)."""
    ignored: list[str]
    """Account attributes that no model reads, as ``accounts.<name>``."""
    doubts: dict[str, dict[str, dict[str, list[str]]]]
    """Account → target → its doubtful inputs, where there are any."""
    evidence: dict[str, AccountEvidence] = field(default_factory=dict)
    """Account → the source rows behind its drivers, where they were wanted."""


def score_posted(
    tables: Mapping[str, Sequence[Row]],
    models: Mapping[str, Model],
    config: Config,
    as_of: datetime,
    engine: Engine,
    evidence: int = 0,
) -> PostedScores:
    """Score accounts from their own rows.

    `tables` are the rows of each contract table (column → string, number, true, false or None);
    nothing of them is left in the engine, and where the config's data comes from is not read.  Only
    what was known before `as_of` counts.  Of each table `evidence` source rows are shown behind a
    driver.

    Raises:
        DataError: If a table or a column is unknown, a required one is missing, or a value can
            never be read; lists every problem, each named ``tables.<table>.<column>``.
    """
    ignored = _check_names(tables, read := read_by(models))
    posted = posted_tables(tables, read)
    try:
        dataset = _loaded(posted, config, engine, as_of)
        scored = score(dataset, models, _of_a_few(config), as_of, book=EMPTY_BOOK)
        behind = evidence_behind(engine, scored, evidence) if evidence else {}
        accounts = engine.fetch("SELECT DISTINCT account_id FROM accounts ORDER BY 1")
        rejects = _rejects(dataset)
    finally:
        engine.clear()
    paying = set(scored.rows["account_id"])
    not_asked = [name for name in accounts.column(0).to_pylist() if name not in paying]
    return PostedScores(scored.rows, not_asked, rejects, ignored, scored.doubts(paying), behind)


def _of_a_few(config: Config) -> Config:
    """Return settings under which the silence of a few accounts is not that of a source."""
    settings = config.score.model_copy(update={"abstain_when_stale": False})
    return config.model_copy(update={"score": settings})


def _check_names(
    tables: Mapping[str, Sequence[Row]], read: Mapping[str, Mapping[str, str]]
) -> list[str]:
    """Return account attributes that no model reads, as ``accounts.<name>``.

    Raises:
        DataError: If a table or column is unknown, or a required table is missing; a column of
            accounts counts as unknown only where it is nearly a declared one.
    """
    problems: list[Problem | str] = []
    ignored: list[str] = []
    for name, rows in tables.items():
        if name not in SOURCES:
            rule, fix = "is not a table of the contract", suggestion(name, SOURCES)
            problems.append(Problem(f"tables.{name}", rule, fix=fix))
            continue
        declared, known = declared_kinds(name), read.get(name, {})
        unknown = [column for column in columns_of(rows) if column not in declared]
        if SOURCES[name].open_ended:
            unknown = [column for column in unknown if column not in known]
            ignored += [f"{name}.{column}" for column in unknown]
        # A suggestion costs a look at every declared column: only the first few are worth it.
        for column in unknown[:MOST_PROBLEMS]:
            fix = suggestion(column[:100], sorted(declared))
            if fix.startswith("did you mean") or not SOURCES[name].open_ended:
                where = f"tables.{name}.{column}"
                problems.append(Problem(where, f"is not a column of {name}", fix=fix))
    problems += [
        Problem(f"tables.{name}", "is required", fix="give it, with at least its required columns")
        for name, source in SOURCES.items()
        if source.required and not tables.get(name)
    ]
    if problems:
        raise DataError(*problems[:MOST_PROBLEMS])
    return sorted(ignored)


def _loaded(
    posted: Mapping[str, pa.Table], config: Config, engine: Engine, as_of: datetime
) -> Dataset:
    """Load posted rows; problems are named after the request's fields."""
    try:
        return load_frames(posted, config, engine, observed_until=as_of)
    except DataError as error:
        named = [
            Problem(f"tables.{item.thing}", item.rule, item.value, _fix(item))
            if isinstance(item, Problem) and item.thing not in ENGINES
            else item
            for item in error.problems
        ]
        raise DataError(*named) from None


def _fix(problem: Problem) -> str:
    """Return the next step; one about a config is of no use to who posts rows."""
    if "is missing" in problem.rule:
        return "give it in every row"
    about_config = ("map ", "data.", "formats")
    if any(word in problem.fix for word in about_config):
        return "write times in ISO 8601 and numbers as JSON numbers"
    return problem.fix


def _rejects(dataset: Dataset) -> list[dict[str, str]]:
    return [
        {"table": name, **row}
        for name, sql in sorted(dataset.rejects.items())
        for row in dataset.engine.fetch(sql).to_pylist()
    ]
