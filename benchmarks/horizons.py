"""One model per horizon, or one model of all horizons with the horizon as a rising column.

    python benchmarks/horizons.py

Both are fitted at the same past prediction times, each row as soon as its label was known, and
predict the rows of that time at 30, 90 and 180 days.  Needs the churnsim data
(``TENURE_TESTDATA``).
"""

from __future__ import annotations

import os
import tempfile
from contextlib import chdir
from pathlib import Path

import numpy as np
import pandas as pd
from record import Claim, record
from sklearn.metrics import log_loss, roc_auc_score

from tenure.core.config import load_config
from tenure.labels.splits import forward_origins
from tenure.model.boosting.encoder import Encoder
from tenure.model.boosting.estimator import TenureClassifier
from tenure.model.boosting.sizes import sized_parameters
from tenure.run.prepare import Prepared, loaded, prepare

ROOT = Path(__file__).parent.parent
HORIZONS = (30, 90, 180)
FOLDS = 6


def main() -> None:
    """Measure and write ``benchmarks/results/horizons.json``."""
    default = (ROOT / ".." / "shared" / "data").resolve()
    data = Path(os.environ.setdefault("TENURE_TESTDATA", str(default)))
    if not data.is_dir():
        print(f"skipped: {data} is not there")
        return
    config = load_config(ROOT / "configs" / "churnsim.yaml")
    labels = config.labels.model_copy(update={"horizons": [30, 180]})
    config = config.model_copy(update={"labels": labels, "targets": ["churn"]})
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        with loaded(config, thorough=False) as dataset:
            prepared = prepare(config, dataset)
        record("horizons", measure(prepared))


def measure(prepared: Prepared) -> list[Claim]:
    """Return AUC and log loss of both ways at each horizon."""
    rows = {90: prepared.labels["churn"]}
    rows |= {int(name): found for name, found in prepared.ahead["churn"].items()}
    said: dict[tuple[str, int], list[pd.DataFrame]] = {}
    for origin in forward_origins(rows[180], max_folds=FOLDS).origins:
        known = {
            days: np.flatnonzero(found["label"].notna() & (found["label_known_at"] <= origin.as_of))
            for days, found in rows.items()
        }
        for days in HORIZONS:
            test = np.flatnonzero(
                (rows[days]["as_of"] == origin.as_of) & rows[days]["label"].notna()
            )
            truth = rows[days]["label"].to_numpy()[test]
            for way, train in (("apart", {days: known[days]}), ("together", known)):
                chance = predicted(prepared.matrix.values, rows, train, test, days)
                frame = pd.DataFrame({"label": truth, "chance": chance})
                said.setdefault((way, days), []).append(frame)
    claims = []
    for (way, days), parts in sorted(said.items()):
        found = pd.concat(parts)
        auc = roc_auc_score(found["label"], found["chance"])
        loss = log_loss(found["label"], found["chance"])
        claims.append(Claim(f"{days} days, {way}: AUC", float(auc), ""))
        claims.append(Claim(f"{days} days, {way}: log loss", float(loss), ""))
    return claims


def predicted(
    values: pd.DataFrame,
    rows: dict[int, pd.DataFrame],
    train: dict[int, np.ndarray],
    test: np.ndarray,
    days: int,
) -> np.ndarray:
    """Fit on the rows of some horizons and predict at one."""
    main = train[days]
    encoder = Encoder.fit(values.iloc[main])
    parts = [
        np.column_stack(
            [encoder.transform(values.iloc[chosen]), np.full(len(chosen), float(horizon))]
        )
        for horizon, chosen in train.items()
    ]
    labels = np.concatenate(
        [rows[horizon]["label"].to_numpy()[chosen] for horizon, chosen in train.items()]
    )
    size = sized_parameters(int(rows[days]["label"].to_numpy()[main].sum()), len(main))
    size["min_rows_leaf"] = size["min_rows_leaf"] * len(labels) // len(main)
    constraint = {"monotone_constraints": [*[0] * len(encoder.columns), 1]}
    model = TenureClassifier(threads=1, extra=size | constraint)
    model.fit(np.vstack(parts), labels, categorical=encoder.categorical)
    asked = encoder.transform(values.iloc[test])
    column = np.full(len(test), float(days))
    return np.asarray(model.predict_proba(np.column_stack([asked, column]))[:, 1])


if __name__ == "__main__":
    main()
