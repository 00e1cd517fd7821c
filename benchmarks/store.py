"""Measure the store: how fast runs are written, what they take on disk, how fast they are read.

Run: ``python benchmarks/store.py [--runs 24] [--accounts 20000] [--url URL]``

The rows are generated: every registered feature with values of its unit, boosters fitted on them
with the default parameters, and the drivers and contributions that follow.  Each run deals them to
other accounts, so that nothing repeats from run to run but what repeats in a real book.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from record import Claim, record

from tenure.core.config import ModelConfig
from tenure.explain.drivers import driver_arrays, flat_columns
from tenure.explain.peers import fit_peers
from tenure.explain.row_words import About, Explainer
from tenure.features.families import FAMILIES
from tenure.features.plan.columns import FeatureSpec
from tenure.features.plan.plan import resolve_plan
from tenure.labels.targets import TARGETS
from tenure.model.boosting.fit import FittedModel, fit_model
from tenure.model.settings import FitSettings
from tenure.score.scored import Contributions, Scored
from tenure.score.store.database import connect
from tenure.score.store.store import ScoreStore
from tenure.score.store.write import ScoringRun
from tenure.sources.contract import SOURCES

HORIZONS = (90, 180)
MEMBERS = {
    "event": [f"event_{n}" for n in range(6)],
    "first_use": [f"event_{n}" for n in range(6)],
    "days_since_last_use": [f"event_{n}" for n in range(6)],
    "tickets_about": ["bug", "billing", "how_to"],
    "touchpoints_of": ["call", "mail", "meeting"],
}
PROJECT = "benchmark"


@dataclass(frozen=True)
class Book:
    """The rows of a run: of each target and horizon, and what stands behind them."""

    rows: pd.DataFrame
    models: dict[str, Any]
    contributions: dict[str, dict[str, tuple[np.ndarray, np.ndarray]]]


def specs() -> dict[str, FeatureSpec]:
    columns = {
        name: frozenset(column.name for column in source.columns)
        for name, source in SOURCES.items()
    }
    families = [family for name, family in FAMILIES.items() if name != "calendar"]
    return dict(resolve_plan(families, columns, members=MEMBERS).specs)


def values_of(spec: FeatureSpec, size: int, dice: np.random.Generator) -> Any:
    if spec.text:
        return dice.choice(["small", "mid", "large"], size).astype(object)
    drawn = {
        "count": lambda: dice.poisson(dice.gamma(1.5, 8, size)),
        "days": lambda: dice.exponential(60, size),
        "hours": lambda: dice.exponential(20, size),
        "share": lambda: dice.beta(2, 2, size),
        "money": lambda: np.round(dice.lognormal(6, 1, size), 2),
        "score": lambda: dice.integers(0, 11, size),
    }.get(spec.unit, lambda: dice.gamma(2, 1, size))()
    column = np.asarray(drawn, dtype=np.float32)
    column[dice.random(size) < dice.choice([0.0, 0.0, 0.1, 0.5])] = np.nan
    return column


def fitted(values: pd.DataFrame, seed: int) -> FittedModel:
    dice = np.random.default_rng(seed)
    numbers = values.select_dtypes("float32").rank(pct=True).fillna(0.5).to_numpy()
    weights = dice.normal(0, 1, numbers.shape[1]) * (dice.random(numbers.shape[1]) < 0.3)
    margin = numbers @ weights
    labels = dice.random(len(values)) < 1 / (1 + np.exp(3 - 2 * (margin - margin.mean())))
    return fit_model(values, labels.astype(float), FitSettings(ModelConfig(seed=seed)))


def make_book(accounts: int) -> Book:
    dice = np.random.default_rng(0)
    described = specs()
    values = pd.DataFrame({name: values_of(s, accounts, dice) for name, s in described.items()})
    ids = pd.Series([f"acc-{n:05}" for n in range(accounts)], dtype="str")
    peers = fit_peers(values, np.zeros(accounts))
    parts: list[dict[str, Any]] = []
    models: dict[str, Any] = {}
    contributions: dict[str, dict[str, tuple[np.ndarray, np.ndarray]]] = {}
    mrr = np.round(dice.lognormal(6, 1, accounts), 2)
    renews = np.datetime64("2025-01-01") + dice.integers(0, 31_536_000, accounts).astype(
        "timedelta64[s]"
    )
    for place, horizon in enumerate(HORIZONS):
        part: dict[str, Any] = {"account_id": ids, "horizon_days": np.full(accounts, horizon)}
        part |= {"mrr": mrr, "currency": pd.Series(["USD"] * accounts, dtype="str")}
        part |= {"renews_at": renews, "data_coverage": dice.integers(1, 7, accounts) / 6}
        part["abstain_reason"] = np.full(accounts, None, dtype=object)
        for seed, target in enumerate(("churn", "expansion")):
            model = fitted(values, 10 * place + seed)
            used = model.encoder.frame(values)
            chance, _, _, amounts = model.scores(used)
            explainer = Explainer(TARGETS[target], described, peers)
            drivers = driver_arrays(amounts[:, :-1], used, explainer, About())
            prefix = "" if target == "churn" else f"{target}_"
            part |= flat_columns(drivers.words, drivers.numbers, prefix)
            part |= {f"{target}_probability": chance, f"{target}_probability_lo": chance * 0.7}
            part[f"{target}_probability_hi"] = np.minimum(1, chance * 1.3)
            behind_it = amounts, drivers.telling
            contributions.setdefault(target, {})[str(horizon)] = behind_it
            names = tuple(map(str, HORIZONS))
            about = models.setdefault(
                target, SimpleNamespace(bundle=None, specs=described, horizons=names)
            )
            spec = SimpleNamespace(model_name=f"{PROJECT}-{target}")
            behind = {**(about.bundle.models if about.bundle else {}), str(horizon): model}
            about.bundle = SimpleNamespace(spec=spec, version="0123456789ab", models=behind)
            about.models = behind
        risk = pd.Series(part["churn_probability"])
        part |= {"churn_rank": risk.rank(ascending=False, method="min").astype("Int64")}
        part |= {"churn_percentile": 100 * risk.rank(pct=True), "mrr_at_risk": risk * mrr}
        part["risk_band"] = np.where(risk > 0.2, "high", np.where(risk > 0.1, "medium", "low"))
        part["expected_expansion_mrr"] = part["expansion_probability"] * mrr
        parts.append(part)
    rows = pd.concat([pd.DataFrame(part) for part in parts], ignore_index=True)
    return Book(rows, models, contributions)


def dealt(book: Book, seed: int) -> Scored:
    """Return the rows of a book, each of another account."""
    size = len(book.rows) // len(HORIZONS)
    order = np.random.default_rng(seed).permutation(size)
    every = np.concatenate([order + n * size for n in range(len(HORIZONS))])
    rows = book.rows.iloc[every].reset_index(drop=True)
    rows["account_id"] = book.rows["account_id"].to_numpy()
    contributions = {
        target: {
            horizon: Contributions(
                np.arange(n * size, (n + 1) * size), *(item[order] for item in behind)
            )
            for n, (horizon, behind) in enumerate(horizons.items())
        }
        for target, horizons in book.contributions.items()
    }
    return Scored(rows, None, book.models, contributions)  # type: ignore[arg-type]


def run_of(month: int) -> ScoringRun:
    moment = datetime(2023 + month // 12, month % 12 + 1, 1)
    versions = {"churn": "0123456789ab", "expansion": "0123456789ab"}
    return ScoringRun(PROJECT, "batch", moment, moment, datetime(2030, 1, 1), "c", "d", versions)


def milliseconds(call: Any, accounts: list[str]) -> float:
    taken = []
    for account in accounts:
        started = time.perf_counter()
        call(account)
        taken.append(1e3 * (time.perf_counter() - started))
    return float(np.median(taken))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=24)
    parser.add_argument("--accounts", type=int, default=20_000)
    parser.add_argument("--url", help="another store than a new SQLite file; must be empty")
    options = parser.parse_args()
    book = make_book(options.accounts)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tenure.db"
        url = options.url or f"sqlite:///{path}"
        rows, seconds = 0, 0.0
        for month in range(options.runs):
            scored = dealt(book, month)
            started = time.perf_counter()
            engine = connect(url)
            ScoreStore(engine, PROJECT).add(run_of(month), scored)
            engine.dispose()
            seconds += time.perf_counter() - started
            rows += 2 * len(scored.rows)
            print(f"{month + 1} runs: {rows:,} rows, {rows / seconds:,.0f} a second", flush=True)
        size = sum(file.stat().st_size for file in Path(folder).iterdir())
        whole = options.runs * options.accounts >= 480_000
        engine = connect(url)
        store = ScoreStore(engine, PROJECT)
        drawn = np.random.default_rng(1).choice(book.rows["account_id"].unique(), 200)
        asked = [str(name) for name in drawn]
        store.history(asked[0])
        runs = store.runs()
        expected = options.runs * 2 * len(HORIZONS)
        assert len(store.history(asked[0])) == expected
        history = milliseconds(lambda name: store.history(name, drivers=False), asked)
        spoken = milliseconds(store.history, asked)
        behind = milliseconds(
            lambda name: [store.contributions(one, "churn", "90", [name]) for one in runs[-2:]],
            asked,
        )
        engine.dispose()
    least = 10_000 if whole else None
    claims = [
        Claim("rows written a second", rows / seconds, "rows/s", least, at_most=False),
        Claim("history of one account", history, "ms", 5),
        Claim("history of one account, with drivers", spoken, "ms", 5),
        Claim("contributions of one account in two runs", behind, "ms"),
    ]
    if not options.url:
        limit = 1.5 if whole else None
        claims.append(Claim(f"size on disk of {rows:,} rows", size / 1e9, "GB", limit))
        claims.append(Claim("size of a row", size / rows, "bytes"))
    kept = record("store", claims)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
