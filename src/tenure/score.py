"""Scores: bundle + data + `as_of` → one flat row per account and horizon.

The same function serves a batch, a backtest and one account over HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from tenure.core.errors import DataError, Problem
from tenure.core.times import days, now, show
from tenure.explain.abstain import abstention
from tenure.explain.bands import bands, rank
from tenure.explain.drivers import FIELDS, TOP, drivers
from tenure.explain.ready import Model, check_owner, load_models
from tenure.features.coverage import PAYING, coverage, latest_known, paying, recency
from tenure.features.matrix import FeatureMatrix, build
from tenure.features.plan import Plan, united
from tenure.labels.snapshots import snapshots
from tenure.labels.targets import TARGETS
from tenure.labels.windows import RENEWAL, days_to_renewal
from tenure.model.ahead import rising
from tenure.model.scatter import scores_and_contributions

if TYPE_CHECKING:
    from tenure.core.config import Config
    from tenure.engine import Engine
    from tenure.sources.dataset import Dataset

__all__ = [
    "COLUMNS",
    "MAIN",
    "Model",
    "check_owner",
    "check_tables",
    "features",
    "load_models",
    "score",
]

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
) -> pd.DataFrame:
    """Return flat rows of the accounts with a paid subscription at `as_of`: one per horizon.

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
        Columns of the contract, section 4, in that order, then those of further targets.  The
        columns of a target are empty where its model does not know the horizon.

    Raises:
        DataError: If a table that a model needs is missing.
    """
    check_tables(dataset, models)
    _check_time(dataset, as_of)
    asked = snapshots(dataset, [as_of])
    if accounts is not None:
        asked = asked[asked["account_id"].isin(list(accounts))]
    asked = asked.sort_values("account_id").reset_index(drop=True)
    further = paying() if config.score.min_tenure_days else None
    matrix = features(dataset, asked, models, progress, further)
    known = _describe(dataset, matrix, models, config, as_of)
    ahead = _ahead(asked, models, config, every=horizons == "all")
    same = len(ahead) == len(known) and bool((ahead["row"] == known.index).all())
    rows = known if same else known.iloc[ahead["row"]].reset_index(drop=True)
    rows["horizon_days"] = ahead["days"]
    ahead["silent"] = rows["abstain_reason"].notna()
    for name in ("list_mrr", "currency"):
        ahead[name] = asked[name].take(ahead["row"].to_numpy()).array
    found = [
        _predict(dataset.engine, target, model, matrix.values, ahead)
        for target, model in models.items()
    ]
    return _finish(_side_by_side(rows, found), ahead, models, config, book)


def _side_by_side(rows: pd.DataFrame, found: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return rows with further columns, which are missing where those have no such row."""
    parts = [part if part.index.equals(rows.index) else part.reindex(rows.index) for part in found]
    return pd.concat([rows, *parts], axis=1)


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
    plans = [*(model.plan for model in models.values()), recency(_events(models))]
    union = united([*plans, *([further] if further else [])])
    begins = known_begins(models)
    return build(dataset.engine, asked, union, known_begins=begins, progress=progress)


def known_begins(models: Mapping[str, Model]) -> dict[str, date]:
    """Return the first day of each source's history as the models knew it, the earliest of them."""
    found: dict[str, date] = {}
    for model in models.values():
        for source, day in model.begins.items():
            found[source] = min(day, found.get(source, day))
    return found


def check_tables(dataset: Dataset, models: Mapping[str, Model]) -> None:
    """Make sure that everything that models read is there.

    Raises:
        DataError: Naming each table and column that is not.
    """
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
    matrix: FeatureMatrix,
    models: Mapping[str, Model],
    config: Config,
    as_of: datetime,
) -> pd.DataFrame:
    """Return what is known of each account before any model is asked."""
    asked, events, settings = matrix.rows, _events(models), config.score
    covered = coverage(matrix.values, events, settings.lookback_days)
    stale_before = as_of - days(settings.stale_after_days)
    latest = latest_known(dataset.engine, events, as_of)
    stale = [
        name for name, moment in sorted(latest.items()) if moment is None or moment < stale_before
    ]
    tenure = matrix.values.get(PAYING, np.nan)
    known = asked[["notice_given"]].assign(coverage=covered, tenure_days=tenure)
    end = asked["ends_at"].where(asked["notice_given"], asked["renews_at"])
    return pd.DataFrame(
        {
            "account_id": asked["account_id"],
            "as_of": asked["as_of"],
            "scored_at": pd.Series(np.datetime64(now(), "us"), index=asked.index),
            "mrr": asked["mrr"],
            "currency": asked["currency"],
            "renews_at": end,
            "data_coverage": covered,
            "stale_sources": ", ".join(stale) or None,
            "abstain_reason": abstention(known, events, stale, settings),
        }
    )


