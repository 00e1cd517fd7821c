"""Answers about models: why one account has its score, and what is served."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from tenure.core.errors import Problem
from tenure.core.times import show
from tenure.explain.wording import label
from tenure.explain.wording import show as in_words
from tenure.run.account_words import account_lines
from tenure.score.score import Model, Scored
from tenure.service.api.checks import check_accounts, check_time
from tenure.service.api.problems import Refusal
from tenure.service.api.requests import ExplainRequest, ModelRequest
from tenure.service.api.rows import dump, iso, records
from tenure.service.api.state import Served, State

Array = np.ndarray[Any, Any]


async def explain(state: State, served: Served, ask: ExplainRequest) -> bytes:
    """Return one account's row, the same in sentences, and every feature's contribution."""
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
        targets = await state.workers.run(_contributions, scored, row)
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
            "calibrator": model.bundle.main.calibrator.to_json(),
            "contributions": _each(model, scored.values(target).iloc[place], amounts),
        }
    return targets


def _each(model: Model, values: pd.Series[Any], amounts: Array) -> list[dict[str, Any]]:
    features = []
    for place in np.argsort(-np.abs(amounts[:-1]), kind="stable"):
        spec = model.specs[model.bundle.main.columns[place]]
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
    """Return what is served, its features and what may be said of it."""
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
        "rows": model.bundle.main.rows,
        "positives": model.bundle.main.positives,
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
            for name in model.bundle.main.columns
        ],
    }


def named(model: Model) -> dict[str, Any]:
    """Return what every answer says of the model behind it."""
    spec = model.bundle.spec
    return {
        "model_name": spec.model_name,
        "model_version": model.bundle.version,
        "horizon_days": spec.labels.horizon_days,
        "base_rate": model.bundle.main.base_rate,
    }
