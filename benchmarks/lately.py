"""How soon a verdict says that a model is no longer good, and how often it says so for nothing.

    python benchmarks/lately.py [--worlds 40] [--changed 20] [--data saas_growth]

A world is a book of accounts whose monthly risk follows a signal of each account and a level of all
of them; a logistic model of a noisy view of that signal is fitted forward on what was known at each
prediction time, and judged.  Stable worlds have shocks that all accounts share: none, independent
ones, one that passes, or a season.  In the others the base rate doubles, or the signal dies while
the rate stays; they end where the first horizon after that has become known.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from record import Claim, record
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from tenure.core.config import load_config
from tenure.core.progress import SILENT
from tenure.core.records.evaluation import Evaluation, Verdict
from tenure.core.sections import EvaluationConfig
from tenure.model.backtest.baselines import BASE_RATE
from tenure.model.evaluation.evaluate import evaluate
from tenure.model.evaluation.metrics import Measures
from tenure.model.evaluation.over_time import over_time
from tenure.model.evaluation.verdict import judge
from tenure.model.settings import EvaluationSettings
from tenure.run.prepare import loaded, prepare
from tenure.run.walk import walk_target

ROOT = Path(__file__).parent.parent
Floats = NDArray[np.float64]

SIZES = (300, 1000, 3000)
RATES = (0.02, 0.05)
SHOCKS = ("none", "independent", "passes", "season")
CHANGES = ("doubles", "dies")
RESAMPLES, DAYS = 300, 90
HORIZON, KNOWN = 3, 4  # months until a window ends, and until its outcome is known
FIRST = 8  # months learnt from at the first prediction time that is evaluated


@dataclass(frozen=True)
class World:
    """What is simulated.

    Attributes:
        seed: Seed.
        accounts: Accounts at any time; who leaves is replaced.
        rate: Monthly risk of the mean account.
        months: Prediction times with a known outcome.
        shock: What moves the level of all accounts.
        change: ``doubles`` or ``dies``: what happens at the first of the latest horizon's times.
        effect: Log-odds of risk by which accounts of a signal 1 apart differ.
    """

    seed: int
    accounts: int
    rate: float
    months: int = 24
    shock: str = "none"
    change: str | None = None
    effect: float = 1.0

    def predictions(self) -> pd.DataFrame:
        """Return forward predictions of what happened, as `evaluate` takes them."""
        rng = np.random.default_rng(self.seed)
        view, label, person = self._lives(rng)
        folds: list[pd.DataFrame] = []
        for month in range(FIRST + KNOWN, self.months):
            known = slice(0, month - KNOWN + 1)
            x, y = view[known].reshape(-1, 1), label[known].ravel()
            if not 0 < y.sum() < len(y):
                continue
            model = LogisticRegression(C=1e3, solver="newton-cholesky").fit(x, y)
            folds.append(
                pd.DataFrame(
                    {
                        "account_id": person[month],
                        "as_of": pd.Timestamp("2020-01-01") + pd.DateOffset(months=month),
                        "fold": len(folds),
                        "label": label[month],
                        "probability": model.predict_proba(view[month].reshape(-1, 1))[:, 1],
                        "base_rate": y.mean(),
                    }
                )
            )
        frame = pd.concat(folds, ignore_index=True)
        return frame.assign(account_id=frame["account_id"].astype(str))

    def _lives(self, rng: np.random.Generator) -> tuple[Floats, Floats, NDArray[np.int64]]:
        """Return what is seen of each account, its label, and who it is, by month and place."""
        length, size = self.months + HORIZON, self.accounts
        signal = rng.normal(size=size)
        person, names = np.arange(size), size
        level = self._level(length, rng)
        view, left, who = np.empty((length, size)), np.empty((length, size)), []
        for month in range(length):
            signal = 0.9 * signal + np.sqrt(1 - 0.9**2) * rng.normal(size=size)
            view[month] = signal + 0.5 * rng.normal(size=size)
            who.append(person.copy())
            changed = self.change if month >= self.months - HORIZON else None
            # The mean risk of a dead signal is that of the accounts before.
            risk = expit(np.log(self.rate) + self.effect * signal + level[month])
            if changed == "dies":
                risk = np.full(size, risk.mean())
            left[month] = rng.random(size) < risk * (2 if changed == "doubles" else 1)
            gone = left[month] == 1
            person[gone] = names + np.arange(gone.sum())
            names += int(gone.sum())
            signal[gone] = rng.normal(size=gone.sum())
        label = np.array([left[m : m + HORIZON].any(axis=0) for m in range(self.months)])
        return view[: self.months], label.astype(np.float64), np.array(who[: self.months])

    def _level(self, length: int, rng: np.random.Generator) -> Floats:
        months = np.arange(length)
        if self.shock == "independent":
            return np.asarray(rng.normal(0, 0.2, length))
        if self.shock == "passes":
            start = rng.integers(FIRST, self.months - 2 * HORIZON)
            return np.where((months >= start) & (months < start + 2), 0.6, 0.0)
        if self.shock == "season":
            return np.asarray(0.2 * np.sin(2 * np.pi * (months + rng.integers(12)) / 12))
        return np.zeros(length)


def verdict(predictions: pd.DataFrame) -> Verdict:
    """Return the verdict on forward predictions, from the figures that it takes."""
    draws = Measures(predictions, EvaluationSettings(EvaluationConfig(bootstrap=RESAMPLES)))
    measured = {
        "pooled": draws.metrics(draws.probabilities),
        "differences": {BASE_RATE: draws.difference(draws.base)},
        "over_time": over_time(predictions, draws, DAYS),
    }
    return judge(Evaluation.from_json(measured), None)


def stable(number: int) -> World:
    """Return the world of a number: sizes, rates and shocks take turns."""
    size, rate = SIZES[number % len(SIZES)], RATES[number // 4 % len(RATES)]
    return World(number, size, rate, shock=SHOCKS[number % len(SHOCKS)])


def changed(number: int, change: str) -> World:
    """Return the world of a number that changes."""
    return World(1000 + number, 1500, RATES[1], shock=SHOCKS[number % 2], change=change)


def simulated(worlds: int, several: int) -> list[Claim]:
    """Measure simulated worlds."""
    statuses = [verdict(stable(number).predictions()).status for number in range(worlds)]
    usable = worlds - statuses.count("no_usable_signal")
    called = statuses.count("usable_before")
    claims = [
        Claim(f"stable worlds called usable before, of {worlds}", called, "", worlds / 20),
        Claim(f"stable worlds with a usable signal over all times, of {worlds}", usable, ""),
    ]
    for change in CHANGES:
        ends = [verdict(changed(number, change).predictions()) for number in range(several)]
        caught = sum(end.status == "usable_before" for end in ends)
        what = f"worlds that are called so where the {_WHAT[change]}, of {several}"
        claims.append(Claim(what, caught, "", 0.95 * several, at_most=False))
    return claims


_WHAT = {"doubles": "base rate doubled", "dies": "signal died"}


def outside(name: str) -> list[Claim]:
    """Measure churn of a data set that a config of the same name describes."""
    config = load_config(ROOT / "configs" / f"{name}.yaml")
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        with loaded(config, thorough=False) as dataset:
            walk = walk_target("churn", prepare(config, dataset), config, SILENT)
        measured = evaluate(walk.predictions, walk.baselines, EvaluationSettings.of(config))
    result = judge(measured, walk.shortage)
    print(result.sentences[0])
    assert measured.over_time is not None
    assert measured.over_time.lately is not None
    lately, called = measured.over_time.lately, result.status == "usable_before"
    return [
        Claim(
            f"{name}, churn: called usable before, not lately", float(called), "", 1, at_most=False
        ),
        Claim(f"{name}, churn: mean prediction lately", lately.mean_probability, ""),
        Claim(f"{name}, churn: observed rate lately", lately.observed_rate, ""),
        Claim(f"{name}, churn: gain lately", lately.log_loss_gain.value or 0.0, "log loss"),
    ]


def main() -> None:
    """Measure what was asked for and write ``benchmarks/results/lately.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=40)
    parser.add_argument("--changed", type=int, default=20)
    parser.add_argument("--data", nargs="*", default=["saas_growth"])
    options = parser.parse_args()
    claims = simulated(options.worlds, options.changed)
    default = (ROOT / ".." / "shared" / "data").resolve()
    data = Path(os.environ.setdefault("TENURE_TESTDATA", str(default)))
    for name in options.data:
        if data.is_dir():
            claims += outside(name)
        else:
            print(f"skipped {name}: {data} is not there")
    record("lately", claims)


if __name__ == "__main__":
    main()
