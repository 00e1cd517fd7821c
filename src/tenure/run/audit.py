"""The point-in-time audit of a user's own data: what was read, what leaks, what moved."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from tenure.audit.clocks import clockless
from tenure.audit.drift import feature_drift
from tenure.audit.future_shuffle import sampled, shuffle
from tenure.audit.late_data import arrivals, costs
from tenure.audit.leakage import suspicious
from tenure.audit.lifetime import lifetimes
from tenure.audit.near_outcome import near
from tenure.audit.raw_columns import raw_family
from tenure.audit.reads import reads
from tenure.audit.sample import chosen, take
from tenure.core.config import Config
from tenure.core.progress import Progress
from tenure.core.records.audit import AuditRecord, AuditStatus, SuspectRecord
from tenure.core.times import now
from tenure.engine import open_engine
from tenure.features.compute.matrix import build
from tenure.features.plan.plan import Plan, resolve_plan
from tenure.labels.history import late_usage, unsettled_ends
from tenure.labels.snapshots import prediction_times, snapshots
from tenure.labels.targets import TARGETS, label
from tenure.run.leakage_gate import allowed
from tenure.run.prepare import declared_families, plan_features
from tenure.sources.dataset import Dataset

FORMAT = 1
RECORD = "audit.json"
PAGE = "audit.html"
LONGER = "Give a longer history, or data.observed_until where the export is of a later day"


@dataclass(frozen=True)
class _Audited:
    """What is audited: the tables, the features, and the accounts that are looked at."""

    config: Config
    dataset: Dataset
    plan: Plan
    cutoffs: Sequence[datetime]
    snapshots: pd.DataFrame
    accounts: Sequence[str]
    progress: Progress

    @property
    def mine(self) -> pd.DataFrame:
        return self.snapshots[self.snapshots["account_id"].isin(self.accounts)]


def audit(config: Config, dataset: Dataset, resolved: Plan, progress: Progress) -> AuditRecord:
    """Return the audit of resolved features; the tables are left as they are."""
    record: dict[str, Any] = {
        "format": FORMAT,
        "name": config.name,
        "created_at": now(),
        "fingerprint": dataset.fingerprint,
        "observed_until": dataset.observed_until,
        "settings": config.audit,
        "clocks": clockless(dataset, resolved),
    }
    cutoffs = prediction_times(config, dataset)
    rows = snapshots(dataset, cutoffs) if cutoffs else pd.DataFrame()
    if rows.empty:
        reason = "there is no prediction time at which an account pays"
        if log := late_usage(config, dataset):
            reason = f"{reason}: in usage_events {log.text}"
        reason = f"{reason}. {unsettled_ends(config, dataset) or LONGER}".rstrip(".")
        return AuditRecord(**record, status="not_possible", reason=reason)
    accounts = chosen(rows["account_id"].tolist(), config.audit.accounts, config.model.seed)
    audited = _Audited(config, dataset, resolved, cutoffs, rows, accounts, progress)
    record["sample"] = {
        "accounts": len(accounts),
        "of_accounts": int(rows["account_id"].nunique()),
        "snapshots": len(audited.mine),
        "of_snapshots": len(rows),
        "as_of": cutoffs,
    }
    progress.stage("audit: what each feature read")
    record["reads"] = reads(dataset.engine, resolved, cutoffs)
    record |= _disturbed(audited)
    record |= _values(audited)
    progress.stage("audit: rows of an account beside its life")
    record["lifetimes"] = lifetimes(dataset, config.audit.allow)
    return AuditRecord(**record, status=_status(record))


def _status(record: dict[str, Any]) -> AuditStatus:
    if record["reads"].violations or any(item.moved for item in record["shuffle"]):
        return "violated"
    doubtful = (*record["suspects"], *record["lifetimes"])
    return "clean" if all(item.allowed for item in doubtful) else "doubts"


def _disturbed(audited: _Audited) -> dict[str, Any]:
    """Return the parts for which copies of the tables are disturbed, in an engine of their own."""
    settings, seed = audited.config.audit, audited.config.model.seed
    audited.progress.stage("audit: copying what the features read")
    few = chosen(audited.accounts, settings.copied, seed)
    sample = take(audited.dataset.engine, audited.plan, few, rows=settings.rows, seed=seed)
    tables = sorted(set(audited.dataset.columns) & set(audited.plan.reads))
    late = arrivals(audited.dataset.engine, tables)
    with closing(open_engine(audited.config)) as copies:
        audited.progress.stage("audit: replacing the future by noise")
        times = sampled(sorted(audited.snapshots["as_of"].unique()), settings.shuffles, seed)
        moments = [pd.Timestamp(time).to_pydatetime() for time in times]
        shuffled = shuffle(copies, sample, audited.plan, audited.mine, moments, seed)
        audited.progress.stage("audit: what late data cost")
        paid = costs(copies, sample, audited.plan, audited.mine)
    return {
        "shuffle": shuffled,
        "late": {"accounts": len(sample.accounts), "arrivals": late, "costs": paid},
    }


def _values(audited: _Audited) -> dict[str, Any]:
    """Return the parts that look at the values of features and of raw columns."""
    config, dataset = audited.config, audited.dataset
    mine = audited.mine.reset_index(drop=True)
    audited.progress.stage("audit: drift")
    matrix = build(dataset.engine, mine, audited.plan)
    settings = config.audit
    drift = feature_drift(matrix, recent=settings.recent, limit=settings.drift)
    audited.progress.stage("audit: too good to be true")
    known = {
        name: label(dataset, audited.snapshots, TARGETS[name], config.labels)
        for name in config.targets
    }
    labels = {
        name: rows[rows["account_id"].isin(audited.accounts)].reset_index(drop=True)
        for name, rows in known.items()
    }
    raw = resolve_plan([raw_family(dataset.columns)], dataset.columns)
    suspects: list[SuspectRecord] = []
    allow = allowed(settings.allow, audited.plan)
    for values in (matrix, build(dataset.engine, mine, raw)):
        suspects += suspicious(
            values, labels, limit=settings.auc, allow=allow, seed=config.model.seed
        )
    return {"drift": drift, "suspects": suspects + _near(audited, known)}


def _near(audited: _Audited, known: dict[str, pd.DataFrame]) -> list[SuspectRecord]:
    """Return values that are only filled around the end of an account."""
    config, dataset = audited.config, audited.dataset
    width, allow = config.labels.horizon_days, config.audit.allow
    suspects: list[SuspectRecord] = []
    for name, rows in known.items():
        if TARGETS[name].outcome == "churn":
            outcomes = rows.loc[rows["label"] == 1, ["account_id", "outcome_at"]]
            suspects += near(dataset.engine, dataset.columns, outcomes, name, width, allow)
    return suspects


def audited_plan(config: Config, dataset: Dataset) -> Plan:
    """Return the features of a config, with the values that get one of their own."""
    families = declared_families(config, dataset)
    return plan_features(config, dataset, families, prediction_times(config, dataset))[1]


def last_audit(config: Config, fingerprint: str) -> AuditRecord | None:
    """Return the audit that `tenure check` wrote, where it is of the same project and data."""
    try:
        text = (config.paths.runs / RECORD).read_text(encoding="utf-8")
        record = AuditRecord.from_json(json.loads(text))
    except (FileNotFoundError, ValueError):
        return None
    return record if (record.name, record.fingerprint) == (config.name, fingerprint) else None
