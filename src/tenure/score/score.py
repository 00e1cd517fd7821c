"""Scores: bundle + data + `as_of` → one flat row per account and horizon.

The same function serves a batch, a backtest and one account over HTTP.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tenure.core.arrays import Array
from tenure.core.config import Config
from tenure.core.errors import DataError, Problem
from tenure.core.flat_row import GROWTH, MAIN, prefix_of
from tenure.core.progress import SILENT, Progress
from tenure.core.times import as_utc, days, now, show
from tenure.explain.drivers import DriverArrays, as_text, driver_arrays, flat_columns
from tenure.explain.row_words import About, Explainer
from tenure.features.compute.matrix import FeatureMatrix, build
from tenure.features.coverage import PAYING, coverage, latest_known, paying, recency
from tenure.features.plan.plan import Plan, united_plan
from tenure.labels.snapshots import snapshots
from tenure.model.evaluation.expected_amount import Amounts
from tenure.score.abstain import abstention
from tenure.score.attributes import account_attributes
from tenure.score.horizons import ScoreEntries, never_falling, score_entries
from tenure.score.model import Model, check_owner, load_models
from tenure.score.parts import adding_up
from tenure.score.predictions import Predictions
from tenure.score.rows import complete_rows
from tenure.score.scored import Contributions, Scored
from tenure.score.unseen import unseen_texts, unseen_words
from tenure.sources.dataset import Dataset

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Contributions",
    "Model",
    "Scored",
    "check_owner",
    "check_tables",
    "features",
    "load_models",
    "score",
]


RATES = "fx_rates"
"""A table that no feature reads, and by which amounts are converted before features read them."""
STATE_TABLES = frozenset({"accounts", "subscriptions", RATES})


def score(  # noqa: PLR0913 - who, when and against which book are the caller's
    dataset: Dataset,
    models: Mapping[str, Model],
    config: Config,
    as_of: datetime,
    *,
    accounts: Iterable[str] | None = None,
    book: pd.DataFrame | None = None,
    horizons: Literal["main", "all"] = "main",
    progress: Progress = SILENT,
) -> Scored:
    """Score the accounts with a paid subscription at `as_of`: one flat row per account and horizon.

    Args:
        dataset: Loaded tables.
        models: Target → model.
        config: Settings of bands, coverage and staleness.
        as_of: Prediction time; only what was known before it counts.
        accounts: Limits the rows to these accounts; no other's history is looked at.
        book: Scored rows that rank and percentile refer to, those of the same horizon_days where
            it has that column; the result itself by default, none where it is empty.
        horizons: ``main``, or ``all`` for what the models know besides: those rows come after the
            rows of the main horizon.
        progress: Told of each stage.

    Returns:
        The rows, with the features and contributions behind them.  Their columns are those of the
        contract, section 4, in that order, then those of further targets.  The columns of a target
        are empty where its model does not know the horizon; `probability_change` is always empty,
        for it takes an earlier run.

    Raises:
        DataError: If a table that a model needs is missing.
    """
    check_tables(dataset, models)
    _check_time(dataset, as_of)
    paid = snapshots(dataset, [as_of], None if accounts is None else sorted(set(accounts)))
    paid = paid.sort_values("account_id").reset_index(drop=True)
    further = paying() if config.score.min_tenure_days else None
    matrix = features(dataset, paid, models, progress, further)
    unseen = unseen_words(dataset, models, matrix, as_of)
    known = _known(dataset, paid, matrix.values, models, config, as_of)
    known["unseen_values"] = as_text(unseen_texts(unseen, paid["account_id"]))
    entries = score_entries(paid, models, config, known["abstain_reason"], every=horizons == "all")
    flat = {name: entries.spread(column) for name, column in known.items()}
    flat["horizon_days"] = entries.days
    contributions: dict[str, dict[str, Contributions]] = {}
    currency = _feature_currency(dataset, config, paid["currency"])
    predictions = Predictions(matrix.values)
    for target, model in models.items():
        contributions[target] = {}
        about = About(paid["as_of"].to_numpy(), currency)
        explainer = model.explainer(levers_first=config.score.levers_first)
        flat |= _predict((model, explainer), predictions, about, entries, contributions[target])
    flat |= adding_up(flat)
    rows = complete_rows(flat, entries, config, book)
    return Scored(rows, matrix, dict(models), contributions, unseen)


def _events(models: Mapping[str, Model]) -> frozenset[str]:
    """Return the tables of events that models read."""
    return frozenset().union(*(model.sources for model in models.values())) - STATE_TABLES


def features(
    dataset: Dataset,
    snapshots: pd.DataFrame,
    models: Mapping[str, Model],
    progress: Progress = SILENT,
    further: Plan | None = None,
) -> FeatureMatrix:
    """Return the features of all models for some snapshots, each computed once, and `recency`.

    The columns of `further` are measured besides.
    """
    plans = [*(model.plan for model in models.values()), recency(_events(models))]
    union = united_plan([*plans, *([further] if further else [])])
    begins: dict[str, date] = {}  # as the earliest of the models knew it
    for model in models.values():
        for source, day in model.begins.items():
            begins[source] = min(day, begins.get(source, day))
    return build(dataset.engine, snapshots, union, known_begins=begins, progress=progress)


def check_tables(dataset: Dataset, models: Mapping[str, Model]) -> None:
    """Make sure that the data have every table and column that the models read.

    Raises:
        DataError: Naming what is missing, for every model.
    """
    problems, fix = [], "give what is missing, or retrain without it"
    for target, model in models.items():
        for table in sorted(model.sources | ({RATES} & model.bundle.spec.tables.keys())):
            needed = set(model.bundle.spec.reads.get(table, ()))
            if table not in dataset.columns:
                rule = f"the {target} model was trained with this table"
                problems.append(Problem(table, rule, fix=fix))
            elif not dataset.has(table, *needed):
                lacking = ", ".join(sorted(needed - dataset.columns[table]))
                rule = f"the {target} model was trained with these columns"
                problems.append(Problem(table, rule, lacking, fix))
    if problems:
        raise DataError(*problems)


def _check_time(dataset: Dataset, as_of: datetime) -> None:
    if as_of > dataset.observed_until:
        rule = f"must not be later than {show(dataset.observed_until)}, when observation stopped"
        fix = "score an earlier date, or load newer data"
        raise DataError(Problem("as_of", rule, show(as_of), fix))


def learnt_later(models: Mapping[str, Model], as_of: datetime) -> list[str]:
    """Return a sentence for each model that learnt from outcomes known at or after `as_of`."""
    return [
        f"{target}: the model learnt outcomes that were known until {until}, after "
        f"{show(as_of)}: these are no forecasts, and look better than forecasts made then; "
        "`tenure backtest` gives those"
        for target, model in models.items()
        if as_utc(until := model.bundle.spec.trained_until) > as_of
    ]


def _known(
    dataset: Dataset,
    paid: pd.DataFrame,
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
    tenure = values[PAYING].to_numpy() if PAYING in values else np.full(len(paid), np.nan)
    notice = paid["notice_given"].to_numpy(dtype=bool)
    known = {"notice_given": notice, "coverage": share, "tenure_days": tenure}
    ends, renews = paid["ends_at"].to_numpy(), paid["renews_at"].to_numpy()
    named = account_attributes(
        dataset, paid["account_id"], as_of, config.metrics.notice_period_days
    )
    named["notice_by"] = np.where(notice, np.datetime64("NaT"), named["notice_by"])
    listed = ", ".join(stale) or None
    sources = np.full(len(paid), listed, dtype=object)
    return {
        **{name: paid[name].array for name in ("account_id", "as_of", "mrr", "currency")},
        **named,
        "scored_at": np.full(len(paid), np.datetime64(now(), "us")),
        "renews_at": np.where(notice, ends, renews),
        "data_coverage": share,
        "stale_sources": as_text(sources) if listed else sources,
        "abstain_reason": abstention(known, events, stale, settings),
    }


def _feature_currency(dataset: Dataset, config: Config, own: pd.Series[str]) -> Array:
    """Return the currency of the money in each account's features, empty where it is not known."""
    if RATES in dataset.columns:
        return np.full(len(own), config.metrics.currency or "", dtype=object)
    return own.fillna("").to_numpy(dtype=object)


