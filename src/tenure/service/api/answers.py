"""Answers: each takes a valid request and returns JSON, from one call into the package."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import Any

import numpy as np
import pandas as pd

from tenure.core.errors import Problem, TenureError, suggestion
from tenure.core.times import as_utc, show
from tenure.explain.drivers import drivers
from tenure.labels.targets import TARGETS
from tenure.score.posted import score_posted
from tenure.score.score import Model
from tenure.service.api.checks import (
    EVERY,
    check_accounts,
    check_count,
    check_horizon,
    check_targets,
    check_time,
)
from tenure.service.api.explanations import named
from tenure.service.api.problems import MOST_PROBLEMS, Refusal, listed, refused, shown
from tenure.service.api.requests import HistoryRequest, RowsRequest, ScoreRequest
from tenure.service.api.rows import drivers as driver_list
from tenure.service.api.rows import dump, for_targets, iso, records
from tenure.service.api.state import Served, Span, State

EARLIEST, LATEST = as_utc("1990-01-01"), as_utc("2200-01-01")
NOT_PAYING = "no_paid_subscription"
LARGEST = float(np.finfo(np.float32).max)


async def score_accounts(state: State, served: Served, ask: ScoreRequest) -> bytes:
    """Score accounts by id from the loaded tables."""
    check_count(len(ask.account_ids), served, "account_ids")
    targets = check_targets(ask.targets, served.models)
    as_of = check_time(ask.as_of, served)
    horizon = check_horizon(ask.horizon_days, served)
    check_accounts({f"account_ids[{i}]": name for i, name in enumerate(ask.account_ids)}, served)
    span: Span = "main" if horizon == served.config.labels.horizon_days else "all"
    scored = await state.scores(served, as_of, set(ask.account_ids), span)
    frame = scored.rows[scored.rows["account_id"].isin(ask.account_ids)]
    if horizon != EVERY:
        frame = frame[frame["horizon_days"] == horizon]
    return await state.workers.run(_scored, frame, ask.account_ids, served.models, targets, as_of)


def _scored(
    frame: pd.DataFrame,
    accounts: Sequence[str],
    models: Mapping[str, Model],
    targets: Sequence[str],
    as_of: datetime,
) -> bytes:
    scored = set(frame["account_id"])
    absent = [name for name in dict.fromkeys(accounts) if name not in scored]
    return dump(
        {
            "as_of": iso(as_of),
            "models": {name: models[name].bundle.version for name in targets},
            "rows": records(for_targets(frame, models, targets)),
            "not_asked": not_asked(absent, as_of),
        }
    )


def not_asked(accounts: Iterable[str], as_of: datetime) -> list[dict[str, str]]:
    """Return accounts that no model is asked about, and why."""
    why = f"no paid subscription runs at {show(as_of)}"
    return [{"account_id": name, "reason": NOT_PAYING, "detail": why} for name in accounts]


async def score_history(state: State, served: Served, ask: HistoryRequest) -> bytes:
    """Score accounts from the rows that were posted."""
    check_count(len(ask.tables.get("accounts", [])), served, "tables.accounts")
    if not EARLIEST <= ask.as_of < LATEST:
        rule = f"must be between {show(EARLIEST)} and {show(LATEST)}"
        raise Refusal(Problem("as_of", rule, show(ask.as_of), "check the year"))
    return await state.posting.run(_posted, state, served, ask)


def _posted(state: State, served: Served, ask: HistoryRequest) -> bytes:
    try:
        with state.engines.borrow() as engine:
            scores = score_posted(ask.tables, served.models, served.config, ask.as_of, engine)
    except TenureError as error:
        raise refused(error) from None
    return dump(
        {
            "as_of": iso(ask.as_of),
            "models": {name: model.bundle.version for name, model in served.models.items()},
            "rows": records(scores.rows),
            "not_asked": not_asked(scores.not_asked, ask.as_of),
            "rejects": scores.rejects,
            "ignored": scores.ignored,
        }
    )


async def score_rows(state: State, served: Served, ask: RowsRequest) -> bytes:
    """Score feature rows."""
    check_count(len(ask.rows), served, "rows")
    (target,) = check_targets([ask.target], served.models, "target")
    return await state.workers.run(scored_rows, target, served.models[target], ask.rows)


def scored_rows(target: str, model: Model, rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return probabilities and drivers of feature rows as JSON."""
    values = feature_frame(model, rows)
    probability, contributions = model.bundle.main.scores_and_contributions(values)
    reasons = records(
        drivers(contributions[:, :-1], values, model.specs, model.peers, TARGETS[target])
    )
    scored = [
        {"probability": chance, "log_odds": margin, "drivers": driver_list(row)}
        for chance, margin, row in zip(
            probability.tolist(), contributions.sum(axis=1).tolist(), reasons, strict=True
        )
    ]
    return dump({"target": target, **named(model), "rows": scored})


def feature_frame(model: Model, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return posted feature rows as a matrix, in the types that scoring reads.

    Raises:
        Refusal: If a row lacks a feature, has one that the model does not read, or a wrong value.
    """
    columns = model.bundle.main.columns
    _check_names(rows, columns)
    problems: list[Problem] = []
    words: dict[str, Any] = {}
    numbers: dict[str, list[Any]] = {}
    for name in columns:
        text = model.specs[name].text
        values = [row[name] for row in rows]
        problems += [
            Problem(f"rows[{place}].{name}", *wrong)
            for place, value in enumerate(values)
            if (wrong := _wrong(value, text))
        ]
        (words if text else numbers)[name] = values
        if len(problems) >= MOST_PROBLEMS:
            break
    if problems:
        raise Refusal(*problems)
    matrix = np.array(list(numbers.values()), dtype=np.float32).T
    frame = pd.DataFrame(matrix, columns=list(numbers))
    if words:
        frame = pd.concat([frame, pd.DataFrame(words, dtype=object)], axis=1)
    return frame[list(columns)]


def _check_names(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Make sure that every row has the model's features and no others.

    Raises:
        Refusal: With the first problems; a suggestion costs a look at every feature, so no more
            are worked out than are shown.
    """
    known = set(columns)
    wrong = ((place, row) for place, row in enumerate(rows) if row.keys() != known)
    problems = list(
        islice(
            chain.from_iterable(_name_problems(*one, columns, known) for one in wrong),
            MOST_PROBLEMS,
        )
    )
    if problems:
        raise Refusal(*problems)


def _name_problems(
    place: int, row: Mapping[str, Any], columns: Sequence[str], known: set[str]
) -> Iterator[Problem]:
    for name in row:
        if name not in known:
            close = suggestion(name[:100], known)
            fix = close if close.startswith("did") else "GET /model lists the features"
            yield Problem(f"rows[{place}].{name}", "is not a feature of the model", fix=fix)
    absent = [name for name in columns if name not in row]
    if absent:
        fix = "give every feature that /model lists; null where it is not known"
        rule = f"{len(absent)} of the model's {len(columns)} features are missing"
        yield Problem(f"rows[{place}].{absent[0]}", rule, listed(absent, 20), fix)


def _wrong(value: Any, text: bool) -> tuple[str, str, str] | None:
    """Return the rule that a feature value breaks, the value and the fix, None where it is fine."""
    if value is None:
        return None
    if text:
        good = isinstance(value, str)
        return None if good else ("must be a string or null", shown(value), 'write it as "…"')
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "must be a number or null", shown(value), "write it without quotes"
    if abs(value) <= LARGEST:
        return None
    return "is no finite 32-bit number", shown(value), "null where it is not known"
