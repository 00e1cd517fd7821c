"""Change one thing of the default model at a time, and see what it does to later predictions.

    python benchmarks/ablation.py                                    # what is not yet measured
    python benchmarks/ablation.py --data churnsim --variants default,stumps
    python benchmarks/ablation.py --again                            # everything anew

Each variant walks forward through the same past: every prediction time is predicted by a model of
what was known then.  Gains are in log loss, beside the default on the same rows; intervals resample
accounts.  Features and predictions stay in a folder (``--folder``), so that an interrupted run goes
on where it was.  Writes ``benchmarks/results/ablation.json`` and ``docs/ablation.md``, there with
what ``benchmarks/phases.py`` found.

Where the true probabilities are known (the demo worlds), a variant is also compared by these: the
loss that is to be expected of a row has no luck of its outcome in it.

The worlds on which accuracy is measured are not among the data.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from peers.ablation_page import page
from peers.accuracy_sets import ACCOUNTS, DataSet
from record import RESULTS
from sklearn.metrics import roc_auc_score
from truth.demo_truth import Replay, write_oracle

from tenure.core.config import Config
from tenure.core.files import write_text
from tenure.core.progress import StageLines
from tenure.core.sections import TuningConfig
from tenure.labels.splits import forward_origins
from tenure.labels.targets import TARGETS
from tenure.model.backtest.walk_forward import walk_forward
from tenure.model.boosting.fit import fit_booster
from tenure.model.boosting.sizes import sized_parameters
from tenure.model.calibration.losses import log_loss
from tenure.model.evaluation.bootstrap import Resamples, interval, ranking
from tenure.model.settings import FitSettings
from tenure.run.prepare import Prepared, loaded, prepare

if TYPE_CHECKING:
    import lightgbm as lgb

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "ablation.md"
RESULT = RESULTS / "ablation.json"
PHASES = RESULTS / "phases.json"
DATA = (
    DataSet("churnsim", ("churn", "expansion")),
    DataSet("demo_101", ("churn", "expansion"), 101),
    DataSet("demo_102", ("churn", "expansion"), 102),
)
Floats = NDArray[np.float64]
KEYS = ["account_id", "as_of"]
DEFAULT = "default"
COLUMNS = 40
RESAMPLES = 500
FUTURES, FROM_MONTH = 32, 12
"""Of a world: futures drawn per prediction time, and the month of the first."""
LEVEL = 0.95
DEEPEST_LEAVES = 32


class Case:
    """One target of one data set."""

    def __init__(self, prepared: Prepared, config: Config, target: str) -> None:
        self.target = TARGETS[target]
        self.rows, self.values = prepared.labels[target], prepared.matrix.values
        self.since = prepared.matrix.since
        self.ranked = prepared.plan.ranked
        settings = FitSettings.of(config, self.ranked, self.target.outcome)
        self.settings = replace(settings, bare=True)
        said = prepared.plan.described.values()
        self.directions = {spec.name: spec.direction for spec in said}
        self.directions |= {item.name: item.direction for item in self.ranked}

    @cached_property
    def size(self) -> dict[str, float]:
        """Sizes of the default that suit all labels."""
        return sizes(self.rows)

    @property
    def monotone(self) -> dict[str, int]:
        """Signs of the columns whose direction is declared, for what the target predicts."""
        sign = 1 if self.target.bad else -1
        return {name: sign * way for name, way in self.directions.items() if way}

    @cached_property
    def strongest(self) -> set[str]:
        """Columns of the greatest gain in a booster of what the first evaluated fold knows."""
        settings = self.settings
        first = forward_origins(
            self.rows,
            min_train_cutoffs=settings.model.min_train_cutoffs,
            min_train_positives=settings.model.min_train_positives,
            max_folds=settings.max_folds or len(self.rows),
        ).origins[0]
        late = [name for name, start in self.since.items() if start > first.as_of]
        values = self.values.drop(columns=late).iloc[first.train]
        labels = self.rows["label"].to_numpy(dtype=np.float64, na_value=np.nan)[first.train]
        booster = fit_booster(values, labels, settings)
        model: lgb.Booster = booster.model.booster_
        order = np.argsort(-model.feature_importance("gain"), kind="stable")[:COLUMNS]
        return {booster.encoder.columns[place] for place in order}

    def walk(self, values: pd.DataFrame, settings: FitSettings) -> pd.DataFrame:
        """Return the predictions of the evaluated folds."""
        since = {name: start for name, start in self.since.items() if name in values}
        walked = walk_forward(values, self.rows, settings, since=since, progress=StageLines())
        return walked.predictions[[*KEYS, "label", "probability"]]


def sizes(rows: pd.DataFrame) -> dict[str, float]:
    """Return the sizes of the default that suit all labels of some rows."""
    labels = rows["label"].dropna()
    positives = int(labels.sum())
    return dict(sized_parameters(min(positives, len(labels) - positives), len(labels)))


Run = Callable[[Case], pd.DataFrame]


@dataclass(frozen=True)
class Variant:
    """One change of the default.

    Attributes:
        said: What is changed, in words.
        run: Walks a case with the change.
    """

    said: str
    run: Run = field(repr=False)


def fixed(**parameters: Any) -> Run:
    """Return a run with some parameters fixed."""
    return lambda case: fitted(case, parameters=parameters)


def sized(make: Callable[[Mapping[str, float]], dict[str, Any]]) -> Run:
    """Return a run with parameters that follow from the default's sizes for all labels."""
    return lambda case: fitted(case, parameters=make(case.size))