def _predict(
    speakers: tuple[Model, Explainer],
    predictions: Predictions,
    about: About,
    entries: ScoreEntries,
    contributions: dict[str, Contributions],
) -> dict[str, Any]:
    """Return a target's probability, base rate, version and drivers, empty where it abstains.

    The contributions behind them are put into `contributions`, by horizon.
    """
    model, explainer = speakers
    target = explainer.target.name
    size, prefix = len(entries.row), prefix_of(target)
    main = str(model.horizon_days)
    within = {
        name: part[entries.days[part] <= model.longest]
        for name, part in entries.horizon.items()
        if name in model.horizons
    }
    groups = {name: part for name, part in within.items() if len(part)}
    numbers = np.full((len(_NUMBERS), size), np.nan)
    versions = np.full((2, size), None, dtype=object)
    reasons = DriverArrays.empty(size)
    for name, part in (groups or {main: np.arange(0)}).items():
        chances, drivers, parts = _at_horizon(speakers, name, predictions, about, (entries, part))
        contributions[name] = Contributions(part, parts, drivers.telling)
        numbers[:3, part], numbers[3, part] = chances, model.models[name].base_rate
        versions[:, part] = [[model.bundle.version], [model.bundle.spec.model_name]]
        reasons.words[part], reasons.numbers[part] = drivers.words, drivers.numbers
    if len(groups) > 1:
        part = np.concatenate(list(groups.values()))
        is_main = np.isin(part, groups.get(main, []))
        levels = dict(zip(_NUMBERS[:3], numbers[:3, part], strict=True))
        risen = never_falling(entries.frame(part, main=is_main, **levels), list(levels))
        numbers[:3, part] = risen[list(levels)].to_numpy(dtype=np.float64).T
    chance = f"{target}_probability"
    columns = {chance: numbers[0], f"{chance}_lo": numbers[1], f"{chance}_hi": numbers[2]}
    if target == GROWTH and model.amounts:
        amounts = _amounts(model.amounts, groups, predictions.values, entries)
        columns[f"expected_{target}_mrr"] = numbers[0] * amounts
    texts = as_text(versions.ravel())
    columns |= {f"{prefix}model_version": texts[:size], f"{prefix}base_rate": numbers[3]}
    if target == MAIN:
        columns["model_name"] = texts[size:]
    return columns | flat_columns(reasons.words, reasons.numbers, prefix)


