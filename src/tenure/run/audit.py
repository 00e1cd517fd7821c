"""The point-in-time audit of a user's own data: what was read, what leaks, what moved."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

from tenure.audit.clocks import clockless
from tenure.audit.drift import feature_drift, since
from tenure.audit.future_shuffle import sampled, shuffle
from tenure.audit.late_data import arrivals, costs
from tenure.audit.leakage import Suspect, nearby, suspicious
from tenure.audit.near_outcome import near
from tenure.audit.raw_columns import raw_family
from tenure.audit.reads import reads
from tenure.audit.sample import chosen, take
from tenure.core.config import Config
from tenure.core.times import now, show
from tenure.engine import open_engine
from tenure.features.compute.categories import choose_categories
from tenure.features.compute.matrix import build
from tenure.features.plan.plan import Plan, config_families, resolve_plan
from tenure.labels.snapshots import prediction_times, snapshots
from tenure.labels.targets import TARGETS, label
from tenure.run.leakage_gate import allowed
from tenure.run.prepare import Progress, attributes

if TYPE_CHECKING:
    from tenure.sources.dataset import Dataset

FORMAT = 1
RECORD = "audit.json"
PAGE = "audit.html"
CLEAN, DOUBTS, VIOLATED, NOT_POSSIBLE = "clean", "doubts", "violated", "not_possible"


@dataclass(frozen=True)
class _Asked:
    """What the parts of the audit share."""

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


def audit(config: Config, dataset: Dataset, resolved: Plan, progress: Progress) -> dict[str, Any]:
    """Audit a data set.

    Args:
        config: Settings; the section `audit` bounds the work.
        dataset: Loaded tables; they are left as they are.
        resolved: The features to audit.
        progress: Called with a line for each step.

    Returns:
        JSON-safe: ``status`` (clean, doubts, violated or not_possible) and the parts that
        docs/audit.md describes.
    """
    record: dict[str, Any] = {
        "format": FORMAT,
        "name": config.name,
        "created_at": show(now()),
        "fingerprint": dataset.fingerprint,
        "observed_until": show(dataset.observed_until),
        "settings": config.audit.model_dump(mode="json"),
        "clocks": [item.to_dict() for item in clockless(dataset, resolved)],
    }
    cutoffs = prediction_times(config, dataset)
    found = snapshots(dataset, cutoffs) if cutoffs else pd.DataFrame()
    if found.empty:
        reason = "there is no prediction time at which an account pays"
        return record | {"status": NOT_POSSIBLE, "reason": reason}
    accounts = chosen(found["account_id"].tolist(), config.audit.accounts, config.model.seed)
    asked = _Asked(config, dataset, resolved, cutoffs, found, accounts, progress)
    record["sample"] = {
        "accounts": len(accounts),
        "of_accounts": int(found["account_id"].nunique()),
        "snapshots": len(asked.mine),
        "of_snapshots": len(found),
        "as_of": [show(cutoff) for cutoff in cutoffs],
    }
    record["reads"] = _reads(asked)
    record |= _disturbed(asked)
    record |= _values(asked)
    return record | {"status": _status(record)}


def _status(record: dict[str, Any]) -> str:
    moved = any(item["moved"] for item in record["shuffle"])
    if record["reads"]["violations"] or moved:
        return VIOLATED
    return DOUBTS if any(not item["allowed"] for item in record["suspects"]) else CLEAN


def _reads(asked: _Asked) -> dict[str, Any]:
    asked.progress("audit: what each feature read")
    found = reads(asked.dataset.engine, asked.plan, asked.cutoffs)
    return {
        "as_of": [show(cutoff) for cutoff in asked.cutoffs],
        "features": {item.feature: item.to_dict(asked.cutoffs) for item in found},
        "violations": [item.feature for item in found if item.violations(asked.cutoffs)],
    }


def _disturbed(asked: _Asked) -> dict[str, Any]:
    """Return the parts for which copies of the tables are disturbed, in an engine of their own."""
    settings, seed = asked.config.audit, asked.config.model.seed
    asked.progress("audit: copying what the features read")
    few = chosen(asked.accounts, settings.copied, seed)
    sample = take(asked.dataset.engine, asked.plan, few, rows=settings.rows, seed=seed)
    tables = sorted(set(asked.dataset.columns) & set(asked.plan.reads))
    late = arrivals(asked.dataset.engine, tables)
    copies = open_engine(asked.config)
    try:
        asked.progress("audit: replacing the future by noise")
        times = sampled(sorted(asked.snapshots["as_of"].unique()), settings.shuffles, seed)
        moments = [pd.Timestamp(time).to_pydatetime() for time in times]
        shuffled = shuffle(copies, sample, asked.plan, asked.mine, moments, seed)
        asked.progress("audit: what late data cost")
        paid = costs(copies, sample, asked.plan, asked.mine)
    finally:
        copies.close()
    return {
        "shuffle": [item.to_dict() for item in shuffled],
        "late": {
            "accounts": len(sample.accounts),
            "arrivals": [item.to_dict() for item in late],
            "costs": [item.to_dict() for item in paid],
        },
    }


def _values(asked: _Asked) -> dict[str, Any]:
    """Return the parts that look at the values of features and of raw columns."""
    config, dataset = asked.config, asked.dataset
    mine = asked.mine.reset_index(drop=True)
    asked.progress("audit: drift")
    matrix = build(dataset.engine, mine, asked.plan)
    settings = config.audit
    moved = feature_drift(matrix, recent=settings.recent, limit=settings.drift)
    asked.progress("audit: too good to be true")
    known = {
        name: label(dataset, asked.snapshots, TARGETS[name], config.labels)
        for name in config.targets
    }
    labels = {
        name: rows[rows["account_id"].isin(asked.accounts)].reset_index(drop=True)
        for name, rows in known.items()
    }
    raw = resolve_plan([raw_family(dataset.columns)], dataset.columns)
    suspects: list[Suspect] = []
    allow = allowed(settings.allow, asked.plan)
    for found in (matrix, build(dataset.engine, mine, raw)):
        suspects += suspicious(
            found, labels, limit=settings.auc, allow=allow, seed=config.model.seed
        )
    suspects += _near(asked, known)
    return {
        "drift": {
            "recent_since": since(matrix, settings.recent),
            "features": [item.to_dict() for item in moved],
        },
        "suspects": [item.to_dict() for item in suspects],
    }


def _near(asked: _Asked, known: dict[str, pd.DataFrame]) -> list[Suspect]:
    """Return values that are only filled around the end of an account."""
    width = asked.config.labels.horizon_days
    suspects: list[Suspect] = []
    for name, rows in known.items():
        if TARGETS[name].outcome == "churn":
            outcomes = rows.loc[rows["label"] == 1, ["account_id", "outcome_at"]]
            found = near(asked.dataset.engine, asked.dataset.columns, outcomes, width)
            suspects += nearby(found, name, width, asked.config.audit.allow)
    return suspects


def audited_plan(config: Config, dataset: Dataset) -> Plan:
    """Return the features of a config, with the values that get one of their own."""
    families = config_families(config.features, attributes(dataset))
    cutoffs = prediction_times(config, dataset)
    members = (
        choose_categories(dataset.engine, families, dataset.columns, cutoffs).values
        if cutoffs
        else {}
    )
    return resolve_plan(families, dataset.columns, members=members, exclude=config.features.exclude)


def last_audit(config: Config, fingerprint: str | None) -> dict[str, Any] | None:
    """Return the audit that `tenure check` wrote, where it is of the same project and data."""
    try:
        found: dict[str, Any] = json.loads((config.paths.runs / RECORD).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    same = found.get("name") == config.name and found.get("fingerprint") == fingerprint
    return found if same else None
