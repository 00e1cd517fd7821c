"""`tenure score` and `tenure explain`: the champions, asked about the present or the past."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from tenure.core.config import Config
from tenure.core.errors import DataError, Problem
from tenure.core.tables import write_table
from tenure.core.times import show
from tenure.explain.drivers import TOP
from tenure.labels.targets import TARGETS
from tenure.run.prepare import Progress, loaded, silent
from tenure.score.score import load_models, score

LAST = "scores.parquet"


def run_score(
    config: Config, out: Path, as_of: datetime | None = None, progress: Progress = silent
) -> dict[str, Any]:
    """Score every account and write its flat rows; also kept as ``<runs>/scores.parquet``.

    The rows of the main horizon come first, then those of the further horizons of the models.
    """
    models = load_models(config)
    with loaded(config, progress, thorough=False) as dataset:
        moment = as_of or dataset.observed_until
        rows = score(dataset, models, config, moment, horizons="all", progress=progress).rows
    if rows.empty:
        raise DataError(
            Problem(
                "as_of",
                "no account has a paid subscription then",
                show(moment),
                "choose a date inside the data",
            )
        )
    write_table(rows, out)
    write_table(rows, config.paths.runs / LAST)
    main = rows[~rows["account_id"].duplicated()]
    return {
        "rows": len(rows),
        "accounts": len(main),
        "as_of": show(moment),
        "out": str(out),
        "abstained": int(main["abstain_reason"].notna().sum()),
        "models": {target: model.bundle.version for target, model in models.items()},
    }


def run_explain(
    config: Config, account: str, as_of: datetime | None = None, progress: Progress = silent
) -> dict[str, Any]:
    """Return one account's flat row, and the same in sentences.

    Raises:
        DataError: If the account is unknown or not paying at that time.
    """
    models = load_models(config)
    with loaded(config, progress, thorough=False) as dataset:
        moment = as_of or dataset.observed_until
        rows = score(dataset, models, config, moment, accounts=[account]).rows
    if rows.empty:
        raise DataError(
            Problem(
                f"account `{account}`",
                f"has no paid subscription at {show(moment)}",
                fix="check the id against `accounts`, or choose another --as-of",
            )
        )
    row = plain(rows.iloc[0].to_dict())
    return {"row": row, "lines": sentences(row, list(models))}


def plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a flat row as JSON values: times as text, nothing for what is missing."""
    return {str(name): _plain(value) for name, value in row.items()}


def sentences(row: dict[str, Any], targets: list[str]) -> list[str]:
    """Return a flat row as lines for people."""
    lines = [f"{row['account_id']} as of {row['as_of']}"]
    if row["abstain_reason"]:
        return [*lines, f"no probability: {row['abstain_reason']}"]
    for target in targets:
        prefix = "" if target == "churn" else f"{target}_"
        base = row["base_rate" if target == "churn" else f"{target}_base_rate"]
        chance = row[f"{target}_probability"]
        if chance is None:
            lines.append(f"{target}: no probability, its renewal date lies outside the horizon")
            continue
        horizon = row["horizon_days"]
        event = TARGETS[target].event
        lines.append(f"{event} within {horizon} days: {chance:.1%} (base rate {base:.1%})")
        for place in range(1, TOP + 1):
            said = row[f"{prefix}driver_{place}_sentence"]
            if said:
                amount = row[f"{prefix}driver_{place}_contribution"]
                lines.append(f"  {amount:+.3f}  {said}")
    lines.append(
        "Contributions are in the model's log-odds before calibration; associated, not causes."
    )
    return lines


def _plain(value: Any) -> Any:
    if value is None or pd.isna(value):
        return None
    if hasattr(value, "to_pydatetime"):
        return show(value.to_pydatetime())
    return value.item() if hasattr(value, "item") else value
