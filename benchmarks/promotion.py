"""How often a challenger of known skill takes the champion's place.

    python benchmarks/promotion.py [--contests 120]

A book of accounts leaves by a monthly risk that follows a signal of each account, and a level that
a month has for all of them.  Champion and challenger see the signal through noise, a part of which
they share, and are calibrated on a book a hundred times as large; how strong the challenger's own
noise is sets its skill, its gain in log loss over the base rate, as a share of the champion's.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from record import Claim, record
from scipy.optimize import brentq
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from tenure.core.records.promotion import Comparison
from tenure.core.sections import EvaluationConfig
from tenure.model.calibration.losses import log_loss
from tenure.model.registry.comparison import compare, decide
from tenure.model.settings import EvaluationSettings

Floats = NDArray[np.float64]

RISK, EFFECT, MEMORY, SHOCK = 0.025, 0.9, 0.9, 0.15
NOISE, SHARED = 1.0, 0.8  # of the champion's view, and how much of it the challenger shares
MONTHS, HORIZON = 8, 3
SIZES = {400: "400 accounts", 3000: "3,000 accounts"}
LIMITS: dict[float, tuple[float, bool] | None] = {
    1.0: (27, True),
    0.95: (20, True),
    0.8: (5, True),
    0.5: (1, True),
    1.12: None,
}
"""Skill as a share of the champion's → the limit on the percentage promoted, and its side."""
RESAMPLES = 200


@dataclass(frozen=True)
class Reference:
    """A large book, on which views are calibrated and their skill is measured."""

    rows: int = 100_000
    noises: dict[float, float] = field(default_factory=dict)

    @cached_property
    def drawn(self) -> tuple[Floats, Floats, Floats]:
        """Return signals, unit noises and true probabilities of leaving within the horizon."""
        rng = np.random.default_rng(0)
        signal = first = rng.normal(size=self.rows)
        stays = np.ones(self.rows)
        for _ in range(HORIZON):
            stays *= 1 - risk(signal, SHOCK * rng.normal(size=self.rows))
            signal = moved(signal, MEMORY, rng)
        return first, rng.normal(size=self.rows), 1 - stays

    def calibrated(self, noise: float) -> LogisticRegression:
        """Return probabilities given a view of the signal with so much noise."""
        signal, unit, truth = self.drawn
        view = np.tile(signal + noise * unit, 2).reshape(-1, 1)
        label = np.repeat([1, 0], self.rows)
        model = LogisticRegression(C=1e6)
        return model.fit(view, label, sample_weight=np.r_[truth, 1 - truth])

    def skill(self, noise: float) -> float:
        """Return the expected gain in log loss over the base rate."""
        signal, unit, truth = self.drawn
        p = self.calibrated(noise).predict_proba((signal + noise * unit).reshape(-1, 1))[:, 1]
        without = log_loss(truth, np.full(self.rows, truth.mean()))
        return float((without - log_loss(truth, p)).mean())

    def noise(self, share: float) -> float:
        """Return the noise that leaves a share of the champion's skill."""
        if share not in self.noises:
            wanted = share * self.skill(NOISE)
            noise = brentq(lambda noise: self.skill(noise) - wanted, 0.1, 5, xtol=1e-3)
            self.noises[share] = NOISE if share == 1 else float(noise)
        return self.noises[share]


def risk(signal: Floats, level: Floats | float) -> Floats:
    """Return the risk of leaving in a month."""
    return np.asarray(expit(np.log(RISK) + EFFECT * signal + level))


def moved(value: Floats, memory: float, rng: np.random.Generator) -> Floats:
    """Return a series a month later, as widely spread as before."""
    return np.asarray(memory * value + np.sqrt(1 - memory**2) * rng.normal(size=value.shape))


def contest(reference: Reference, accounts: int, share: float, seed: int) -> Comparison:
    """Compare a champion with a challenger of a share of its skill, on one book."""
    rng = np.random.default_rng(seed)
    noise = reference.noise(share)
    length = MONTHS + HORIZON - 1
    signal, errors = rng.normal(size=accounts), rng.normal(size=(2, accounts))
    person, names = np.arange(accounts), accounts
    who, views, left = [], [], np.zeros((length, accounts), dtype=bool)
    for month in range(length):
        own = SHARED * errors[0] + np.sqrt(1 - SHARED**2) * errors[1]
        views.append((signal + NOISE * errors[0], signal + noise * own))
        who.append(person.copy())
        left[month] = gone = rng.random(accounts) < risk(signal, SHOCK * rng.normal())
        person[gone] = names + np.arange(gone.sum())
        names += int(gone.sum())
        signal, errors = moved(signal, MEMORY, rng), moved(errors, MEMORY, rng)
        signal[gone], errors[:, gone] = (
            rng.normal(size=gone.sum()),
            rng.normal(size=(2, gone.sum())),
        )
    models = [reference.calibrated(x) for x in (NOISE, noise)]
    rate = float(reference.drawn[2].mean())
    frames = []
    for month in range(MONTHS):
        window = left[month : month + HORIZON]
        named = pd.Series(who[month]).astype(str)
        p = [
            m.predict_proba(v.reshape(-1, 1))[:, 1]
            for m, v in zip(models, views[month], strict=True)
        ]
        frames.append(
            pd.DataFrame(
                {
                    "account_id": named,
                    "as_of": pd.Timestamp("2024-01-01") + pd.DateOffset(months=month),
                    "label": window.any(axis=0).astype(float),
                    "outcome_id": named + "@" + (month + window.argmax(axis=0)).astype(str),
                    "base_rate": rate,
                    "champion": p[0],
                    "challenger": p[1],
                    "place": np.arange(accounts),
                }
            )
        )
    rows = pd.concat(frames, ignore_index=True)
    rows["outcome_id"] = rows["outcome_id"].where(rows["label"] == 1)
    groups = {"segment": rows["place"] % 3, "MRR": rows["place"] // 3 % 3}
    settings = EvaluationSettings(EvaluationConfig(bootstrap=RESAMPLES), seed=seed)
    return compare(rows, groups, settings)


def claims(contests: int) -> list[Claim]:
    """Return how often each challenger is promoted, and how often it is better by the sample."""
    reference, result = Reference(), []
    for accounts, size in SIZES.items():
        for share, limit in LIMITS.items():
            compared = [contest(reference, accounts, share, seed) for seed in range(contests)]
            promoted = np.mean([decide(item).better for item in compared])
            ahead = np.mean([(item.gain.log_loss.value or 0) > 0 for item in compared])
            skill = f"{share - 1:+.0%} of the champion's skill" if share != 1 else "equal skill"
            what = f"{size}, {skill}: promoted"
            bound, at_most = limit or (None, True)
            result.append(Claim(what, 100 * float(promoted), "%", bound, at_most))
            result.append(Claim(f"{size}, {skill}: ahead on the rows", 100 * float(ahead), "%"))
    return result


def main() -> None:
    """Measure and write ``benchmarks/results/promotion.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contests", type=int, default=120)
    record("promotion", claims(parser.parse_args().contests))


if __name__ == "__main__":
    main()
