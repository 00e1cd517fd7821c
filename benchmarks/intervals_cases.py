"""Models of simulated books, with the true probability of each row they are to score next."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from businesses import Options, simulate
from intervals_worlds import Recipe, table
from numpy.typing import NDArray
from truth.demo_truth import Replay, write_oracle

from tenure.core.config import Config, ModelConfig, load_config
from tenure.core.progress import SILENT
from tenure.demo import write_world
from tenure.labels.targets import TARGETS
from tenure.model.backtest.walk_forward import WalkForward, walk_forward
from tenure.model.boosting.encoder import Matrix
from tenure.model.boosting.fit import FittedModel
from tenure.model.calibration.interval import Interval
from tenure.model.calibration.losses import log_odds
from tenure.model.settings import FitSettings
from tenure.run.prepare import loaded, prepare

Floats = NDArray[np.float64]

KEYS = ["account_id", "as_of"]
FIRST_TRUTH = 16
"""Month of a demo world from which true probabilities are drawn."""
REPLAYS = 32


@dataclass(frozen=True)
class Case:
    """A fitted model and the truth of the rows it is to score next.

    Attributes:
        maker: What made the world.
        recipe: Its strength, base rate, outcomes and hidden effects, as far as they were chosen.
        outcomes: Distinct outcomes that the model learnt from.
        interval: The interval of the model.
        matrix: Encoded columns of each row.
        probabilities: Of the model, for each row.
        truth: True probability of each row.
        earlier: Share of the true probabilities inside the bounds over all folds of the backtest.
    """

    maker: str
    recipe: Recipe
    outcomes: int
    interval: Interval
    matrix: Matrix
    probabilities: Floats
    truth: Floats
    earlier: float

    def inside(self, interval: Interval | None = None) -> NDArray[np.bool_]:
        """Return whether each true probability lies inside the bounds, of another interval too."""
        lo, hi = (interval or self.interval).bounds(self.probabilities, self.matrix)
        return np.asarray((lo <= self.truth) & (self.truth <= hi))

    @property
    def width(self) -> float:
        """Mean width of the bounds, in log-odds."""
        lo, hi = self.interval.bounds(self.probabilities, self.matrix)
        return float((log_odds(hi) - log_odds(lo)).mean())

    @property
    def strength(self) -> float:
        """Standard deviation of the true log-odds."""
        return float(log_odds(self.truth).std())


def tabular(recipe: Recipe) -> Case:
    """Return the case of a simulated table."""
    book = table(recipe)
    settings = FitSettings(ModelConfig(threads=1))
    walk = walk_forward(book.values, book.rows, settings, early=book.early)
    return _case(recipe.shape, recipe, walk, (book.values, book.rows, book.truth))


def business(kind: str, options: Options, targets: tuple[str, ...] = ("churn",)) -> Iterator[Case]:
    """Yield a case for each target of a simulated business."""
    world = simulate(kind, options)
    chances = world.truth(replays=16).set_index(KEYS)
    recipe = Recipe(
        kind, options.signal, options.base_rate, hidden_sd=options.hidden_sd, seed=options.seed
    )
    with tempfile.TemporaryDirectory() as folder:
        config = load_config(world.write(Path(folder)))
        truths = {target: chances[f"{target}_90"] for target in targets}
        yield from _walked(kind, recipe, config, truths)


def demo(seed: int) -> Iterator[Case]:
    """Yield a case for each target of a demo world."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_world(root / "data", seed=seed)
        (root / "config.yaml").write_text("data: {path: data}\n", encoding="utf-8")
        replay = Replay(REPLAYS, FIRST_TRUTH)
        truth = pd.read_parquet(write_oracle(root / "truth", seed=seed, replay=replay))
        chances = {
            str(target): rows.set_index(KEYS)["probability"]
            for target, rows in truth.groupby("target")
        }
        recipe = Recipe("demo", seed=seed)
        yield from _walked("demo", recipe, load_config(root / "config.yaml"), chances)


def _walked(
    maker: str, recipe: Recipe, config: Config, truths: dict[str, pd.Series[float]]
) -> Iterator[Case]:
    with loaded(config, thorough=False) as dataset:
        prepared = prepare(config, dataset)
    for target, chances in truths.items():
        rows = prepared.labels[target]
        settings = FitSettings.of(config, prepared.plan.ranked, TARGETS[target].outcome)
        walk = walk_forward(
            prepared.matrix.values,
            rows,
            settings.with_model(threads=1),
            since=prepared.matrix.since,
            early=prepared.early.get(target),
            progress=SILENT,
        )
        truth = np.asarray(chances.reindex(pd.MultiIndex.from_frame(rows[KEYS])), dtype=np.float64)
        yield _case(f"{maker}, {target}", recipe, walk, (prepared.matrix.values, rows, truth))


def _case(
    maker: str,
    recipe: Recipe,
    walk: WalkForward,
    book: tuple[pd.DataFrame, pd.DataFrame, Floats],
) -> Case:
    values, rows, truth = book
    newest = np.flatnonzero((rows["as_of"] == rows["as_of"].max()).to_numpy() & ~np.isnan(truth))
    used, final, past = values.iloc[newest], walk.final, walk.predictions
    assert isinstance(final, FittedModel)
    assert final.interval is not None
    known = truth[past["row"].to_numpy()]
    inside = (past["probability_lo"] <= known) & (known <= past["probability_hi"])
    positive = rows["label"] == 1
    return Case(
        maker=maker,
        recipe=recipe,
        outcomes=int(rows.loc[positive, "outcome_id"].nunique()),
        interval=final.interval,
        matrix=final.encoder.transform(used),
        probabilities=final.probabilities(used),
        truth=truth[newest],
        earlier=float(inside[~np.isnan(known)].mean()),
    )
