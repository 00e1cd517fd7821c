"""Scores: bundle + data + `as_of` → one flat row per account and horizon.

The same function serves a batch, a backtest and one account over HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from tenure.core.errors import DataError, Problem
from tenure.core.times import days, now, show
from tenure.explain.contributions import explanation
from tenure.explain.drivers import (
    FIELDS,
    NUMBERS_SHAPE,
    TOP,
    WORDS_SHAPE,
    as_text,
    driver_arrays,
    flat_columns,
    summarise,
)
from tenure.features.compute.matrix import FeatureMatrix, build
from tenure.features.coverage import PAYING, coverage, latest_known, paying, recency
from tenure.features.plan.plan import Plan, united_plan
from tenure.labels.snapshots import snapshots
from tenure.labels.targets import TARGETS
from tenure.labels.windows import RENEWAL
from tenure.score.abstain import abstention
from tenure.score.bands import bands, rank
from tenure.score.horizons import ScoreEntries, never_falling, score_entries
from tenure.score.model import Model, check_owner, load_models
from tenure.score.subtargets import capped_parts

if TYPE_CHECKING:
    from tenure.core.config import Config
    from tenure.explain.contributions import Explanation
    from tenure.model.evaluation.expected_amount import Amounts
    from tenure.sources.dataset import Dataset

__all__ = [
    "COLUMNS",
    "MAIN",
    "Model",
    "Scored",
    "check_owner",
    "check_tables",
    "features",
    "load_models",
    "score",
]

Array = np.ndarray[Any, Any]

MAIN = "churn"
GROWTH = "expansion"
STATE_TABLES = frozenset({"accounts", "subscriptions", "fx_rates"})
_DRIVERS = [f"driver_{place}_{field}" for place in range(1, TOP + 1) for field in FIELDS]
COLUMNS: tuple[str, ...] = (
    *("account_id", "as_of", "scored_at", "horizon_days", "mrr", "currency", "renews_at"),
    *("health_score", "churn_probability", "churn_probability_lo", "churn_probability_hi"),
    *("churn_rank", "churn_percentile", "risk_band", "mrr_at_risk", "probability_change"),
    *("base_rate", "model_name", "model_version", *_DRIVERS),
    *("expansion_probability", "expansion_probability_lo", "expansion_probability_hi"),
    *("expected_expansion_mrr", "expansion_base_rate", "expansion_model_version"),
    *(f"expansion_{name}" for name in _DRIVERS),
    *("data_coverage", "stale_sources", "abstain_reason"),
)


@dataclass(frozen=True)
class Contributions:
    """Contributions of the features of one horizon's model to some rows.

    Attributes:
        rows: Positions of the rows in `Scored.rows`, ascending, shape (n,).
        values: In log-odds before calibration, shape (n, columns + 1): columns as the model's,
            the base value last.  A row adds up to its score before calibration.
    """

    rows: Array
    values: Array


@dataclass(frozen=True)
class Scored:
    """Scores and what stands behind them.

    Attributes:
        rows: Flat rows, one per account and horizon.
        matrix: Snapshots of the accounts and their features, one row per account.
        models: Target → the model that was asked.
        contributions: Target → horizon, as text → contributions.
    """

    rows: pd.DataFrame
    matrix: FeatureMatrix
    models: Mapping[str, Model]
    contributions: Mapping[str, Mapping[str, Contributions]] = field(repr=False)

    def values(self, target: str) -> pd.DataFrame:
        """Return the features that a target's main model reads, one row per account."""
        return self.models[target].bundle.main.encoder.frame(self.matrix.values)

    def main(self, target: str) -> Contributions:
        """Return the contributions to a target's main horizon, one row per account."""
        return self.contributions[target][str(self.models[target].horizon_days)]

    def shap(self, target: str = MAIN) -> Explanation:
        """Return the contributions to a target's main horizon as a `shap.Explanation`."""
        model = self.models[target].bundle.main
        return explanation(model, self.values(target), self.main(target).values)

    def summary(self, target: str = MAIN) -> pd.DataFrame:
        """Return what moves the scores of the book, strongest first; see `summarise`."""
        contributions = self.main(target).values[:, :-1]
        return summarise(contributions, self.values(target), self.models[target].specs)