def _ahead(
    asked: pd.DataFrame, models: Mapping[str, Model], config: Config, *, every: bool
) -> pd.DataFrame:
    """Return what is asked: row (position in `asked`), horizon (as text), days and due.

    `due` is the number of days whose window just holds the renewal date, missing where the
    longest window does not; such accounts have no row of the horizon ``renewal``, nor those that
    have another row of as many days.
    """
    main = config.labels.horizon_days
    further = dict.fromkeys(name for model in models.values() for name in model.horizons)
    names = [str(main), *(name for name in further if every and name != str(main))]
    due = days_to_renewal(
        asked["as_of"],
        asked["renews_at"],
        gap_days=config.labels.gap_days,
        longest=max([main, *(model.longest for model in models.values())]),
    )
    rows = np.arange(len(asked))
    numbers = {int(name) for name in names if name != RENEWAL}
    parts = []
    for name in names:
        length = due if name == RENEWAL else pd.Series(int(name), index=due.index, dtype="Int64")
        part = pd.DataFrame({"row": rows, "horizon": name, "days": length, "due": due})
        parts.append(part[~length.isin(numbers) & length.notna()] if name == RENEWAL else part)
    found = pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]
    return found.astype({"days": "int64"})


def _predict(
    engine: Engine, target: str, model: Model, values: pd.DataFrame, ahead: pd.DataFrame
) -> pd.DataFrame:
    """Return a target's probability, base rate, version and drivers, empty where it abstains."""
    known = ahead["horizon"].isin(model.horizons) & (ahead["days"] <= model.longest)
    main = str(model.horizon_days)
    groups = dict(tuple(ahead[known].groupby("horizon", sort=False))) or {main: ahead[known]}
    parts = [
        _at_horizon(engine, target, model, str(name), values, part) for name, part in groups.items()
    ]
    found = pd.concat(parts) if len(parts) > 1 else parts[0]
    chances = [name for name in found.columns if name.startswith(f"{target}_probability")]
    if len(parts) > 1:
        asked = ahead.loc[found.index, ["row", "days"]]
        asked["main"] = ahead["horizon"] == main
        found[chances] = rising(asked.join(found[chances]), chances)[chances]
    if target == GROWTH and model.amounts is not None:
        asked = ahead.loc[found.index]
        used = model.frame(values).iloc[asked["row"]].set_axis(found.index)
        amount = found[f"{target}_probability"] * model.amounts.expected(asked, used)
        found.insert(len(chances), f"expected_{target}_mrr", amount)
    return found


def _at_horizon(  # noqa: PLR0913 - who is asked what, of which model, from which values
    engine: Engine,
    target: str,
    model: Model,
    name: str,
    values: pd.DataFrame,
    asked: pd.DataFrame,
) -> pd.DataFrame:
    """Return what the model of one horizon says of the rows that ask for it."""
    used = model.frame(values, name)
    if not (
        asked.index.equals(values.index)
        and bool((asked["row"].to_numpy() == np.arange(len(values))).all())
    ):
        used = used.iloc[asked["row"]].set_axis(asked.index)
    probability, contributions = scores_and_contributions(engine, model.bundle, used, name)
    silent = asked["silent"].to_numpy(dtype=bool)
    if TARGETS[target].outcome == "renewal":
        due = (asked["due"] <= asked["days"]).to_numpy(dtype=bool, na_value=False)
        silent = silent | ~due
    prefix = "" if target == MAIN else f"{target}_"
    about = (model.specs, model.peers, TARGETS[target])
    found = drivers(contributions[:, :-1], used, *about, prefix=prefix)
    if silent.any():
        found.loc[silent] = None
    probability = np.where(silent, np.nan, probability)
    interval = model.interval(name)
    lo, hi = interval.bounds(probability) if interval else (np.nan, np.nan)
    head: dict[str, Any] = {
        f"{target}_probability": probability,
        f"{target}_probability_lo": lo,
        f"{target}_probability_hi": hi,
        f"{prefix}model_version": model.bundle.version,
        f"{prefix}base_rate": model.base_rate(name),
    }
    if target == MAIN:
        head["model_name"] = model.bundle.spec["model_name"]
    for place, (column, value) in enumerate(head.items()):
        found.insert(place, column, value)
    return found


def _finish(
    rows: pd.DataFrame,
    ahead: pd.DataFrame,
    models: Mapping[str, Model],
    config: Config,
    book: pd.DataFrame | None,
) -> pd.DataFrame:
    """Add what follows from the probabilities, and put the columns in the contract's order."""
    if MAIN in models:
        risk = rows[f"{MAIN}_probability"]
        rows["health_score"] = 100 * (1 - risk)
        rows["mrr_at_risk"] = risk * rows["mrr"]
        main = {str(config.labels.horizon_days): rows.index}
        horizons = ahead.groupby("horizon", sort=False).groups or main
        ranked = [
            rank(risk[part], _ranked_among(risk[part], name, book))
            for name, part in horizons.items()
        ]
        rows = _side_by_side(rows, [pd.concat(ranked) if len(ranked) > 1 else ranked[0]])
        rows["risk_band"] = bands(risk, rows["base_rate"], rows["churn_rank"], config.score)
    further = [name for name in rows.columns if name not in COLUMNS]
    return rows.reindex(columns=[*COLUMNS, *further])


def _ranked_among(
    risk: pd.Series[float], name: object, book: pd.DataFrame | None
) -> pd.Series[float]:
    """Return the risks that the rows of one horizon are ranked among.

    Under the horizon ``renewal`` each row looks ahead as far as its own date: there is no order.
    """
    if name == RENEWAL or book is None:
        return risk.head(0 if name == RENEWAL else len(risk))
    same = book["horizon_days"] == int(str(name)) if "horizon_days" in book else slice(None)
    found: pd.Series[float] = book.loc[same, f"{MAIN}_probability"]
    return found
