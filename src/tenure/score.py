"""Scores: bundle + data + `as_of` → one flat row per account.

The same function serves a batch, a backtest and one account over HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tenure.core.errors import DataError, ModelError, Problem
from tenure.core.times import days, now, show
from tenure.explain.drivers import FIELDS, TOP, drivers
from tenure.explain.peers import Peers
from tenure.features.coverage import coverage, latest_known, recency
from tenure.features.declare import FeatureSpec
from tenure.features.matrix import FeatureMatrix, build
from tenure.features.plan import Plan, from_json, plan
from tenure.labels.snapshots import snapshots
from tenure.labels.targets import TARGETS
from tenure.model.bundle import Bundle, Floats, read_bundle
from tenure.model.champion import champion
from tenure.model.scatter import scores_and_contributions

if TYPE_CHECKING:
    from tenure.core.config import Config
    from tenure.sources.dataset import Dataset

MAIN = "churn"
GROWTH = "expansion"
NOTICE = "notice_given"
THIN = "too_little_data"
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
class Model:
    """A bundle made ready for scoring.

    Attributes:
        bundle: The trained model.
        plan: Its features, resolved from its own declarations.
        peers: Typical values of retained accounts.
    """

    bundle: Bundle
    plan: Plan
    peers: Peers

    @classmethod
    def of(cls, bundle: Bundle) -> Model:
        """Resolve a bundle's own declarations against the columns it was trained with."""
        spec = bundle.spec
        columns = {name: frozenset(found) for name, found in spec["tables"].items()}
        resolved = plan(from_json(spec["declarations"]), columns, members=spec["members"])
        return cls(
            bundle,
            resolved.only(bundle.encoder.columns),
            Peers.from_json(bundle.reference["peers"]),
        )

    @property
    def begins(self) -> dict[str, date]:
        """Return the first day of each source's history when the model was trained."""
        stored: Mapping[str, str] = self.bundle.spec["begins"]
        return {source: date.fromisoformat(day) for source, day in stored.items()}

    @property
    def sources(self) -> frozenset[str]:
        """Return the tables that the model reads."""
        names = {item.spec.source for item in self.plan.measured}
        return frozenset(names)

    @property
    def specs(self) -> dict[str, FeatureSpec]:
        """Return how to speak of the model's features."""
        return self.plan.said


def load_models(config: Config) -> dict[str, Model]:
    """Return the champion of each target of a config that has one.

    Raises:
        ModelError: If no target has a champion, or a champion belongs to another project.
    """
    models: dict[str, Model] = {}
    for target in config.targets:
        found = champion(config.paths.models, target)
        if found is None:
            continue
        folder = config.paths.models / target / found.version
        bundle = read_bundle(folder, threads=config.model.threads)
        check_owner(bundle, config)
        models[target] = Model.of(bundle)
    if not models:
        raise ModelError(
            Problem(
                str(config.paths.models),
                "holds no champion for " + ", ".join(config.targets),
                fix="run `tenure train CONFIG`; it says why where no model was usable",
            )
        )
    return models


def check_owner(bundle: Bundle, config: Config) -> None:
    """Make sure that a champion was trained for this config.

    Raises:
        ModelError: If it belongs to another project or another horizon.
    """
    spec = bundle.spec
    place = f"champion of `{spec['target']}` in {config.paths.models}"
    if spec["name"] != config.name:
        fix = "set `paths: {models: …}` to a folder of this project's own"
        raise ModelError(
            Problem(place, f"belongs to `{spec['name']}`, not `{config.name}`", fix=fix)
        )
    horizon = config.labels.horizon_days
    if spec["labels"]["horizon_days"] != horizon:
        fix = "run `tenure train CONFIG` for the new horizon in another `paths.models`"
        found = f"{spec['labels']['horizon_days']} days, config: {horizon}"
        raise ModelError(Problem(place, "was trained for another horizon", found, fix))


def score(  # noqa: PLR0913 - who, when and against which book are the caller's
    dataset: Dataset,
    models: Mapping[str, Model],
    config: Config,
    as_of: datetime,
    *,
    accounts: Iterable[str] | None = None,
    book: pd.DataFrame | None = None,
    progress: Callable[[str], None] | None = None,
) -> pd.DataFrame:
    """Return one flat row per account with a paid subscription at `as_of`.

    Args:
        dataset: Loaded tables.
        models: Target → model.
        config: Settings of bands, coverage and staleness.
        as_of: Prediction time; only what was known before it counts.
        accounts: Limits the rows to these accounts.
        book: Scored rows that rank and percentile refer to; the result itself by default, none
            where it is empty.
        progress: Called with a line for each step.

    Returns:
        Columns of the contract, section 4, in that order, then those of further targets.

    Raises:
        DataError: If a table that a model needs is missing.
    """
    check_tables(dataset, models)
    _check_time(dataset, as_of)
    asked = snapshots(dataset, [as_of])
    if accounts is not None:
        asked = asked[asked["account_id"].isin(list(accounts))]
    asked = asked.reset_index(drop=True)
    matrix = features(dataset, asked, models, progress)
    rows = _describe(dataset, matrix, models, config, as_of)
    for target, model in models.items():
        scores = scores_and_contributions(
            dataset.engine, model.bundle, model.bundle.encoder.frame(matrix.values)
        )
        rows = rows.join(_predict(target, model, matrix, rows["abstain_reason"], scores))
    return _finish(rows, models, config, book)