def score(  # noqa: PLR0913 - who, when and against which book are the caller's
    dataset: Dataset,
    models: Mapping[str, Model],
    config: Config,
    as_of: datetime,
    *,
    accounts: Iterable[str] | None = None,
    book: pd.DataFrame | None = None,
    horizons: Literal["main", "all"] = "main",
    progress: Callable[[str], None] | None = None,
) -> Scored:
    """Score the accounts with a paid subscription at `as_of`: one flat row per account and horizon.

    Args:
        dataset: Loaded tables.
        models: Target → model.
        config: Settings of bands, coverage and staleness.
        as_of: Prediction time; only what was known before it counts.
        accounts: Limits the rows to these accounts.
        book: Scored rows that rank and percentile refer to, those of the same horizon_days where
            it has that column; the result itself by default, none where it is empty.
        horizons: ``main``, or ``all`` for what the models know besides: those rows come after the
            rows of the main horizon.
        progress: Called with a line for each step.

    Returns:
        The rows, with the features and contributions behind them.  Their columns are those of the
        contract, section 4, in that order, then those of further targets.  The columns of a target
        are empty where its model does not know the horizon.

    Raises:
        DataError: If a table that a model needs is missing.
    """
    check_tables(dataset, models)
    _check_time(dataset, as_of)
    asked = snapshots(dataset, [as_of], None if accounts is None else sorted(set(accounts)))
    asked = asked.sort_values("account_id").reset_index(drop=True)
    further = paying() if config.score.min_tenure_days else None
    plan, begins = _united(models, further), known_begins(models)
    matrix = build(
        dataset.engine,
        asked,
        plan,
        known_begins=begins,
        pieces=dataset.pieces,
        progress=progress,
    )
    described = _describe(dataset, asked, matrix.values, models, config, as_of)
    ahead = score_entries(
        asked, models, config, described["abstain_reason"], every=horizons == "all"
    )
    flat = {name: ahead.spread(column) for name, column in described.items()}
    flat["horizon_days"] = ahead.days
    parts: dict[str, dict[str, Contributions]] = {}
    for target, model in models.items():
        parts[target] = {}
        flat |= _predict(target, model, matrix.values, ahead, parts[target])
    flat |= capped_parts(flat, ahead)
    return Scored(_finish(flat, ahead, models, config, book), matrix, dict(models), parts)


def _events(models: Mapping[str, Model]) -> frozenset[str]:
    """Return the tables of events that models read."""
    return frozenset().union(*(model.sources for model in models.values())) - STATE_TABLES


def features(
    dataset: Dataset,
    asked: pd.DataFrame,
    models: Mapping[str, Model],
    progress: Callable[[str], None] | None = None,
    further: Plan | None = None,
) -> FeatureMatrix:
    """Return the features of all models for some snapshots, each computed once, and `recency`.

    Args:
        dataset: Loaded tables.
        asked: Snapshots.
        models: Target → model.
        progress: Called with a line for each step.
        further: Columns that are measured besides.
    """
    union, begins = _united(models, further), known_begins(models)
    return build(dataset.engine, asked, union, known_begins=begins, progress=progress)


def _united(models: Mapping[str, Model], further: Plan | None) -> Plan:
    """Return the features of all models and `recency`, each once."""
    plans = [*(model.plan for model in models.values()), recency(_events(models))]
    return united_plan([*plans, *([further] if further else [])])


def known_begins(models: Mapping[str, Model]) -> dict[str, date]:
    """Return the first day of each source's history as the models knew it, the earliest of them."""
    found: dict[str, date] = {}
    for model in models.values():
        for source, day in model.begins.items():
            found[source] = min(day, found.get(source, day))
    return found


