"""`tenure report`: the last training run as one offline page."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from tenure.core.config import Config
from tenure.core.errors import ModelError, Problem
from tenure.core.files import write_text
from tenure.core.flat_row import MAIN
from tenure.core.progress import SILENT, Progress
from tenure.core.records.promotion import ShadowRecord
from tenure.core.records.training import TrainingRecord
from tenure.core.times import as_utc
from tenure.model.registry.champion import champion
from tenure.report.account_page import one_per_time, render_account
from tenure.report.html import render
from tenure.report.portfolio import PortfolioView
from tenure.run.account import run_account
from tenure.run.explain import stored_portfolio
from tenure.run.mlflow_sync import RECORD
from tenure.score.model import load_models
from tenure.score.store.store import ScoreStore


def training_record(config: Config) -> TrainingRecord:
    """Return the record of the last training run.

    Raises:
        ModelError: If there is none, or it is of another project, or damaged.
    """
    path = config.paths.runs / RECORD
    fix = "run `tenure train CONFIG` first"
    try:
        record = TrainingRecord.from_json(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise ModelError(Problem(str(path), "there is no training run yet", fix=fix)) from None
    except ValueError as error:
        raise ModelError(Problem(str(path), "is damaged", str(error)[:80], fix)) from None
    if record.name != config.name:
        owner = f"`{record.name}`, not `{config.name}`"
        raise ModelError(Problem(str(path), "belongs to another project", owner, fix))
    return record


def run_report(config: Config, out: Path) -> dict[str, Any]:
    """Write the report of the last training run.

    With the audit of its data, what moves the scores of the latest kept run, and how champions
    and the challengers in their shadow compare, where there are.
    """
    from tenure.run.audit import last_audit
    from tenure.score.store.database import stands
    from tenure.score.store.store import ScoreStore
    from tenure.success.scores.shadow import shadow_records

    record = training_record(config)
    audit = last_audit(config, record.fingerprint)
    shadows: dict[str, ShadowRecord] = {}
    portfolios: list[PortfolioView] = []
    if stands(config):
        with ScoreStore.open(config) as store:
            shadows = shadow_records(config, store)
            portfolios = stored_portfolios(config, store)
    write_text(out, render(record, audit, shadows, portfolios))
    return {"out": str(out)}


def stored_portfolios(config: Config, store: ScoreStore) -> list[PortfolioView]:
    """Return what moves the scores of the latest kept run, of each champion that gave them."""
    from tenure.report.portfolio import portfolio_view
    from tenure.score.store.lookup import run_versions

    run = store.latest()
    if run is None or not any(champion(config.paths.models, name) for name in config.targets):
        return []
    scored = run_versions(store, run)
    return [
        portfolio_view(stored_portfolio(store, run, model), run.as_of, model.bundle.version)
        for target, model in load_models(config).items()
        if scored.get(target) == model.bundle.version
    ]


def run_account_report(
    config: Config,
    out: Path,
    account: str,
    as_of: datetime | None = None,
    progress: Progress = SILENT,
) -> dict[str, Any]:
    """Write the page of one account: its scores in the store, and what the tables say of it.

    Only what was known before `as_of` counts: when observation stopped, by default.

    Raises:
        DataError: If the account is unknown.
    """
    from tenure.score.store.store import ScoreStore

    record = run_account(config, account, as_of, progress=progress)
    horizon = str(config.labels.horizon_days)
    with ScoreStore.open(config) as store:
        past = store.history(account, MAIN, horizon, drivers=False)
    history = one_per_time([item for item in past if item.as_of <= as_utc(record.as_of)])
    write_text(out, render_account(record, history))
    return {"out": str(out), "account_id": account, "as_of": record.as_of}
