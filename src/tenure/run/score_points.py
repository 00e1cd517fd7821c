"""Scores with what stands behind them, as `tenure.explain.changes` compares them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from tenure.core.config import Config
from tenure.core.errors import DataError, ModelError
from tenure.core.flat_row import TOP, prefix_of
from tenure.explain.changes import Bridge, ScoredPoint
from tenure.explain.signals import signals, summed
from tenure.model.boosting.fit import FittedModel
from tenure.model.boosting.part import ScoringModel
from tenure.model.bundle.bundle import read_bundle
from tenure.score.model import Model
from tenure.score.score import score
from tenure.score.scored import Scored

if TYPE_CHECKING:
    from tenure.score.store.store import ScoreStore, StoredRun
    from tenure.sources.dataset import Dataset


def scored_points(
    scored: Scored, target: str, horizon: str | None = None
) -> dict[str, ScoredPoint]:
    """Return account → its score of a horizon, of those that have a probability.

    The horizon is in days, as text, or ``renewal``; the main one by default.
    """
    model = scored.models[target]
    horizon = horizon or str(model.horizon_days)
    behind = scored.contributions[target][horizon]
    rows = scored.rows.iloc[behind.rows]
    groups = signals(model.models[horizon].columns, model.specs)
    sums = summed(behind.values, list(groups.values()))
    prefix = prefix_of(target)
    spoken = [
        rows[[f"{prefix}driver_{place}_{name}" for name in ("code", "sentence")]].to_numpy()
        for place in range(1, TOP + 1)
    ]
    points: dict[str, ScoredPoint] = {}
    chances = rows[f"{target}_probability"].to_numpy(dtype=np.float64)
    for number in np.flatnonzero(~np.isnan(chances)):
        account = str(rows["account_id"].iloc[number])
        points[account] = ScoredPoint(
            account,
            target,
            horizon,
            rows["as_of"].iloc[number].to_pydatetime(),
            model.bundle.version,
            float(chances[number]),
            float(behind.values[number].sum()),
            float(behind.values[number, -1]),
            dict(zip(groups, sums[number].tolist(), strict=True)),
            {code: text for code, text in (one[number] for one in spoken) if isinstance(code, str)},
        )
    return points


def stored_points(
    store: ScoreStore,
    run: StoredRun,
    target: str,
    horizon: str,
    accounts: Iterable[str] | None = None,
) -> dict[str, ScoredPoint]:
    """Return account → its score in a kept run, of those that have a probability.

    The horizon is in days, as text, or ``renewal``.
    """
    from tenure.score.store.reading import BASE

    listed = None if accounts is None else list(accounts)
    contributions = store.contributions(run, target, horizon, listed).astype(np.float64)
    bases = contributions.pop(BASE)
    names = [str(name) for name in contributions]
    rows = dict(zip(contributions.index, contributions.to_numpy().tolist(), strict=True))
    return {
        one.account_id: ScoredPoint(
            one.account_id,
            target,
            horizon,
            one.as_of,
            one.model_version,
            one.probability,
            one.log_odds,
            float(bases[one.account_id]),
            dict(zip(names, rows[one.account_id], strict=True)),
            {driver["code"]: driver["sentence"] for driver in one.drivers},
        )
        for one in store.scores(run, listed, target, horizon)
        if one.probability is not None and one.log_odds is not None
    }


def bridges(
    config: Config,
    dataset: Dataset,
    target: str,
    version: str,
    as_of: datetime,
    accounts: Iterable[str],
) -> dict[str, Bridge] | None:
    """Return account → its data at a time under an older model; None where that is gone."""
    older = older_model(config, target, version)
    if older is None:
        return None
    every = bridges_under(older, config, dataset, as_of, accounts)
    return every.get(str(older.horizon_days))


def older_model(config: Config, target: str, version: str) -> Model | None:
    """Return a model that a champion followed, None where it is gone or cannot be read."""
    folder = config.paths.models / target / version
    if not folder.is_dir():
        return None
    try:
        return Model.of(read_bundle(folder, threads=config.model.threads))
    except ModelError:
        return None


def bridges_under(
    model: Model, config: Config, dataset: Dataset, as_of: datetime, accounts: Iterable[str]
) -> dict[str, dict[str, Bridge]]:
    """Return horizon → account → its data at a time under an older model; none it cannot score."""
    target = model.bundle.spec.target
    try:
        scored = score(dataset, {target: model}, config, as_of, accounts=accounts, horizons="all")
    except (DataError, ModelError):
        return {}
    return {
        horizon: {
            name: Bridge(point, _calibrated(model.models[horizon]))
            for name, point in scored_points(scored, target, horizon).items()
        }
        for horizon in scored.contributions[target]
    }


def _calibrated(model: ScoringModel) -> Callable[[float], float] | None:
    """Return what makes a probability of log-odds, None where they alone do not give it."""
    if not isinstance(model, FittedModel):
        return None
    calibrator = model.calibrator
    return lambda log_odds: float(calibrator.probability(np.array([log_odds]))[0])