def check_tables(dataset: Dataset, models: Mapping[str, Model]) -> None:
    """Make sure that the data have every table and column that the models read.

    Raises:
        DataError: Naming what is missing, for every model.
    """
    problems = []
    for target, model in models.items():
        for table in sorted(model.sources):
            needed = set(model.bundle.spec["reads"].get(table, ()))
            if table not in dataset.columns:
                problems.append(Problem(table, f"the {target} model was trained with this table"))
            elif not dataset.has(table, *needed):
                lacking = ", ".join(sorted(needed - dataset.columns[table]))
                rule = f"the {target} model was trained with these columns"
                problems.append(Problem(table, rule, lacking))
    if problems:
        problems.append(Problem("next step", "give what is missing, or retrain without it"))
        raise DataError(*problems)


def _check_time(dataset: Dataset, as_of: datetime) -> None:
    if as_of > dataset.observed_until:
        raise DataError(
            Problem(
                "as_of",
                f"must not be later than {show(dataset.observed_until)}, when observation stopped",
                show(as_of),
                "score an earlier date, or load newer data",
            )
        )


def _describe(
    dataset: Dataset,
    asked: pd.DataFrame,
    values: pd.DataFrame,
    models: Mapping[str, Model],
    config: Config,
    as_of: datetime,
) -> dict[str, Any]:
    """Return what is known of each account before any model is asked, by column."""
    events, settings = _events(models), config.score
    share = coverage(values, events, settings.lookback_days)
    stale_before = as_of - days(settings.stale_after_days)
    latest = latest_known(dataset.engine, events, as_of)
    stale = [
        name for name, moment in sorted(latest.items()) if moment is None or moment < stale_before
    ]
    tenure = values[PAYING].to_numpy() if PAYING in values else np.full(len(asked), np.nan)
    notice = asked["notice_given"].to_numpy(dtype=bool)
    known = {"notice_given": notice, "coverage": share, "tenure_days": tenure}
    ends, renews = asked["ends_at"].to_numpy(), asked["renews_at"].to_numpy()
    silent = ", ".join(stale) or None
    said = np.full(len(asked), silent, dtype=object)
    return {
        **{name: asked[name].array for name in ("account_id", "as_of", "mrr", "currency")},
        "scored_at": np.full(len(asked), np.datetime64(now(), "us")),
        "renews_at": np.where(notice, ends, renews),
        "data_coverage": share,
        "stale_sources": as_text(said) if silent else said,
        "abstain_reason": abstention(known, events, stale, settings),
    }


def _predict(
    target: str,
    model: Model,
    values: pd.DataFrame,
    ahead: ScoreEntries,
    parts: dict[str, Contributions],
) -> dict[str, Any]:
    """Return a target's probability, base rate, version and drivers, empty where it abstains.

    The contributions behind them are put into `parts`, by horizon.
    """
    size, prefix = len(ahead.row), "" if target == MAIN else f"{target}_"
    main = str(model.horizon_days)
    within = {
        name: part[ahead.days[part] <= model.longest]
        for name, part in ahead.horizon.items()
        if name in model.horizons
    }
    groups = {name: part for name, part in within.items() if len(part)}
    numbers = np.full((len(_NUMBERS), size), np.nan)
    about = np.full((2, size), None, dtype=object)
    words = np.full((size, *WORDS_SHAPE), None, dtype=object)
    figures = np.full((size, *NUMBERS_SHAPE), np.nan)
    for name, part in (groups or {main: np.arange(0)}).items():
        chances, drivers, contributions = _at_horizon(target, model, name, values, (ahead, part))
        parts[name] = Contributions(part, contributions)
        numbers[:3, part], numbers[3, part] = chances, model.bundle.models[name].base_rate
        about[:, part] = [[model.bundle.version], [model.bundle.spec["model_name"]]]
        words[part], figures[part] = drivers
    if len(groups) > 1:
        part = np.concatenate(list(groups.values()))
        is_main = np.isin(part, groups.get(main, []))
        given = dict(zip(_NUMBERS[:3], numbers[:3, part], strict=True))
        risen = never_falling(ahead.frame(part, main=is_main, **given), list(given))
        numbers[:3, part] = risen[list(given)].to_numpy(dtype=np.float64).T
    chance = f"{target}_probability"
    found = {chance: numbers[0], f"{chance}_lo": numbers[1], f"{chance}_hi": numbers[2]}
    if target == GROWTH and model.amounts is not None:
        found[f"expected_{target}_mrr"] = numbers[0] * _amounts(model.amounts, values, ahead)
    spoken = as_text(about.ravel())
    found |= {f"{prefix}model_version": spoken[:size], f"{prefix}base_rate": numbers[3]}
    if target == MAIN:
        found["model_name"] = spoken[size:]
    return found | flat_columns(words, figures, prefix)


