"""The scores of a run as flat rows, and the part of them that another system gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from tenure.core.errors import ConfigError, DataError, Problem, suggestion
from tenure.core.flat_row import COLUMNS, MAIN, TOP, prefix_of
from tenure.core.times import show
from tenure.score.delivery.adapters import Item
from tenure.score.rows import with_change
from tenure.score.store.store import ScoreStore, StoredRun, StoredScore
from tenure.score.store.write import flat_names

ABSENT = frozenset({"stale_sources", "unseen_values"})
"""Columns of the flat rows that the store does not hold."""


def check_columns(name: str, columns: Mapping[str, str]) -> None:
    """Check that a mapping names columns of the flat rows.

    Raises:
        ConfigError: Naming every column that is none.
    """
    known = [column for column in COLUMNS if column not in ABSENT]
    problems = [
        Problem(
            f"exports.{name}.columns.{column}",
            "is no column of the kept scores",
            fix=suggestion(column, known),
        )
        for column in columns
        if column not in known and not column.endswith(("_probability", "_model_version"))
    ]
    if problems:
        raise ConfigError(*problems)


def flat_rows(store: ScoreStore, run: StoredRun, horizon: int) -> pd.DataFrame:
    """Return the flat rows of a kept run at one horizon.

    The horizon is the number of days that the scores look ahead.

    Returns:
        A row per account with the columns of the scores' contract that the store holds.

    Raises:
        DataError: If the run has no scores of that horizon.
    """
    rows: dict[str, dict[str, Any]] = {}
    for score in store.scores(run, horizon=str(horizon)):
        rows.setdefault(score.account_id, {"account_id": score.account_id}).update(_flat(score))
    if not rows:
        rule, fix = "has no scores of that horizon", "choose one that its models have"
        raise DataError(Problem(f"the run of {show(run.as_of)}", rule, f"{horizon} days", fix))
    flat = pd.DataFrame.from_records(list(rows.values()))
    flat = flat.merge(store.accounts(run), on="account_id", how="left")
    before = store.before(run.as_of)
    if before is not None and f"{MAIN}_probability" in flat:
        flat = with_change(flat, store.probabilities(before, MAIN))
    return flat


def _flat(score: StoredScore) -> dict[str, Any]:
    """Return one target's part of a flat row."""
    prefix = prefix_of(score.target)
    row = {flat: getattr(score, name) for name, flat in flat_names(score.target).items()}
    row[f"{prefix}base_rate"] = score.base_rate
    row[f"{prefix}model_version"] = score.model_version
    if score.target == MAIN:
        row |= {"as_of": score.as_of, "scored_at": score.scored_at, "model_name": score.model_name}
        if score.probability is not None:
            row["health_score"] = 100 * (1 - score.probability)
    for place, driver in enumerate(score.drivers[:TOP], start=1):
        row |= {f"{prefix}driver_{place}_{part}": value for part, value in driver.items()}
    return row


def items(flat: pd.DataFrame, columns: Mapping[str, str]) -> list[Item]:
    """Return what another system gets of flat rows.

    `columns` → fields of the other system; a column that no row has is empty.
    """
    chosen = flat.reindex(columns=list(columns)).astype(object)
    fields = list(columns.values())
    return [
        Item(account, {name: _plain(value) for name, value in zip(fields, row, strict=True)})
        for account, row in zip(
            flat["account_id"], chosen.itertuples(index=False, name=None), strict=True
        )
    ]


def _plain(value: Any) -> str | float | int | bool | None:
    if isinstance(value, list | dict) or not pd.isna(value):
        return show(pd.Timestamp(value)) if hasattr(value, "isoformat") else value
    return None
