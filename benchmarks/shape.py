"""Leaks of shape: how many planted ones are caught, and how often honest worlds are called so.

    python benchmarks/shape.py [--seeds 1] [--accounts 1500] [--data saas_growth churnsim]

Honest worlds are businesses of another making, with and without a shock, the demo world, and an
outside data set.  In leaking ones each account has some sixty usage events, whatever the length of
its life, spread over it.  Of every world churn is walked through without bounds and baselines.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import chdir
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from businesses import KINDS, World, simulate
from businesses.options import Options, Shock
from record import Claim, record

from tenure.audit.lifetime import lifetimes
from tenure.audit.skill import skill
from tenure.core.config import Config, load_config
from tenure.core.records.base import UNMEASURED
from tenure.core.records.shape import DirectionRecord, LifetimeRecord, SkillRecord
from tenure.demo import write_world
from tenure.labels.targets import TARGETS
from tenure.model.backtest.walk_forward import walk_forward
from tenure.model.settings import FitSettings
from tenure.run.prepare import loaded, prepare
from tenure.run.shape import learnt_directions

ROOT = Path(__file__).parent.parent
SHOCKS: tuple[Shock, ...] = ("none", "passes", "stays", "season")
SIZES = {"weekly": 150, "surveys_only": 4_000}
LEAKING = ("saas", "hierarchical", "bursty", "strong")
EVENTS, RECENT = 60, 4_000
OUTSIDE = ("saas_growth", "churnsim")


@dataclass(frozen=True)
class Shape:
    """What the audit says of one world.

    Attributes:
        name: Of the world.
        tables: Tables that look made for whole lives, or cut off.
        skill: Skill towards the end of observation.
        directions: Drivers against their declared direction.
    """

    name: str
    tables: list[LifetimeRecord]
    skill: SkillRecord | None
    directions: DirectionRecord | None

    @property
    def items(self) -> tuple[bool, bool, bool]:
        """Whether each of the three audit items speaks."""
        return (
            bool(self.tables),
            bool(self.skill and self.skill.falls),
            bool(self.directions and self.directions.suspicious),
        )


def shape(name: str, config: Config) -> Shape:
    """Return what the audit says of a world."""
    with loaded(config, thorough=False) as dataset:
        tables = lifetimes(dataset)
        prepared = prepare(config, dataset)
    settings = FitSettings.of(config, prepared.plan.ranked, TARGETS["churn"].outcome)
    settings = replace(settings, bare=True).with_model(threads=1)
    rows, values = prepared.labels["churn"], prepared.matrix.values
    early, since = prepared.early.get("churn"), prepared.matrix.since
    walk = walk_forward(values, rows, settings, since=since, early=early)
    used = walk.final.encoder.frame(values)
    recent = used.iloc[np.sort(walk.train)[-RECENT:]]
    moved = walk.final.contributions(recent)[:, :-1]
    learnt, known = used.iloc[walk.train], rows.iloc[walk.train]
    found = Shape(
        name,
        tables,
        skill(walk.predictions, UNMEASURED, config.labels.horizon_days, config.model.seed),
        learnt_directions("churn", moved, recent, learnt, known, prepared.plan),
    )
    print(name, found.items, [item.table for item in tables], *_figures(found), flush=True)
    return found


def _figures(found: Shape) -> list[str]:
    lost = f"lost {found.skill.lost:.2f}" if found.skill else "no skill"
    against = f"against {found.directions.share:.3f}" if found.directions else "none declared"
    return [lost, against]


def spread(world: World) -> World:
    """Return a world whose usage was made for whole lives."""
    rng = np.random.default_rng(world.options.seed)
    paid, usage = world.tables["subscriptions"].copy(), world.tables["usage_events"]
    paid["ended_at"] = paid["ended_at"].fillna(world.observed_until)
    lives = paid.groupby("account_id").agg(began=("started_at", "min"), ended=("ended_at", "max"))
    owner = np.repeat(np.arange(len(lives)), rng.poisson(EVENTS, len(lives)))
    own = lives.iloc[owner]
    times = own["began"] + (own["ended"] - own["began"]) * rng.random(len(own))
    names = usage["event"].sample(len(own), replace=True, random_state=world.options.seed)
    columns = {
        "account_id": own.index.to_numpy(),
        "event": names.to_numpy(),
        "occurred_at": times.to_numpy(),
    }
    made = pd.DataFrame(columns).sort_values("occurred_at", ignore_index=True)
    made = made[made["occurred_at"] >= usage["occurred_at"].min()]
    return replace(world, tables={**world.tables, "usage_events": made})


def honest(seeds: list[int], accounts: int) -> Iterator[Shape]:
    """Yield the shapes of honest worlds."""
    for number, kind in enumerate(KINDS):
        for seed in seeds:
            shock = SHOCKS[(number + seed) % len(SHOCKS)]
            size = SIZES.get(kind, accounts)
            world = simulate(kind, Options(seed=seed, n_accounts=size, shock=shock))
            yield _inside(f"{kind}, {shock}", world.write)
    yield _inside("demo", _demo)


def leaking(accounts: int) -> Iterator[Shape]:
    """Yield the shapes of worlds whose usage was made for whole lives."""
    for kind in LEAKING:
        world = spread(simulate(kind, Options(seed=7, n_accounts=accounts)))
        yield _inside(f"{kind}, usage spread over lives", world.write)


def _inside(name: str, write: Callable[[Path], Path]) -> Shape:
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        return shape(name, load_config(write(Path(folder))))


def _demo(folder: Path) -> Path:
    write_world(folder / "data", seed=1)
    path = folder / "config.yaml"
    path.write_text("data: {path: data}\ntargets: [churn]\n", encoding="utf-8")
    return path


def outside(name: str) -> Shape:
    """Return the shape of an outside data set, by the config of its name."""
    config = load_config(ROOT / "configs" / f"{name}.yaml")
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        return shape(name, config.model_copy(update={"targets": ["churn"]}))


def claims(good: list[Shape], bad: list[Shape], known: Shape | None) -> list[Claim]:
    """Return hits and false alarms of each item, of worlds and of the known leak."""
    items = ("rows against lifetimes", "skill towards the end of the data", "directions")
    results = []
    for place, item in enumerate(items):
        false, hits = (sum(world.items[place] for world in part) for part in (good, bad))
        what = f"honest worlds called so, of {len(good)}: {item}"
        results.append(Claim(what, false, "", len(good) / 20))
        # The first item is certain and has to catch them all; the others are suspicions.
        least = len(bad) if place == 0 else None
        what = f"leaking worlds caught, of {len(bad)}: {item}"
        results.append(Claim(what, hits, "", least, at_most=False))
        if known is not None:
            what = f"{known.name} caught: {item}"
            results.append(Claim(what, float(known.items[place]), "", 1, at_most=False))
    shares = [world.directions.share for world in good if world.directions]
    highest = "largest share against declared directions"
    results.append(Claim(f"{highest}, honest worlds", max(shares), ""))
    if known is not None and known.directions is not None:
        results.append(Claim(f"{highest}, {known.name}", known.directions.share, ""))
    return results


def main() -> None:
    """Measure and write ``benchmarks/results/shape.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    parser.add_argument("--accounts", type=int, default=1_500)
    parser.add_argument("--data", nargs="*", choices=OUTSIDE, default=list(OUTSIDE))
    options = parser.parse_args()
    default = (ROOT / ".." / "shared" / "data").resolve()
    data = Path(os.environ.setdefault("TENURE_TESTDATA", str(default)))
    present = options.data if data.is_dir() else []
    known = outside("saas_growth") if "saas_growth" in present else None
    bad = list(leaking(options.accounts))
    good = [outside(name) for name in present if name != "saas_growth"]
    good += honest(options.seeds, options.accounts)
    record("shape", claims(good, bad, known))


if __name__ == "__main__":
    main()