_NUMBERS = ("probability", "lo", "hi", "base_rate")


def _amounts(
    amounts: Mapping[str, Amounts],
    groups: Mapping[str, Array],
    values: pd.DataFrame,
    entries: ScoreEntries,
) -> Array:
    """Return what is at stake in each entry within its horizon; NaN where that was not learnt."""
    stakes = np.full(len(entries.row), np.nan)
    for horizon, part in groups.items():
        if horizon in amounts:
            row = entries.row[part]
            stakes[part] = amounts[horizon].expected(
                *(entries.of_accounts(row, frame) for frame in (entries.accounts, values))
            )
    return stakes


def _at_horizon(
    speakers: tuple[Model, Explainer],
    name: str,
    predictions: Predictions,
    about: About,
    whom: tuple[ScoreEntries, Array],
) -> tuple[Array, DriverArrays, Array]:
    """Return what the model of one horizon says of some entries: chances, drivers, contributions.

    Chances are the probability and its bounds, shape (3, entries).
    """
    (model, explainer), (entries, part) = speakers, whom
    row, silent, fitted = entries.row[part], entries.silent[part], model.models[name]
    own = About(about.as_of[row], about.currency[row])
    used = fitted.encoder.frame(entries.of_accounts(row, predictions.values))
    scores = predictions.of(fitted, row)
    if explainer.target.outcome == "renewal":
        silent = silent | ~(entries.due[part] <= entries.days[part])
    drivers = driver_arrays(scores.contributions[:, :-1], used, explainer, own)
    drivers.words[silent], drivers.numbers[silent], drivers.telling[silent] = None, np.nan, -1
    chances = np.where(silent, np.nan, np.stack(scores[:3]))
    return chances, drivers, scores.contributions
