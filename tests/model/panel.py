"""A synthetic account panel: monthly snapshots, features of known meaning, churn of known risk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tenure.core.progress import Progress
from tenure.core.spec import Ranked

LEVELS = (
    Ranked("usage_level", "usage_28d", "usage above {value} of peers"),
    Ranked("mrr_level", "mrr", "revenue above {value} of all", within=(), band=None),
)
HORIZON, WINBACK = 90, 30
DAY = np.timedelta64(1, "D")


class Recorder(Progress):
    """Keeps what long work reports: a line per stage and per step."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.steps: list[tuple[int, int | None, str]] = []

    def stage(self, name: str) -> None:
        """Record a stage."""
        self.stages.append(name)

    def step(self, done: int, total: int | None, what: str = "") -> None:
        """Record a step."""
        self.steps.append((done, total, what))


@dataclass(frozen=True)
class Panel:
    """Rows and feature values in the same order, as the labels and features stages give them."""

    rows: pd.DataFrame
    values: pd.DataFrame


def make_panel(
    accounts: int = 300, months: int = 24, *, seed: int = 0, effect: float = 1.0, rate: float = 0.03
) -> Panel:
    """Simulate accounts that join over time, drift in usage and leave at a monthly hazard.

    Args:
        accounts: How many.
        months: Monthly prediction times from 2022-01-01.
        seed: Seed.
        effect: How strongly usage and tickets move the hazard; 0 makes churn pure chance.
        rate: Hazard per month at average risk.
    """
    rng = np.random.default_rng(seed)
    cutoffs = pd.date_range("2022-01-01", periods=months, freq="MS").to_numpy("datetime64[us]")
    end = cutoffs[-1] + 31 * DAY
    blocks = []
    for number in range(accounts):
        blocks.append(_account(rng, f"a{number:05d}", cutoffs, effect, rate))
    frame = pd.concat(blocks, ignore_index=True)
    frame = _label(frame, end).sort_values(["as_of", "account_id"], ignore_index=True)
    features = ["usage_28d", "usage_trend", "tickets_90d", "days_since_last_event", "tenure_days"]
    features += ["mrr", "noise", "nps", "segment", "country"]
    values = frame[features].copy()
    numbers = [name for name in features if name not in ("segment", "country")]
    values = values.astype(dict.fromkeys(numbers, "float32"))
    values["segment"] = values["segment"].astype(object)
    rows = frame[
        ["account_id", "as_of", "mrr", "label", "label_known_at", "outcome_at", "outcome_id"]
    ].copy()
    return Panel(rows, values)


def _account(
    rng: np.random.Generator, name: str, cutoffs: np.ndarray, effect: float, rate: float
) -> pd.DataFrame:
    first = int(rng.integers(0, len(cutoffs) - 1)) if rng.random() < 0.7 else 0
    size = len(cutoffs) - first
    level = rng.normal()
    drift = np.cumsum(rng.normal(0, 0.35, size))
    usage = level + drift
    tickets = rng.poisson(1.0, size)
    segment = str(rng.choice(["smb", "mid", "large"], p=[0.5, 0.3, 0.2]))
    base = np.log(rate / (1 - rate)) + {"smb": 0.3, "mid": 0.0, "large": -0.6}[segment] * effect
    hazard = 1 / (1 + np.exp(-(base + effect * (-0.8 * drift - 0.3 * level + 0.3 * (tickets - 1)))))
    left = np.flatnonzero(rng.random(size) < hazard)
    life = int(left[0]) + 1 if len(left) else size
    end = cutoffs[first + life - 1] + int(rng.integers(1, 28)) * DAY if len(left) else None
    frame = pd.DataFrame(
        {
            "account_id": name,
            "as_of": cutoffs[first:],
            "usage_28d": np.exp(2 + usage),
            "usage_trend": np.concatenate([[np.nan], np.diff(usage)]),
            "tickets_90d": tickets.astype(float),
            "days_since_last_event": rng.exponential(np.exp(-0.5 * usage) + 0.5),
            "tenure_days": np.arange(size) * 30.0 + 1,
            "mrr": float(np.round(np.exp(rng.normal(6, 1)))),
            "noise": rng.normal(size=size),
            "nps": np.where(
                rng.random(size) < 0.6, np.nan, np.round(7 + usage + rng.normal(size=size))
            ),
            "segment": segment,
            "country": str(rng.choice(["de", "us", "fr"])),
        }
    ).iloc[:life]
    frame["outcome_at"] = np.datetime64("NaT") if end is None else end
    return frame


def _label(frame: pd.DataFrame, observed_until: np.datetime64) -> pd.DataFrame:
    frame = frame.copy()
    frame["label_known_at"] = frame["as_of"] + pd.Timedelta(days=HORIZON + WINBACK)
    horizon = frame["as_of"] + pd.Timedelta(days=HORIZON)
    churned = (frame["outcome_at"] < horizon).astype(float)
    frame["label"] = churned.where(frame["label_known_at"] <= observed_until)
    frame["outcome_id"] = ("churn:" + frame["account_id"]).where(frame["label"] == 1)
    return frame
