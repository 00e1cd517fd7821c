"""How good the probabilities of each side are, and how far apart, on resamples of the accounts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from peers.accuracy_side import KEYS, LABEL, Floats

from tenure.model.evaluation.bootstrap import Resamples, interval, ranking

LEVEL = 0.95
RESAMPLES = 1_000
CLIP = 1e-4
"""No probability is taken as nearer to 0 or 1, so that no single row decides a log loss."""
MEASURES = ("auc", "average_precision", "log_loss", "raw_log_loss", "brier")
"""Log loss after the same forward calibration for every side, and as the side says it."""
COMPARED = ("auc", "log_loss")
DEFAULT = "tenure"
ORACLE = "oracle"

Draws = dict[str, dict[str, Floats]]
Found = dict[str, Any]


def draws_of(folder: Path) -> Draws:
    """Return each measure of each side: the value itself, then one per resample of accounts."""
    truth = pd.read_parquet(folder / "truth.parquet")
    labels = truth[LABEL].to_numpy(dtype=np.float64)
    resamples = Resamples.draw(truth["account_id"].to_numpy(dtype=str), RESAMPLES, seed=0)
    found: Draws = {}
    for side, given in probabilities(folder, truth).items():
        raw, calibrated = (np.clip(p, CLIP, 1 - CLIP) for p in given)
        ranks = ranking(resamples, labels, raw, ())
        each = [_log_loss(labels, calibrated), _log_loss(labels, raw), (calibrated - labels) ** 2]
        sums = resamples.sums(np.column_stack([np.ones_like(raw), *each]))
        means = (sums[:, 1:] / sums[:, :1]).T
        values = (ranks.auc, ranks.average_precision, *means)
        found[side] = dict(zip(MEASURES, values, strict=True))
    return found


def _log_loss(labels: Floats, p: Floats) -> Floats:
    found: Floats = -(labels * np.log(p) + (1 - labels) * np.log1p(-p))
    return found


def probabilities(folder: Path, truth: pd.DataFrame) -> dict[str, tuple[Floats, Floats]]:
    """Return what each side gave to the test rows, as it is and calibrated, in their order.

    The true probabilities, where they are known, are a side too, and need no calibration.
    """
    found = {}
    files = {
        path.stem: pd.read_parquet(path) for path in sorted((folder / "sides").glob("*.parquet"))
    }
    oracle = folder.parent / "oracle.parquet"
    if oracle.exists():
        every = pd.read_parquet(oracle)
        files[ORACLE] = every[every["target"] == folder.name]
    for side, frame in files.items():
        both = ["probability", "calibrated" if "calibrated" in frame else "probability"]
        given = truth[KEYS].merge(frame[[*KEYS, *set(both)]], on=KEYS, how="left")
        if len(given) != len(truth) or given["probability"].isna().any():
            raise SystemExit(
                f"{folder.parent.name}, {folder.name}: {side} lacks rows or repeats some"
            )
        raw, calibrated = (given[name].to_numpy(dtype=np.float64) for name in both)
        found[side] = (raw, calibrated)
    return found


def together(sets: list[Draws]) -> Draws:
    """Return the mean over data sets of each measure, for the sides that all of them have."""
    shared = [side for side in sets[0] if all(side in other for other in sets)]
    return {
        side: {name: np.mean([found[side][name] for found in sets], axis=0) for name in MEASURES}
        for side in shared
    }


def summary(draws: Draws) -> dict[str, Found]:
    """Return for each side its measures and how far Tenure's default is from it.

    ``tenure_minus`` is Tenure's value less the side's: for the AUC above 0 favours Tenure, for the
    log loss below 0.  ``oracle_share`` is the share of the oracle's gain in AUC over 0.5.
    """
    found: dict[str, Found] = {}
    for side, own in draws.items():
        entry: Found = {name: interval(own[name], LEVEL) for name in MEASURES}
        if ORACLE in draws and side != ORACLE:
            share = (own["auc"] - 0.5) / (draws[ORACLE]["auc"] - 0.5)
            entry["oracle_share"] = interval(share, LEVEL)
        if DEFAULT in draws and side != DEFAULT:
            entry["tenure_minus"] = {
                name: interval(draws[DEFAULT][name] - own[name], LEVEL) for name in COMPARED
            }
        found[side] = entry
    return found


def measure(folder: Path, draws: Draws) -> Found:
    """Return the rows of one target and what each side did on them."""
    rows = json.loads((folder / "rows.json").read_text(encoding="utf-8"))
    sides = summary(draws)
    for side, entry in sides.items():
        said = folder / "sides" / f"{side}.json"
        if said.exists():
            entry["run"] = json.loads(said.read_text(encoding="utf-8"))
    kept = ("split", "train", "test", "checksum", "prepared_at")
    return {name: rows[name] for name in kept} | {"columns": len(rows["columns"]), "sides": sides}


def verdict(entry: Mapping[str, Any], name: str) -> str:
    """Return whether the interval of a difference is ``better``, ``worse`` or ``equal``."""
    lo, hi = (entry["tenure_minus"][name][end] for end in ("lo", "hi"))
    if lo is None or hi is None or lo <= 0 <= hi:
        return "equal"
    return "better" if (lo > 0) == (name == "auc") else "worse"
