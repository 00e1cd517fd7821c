"""What moves the scores of a book: direction and shape of each signal, by group; who shares a risk.

A signal's contribution to a row is the sum over its columns, which is exact: contributions add up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from tenure.core.arrays import Array
from tenure.core.records.explain import (
    Cohort,
    EffectPoint,
    GroupSummary,
    Portfolio,
    SignalSummary,
)
from tenure.core.spec import Unit
from tenure.explain.signals import signals, summed
from tenure.explain.summary import association
from tenure.explain.wording import label, signal_label
from tenure.features.plan.columns import FeatureSpec

BINS = 20
GROUPS = ("segment", "owner")
"""Columns of accounts that part a book."""
FEWEST = 5
"""Accounts that a group needs."""
AT_RISK = ("high", "medium")
"""Bands whose accounts make up the cohorts."""


@dataclass(frozen=True)
class SignalFacts:
    """How to speak of the signals of a model."""

    labels: Mapping[str, str]
    """Signal → what it is called."""
    asks: Mapping[str, str]
    """Signal → what to ask for."""
    levers: frozenset[str]
    """Signals that a team can act on."""
    effects: Mapping[str, Any] = field(default_factory=dict)
    """Signal → what `fit_effects` gives; empty of a model that did not learn it."""
    units: Mapping[str, Unit] = field(default_factory=dict)
    """Label of a feature → its unit."""

    @classmethod
    def of(
        cls, specs: Mapping[str, FeatureSpec], effects: Mapping[str, Any] | None = None
    ) -> SignalFacts:
        """Return what the columns of a model say of their signals."""
        first: dict[str, FeatureSpec] = {}
        for spec in specs.values():
            first.setdefault(spec.group, spec)
        return cls(
            {name: signal_label(spec) for name, spec in first.items()},
            {name: spec.signal.ask if spec.signal else "" for name, spec in first.items()},
            frozenset(spec.group for spec in specs.values() if spec.lever),
            effects or {},
            {label(spec): spec.unit for spec in specs.values()},
        )


def fit_effects(
    contributions: Array, values: pd.DataFrame, specs: Mapping[str, FeatureSpec]
) -> dict[str, Any]:
    """Return how each signal moves the scores of some rows, by the value of its leading feature.

    `contributions` are in log-odds, columns as in `values`, which are the model's features, both of
    shape (n, p).

    Returns:
        Signal → JSON values: ``feature`` (label of the feature that contributes most),
        ``association`` (rank correlation of its values with the signal's contributions) and
        ``points`` (`EffectPoint`).
    """
    names = list(values.columns)
    places = signals(names, specs)
    sums = summed(contributions, list(places.values()))
    effects: dict[str, Any] = {}
    for number, (signal, columns) in enumerate(places.items()):
        if not np.ptp(sums[:, number]):
            continue
        strength = np.abs(contributions[:, columns]).mean(axis=0)
        leading = names[columns[int(np.argmax(strength))]]
        column = values[leading]
        if pd.api.types.is_numeric_dtype(column):
            column = column.astype(np.float64)
        effects[signal] = {
            "feature": label(specs[leading]),
            "association": association(column, sums[:, number]),
            "points": effect(column, sums[:, number]),
        }
    return effects


def effect(values: pd.Series[Any], amounts: Array) -> list[dict[str, Any]]:
    """Return the mean contribution of accounts of like value, with the middle 80% of them.

    >>> rows = effect(pd.Series([1.0, 1.0, 2.0]), np.array([0.0, 1.0, 3.0]))
    >>> [(row["value"], row["mean"], row["n"]) for row in rows]
    [(1.0, 0.5, 2), (2.0, 3.0, 1)]

    `values` are those of one feature, missing ones left out; `amounts` are contributions to the
    same rows, in log-odds.

    Returns:
        value, mean, lo, hi, n; at most `BINS` rows of numbers, by value; words by how many.
    """
    frame = pd.DataFrame({"value": values.to_numpy(), "amount": amounts}).dropna()
    words = not pd.api.types.is_numeric_dtype(values)
    if words or frame["value"].nunique() <= BINS:
        groups = frame.groupby("value", sort=True, observed=True)
    else:
        groups = frame.groupby(pd.qcut(frame["value"], BINS, duplicates="drop"), observed=True)
    rows: list[dict[str, Any]] = [
        {
            "value": str(key) if words else float(group["value"].mean()),
            "mean": float(group["amount"].mean()),
            "lo": float(group["amount"].quantile(0.1)),
            "hi": float(group["amount"].quantile(0.9)),
            "n": len(group),
        }
        for key, group in groups
    ]
    return sorted(rows, key=lambda row: -row["n"])[:BINS] if words else rows


def portfolio(
    target: str, contributions: pd.DataFrame, accounts: pd.DataFrame, facts: SignalFacts
) -> Portfolio:
    """Return what moves the scores of a book, by group, and who is at risk for the same reason.

    `contributions` of signals to the scores of accounts are in log-odds: index account_id, a column
    for each signal.  `accounts` have the same index: probability, band, mrr and currency, and any
    of `GROUPS`.
    """
    present = contributions.dropna(how="all")
    known = accounts.loc[present.index]
    groups = []
    for by in (name for name in GROUPS if name in known):
        for name, part in known.groupby(by, sort=True, observed=True):
            if len(part) >= FEWEST:
                summary = summaries(present.loc[part.index], facts, shapes=False)
                groups.append(
                    GroupSummary(by=by, name=str(name), accounts=len(part), signals=summary)
                )
    return Portfolio(
        target=target,
        accounts=len(present),
        signals=summaries(present, facts),
        groups=tuple(groups),
        cohorts=cohorts(present, known, facts),
    )


def summaries(
    contributions: pd.DataFrame, facts: SignalFacts, *, shapes: bool = True
) -> tuple[SignalSummary, ...]:
    """Return how each signal moves the scores of some accounts, strongest first."""
    means = contributions.abs().mean()
    strength = {str(name): float(mean) for name, mean in means.items()}
    total = sum(strength.values()) or 1.0
    rows = []
    for name in sorted(strength, key=lambda item: (-strength[item], item)):
        if not strength[name]:
            continue
        shape = facts.effects.get(name, {}) if shapes else {}
        column = contributions[name]
        rows.append(
            SignalSummary(
                code=name,
                label=facts.labels.get(name, name),
                lever=name in facts.levers,
                mean_abs=strength[name],
                share=strength[name] / total,
                mean=float(column.mean()),
                raises=float((column > 0).mean()),
                association=shape.get("association"),
                feature=shape.get("feature", ""),
                unit=facts.units.get(shape.get("feature", ""), ""),
                effect=tuple(map(EffectPoint.from_json, shape.get("points", ()))),
            )
        )
    return tuple(rows)


def cohorts(
    contributions: pd.DataFrame, accounts: pd.DataFrame, facts: SignalFacts
) -> tuple[Cohort, ...]:
    """Return the accounts at risk by the reason that raises their scores most.

    A lever comes before context: the reason is one that a team can act on, where any raises the
    score; an account whose score nothing raises is in none.  The cohort
    with the most money at risk, over all currencies, comes first.
    """
    if "band" not in accounts:
        return ()
    risky = accounts[accounts["band"].isin(AT_RISK)]
    raising = contributions.loc[risky.index].clip(lower=0.0)
    raising = raising[raising.max(axis=1) > 0]
    risky = risky.loc[raising.index]
    if risky.empty:
        return ()
    levers = [name for name in raising if name in facts.levers]
    reason = raising.idxmax(axis=1)
    if levers:
        best = raising[levers]
        reason = best.idxmax(axis=1).where(best.max(axis=1) > 0, reason)
    shared = []
    for code, part in risky.groupby(reason, sort=True):
        part = part.sort_values("probability", ascending=False, kind="stable")  # noqa: PLW2901
        money = part.assign(at_risk=part["probability"] * part["mrr"])
        sums = money.groupby(money["currency"].fillna(""))[["mrr", "at_risk"]].sum()
        shared.append(
            Cohort(
                code=str(code),
                label=facts.labels.get(str(code), str(code)),
                ask=facts.asks.get(str(code), ""),
                accounts=tuple(map(str, part.index)),
                mrr={str(name): float(amount) for name, amount in sums["mrr"].items()},
                at_risk={str(name): float(amount) for name, amount in sums["at_risk"].items()},
            )
        )
    return tuple(sorted(shared, key=lambda one: (-sum(one.at_risk.values()), one.code)))
