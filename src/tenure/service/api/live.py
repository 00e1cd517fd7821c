"""Answers that are computed for the request: posted history, the raw tables, feature rows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from tenure.core.arrays import Array
from tenure.core.errors import Problem, TenureError
from tenure.core.times import as_utc, show
from tenure.explain.evidence import MOST
from tenure.explain.wording import label
from tenure.explain.wording import show as in_words
from tenure.run.account_words import account_lines
from tenure.score.evidence import evidence_behind
from tenure.score.posted import score_posted
from tenure.score.score import Model, Scored
from tenure.service.api.calls import Call
from tenure.service.api.checks import (
    EVERY,
    check_accounts,
    check_count,
    check_horizon,
    check_ids,
    check_targets,
    check_time,
)
from tenure.service.api.feature_rows import wrong_rows
from tenure.service.api.live_responses import (
    Explanation,
    HistoryScores,
    LiveScores,
    Metrics,
    Models,
    RowScores,
)
from tenure.service.api.meaning import meaning
from tenure.service.api.problems import MOST_PROBLEMS, Refusal, described, refused
from tenure.service.api.requests import (
    ExplainRequest,
    HistoryRequest,
    MetricsQuery,
    NothingRequest,
    RowsRequest,
    ScoreRequest,
)
from tenure.service.api.responses import Run
from tenure.service.api.rows import for_targets, records
from tenure.service.api.tables import Loaded, Span
from tenure.service.api.threads import in_thread
from tenure.success.interpret import MetricsRequest

EARLIEST, LATEST = as_utc("1990-01-01"), as_utc("2200-01-01")
NOT_PAYING = "no_paid_subscription"
MOST_EXPLAINED = 20
"""Posted accounts whose evidence an answer may hold: each driver takes a statement."""
MOST_REJECTS = 1_000
"""Rejected rows that an answer describes."""


async def score_history(call: Call, ask: HistoryRequest) -> HistoryScores:
    """Score accounts from posted history, by the statements that trained the models."""
    config = call.state.config
    posted = len(ask.tables.get("accounts", []))
    check_count(posted, config, "tables.accounts")
    if ask.evidence and posted > MOST_EXPLAINED:
        rule = f"is given of at most {MOST_EXPLAINED} accounts"
        raise Refusal(Problem("evidence", rule, fix="post fewer accounts, or leave it out"))
    if not EARLIEST <= ask.as_of < LATEST:
        rule = f"must be between {show(EARLIEST)} and {show(LATEST)}"
        raise Refusal(Problem("as_of", rule, show(ask.as_of), "check the year"))
    models = await call.state.models()
    answer = await in_thread(call.state.posting, _posted, call, models, ask)
    call.state.shadow.offer_history((call.request_id, call.endpoint), ask, models, answer)
    return answer


def _posted(call: Call, models: Mapping[str, Model], ask: HistoryRequest) -> HistoryScores:
    state = call.state
    check_ids(ask.tables)
    try:
        with state.engines.borrow() as engine:
            rows = MOST if ask.evidence else 0
            scores = score_posted(ask.tables, models, state.config, ask.as_of, engine, rows)
    except TenureError as error:
        raise refused(error) from None
    more = {"evidence": scores.evidence} if ask.evidence else {}
    return HistoryScores(
        **more,
        **_scores(call, ask.as_of, models, scores.rows, scores.not_asked),
        inputs=scores.doubts,
        rejects=scores.rejects[:MOST_REJECTS],
        reject_count=len(scores.rejects),
        ignored=scores.ignored,
    )


def _scores(
    call: Call,
    as_of: datetime,
    models: Mapping[str, Model],
    rows: pd.DataFrame,
    not_asked: Iterable[str],
) -> dict[str, Any]:
    """Return the fields of `LiveScores` but its inputs."""
    why = _not_paying(call, as_of)
    return {
        "as_of": as_of,
        "models": {name: model.bundle.version for name, model in models.items()},
        "targets": {name: meaning(name, model) for name, model in models.items()},
        "rows": records(rows),
        "not_asked": [
            {"account_id": name, "reason": NOT_PAYING, "detail": why} for name in not_asked
        ],
    }


async def score_accounts(call: Call, ask: ScoreRequest) -> LiveScores:
    """Score accounts by id from the raw tables."""
    state = call.state
    call.accounts = list(ask.account_ids)
    check_count(len(ask.account_ids), state.config, "account_ids")
    models, loaded = await state.models(), await state.tables.loaded()
    targets = check_targets(ask.targets, models)
    as_of = check_time(ask.as_of, loaded)
    horizon = check_horizon(ask.horizon_days, models, state.config)
    _check_known(call, {f"account_ids[{i}]": name for i, name in enumerate(call.accounts)}, loaded)
    span: Span = "main" if horizon == state.config.labels.horizon_days else "all"
    book = await state.read(lambda: state.ranked(models, as_of))
    scored = await state.tables.scores(models, book, as_of, set(ask.account_ids), span)
    frame = scored.rows[scored.rows["account_id"].isin(ask.account_ids)]
    frame = _seen(call, frame)
    if horizon != EVERY:
        frame = frame[frame["horizon_days"] == horizon]
    scored_ids = set(frame["account_id"])
    absent = [name for name in dict.fromkeys(ask.account_ids) if name not in scored_ids]
    rows = for_targets(frame, models, targets)
    chosen = {name: models[name] for name in targets}
    return await in_thread(
        state.workers,
        lambda: LiveScores(
            **_scores(call, as_of, chosen, rows, absent), inputs=scored.doubts(scored_ids)
        ),
    )


def _check_known(call: Call, ids: Mapping[str, str], loaded: Loaded) -> None:
    """Refuse unknown ids, unless that would tell a limited key which others there are."""
    if not call.caller.limited:
        check_accounts(ids, loaded)


def _not_paying(call: Call, as_of: datetime) -> str:
    visible = " that this key may see" if call.caller.limited else ""
    return f"has no paid subscription{visible} at {show(as_of)}"


def _seen(call: Call, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of accounts that the caller may see."""
    for name in ("owner", "segment"):
        limit = getattr(call.caller, name)
        if limit is not None:
            frame = frame[(frame[name] == limit).fillna(value=False)]
    return frame


