"""Drivers as records: with what to ask for, points of probability, and how sure they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tenure.core.records.explain import DriverRecord
from tenure.explain.portfolio import SignalFacts
from tenure.explain.stability import UNSTABLE, Stability

LEAST = 1e-9
"""Log-odds that a score has to lie from its base value for its way to be shared out."""


@dataclass(frozen=True)
class ScorePlace:
    """Where a score stands between the model's base value and its probability."""

    log_odds: float
    """Before calibration."""
    probability: float
    """Calibrated."""
    base: float
    """Base value of the model, in log-odds before calibration."""
    base_probability: float | None
    """The probability there, None where log-odds alone do not give it."""

    @property
    def points_per_log_odds(self) -> float | None:
        """Points of probability for each log-odds of contribution, None where they disagree."""
        if self.base_probability is None or abs(self.log_odds - self.base) < LEAST:
            return None
        rate = (self.probability - self.base_probability) / (self.log_odds - self.base)
        return rate if rate >= 0 else None


@dataclass(frozen=True)
class DriverFacts:
    """What is known of the drivers of a model beside their rows."""

    signals: SignalFacts
    """How to speak of its signals."""
    stability: Stability = field(default_factory=dict)
    """How often its drivers stay the strongest on resampled accounts."""


def driver_records(
    drivers: Iterable[Mapping[str, Any]], facts: DriverFacts, place: ScorePlace | None = None
) -> tuple[DriverRecord, ...]:
    """Return the drivers of one score as records, in their order.

    `drivers` have the fields of `tenure.explain.drivers`, with `feature` where it is known; without
    a `place` of the score there are no points.
    """
    drivers = list(drivers)
    rate = place.points_per_log_odds if place else None
    strength = sorted(range(len(drivers)), key=lambda at: -abs(drivers[at]["contribution"]))
    ranks = {at: rank for rank, at in enumerate(strength)}
    records = []
    for number, driver in enumerate(drivers):
        shares = facts.stability.get(driver["code"])
        share = shares[ranks[number]] if shares else None
        amount = driver["contribution"]
        records.append(
            DriverRecord(
                **driver,
                points=None if rate is None else amount * rate,
                ask=facts.signals.asks.get(driver["code"], "") if driver.get("lever") else "",
                stability=share,
                unstable=share is not None and share < UNSTABLE,
            )
        )
    return tuple(records)
