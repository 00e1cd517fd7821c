"""A model per horizon, or one discrete-time hazard model for all of them?

    python benchmarks/horizons.py [--data demo_101 demo_102 saas_1 hierarchical_1 strong_1 churnsim]

Both learn churn at the same past prediction times from what was known by then, with trees of the
same sizes and without calibration, and predict the rows of that time at 30, 90 and 180 days.  The
hazard model learns from rows of a snapshot and a period (until day 30, 90, 180) that the account
began: each is known as soon as its period is settled.  Beside the snapshot's features stand the
number of the period, the days from its start to the renewal date, and whether that falls in it.
Gains are paired, their intervals cluster by account.  `churnsim` needs ``TENURE_TESTDATA``.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator
from contextlib import chdir
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from businesses import KINDS, simulate
from businesses.options import Options
from record import Claim, record
from sklearn.metrics import roc_auc_score

from tenure.core.config import Config, load_config, make_config
from tenure.demo import write_world
from tenure.labels.splits import forward_origins, rarer
from tenure.model.boosting.encoder import Encoder
from tenure.model.boosting.estimator import TenureClassifier
from tenure.model.boosting.sizes import sized_parameters
from tenure.model.calibration.losses import log_loss
from tenure.model.evaluation.bootstrap import Resamples, interval
from tenure.run.prepare import Prepared, loaded, prepare

ROOT = Path(__file__).parent.parent
DATA = ("demo_101", "demo_102", "saas_1", "hierarchical_1", "strong_1", "churnsim")
HORIZONS = (30, 90, 180)
FOLDS = 6
RENEWAL = "days_to_renewal"
WAYS = ("apart", "hazard")


def main() -> None:
    """Measure and write ``benchmarks/results/horizons.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", nargs="+", default=list(DATA))
    options = parser.parse_args()
    os.environ.setdefault("TENURE_TESTDATA", str((ROOT / ".." / "shared" / "data").resolve()))
    claims: list[Claim] = []
    for name in options.data:
        if name == "churnsim" and not Path(os.environ["TENURE_TESTDATA"]).is_dir():
            print("skipped churnsim: its data are not there")
            continue
        with tempfile.TemporaryDirectory() as folder, chdir(folder):
            config = written(name, Path(folder))
            labels = config.labels.model_copy(update={"horizons": [30, 180]})
            config = config.model_copy(update={"labels": labels, "targets": ["churn"]})
            with loaded(config, thorough=False) as dataset:
                prepared = prepare(config, dataset)
            claims += [*measured(name, prepared)]
    record("horizons", claims)


def written(name: str, folder: Path) -> Config:
    """Write a data set and return its config."""
    kind, _, seed = name.rpartition("_")
    if name == "churnsim":
        return load_config(ROOT / "configs" / "churnsim.yaml")
    if kind == "demo":
        write_world(folder / "data", seed=int(seed))
        return make_config({"name": name, "data": {"path": "data"}}, base=folder)
    assert kind in KINDS
    return load_config(simulate(kind, Options(seed=int(seed))).write(folder))


def measured(name: str, prepared: Prepared) -> Iterator[Claim]:
    """Yield the gains of the hazard model over models apart, at each horizon."""
    rows = {90: prepared.labels["churn"]}
    rows |= {int(days): one for days, one in prepared.ahead["churn"].items()}
    found: dict[int, list[pd.DataFrame]] = {days: [] for days in HORIZONS}
    for origin in forward_origins(rows[180], max_folds=FOLDS).origins:
        here = np.flatnonzero((rows[90]["as_of"] == origin.as_of).to_numpy())
        hazard = hazards(prepared.matrix.values, rows, origin.as_of, here)
        for place, days in enumerate(HORIZONS):
            own = apart(prepared.matrix.values, rows[days], origin.as_of, here)
            joint = 1 - np.prod(1 - hazard[:, : place + 1], axis=1)
            frame = rows[days].iloc[here][["account_id", "label"]]
            frame = frame.assign(apart=own, hazard=joint)
            found[days].append(frame[frame["label"].notna()])
    for days in HORIZONS:
        yield from compared(f"{name}, {days} days", pd.concat(found[days], ignore_index=True))


