"""The models: how good they were, how they are calibrated, how fresh, and who was champion."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from tenure.core.flat_row import MAIN
from tenure.core.records.bundle import BundleSpec
from tenure.core.times import as_utc
from tenure.explain.wording import label
from tenure.model.registry.champion import champion, history
from tenure.report.overrides import override_view
from tenure.report.sentences.drift import drift_sentences
from tenure.report.sentences.outcome import Outcome
from tenure.report.sentences.values import clock, date
from tenure.report.tables.layout import Cell, Table, table, without_notes
from tenure.report.tables.targets import target_view
from tenure.score.store.override_outcomes import override_outcomes
from tenure.service.pages.state import PageState, Trained

ACTIONS = {
    "first": "first champion",
    "promoted": "promoted",
    "forced": "promoted by force",
    "rolled_back": "rolled back",
    "set": "set by hand",
    "withdrawn": "withdrawn",
}


@dataclass(frozen=True)
class Standing:
    """The champion of a target, and those before it."""

    target: str
    facts: dict[str, str]
    """Name → value, for people."""
    changes: Table | None
    """Every change of champion, the latest first."""


def model_parts(state: PageState) -> dict[str, Any]:
    """Return what the page of the models shows, by its name in the template."""
    runs = state.store.runs()
    record = state.training()
    drift = state.store.drift(runs[-1]) if runs else {}
    return {
        "standings": [item for target in state.config.targets if (item := standing(state, target))],
        "targets": _views(Trained(record)) if record else [],
        "trained": clock(as_utc(record.created_at)) if record else "",
        "run": runs[-1] if runs else None,
        "overruled": override_view(override_outcomes(state.store, MAIN, state.horizon)),
        "drift": [
            text
            for target, item in drift.items()
            for text in drift_sentences(target, item, _labels(state, target))
        ],
    }


def _labels(state: PageState, target: str) -> dict[str, str]:
    """Return the columns that the champion of a target reads, and what each is called."""
    model = state.models().get(target)
    return {name: label(spec) for name, spec in model.specs.items()} if model else {}


def standing(state: PageState, target: str) -> Standing | None:
    """Return the champion of a target, None where there is none."""
    root = state.config.paths.models
    current = champion(root, target)
    if current is None:
        return None
    spec = _spec(root / target / current.version / "spec.json")
    facts = {
        "Version": current.version,
        "Champion since": clock(as_utc(current.at)),
        "Why": current.reason,
        "Decided by": current.who,
        "Learnt from outcomes known until": date(as_utc(spec.trained_until)),
        "Predicts": f"{spec.labels.horizon_days} days ahead",
    }
    return Standing(
        target,
        {name: value for name, value in facts.items() if value},
        table(
            "Changes of champion, the latest first",
            reversed(history(root, target)),
            ("When", lambda item: clock(as_utc(item.at))),
            ("What", lambda item: ACTIONS.get(item.action, item.action)),
            (
                "Version",
                lambda item: (
                    Cell(item.version, f"in place of {item.previous}")
                    if item.previous
                    else item.version
                ),
            ),
            ("Why", lambda item: item.reason),
            ("Who", lambda item: item.who),
        ),
    )


@lru_cache(maxsize=16)
def _spec(path: Path) -> BundleSpec:
    """Return what a bundle says of itself; a bundle never changes."""
    return BundleSpec.from_json(json.loads(path.read_text(encoding="utf-8")))


def _without_columns(view: dict[str, Any]) -> dict[str, Any]:
    """Return a target as the report shows it, without the columns behind its drivers."""
    return view | {"drivers": without_notes(view["drivers"])}


@lru_cache(maxsize=1)
def _views(trained: Trained) -> list[dict[str, Any]]:
    """Return the targets of a training run as the report shows them, drawn once."""
    record = trained.record
    return [
        _without_columns(target_view(Outcome(name, target), record.config))
        for name, target in record.targets.items()
    ]
