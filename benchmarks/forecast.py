"""Whether intervals of the forecast hold, and whether it beats plain rates, on past quarters.

    nice python benchmarks/forecast.py [--seeds 0 1 2 3 4] [--accounts 700] [--data churnsim]
                                       [--keep FOLDER]

Worlds of the demo are made, their models walked through the past without baselines and bounds
(which no forecast reads), and every forecast is made as it would have been then.  The last five
quarters of a world do not overlap; beside them stand all past starts, of which successive ones
overlap.  The past of each world is written to a folder where one is named, so that a run that was
stopped goes on, and another way to forecast is measured without fitting models again.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import chdir
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
from record import Claim, record

from tenure.core.config import Config, load_config, make_config
from tenure.core.records.forecast import PeriodName
from tenure.demo import write_world
from tenure.labels.targets import TARGETS
from tenure.model.backtest.walk_forward import walk_forward
from tenure.model.settings import FitSettings
from tenure.run.prepare import loaded, prepare
from tenure.success.forecast.past import BOOK, with_outcomes
from tenure.success.forecast.periods import APART, MONTHS, spaced
from tenure.success.forecast.track import PastForecasts

ROOT = Path(__file__).parent.parent
RETENTION = ("gross_revenue_retention", "net_revenue_retention")
OTHERS = ("logo_churn_rate", "expanded_mrr", "gross_renewal_rate")
NAIVE = {"last_period": "the last period's rate", "mean_of_4": "the mean of the last four"}
LAST, LEVEL = 5, 0.8
PREDICTED = ["account_id", "as_of", "probability", "label", "label_known_at"]
Forecasts = Mapping[PeriodName, pd.DataFrame]
Past = tuple[dict[PeriodName, pd.DataFrame], dict[str, dict[int, pd.DataFrame]]]


def past(config: Config) -> Past:
    """Return what happened in the past of a run, and what was predicted out of time."""
    with loaded(config, thorough=False) as dataset:
        prepared = prepare(config, dataset)
        predictions = {}
        for name in config.targets:
            settings = FitSettings.of(config, prepared.plan.ranked, TARGETS[name].outcome)
            walk = walk_forward(
                prepared.matrix.values,
                prepared.labels[name],
                replace(settings, bare=True),
                since=prepared.matrix.since,
                early=prepared.early.get(name),
            )
            predictions[name] = {config.labels.horizon_days: walk.predictions[PREDICTED]}
        rows = prepared.labels[config.targets[0]]
        book = rows.loc[rows["as_of"].isin(spaced(prepared.cutoffs, APART)), list(BOOK)]
        return {period: with_outcomes(dataset, book, period) for period in MONTHS}, predictions


def forecasts(name: str, make: Callable[[], Past], keep: Path | None) -> Forecasts:
    """Return the past forecasts of a world, by the length of their period."""
    folder = keep / name if keep else None
    if folder and folder.is_dir():
        rows, predictions = read_past(folder)
    else:
        rows, predictions = make()
        if folder:
            write_past((rows, predictions), folder)
        print(f"measured {name}", flush=True)
    return {
        period: PastForecasts(rows[period], predictions, period, LEVEL).rows() for period in MONTHS
    }


def write_past(made: Past, folder: Path) -> None:
    """Write the past of a world, one file per table."""
    rows, predictions = made
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    for period, frame in rows.items():
        frame.to_parquet(unfinished / f"{period}.parquet")
    for target, by_horizon in predictions.items():
        for horizon, frame in by_horizon.items():
            frame.to_parquet(unfinished / f"{target}-{horizon}.parquet")
    unfinished.rename(folder)


def read_past(folder: Path) -> Past:
    """Return what `write_past` wrote."""
    rows = {period: pd.read_parquet(folder / f"{period}.parquet") for period in MONTHS}
    predictions: dict[str, dict[int, pd.DataFrame]] = {}
    for file in sorted(folder.glob("*-*.parquet")):
        target, horizon = file.stem.rsplit("-", 1)
        predictions.setdefault(target, {})[int(horizon)] = pd.read_parquet(file)
    return rows, predictions


def demo(seed: int, accounts: int) -> Past:
    """Return the past of a demo world."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        write_world(Path(folder) / "data", accounts=accounts, seed=seed)
        settings = {
            "data": {"path": "data", "constant_attributes": ["region"]},
            "model": {"threads": 1},
            "engine": {"threads": 1},
        }
        return past(make_config(settings, base=Path(folder)))


def outside(name: str) -> Past:
    """Return the past of a data set that a config of the same name describes."""
    config = load_config(ROOT / "configs" / f"{name}.yaml", {"model": {"threads": 1}})
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        return past(config)


def apart(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the last five forecasts of quarters that do not overlap."""
    times = spaced([time.to_pydatetime() for time in rows["as_of"]], 80)[-LAST:]
    return rows[rows["as_of"].isin(times)]


def claims(what: str, rows: pd.DataFrame, names: tuple[str, ...], *, limits: bool) -> list[Claim]:
    """Return how forecasts did: coverage, bias, and errors beside those of plain rates."""
    result = []
    for name in names:
        part = rows[rows["name"] == name]
        actual = part["actual"]
        held = float(((part["lo"] <= actual) & (actual <= part["hi"])).mean())
        error = float((part["value"] - actual).abs().mean())
        label = f"{what}: {name.replace('_', ' ')}"
        low, high = (0.7, 0.9) if limits else (None, None)
        result += [
            Claim(f"{label}, 80 % intervals held, of {len(part)}", held, "", low, at_most=False),
            Claim(f"{label}, the same", held, "", high),
            Claim(f"{label}, bias", float((part["value"] - actual).mean()), ""),
        ]
        for column, words in NAIVE.items():
            naive = float((part[column] - actual).abs().mean())
            result.append(Claim(f"{label}, error of {words}", naive, ""))
            limit = naive if limits and column == "last_period" else None
            result.append(Claim(f"{label}, error beside it", error, "", limit))
    return result


def main() -> None:
    """Measure and write ``benchmarks/results/forecast.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2, 3, 4])
    parser.add_argument("--accounts", type=int, default=700)
    parser.add_argument("--data", nargs="*", default=["churnsim"])
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    keep, size = options.keep, options.accounts
    worlds = [
        forecasts(f"demo-{seed}-{size}", partial(demo, seed, size), keep) for seed in options.seeds
    ]
    quarters = [world["quarter"] for world in worlds]
    several = f"{len(worlds)} demo worlds of {size} accounts"
    last = pd.concat([apart(rows) for rows in quarters])
    measured = claims(f"{several}, last {LAST} quarters", last, RETENTION, limits=True)
    measured += claims(f"{several}, all quarters", pd.concat(quarters), RETENTION, limits=True)
    measured += claims(f"{several}, all quarters", pd.concat(quarters), OTHERS, limits=False)
    months = pd.concat([world["month"] for world in worlds])
    measured += claims(f"{several}, all months", months, RETENTION, limits=True)
    default = (ROOT / ".." / "shared" / "data").resolve()
    data = Path(os.environ.setdefault("TENURE_TESTDATA", str(default)))
    for name in options.data:
        if not data.is_dir():
            print(f"skipped {name}: {data} is not there")
            continue
        for period, rows in forecasts(name, partial(outside, name), keep).items():
            measured += claims(f"{name}, all {period}s", rows, RETENTION, limits=True)
    record("forecast", measured)


if __name__ == "__main__":
    main()