def fitted(case: Case, **change: Any) -> pd.DataFrame:
    return case.walk(case.values, case.settings.with_model(**change))


def seeds(case: Case) -> pd.DataFrame:
    runs = [fitted(case, seed=seed) for seed in range(3)]
    return runs[0].assign(probability=sum(run["probability"] for run in runs) / len(runs))


def fewer(case: Case) -> pd.DataFrame:
    """Keep the strongest columns, and those that the percentiles among them are looked up by."""
    ranked = tuple(item for item in case.ranked if item.name in case.strongest)
    kept = set(case.strongest)
    for item in ranked:
        kept |= {item.of, *item.within, *([item.band] if item.band else [])}
    values = case.values[[name for name in case.values.columns if name in kept]]
    return case.walk(values, replace(case.settings, ranked=ranked))


def tuned(case: Case) -> pd.DataFrame:
    return fitted(case, tuning=TuningConfig(trials=30))


VARIANTS = {
    DEFAULT: Variant("the default", fitted),
    "node": Variant(
        "each split chooses among half of its tree's columns",
        fixed(feature_fraction_bynode=0.5),
    ),
    "extra": Variant(
        "one random threshold per column (extra trees)",
        fixed(extra_trees=True),
    ),
    "smooth": Variant(
        "leaves drawn to their parents (path smoothing 10)",
        fixed(path_smooth=10.0),
    ),
    "former": Variant(
        "200 faster trees, less held back (rate 0.04, l2 5, bags of 0.8, no smoothing)",
        fixed(
            rounds=200,
            learning_rate=0.04,
            l2=5.0,
            bagging_fraction=0.8,
            path_smooth=0.0,
        ),
    ),
    "slower": Variant(
        "half the learning rate, twice the trees",
        sized(
            lambda size: {
                "learning_rate": size["learning_rate"] / 2,
                "rounds": int(size["rounds"] * 2),
            }
        ),
    ),
    "longer": Variant(
        "half as many trees again", sized(lambda size: {"rounds": int(size["rounds"] * 1.5)})
    ),
    "shallower": Variant(
        "one level less",
        sized(
            lambda size: {
                "depth": max(1, int(size["depth"]) - 1),
                "leaves": max(2, int(size["leaves"]) // 2),
            }
        ),
    ),
    "deeper": Variant(
        "one level more",
        sized(
            lambda size: {
                "depth": int(size["depth"]) + 1,
                "leaves": min(DEEPEST_LEAVES, int(size["leaves"]) * 2),
            }
        ),
    ),
    "stumps": Variant(
        "trees of one split, twice as many",
        sized(lambda size: {"depth": 1, "leaves": 2, "rounds": int(size["rounds"] * 2)}),
    ),
    "unbagged": Variant("every tree sees all rows", fixed(bagging_fraction=1.0)),
    "monotone": Variant(
        "columns held to their declared direction",
        lambda case: fitted(case, monotone=case.monotone),
    ),
    "seeds": Variant("the mean over 3 seeds", seeds),
    "fewer": Variant(f"the {COLUMNS} strongest columns of the first fold", fewer),
    "tuned": Variant("30 trials of tuning, in the past of each sixth fold", tuned),
}
SAID = {name: variant.said for name, variant in VARIANTS.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="", help="names of data sets, by commas; default: all")
    parser.add_argument("--targets", default="", help="likewise of targets")
    parser.add_argument("--variants", default="", help="likewise of variants")
    parser.add_argument("--folder", type=Path, default=Path("runs/ablation"))
    parser.add_argument("--again", action="store_true", help="measure what was measured before")
    options = parser.parse_args()
    os.environ.setdefault("TENURE_TESTDATA", str((ROOT / ".." / "shared" / "data").resolve()))
    names = list(dict.fromkeys([DEFAULT, *_names(options.variants, VARIANTS)]))
    found: dict[str, Any] = json.loads(RESULT.read_text()) if RESULT.is_file() else {}
    chosen = {item.name: item for item in DATA}
    for name in _names(options.data, chosen):
        truth = _truth(chosen[name], options.folder / name)
        for case, folder in _cases(chosen[name], options, names):
            measure(case, folder, names, found, truth)
    phases = json.loads(PHASES.read_text()) if PHASES.is_file() else {}
    PAGE.write_text(page(found, SAID, phases), encoding="utf-8")


def _names(given: str, known: Mapping[str, Any]) -> list[str]:
    names = [name for name in given.split(",") if name] or list(known)
    if unknown := set(names) - set(known):
        raise SystemExit(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    return names


def _cases(
    chosen: DataSet, options: argparse.Namespace, names: list[str]
) -> list[tuple[Case | None, Path]]:
    """Return the targets of a data set; without features where nothing is left to measure."""
    targets = [name for name in chosen.targets if name in (options.targets or name).split(",")]
    folders = {name: options.folder / chosen.name / name for name in targets}
    if options.again:
        for folder in folders.values():
            for name in names:
                _file(folder, name).unlink(missing_ok=True)
    if all(_file(folder, name).exists() for folder in folders.values() for name in names):
        return [(None, folder) for folder in folders.values()]
    config = chosen.config(options.folder / chosen.name)
    with loaded(config, StageLines(), thorough=False) as dataset:
        prepared = prepare(config, dataset)
    return [(Case(prepared, config, name), folder) for name, folder in folders.items()]


def _truth(chosen: DataSet, folder: Path) -> pd.DataFrame | None:
    """Return the true probabilities of a world; nothing of other data."""
    if chosen.seed is None:
        return None
    path = folder / "truth" / "oracle.parquet"
    if not path.exists():
        replay = Replay(FUTURES, FROM_MONTH)
        write_oracle(path.parent, accounts=ACCOUNTS, seed=chosen.seed, replay=replay)
    return pd.read_parquet(path)


def measure(
    case: Case | None,
    folder: Path,
    names: list[str],
    found: dict[str, Any],
    truth: pd.DataFrame | None,
) -> None:
    """Walk what has not been walked, and compare each variant with the default."""
    folder.mkdir(parents=True, exist_ok=True)
    if truth is not None:
        mine = truth[truth["target"] == folder.name]
        truth = mine[[*KEYS, "probability"]].rename(columns={"probability": "truth"})
    for name in names:
        path = _file(folder, name)
        if not path.exists() and case is not None:
            started = time.process_time()
            rows = VARIANTS[name].run(case)
            rows.attrs["seconds"] = time.process_time() - started
            rows.to_parquet(path, index=False)
        default = pd.read_parquet(_file(folder, DEFAULT))
        entry = compared(pd.read_parquet(path), default)
        if truth is not None:
            entry |= by_truth(pd.read_parquet(path), default, truth)
        found.setdefault(f"{folder.parent.name} {folder.name}", {})[name] = entry
        write_text(RESULT, json.dumps(found, indent=1, sort_keys=True) + "\n")
        print(folder.parent.name, folder.name, name, entry["auc"], entry["gain"], flush=True)


def _file(folder: Path, name: str) -> Path:
    return folder / f"{name}.parquet"


def compared(rows: pd.DataFrame, default: pd.DataFrame) -> dict[str, Any]:
    """Return what a variant reaches, and what it gains over the default on the same rows."""
    pairs = rows.merge(default, on=KEYS, suffixes=("", "_default"), validate="1:1")
    labels = pairs["label"].to_numpy(dtype=np.float64)
    draws = Resamples.draw(pairs["account_id"].to_numpy(dtype=str), RESAMPLES, 0)
    loss = log_loss(labels, pairs["probability"].to_numpy())
    before = log_loss(labels, pairs["probability_default"].to_numpy())
    size, lost, gained = draws.sums(np.column_stack([np.ones(len(loss)), loss, before - loss])).T
    return {
        "rows": len(pairs),
        "positives": int(labels.sum()),
        "auc": interval(ranking(draws, labels, pairs["probability"].to_numpy(), ()).auc, LEVEL),
        "log_loss": interval(lost / size, LEVEL),
        "gain": interval(gained / size, LEVEL),
        "seconds": rows.attrs["seconds"],
    }


def by_truth(rows: pd.DataFrame, default: pd.DataFrame, truth: pd.DataFrame) -> dict[str, Any]:
    """Return what a variant is to be expected to reach, by the true probabilities."""
    pairs = rows.merge(default, on=KEYS, suffixes=("", "_default")).merge(truth, on=KEYS)
    true = pairs["truth"].to_numpy(dtype=np.float64)
    draws = Resamples.draw(pairs["account_id"].to_numpy(dtype=str), RESAMPLES, 0)
    loss = log_loss(true, pairs["probability"].to_numpy())
    before = log_loss(true, pairs["probability_default"].to_numpy())
    size, gained = draws.sums(np.column_stack([np.ones(len(loss)), before - loss])).T
    mine, best = (_expected_auc(true, pairs[name].to_numpy()) for name in ("probability", "truth"))
    return {"share": (mine - 0.5) / (best - 0.5), "true_gain": interval(gained / size, LEVEL)}


def _expected_auc(true: Floats, scores: Floats) -> float:
    """Return the AUC where each row is an outcome with its true probability."""
    outcome = np.repeat([1, 0], len(true))
    weights = np.concatenate([true, 1 - true])
    return float(roc_auc_score(outcome, np.tile(scores, 2), sample_weight=weights))


if __name__ == "__main__":
    main()
