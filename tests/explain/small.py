"""A small trained model for the explanation tests."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from tenure.core.config import ModelConfig
from tenure.features.plan.columns import FeatureSpec
from tenure.model.boosting.fit import FittedModel, fit_model
from tenure.model.settings import FitSettings

ROWS = 600


def frame() -> pd.DataFrame:
    dice = np.random.default_rng(5)
    values = pd.DataFrame(
        {
            "events_28d": dice.poisson(20, ROWS),
            "open_tickets": dice.poisson(1, ROWS),
            "mrr": np.round(dice.lognormal(5, 1, ROWS), 2),
            "nps_last": np.where(dice.random(ROWS) < 0.4, np.nan, dice.integers(0, 11, ROWS)),
        }
    ).astype("float32")
    values["segment"] = pd.Series(dice.choice(["smb", "mid", "big"], ROWS), dtype=object)
    return values


def labels(values: pd.DataFrame) -> np.ndarray:
    dice = np.random.default_rng(6)
    risk = 0.8 * values["open_tickets"] - 0.2 * (values["events_28d"] - 20)
    risk = (
        risk + np.where(values["segment"] == "smb", 0.7, -0.3) - 0.1 * values["nps_last"].fillna(5)
    )
    return (dice.random(ROWS) < 1 / (1 + np.exp(-risk))).astype(int)


@cache
def model(*, text: bool = True) -> FittedModel:
    """Return a model of the frame above, with or without its text column."""
    values = frame() if text else frame().drop(columns="segment")
    how = ModelConfig(seed=1, threads=1, parameters={"num_iterations": 30})
    return fit_model(values, labels(frame()).astype(float), FitSettings(how))


def spec(name: str, **other: object) -> FeatureSpec:
    given = {
        "name": name,
        "family": "f",
        "sentence": f"{{value}} of {name}",
        "unit": "number",
        "direction": 0,
        "lever": False,
        "text": False,
        "group": name,
        "window": None,
        "source": "t",
    }
    return FeatureSpec(**(given | other))  # type: ignore[arg-type]


SPECS = {
    "events_28d": spec("events_28d", sentence="{value} usage events", unit="count", lever=True),
    "open_tickets": spec("open_tickets", sentence="{value} tickets still open", unit="count"),
    "mrr": spec("mrr", sentence="{value} of monthly recurring revenue", unit="money"),
    "nps_last": spec("nps_last", sentence="a last NPS score of {value}", unit="score"),
    "segment": spec("segment", sentence="the segment {value}", unit="text", text=True),
}