def apart(
    values: pd.DataFrame, rows: pd.DataFrame, as_of: pd.Timestamp, here: np.ndarray
) -> np.ndarray:
    """Return the probabilities of the rows of a time, by a model of one horizon."""
    train = known(rows, as_of)
    return fitted(values, rows.iloc[train], train, np.empty((len(rows), 0)), [(here, here)])[0]


def hazards(
    values: pd.DataFrame, rows: dict[int, pd.DataFrame], as_of: pd.Timestamp, here: np.ndarray
) -> np.ndarray:
    """Return the hazard of the rows of a time in each period, shape (rows, periods)."""
    ahead = values[RENEWAL].to_numpy(float) if RENEWAL in values else np.full(len(values), np.nan)
    parts, extra, start = [], [], 0
    for number, (before, days) in enumerate(pairwise((0, *HORIZONS))):
        at_risk = known(rows[days], as_of)
        if before:
            at_risk = at_risk[rows[before]["label"].to_numpy(float)[at_risk] == 0]
        parts.append(rows[days].iloc[at_risk].assign(row=at_risk, period=number))
        left = ahead - before
        falls = np.where(np.isnan(left), np.nan, (left >= 0) & (left < days - before))
        extra.append(np.column_stack([np.full(len(values), number), left, falls]))
        start = days
    assert start == HORIZONS[-1]
    train = pd.concat(parts, ignore_index=True)
    places = train["row"].to_numpy() + len(values) * train["period"].to_numpy()
    asked = [(here, here + len(values) * number) for number in range(len(HORIZONS))]
    chances = fitted(values, train, places, np.concatenate(extra), asked)
    return np.column_stack(chances)


def fitted(
    values: pd.DataFrame,
    train: pd.DataFrame,
    places: np.ndarray,
    extra: np.ndarray,
    asked: list[tuple[np.ndarray, np.ndarray]],
) -> list[np.ndarray]:
    """Fit on some rows and return the probabilities of others.

    Args:
        values: Feature values of all snapshots.
        train: label and outcome_id of the training rows.
        places: Positions of the training rows in `extra`; modulo the snapshots, in `values`.
        extra: Further columns.
        asked: Positions in `values` and in `extra` of the rows to predict.
    """
    own = places % len(values)
    encoder = Encoder.fit(values.iloc[own])
    labels = train["label"].to_numpy(float)
    few = int(min(labels.sum(), len(labels) - labels.sum()))
    model = TenureClassifier(threads=1, extra=sized_parameters(few, len(labels), rarer(train)))
    matrix = np.hstack([encoder.transform(values.iloc[own]), extra[places]])
    model.fit(matrix, labels, categorical=encoder.categorical)
    return [
        model.predict_proba(np.hstack([encoder.transform(values.iloc[row]), extra[place]]))[:, 1]
        for row, place in asked
    ]


def known(rows: pd.DataFrame, as_of: pd.Timestamp) -> np.ndarray:
    """Return the positions of the rows whose label was known by a time."""
    return np.flatnonzero((rows["label"].notna() & (rows["label_known_at"] <= as_of)).to_numpy())


def compared(what: str, rows: pd.DataFrame) -> Iterator[Claim]:
    """Yield the gains in AUC and log loss, with the ends of their 95 % intervals."""
    labels = rows["label"].to_numpy(float)
    draws = Resamples.draw(rows["account_id"], 200, 0)
    for way in WAYS:
        auc = float(roc_auc_score(labels, rows[way]))
        yield Claim(f"{what}, {way}: AUC", auc, "")
    losses = [log_loss(labels, rows[way].to_numpy(float), 1e-6) for way in WAYS]
    gains = draws.sums(np.column_stack([losses[0] - losses[1], np.ones(len(labels))]))
    gain = interval(gains[:, 0] / gains[:, 1], 0.95)
    for name in ("value", "lo", "hi"):
        yield Claim(f"{what}: gain in log loss of the hazard model, {name}", gain[name] or 0.0, "")


if __name__ == "__main__":
    main()