def _events(models: Mapping[str, Model]) -> frozenset[str]:
    """Return the tables of events that models read."""
    return frozenset().union(*(model.sources for model in models.values())) - STATE_TABLES


def features(
    dataset: Dataset,
    asked: pd.DataFrame,
    models: Mapping[str, Model],
    progress: Callable[[str], None] | None = None,
) -> FeatureMatrix:
    """Return the features of all models for some snapshots, each computed once, and `recency`."""
    measured = {item.spec.name: item for model in models.values() for item in model.plan.measured}
    computed = {item.spec.name: item for model in models.values() for item in model.plan.computed}
    last_rows = recency(_events(models)).measured
    union = Plan((*measured.values(), *last_rows), tuple(computed.values()), ())
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
    """Return what is known of each row before any model is asked."""
    asked, events = matrix.rows, _events(models)
    covered = coverage(matrix.values, events, config.score.lookback_days)
    stale_before = as_of - days(config.score.stale_after_days)
    latest = latest_known(dataset.engine, events, as_of)
    stale = [
        name for name, moment in sorted(latest.items()) if moment is None or moment < stale_before
    ]
    reason = pd.Series(None, index=asked.index, dtype=object)
    reason[covered == 0] = THIN
    reason[asked["notice_given"].astype(bool)] = NOTICE
    end = asked["ends_at"].where(asked["notice_given"], asked["renews_at"])
    return pd.DataFrame(
        {
            "account_id": asked["account_id"],
            "as_of": asked["as_of"],
            "scored_at": pd.Series(np.datetime64(now(), "us"), index=asked.index),
            "horizon_days": config.labels.horizon_days,
            "mrr": asked["mrr"],
            "currency": asked["currency"],
            "renews_at": end,
            "data_coverage": covered,
            "stale_sources": ", ".join(stale) or None,
            "abstain_reason": reason,
        }
    )


def _predict(
    target: str,
    model: Model,
    matrix: FeatureMatrix,
    abstain: pd.Series[Any],
    scores: tuple[Floats, Floats],
) -> pd.DataFrame:
    """Return a target's probability, base rate, version and drivers, empty where it abstains."""
    values = model.bundle.encoder.frame(matrix.values)
    probability, contributions = scores
    silent = abstain.notna().to_numpy()
    prefix = "" if target == MAIN else f"{target}_"
    found = drivers(
        contributions[:, :-1], values, model.specs, model.peers, TARGETS[target], prefix=prefix
    )
    found.loc[silent] = None
    spec = model.bundle.spec
    version = "model_version" if target == MAIN else f"{target}_model_version"
    head: dict[str, Any] = {
        f"{target}_probability": np.where(silent, np.nan, probability),
        version: model.bundle.version,
        ("base_rate" if target == MAIN else f"{target}_base_rate"): spec["training"]["base_rate"],
    }
    if target == MAIN:
        head["model_name"] = spec["model_name"]
    return pd.DataFrame(head, index=values.index).join(found)


def _finish(
    rows: pd.DataFrame, models: Mapping[str, Model], config: Config, book: pd.DataFrame | None
) -> pd.DataFrame:
    """Add what follows from the probabilities, and put the columns in the contract's order."""
    if MAIN in models:
        risk = rows[f"{MAIN}_probability"]
        rows["health_score"] = 100 * (1 - risk)
        rows["mrr_at_risk"] = risk * rows["mrr"]
        ranked = rank(risk, risk if book is None else book[f"{MAIN}_probability"])
        rows = rows.join(ranked)
        rows["risk_band"] = bands(risk, rows["base_rate"], ranked["churn_rank"], config)
    further = [name for name in rows.columns if name not in COLUMNS]
    complete = rows.reindex(columns=[*COLUMNS, *further])
    return complete.sort_values("account_id").reset_index(drop=True)


def rank(risk: pd.Series[float], book: pd.Series[float]) -> pd.DataFrame:
    """Return rank (1 is the highest risk) and percentile of each risk within a book of risks.

    Both are empty where the book is, or the risk.
    """
    known = np.sort(book.dropna().to_numpy(dtype=np.float64))
    values = risk.to_numpy(dtype=np.float64)
    above = len(known) - np.searchsorted(known, values, side="right")
    below = np.searchsorted(known, values, side="right")
    empty = np.isnan(values) | (len(known) == 0)
    return pd.DataFrame(
        {
            "churn_rank": pd.array(np.where(empty, 0, above + 1), dtype="Int64"),
            "churn_percentile": np.where(empty, np.nan, 100 * below / max(len(known), 1)),
        },
        index=risk.index,
    ).mask(pd.Series(empty, index=risk.index))


def bands(
    risk: pd.Series[float], base_rate: pd.Series[float], ranks: pd.Series[Any], config: Config
) -> pd.Series[Any]:
    """Return ``high``, ``medium`` or ``low``: by capacity where it is set, else by base rate."""
    settings = config.score
    if settings.capacity is not None:
        place = ranks.astype("float64")
        high, medium = place <= settings.capacity, place <= 2 * settings.capacity
    else:
        high, medium = risk >= settings.high_at * base_rate, risk >= settings.medium_at * base_rate
    band = np.where(high, "high", np.where(medium, "medium", "low"))
    known = risk.notna() & (ranks.notna() if settings.capacity is not None else True)
    return pd.Series(band, index=risk.index, dtype=object).where(known, None)
