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
from tenure.explain.wording import label
from tenure.explain.wording import show as in_words
from tenure.run.account_words import account_lines
from tenure.score.posted import score_posted
from tenure.score.score import Model, Scored
from tenure.service.api.checks import (
    EVERY,
    check_accounts,
    check_count,
    check_horizon,
    check_targets,
    check_time,
)
from tenure.service.api.problems import MOST_PROBLEMS, Refusal, listed, refused, shown
from tenure.service.api.requests import (
    ExplainRequest,
    HistoryRequest,
    ModelRequest,
    RowsRequest,
    ScoreRequest,
)
from tenure.service.api.rows import drivers as driver_list
from tenure.service.api.rows import dump, for_targets, iso, records
from tenure.service.api.state import Served, Span, State, in_thread

Array = np.ndarray[Any, Any]
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
    scored_ids = set(frame["account_id"])
    absent = [name for name in dict.fromkeys(ask.account_ids) if name not in scored_ids]
    rows = for_targets(frame, served.models, targets)
    models = {name: served.models[name] for name in targets}
    return await in_thread(state.workers, _scores, as_of, models, rows, absent)


def _scores(
    as_of: datetime,
    models: Mapping[str, Model],
    rows: pd.DataFrame,
    not_asked: Iterable[str],
    **more: Any,
) -> bytes:
    why = f"no paid subscription runs at {show(as_of)}"
    return dump(
        {
            "as_of": iso(as_of),
            "models": {name: model.bundle.version for name, model in models.items()},
            "rows": records(rows),
            "not_asked": [
                {"account_id": name, "reason": NOT_PAYING, "detail": why} for name in not_asked
            ],
            **more,
        }
    )


async def score_history(state: State, served: Served, ask: HistoryRequest) -> bytes:
    """Score accounts from posted history."""
    check_count(len(ask.tables.get("accounts", [])), served, "tables.accounts")
    if not EARLIEST <= ask.as_of < LATEST:
        rule = f"must be between {show(EARLIEST)} and {show(LATEST)}"
        raise Refusal(Problem("as_of", rule, show(ask.as_of), "check the year"))
    return await in_thread(state.posting, _posted, state, served, ask)


def _posted(state: State, served: Served, ask: HistoryRequest) -> bytes:
    try:
        with state.engines.borrow() as engine:
            scores = score_posted(ask.tables, served.models, served.config, ask.as_of, engine)
    except TenureError as error:
        raise refused(error) from None
    more = {"rejects": scores.rejects, "ignored": scores.ignored}
    return _scores(ask.as_of, served.models, scores.rows, scores.not_asked, **more)


async def score_rows(state: State, served: Served, ask: RowsRequest) -> bytes:
    """Score feature rows."""
    check_count(len(ask.rows), served, "rows")
    (target,) = check_targets([ask.target], served.models, "target")
    return await in_thread(state.workers, scored_rows, target, served.models[target], ask.rows)


def scored_rows(target: str, model: Model, rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return probabilities and drivers of feature rows as JSON."""
    values = feature_frame(model, rows)
    probability, contributions = model.main.scores_and_contributions(values)
    reasons = records(drivers(contributions[:, :-1], values, model.explainer()))
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
    columns = model.main.columns
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


async def explain(state: State, served: Served, ask: ExplainRequest) -> bytes:
    """Explain one account's score in full."""
    as_of = check_time(ask.as_of, served)
    check_accounts({"account_id": ask.account_id}, served)
    scored = await state.scores(served, as_of, {ask.account_id})
    frame = scored.rows[scored.rows["account_id"] == ask.account_id]
    if frame.empty:
        raise Refusal(
            Problem(
                "account_id",
                f"has no paid subscription at {show(as_of)}",
                ask.account_id,
                "ask for a time at which the account was paying",
            )
        )
    (row,) = records(frame)
    targets: dict[str, Any] = {}
    if row["abstain_reason"] is None:
        targets = await in_thread(state.workers, _contributions, scored, row)
    lines = account_lines({**row, "as_of": show(as_of)}, list(served.models))
    return dump({"as_of": iso(as_of), "row": row, "sentences": lines, "targets": targets})


def _contributions(scored: Scored, row: Mapping[str, Any]) -> dict[str, Any]:
    accounts = scored.matrix.rows["account_id"].to_numpy(dtype=object)
    (place,) = np.flatnonzero(accounts == row["account_id"])
    targets = {}
    for target, model in scored.models.items():
        amounts = scored.main(target).values[place]
        targets[target] = {
            **named(model),
            "probability": row[f"{target}_probability"],
            "base_value": amounts[-1].item(),
            "log_odds": amounts.sum().item(),
            "calibrator": model.main.calibration(),
            "contributions": _each(model, scored.values(target).iloc[place], amounts),
        }
    return targets


def _each(model: Model, values: pd.Series[Any], amounts: Array) -> list[dict[str, Any]]:
    features = []
    for place in np.argsort(-np.abs(amounts[:-1]), kind="stable"):
        spec = model.specs[model.main.columns[place]]
        raw = values[spec.name]
        value = None if pd.isna(raw) else raw if spec.text else float(raw)
        features.append(
            {
                "feature": spec.name,
                "label": label(spec),
                "value": in_words(value, spec.unit),
                "value_num": None if spec.text else value,
                "contribution": amounts[place].item(),
            }
        )
    return features


async def describe(state: State, served: Served, ask: ModelRequest) -> bytes:
    """Describe the models that are served."""
    del ask
    until = served.loaded.dataset.observed_until
    return dump(
        {
            "name": served.config.name,
            "observed_until": iso(until),
            "targets": {name: _described(model) for name, model in served.models.items()},
            "warnings": state.warnings,
        }
    )


def _described(model: Model) -> dict[str, Any]:
    spec, verdict = model.bundle.spec, model.bundle.metrics.verdict
    return {
        **named(model),
        "trained_until": spec.trained_until,
        "rows": model.main.rows,
        "positives": model.main.positives,
        "verdict": verdict and verdict.to_json(),
        "tables": {name: list(columns) for name, columns in spec.tables.items()},
        "features": [
            {
                "name": name,
                "label": label(model.specs[name]),
                "sentence": model.specs[name].sentence,
                "unit": model.specs[name].unit,
                "type": "string" if model.specs[name].text else "number",
                "lever": model.specs[name].lever,
                "source": model.specs[name].source,
            }
            for name in model.main.columns
        ],
    }


def named(model: Model) -> dict[str, Any]:
    """Return what every answer says of the model behind it."""
    spec = model.bundle.spec
    return {
        "model_name": spec.model_name,
        "model_version": model.bundle.version,
        "horizon_days": spec.labels.horizon_days,
        "base_rate": model.main.base_rate,
    }