_NUMBERS = ("probability", "lo", "hi", "base_rate")


def _amounts(amounts: Amounts, values: pd.DataFrame, ahead: ScoreEntries) -> Array:
    """Return what is at stake in each entry."""
    if ahead.same:
        return amounts.expected(ahead.accounts, values)
    return amounts.expected(ahead.accounts.iloc[ahead.row], values.iloc[ahead.row])


def _at_horizon(
    target: str,
    model: Model,
    name: str,
    values: pd.DataFrame,
    asked: tuple[ScoreEntries, Array],
) -> tuple[Array, tuple[Array, Array], Array]:
    """Return what the model of one horizon says of some entries: chances, drivers, contributions.

    Chances are the probability and its bounds, shape (3, entries).
    """
    ahead, part = asked
    row, silent, fitted = ahead.row[part], ahead.silent[part], model.bundle.models[name]
    used = fitted.encoder.frame(values if ahead.everyone(row) else values.iloc[row])
    probability, contributions = fitted.scores_and_contributions(used)
    if TARGETS[target].outcome == "renewal":
        silent = silent | ~(ahead.due[part] <= ahead.days[part])
    words, figures = driver_arrays(
        contributions[:, :-1], used, model.specs, model.peers, TARGETS[target]
    )
    words[silent], figures[silent] = None, np.nan
    probability = np.where(silent, np.nan, probability)
    interval, nothing = fitted.interval, np.full(len(part), np.nan)
    lo, hi = interval.bounds(probability) if interval else (nothing, nothing)
    return np.stack([probability, lo, hi]), (words, figures), contributions


def _finish(
    flat: dict[str, Any],
    ahead: ScoreEntries,
    models: Mapping[str, Model],
    config: Config,
    book: pd.DataFrame | None,
) -> pd.DataFrame:
    """Add what follows from the probabilities, and put the columns in the contract's order."""
    size = len(ahead.row)
    if MAIN in models:
        risk = flat[f"{MAIN}_probability"]
        flat["health_score"] = 100 * (1 - risk)
        flat["mrr_at_risk"] = risk * flat["mrr"].to_numpy()
        place, percentile = np.full(size, np.nan), np.full(size, np.nan)
        for name, part in ahead.horizon.items():
            among = _ranked_among(risk[part], name, book)
            place[part], percentile[part] = rank(risk[part], among)
        unknown = np.isnan(place)
        ranks = np.where(unknown, 0, place).astype(np.int64)
        flat["churn_rank"] = pd.arrays.IntegerArray(ranks, unknown)
        flat["churn_percentile"] = percentile
        flat["risk_band"] = bands(risk, flat["base_rate"], place, config.score)
    nothing = np.full(size, np.nan)
    further = [name for name in flat if name not in COLUMNS]
    return pd.DataFrame({name: flat.get(name, nothing) for name in (*COLUMNS, *further)})


def _ranked_among(risk: Array, name: str, book: pd.DataFrame | None) -> Array:
    """Return the risks that the rows of one horizon are ranked among.

    Under the horizon ``renewal`` each row looks ahead as far as its own date: there is no order.
    """
    if name == RENEWAL or book is None:
        return risk[:0] if name == RENEWAL else risk
    same = book["horizon_days"] == int(name) if "horizon_days" in book else slice(None)
    found: Array = book.loc[same, f"{MAIN}_probability"].to_numpy(dtype=np.float64)
    return found