async def score_rows(call: Call, ask: RowsRequest) -> RowScores:
    """Score feature rows; a few that cannot be read are left out."""
    state = call.state
    check_count(len(ask.rows), state.config, "rows")
    models = await state.models()
    (target,) = check_targets([ask.target], models, "target")
    model = models[target]
    try:
        answer = await state.rows.scores(target, model, ask.rows)
    except Refusal:
        wrong = await in_thread(state.workers, wrong_rows, model, ask.rows)
        good = [row for place, row in enumerate(ask.rows) if place not in wrong]
        if not good or len(wrong) > MOST_PROBLEMS:
            raise
        scores = await state.rows.scores(target, model, good)
        return _with_gaps(scores, wrong, len(ask.rows))
    state.shadow.offer_rows((call.request_id, call.endpoint), ask, models, answer)
    return answer


def _with_gaps(scores: RowScores, wrong: Mapping[int, Problem], size: int) -> RowScores:
    """Return scores in the places of their rows, and why the rows between have none."""
    each = iter(scores.rows)
    rows = tuple(None if place in wrong else next(each) for place in range(size))
    refused = tuple(map(described, wrong.values()))
    return scores.model_copy(update={"rows": rows, "refused": refused})


async def explain(call: Call, ask: ExplainRequest) -> Explanation:
    """Explain one account's scores in full, from the raw tables."""
    state = call.state
    call.accounts = [ask.account_id]
    models, loaded = await state.models(), await state.tables.loaded()
    as_of = check_time(ask.as_of, loaded)
    _check_known(call, {"account_id": ask.account_id}, loaded)
    book = await state.read(lambda: state.ranked(models, as_of))
    scored = await state.tables.scores(models, book, as_of, {ask.account_id})
    frame = _seen(call, scored.rows[scored.rows["account_id"] == ask.account_id])
    if frame.empty:
        fix = "ask for a time at which the account was paying"
        problem = Problem("account_id", _not_paying(call, as_of), ask.account_id, fix)
        raise Refusal(problem, status=404 if call.caller.limited else 400)
    more = {}
    if ask.evidence:
        wanted = {ask.account_id}
        behind = await state.tables.query(
            lambda dataset: evidence_behind(dataset.engine, scored, MOST, wanted)
        )
        more = {"evidence": behind.get(ask.account_id, {})}
    return await in_thread(state.workers, _explained, scored, frame, as_of, more)


def _explained(
    scored: Scored, frame: pd.DataFrame, as_of: datetime, more: Mapping[str, Any]
) -> Explanation:
    """Return an explanation, with the fields `more` that were wanted besides."""
    (row,) = records(frame)
    known = row["abstain_reason"] is None
    lines = account_lines({**row, "as_of": show(as_of)}, list(scored.models))
    targets = _contributions(scored, row) if known else {}
    inputs = scored.doubts([row["account_id"]]).get(row["account_id"], {})
    return Explanation(
        as_of=as_of, row=row, sentences=lines, targets=targets, inputs=inputs, **more
    )


def _contributions(scored: Scored, row: Mapping[str, Any]) -> dict[str, Any]:
    accounts = scored.matrix.rows["account_id"].to_numpy(dtype=object)
    (place,) = np.flatnonzero(accounts == row["account_id"])
    targets = {}
    for target, model in scored.models.items():
        amounts = scored.main(target).values[place]
        targets[target] = {
            **meaning(target, model).to_json(),
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


async def describe(call: Call, ask: NothingRequest) -> Models:
    """Describe the models that are served, and how fresh they and the scores are."""
    del ask
    state = call.state
    models, run = await state.models(), await state.read(state.latest)
    shadows = await in_thread(state.workers, state.shadows)
    until = state.tables.observed_until or (run.observed_until if run else None)
    return Models(
        name=state.config.name,
        observed_until=until,
        last_run=Run.model_validate(run) if run else None,
        targets={
            name: _described(name, model) | {"shadow": shadows.get(name)}
            for name, model in models.items()
        },
        warnings=tuple(state.warnings()),
    )


def _described(target: str, model: Model) -> dict[str, Any]:
    spec, metrics = model.bundle.spec, model.bundle.metrics
    return {
        **meaning(target, model).to_json(),
        "trained_until": spec.trained_until,
        "rows": model.main.rows,
        "positives": model.main.positives,
        "verdict": metrics.verdict and metrics.verdict.to_json(),
        "metrics": metrics.to_json(),
        "card": model.bundle.card,
        "tables": spec.tables,
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


async def success_metrics(call: Call, query: MetricsQuery) -> Metrics:
    """Return the customer-success metrics of a period, from the raw tables."""
    by, only = (tuple(filter(None, text.split(","))) for text in (query.by, query.only))
    request = MetricsRequest(query.start, query.end, by, only)
    try:
        await call.state.tables.loaded()
        record = await asyncio.wrap_future(call.state.tables.metrics(request))
    except TenureError as error:
        raise refused(error) from None
    return Metrics.model_validate(record)
