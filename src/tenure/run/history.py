"""Scores of history that somebody hands in as rows, by the same code as a batch.

A table that a model reads but that was not handed in counts as one without rows, and a column that
was left out as one without values, so an account has the features that it would have in a batch.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

import pandas as pd

from tenure.core.errors import DataError, Problem, suggestion
from tenure.core.times import DAY
from tenure.engine import ENGINES, Engine, open_engine_for
from tenure.run.posted import Row, by_column, declared_kinds, frames, read_by
from tenure.score import Model, score
from tenure.sources.load import load_frames, load_sound
from tenure.sources.tables import SOURCES

if TYPE_CHECKING:
    from tenure.core.config import Config
    from tenure.engine.arrays import HeldRows
    from tenure.sources.dataset import Dataset

EMPTY_BOOK = pd.DataFrame({"churn_probability": pd.Series(dtype="float64")})
MOST_PROBLEMS = 20


@dataclass(frozen=True)
class HistoryScores:
    """What came of posted history.

    Attributes:
        rows: Flat rows of the contract; rank and percentile are empty.
        not_asked: Accounts with rows but without a paid subscription at that time.
        rejects: Rows that break the contract: table, reason, rule, row (JSON text).
        ignored: Account attributes that no model reads, as ``accounts.<name>``.
    """

    rows: pd.DataFrame
    not_asked: list[str]
    rejects: list[dict[str, str]]
    ignored: list[str]


def score_history(
    tables: Mapping[str, Sequence[Row]],
    models: Mapping[str, Model],
    config: Config,
    as_of: datetime,
) -> HistoryScores:
    """Score accounts from their own rows.

    Args:
        tables: Contract table → rows (column → string, number, true, false or None).
        models: Target → model.
        config: Settings; where its data comes from is not read.
        as_of: Prediction time; only what was known before it counts.

    Raises:
        DataError: If a table or a column is unknown, a required one is missing, or a value can
            never be read; lists every problem, each named ``tables.<table>.<column>``.
    """
    columns = {name: by_column(rows) for name, rows in tables.items()}
    _check_names(tables, columns)
    read = read_by(models)
    given = {name: columns[name] for name, rows in tables.items() if rows}
    plain = frames(given, read, config.data.timezone)
    engine = open_engine_for(config, sum(map(len, tables.values())))
    try:
        dataset = load_sound(plain, config, engine, observed_until=as_of)
        if dataset is None:
            # What is wrong with rows is said of them as they were posted.
            dataset = _loaded(frames(given, read), config, engine, as_of)
        rows = score(dataset, models, _of_a_few(config), as_of, book=EMPTY_BOOK)
        known = engine.arrays("SELECT DISTINCT account_id FROM accounts ORDER BY 1")
        rejects = _rejects(dataset)
    finally:
        engine.close()
    there = set(rows["account_id"])
    not_asked = [name for name in known["account_id"][0].tolist() if name not in there]
    useless = (
        columns["accounts"].keys() - declared_kinds("accounts") - read.get("accounts", {}).keys()
    )
    return HistoryScores(rows, not_asked, rejects, [f"accounts.{name}" for name in sorted(useless)])


def warm_up(models: Mapping[str, Model], config: Config, as_of: datetime) -> None:
    """Score one made-up account, so that the first one that is posted need not wait.

    The statements of every table that the models read are made ready for rows of plain values.

    Raises:
        DataError: If the rules of a config refuse such an account.
    """
    given = {"id": "-", "text": "-", "time": (as_of - DAY).isoformat()}
    counted = {"number": 1.0, "integer": 1, "flag": True}
    tables: dict[str, list[Row]] = {}
    for name, columns in read_by(models).items():
        source = SOURCES[name]
        declared = [item for item in source.columns if item.required or item.name in columns]
        tables[name] = [
            {
                item.name: (given | counted)[item.kind]
                if item.required or item.kind in counted
                else None
                for item in declared
            }
        ]
    score_history(tables, models, config, as_of)


def _of_a_few(config: Config) -> Config:
    """Return settings under which the silence of a few accounts is not that of a source."""
    settings = config.score.model_copy(update={"abstain_when_stale": False})
    return config.model_copy(update={"score": settings})


def _check_names(tables: Mapping[str, Sequence[Row]], names: Mapping[str, Collection[str]]) -> None:
    problems: list[Problem | str] = []
    for name, columns in names.items():
        if name not in SOURCES:
            rule, fix = "is not a table of the contract", suggestion(name, SOURCES)
            problems.append(Problem(f"tables.{name}", rule, fix=fix))
            continue
        known = declared_kinds(name)
        for column in columns:
            if column in known or len(problems) >= MOST_PROBLEMS:
                continue
            fix = _meant(name, column[:100])
            # Accounts may carry attributes of their own; one that is nearly a declared column is
            # far likelier a slip.
            if fix.startswith("did you mean") or not SOURCES[name].open_ended:
                where = f"tables.{name}.{column}"
                problems.append(Problem(where, f"is not a column of {name}", fix=fix))
    problems += [
        Problem(f"tables.{name}", "is required", fix="give it, with at least its required columns")
        for name, source in SOURCES.items()
        if source.required and not tables.get(name)
    ]
    if problems:
        raise DataError(*problems)


@lru_cache(1_024)
def _meant(table: str, column: str) -> str:
    """Return which column may have been meant."""
    return suggestion(column, sorted(declared_kinds(table)))


def _loaded(
    posted: Mapping[str, HeldRows], config: Config, engine: Engine, as_of: datetime
) -> Dataset:
    """Load posted rows; problems are named after the request's fields."""
    try:
        return load_frames(posted, config, engine, observed_until=as_of, lean=True)
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
