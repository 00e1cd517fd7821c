"""Search the booster's parameters on forward splits inside a past.

Only the caller's rows play a part.  Their latest prediction times that have enough past of
their own are predicted from what was known by then, once for each trial.  The trial's loss is the
log loss over all of them after one sigmoid: a calibrator follows every booster, so its order
counts, not how far it shrinks.  The default is trial 0, and it stays unless a trial is better by
more than chance explains: by two standard errors over accounts, since the best of many trials is
ahead by one through luck alone.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from tenure.core.arrays import Floats, Places
from tenure.core.errors import ModelError, Problem
from tenure.core.progress import SILENT, Progress
from tenure.labels.splits import Origin, forward_origins, rarer, thinned
from tenure.model.boosting.encoder import Encoder, Matrix
from tenure.model.boosting.estimator import TenureClassifier
from tenure.model.boosting.fit import monotone_constraints
from tenure.model.boosting.search_space import search_ranges
from tenure.model.boosting.sizes import sized_parameters
from tenure.model.calibration.calibrators import Sigmoid
from tenure.model.calibration.losses import log_loss
from tenure.model.settings import FitSettings

if TYPE_CHECKING:
    import optuna


SPLITS = 4  # prediction times that judge a trial, at least
SPAN = 12  # latest prediction times they are taken from, evenly: neighbours share outcomes
ENOUGH_POSITIVES = 250  # positive rows below which more prediction times judge
LEAST_CUTOFFS = 2  # prediction times a split trains on
LEAST_POSITIVES = 30  # positive rows that judge
MOST_ROWS = 100_000  # rows above which half of the accounts are left out, again and again
BAR = 2.0  # standard errors by which a trial has to be better than the default
STARTUP = 5  # trials before one may be given up halfway


@dataclass(frozen=True)
class Budget:
    """Limit of a search: trials or seconds, whichever comes first.

    Raises:
        ModelError: If a limit is below 0, or there is none.
    """

    trials: int = 0
    """Most trials, the default among them; 0 for no such limit."""
    seconds: float | None = None
    """Time after which no further trial begins; None for no such limit.  The result then depends on
    the machine."""
    clock: Callable[[], float] = field(default=time.monotonic, repr=False, compare=False)
    """What tells the time in seconds."""

    def __post_init__(self) -> None:
        """Refuse what cannot be searched with."""
        budget = f"trials {self.trials}, seconds {self.seconds}"
        if self.trials < 0 or (self.seconds is not None and not self.seconds >= 0):
            raise ModelError(Problem("tuning", "a budget is not below 0", budget))
        if not self.trials and self.seconds is None:
            fix = "set `model.tuning.trials` or `model.tuning.seconds`"
            raise ModelError(Problem("tuning", "a search needs a budget", budget, fix))


@dataclass(frozen=True)
class Tuned:
    """The parameters that a search chose, and how it went."""

    parameters: Mapping[str, Any]
    """For ``model.parameters``; those of the config where the default stays."""
    trials: int = 0
    """Trials made, the default among them; 0 where the past was too short to judge."""
    pruned: int = 0
    """Of them, given up halfway."""
    seconds: float = 0.0
    loss: float | None = None
    """Log loss of the chosen parameters, after a sigmoid; None where nothing was judged."""
    default_loss: float | None = None
    """Log loss of the default on the same rows; None likewise."""
    error: float = 0.0
    """Standard error of their difference, over accounts; 0 where the default stays."""
    rows: int = 0
    """Rows that judged."""
    positives: int = 0
    """Of them, positive."""

    @property
    def gain(self) -> float:
        """Log loss that the search saves; 0 where the default stays."""
        return 0.0 if self.loss is None else float(self.default_loss or 0.0) - self.loss

    def to_json(self) -> dict[str, Any]:
        """Return the result as JSON values; without the seconds, which differ between runs."""
        names = ("trials", "pruned", "loss", "default_loss", "gain", "error", "rows", "positives")
        figures = {name: getattr(self, name) for name in names}
        return figures | {"parameters": dict(self.parameters)}


def usable(
    values: pd.DataFrame, since: Mapping[str, datetime], as_of: datetime | None
) -> pd.DataFrame:
    """Return the columns that may be used at a prediction time; None stands for any time.

    `since` names columns that may be used only from a time on.
    """
    late = [name for name, start in since.items() if as_of is not None and start > as_of]
    return values.drop(columns=late)


def tune(
    values: pd.DataFrame,
    rows: pd.DataFrame,
    settings: FitSettings,
    budget: Budget,
    *,
    since: Mapping[str, datetime] | None = None,
    progress: Progress = SILENT,
) -> Tuned:
    """Search the parameters that predict the later ones of some rows best from the earlier ones.

    The same rows, settings and number of trials give the same result, whatever the threads.

    `rows` are a past, all of it known, with account_id, as_of, label (1, 0 or missing) and
    label_known_at, and `values` their features in the same order.  Parameters that the settings fix
    are not searched; columns in `since` may be used only from a prediction time on.

    Returns:
        The best parameters; the default where the rows are too few to judge.
    """
    started = budget.clock()
    fixed = settings.model.parameters
    search = _Search(values, rows, settings, since or {})
    if search.positives < LEAST_POSITIVES:
        return Tuned(dict(fixed))
    with threadpool_limits(limits=1), ThreadPoolExecutor(settings.model.threads) as pool:
        search.run(pool, budget, progress)
    best, better = search.best()
    return Tuned(
        parameters=dict(fixed) | search.tried[best] if best else dict(fixed),
        trials=len(search.tried),
        pruned=len(search.tried) - len(search.losses),
        seconds=round(budget.clock() - started, 3),
        loss=float(search.losses[best].mean()),
        default_loss=float(search.losses[0].mean()),
        error=_error(better, search.accounts) / len(better),
        rows=len(better),
        positives=search.positives,
    )


@dataclass(frozen=True)
class _Split:
    """One encoded split, shared by all trials."""

    train: Matrix
    labels: Floats
    categorical: tuple[int, ...]
    constraints: dict[str, list[int]]
    test: Matrix


class _Search:
    """The splits, the ranges of the parameters, and the losses of each trial."""

    def __init__(
        self,
        values: pd.DataFrame,
        rows: pd.DataFrame,
        settings: FitSettings,
        since: Mapping[str, datetime],
    ) -> None:
        self.model = settings.model
        known = rows["label"].notna().to_numpy()
        labels = rows["label"].to_numpy(dtype=np.float64, na_value=np.nan)
        positives, size = int(np.nansum(labels)), int(known.sum())
        self.space = search_ranges(self.model.parameters, positives, size)
        fewer = min(positives, size - positives)
        self.default = dict(sized_parameters(fewer, size, rarer(rows[known])))
        used = thinned(rows["account_id"], known, MOST_ROWS, self.model.seed)
        rows, values, labels = rows.iloc[used], values.iloc[used], labels[used]
        origins = _origins(rows, labels, settings)
        tested = [origin.test for origin in origins]
        self.outcomes = [labels[origin.test] for origin in origins]
        self.splits = [_split(values, labels, origin, settings, since) for origin in origins]
        places = np.concatenate(tested) if tested else np.empty(0, dtype=np.intp)
        self.accounts = pd.factorize(rows["account_id"].iloc[places])[0]
        self.positives = int(labels[places].sum())
        self.tried: list[dict[str, Any]] = []
        self.losses: dict[int, Floats] = {}

    def run(self, pool: ThreadPoolExecutor, budget: Budget, progress: Progress) -> None:
        """Make trials until the budget is used up; the default is made in any case."""
        study, started = _study(self.model.seed), budget.clock()
        study.enqueue_trial(
            {item.parameter.name: item.nearest(self.default) for item in self.space}
        )
        while not budget.trials or len(self.tried) < budget.trials:
            spent = budget.clock() - started
            if self.tried and budget.seconds is not None and spent >= budget.seconds:
                break
            progress.step(len(self.tried), budget.trials or None, "trials")
            self._try(study, pool)
            if not self.space:
                break

    def best(self) -> tuple[int, Floats]:
        """Return the trial to take, and by how much each row gains over the default."""
        default = self.losses[0]
        best, gains = 0, np.zeros(len(default))
        for number, loss in self.losses.items():
            better = default - loss
            if better.sum() > max(BAR * _error(better, self.accounts), gains.sum()):
                best, gains = number, better
        return best, gains

    def _try(self, study: optuna.Study, pool: ThreadPoolExecutor) -> None:
        """Fit and judge every split side by side; give up once the median of trials was better."""
        trial = study.ask()
        drawn = {item.parameter.name: item.draw(trial) for item in self.space}
        self.tried.append(drawn if trial.number else {})
        parameters = (drawn if trial.number else self.default) | dict(self.model.parameters)
        jobs = [pool.submit(self._margins, split, parameters) for split in self.splits]
        margins: list[Floats] = []
        for step, job in enumerate(jobs):
            margins.append(job.result())
            loss = self._losses(margins)
            trial.report(float(loss.mean()), step)
            if trial.number and step + 1 < len(jobs) and trial.should_prune():
                for waiting in jobs:
                    waiting.cancel()
                study.tell(trial, state=_pruned())
                return
        self.losses[trial.number] = loss
        study.tell(trial, float(loss.mean()))

    def _losses(self, by_split: list[Floats]) -> Floats:
        """Return the log loss of each later row of the first splits, after one sigmoid."""
        margins = np.concatenate(by_split)
        outcomes = np.concatenate(self.outcomes[: len(by_split)])
        return log_loss(outcomes, Sigmoid.fit(margins, outcomes).probability(margins))

    def _margins(self, split: _Split, parameters: Mapping[str, Any]) -> Floats:
        """Return log-odds of each later row; on one thread, as splits run side by side."""
        extra = dict(parameters) | split.constraints
        model = TenureClassifier(seed=self.model.seed, threads=1, extra=extra)
        model.fit(split.train, split.labels, categorical=split.categorical)
        return model.decision_function(split.test)


def _study(seed: int) -> optuna.Study:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(
        direction="minimize",
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP, n_warmup_steps=1),
    )


def _pruned() -> optuna.trial.TrialState:
    import optuna

    return optuna.trial.TrialState.PRUNED


def _origins(rows: pd.DataFrame, labels: Floats, settings: FitSettings) -> list[Origin]:
    """Return the prediction times that judge: more of them where each holds few positives."""
    origins = forward_origins(
        rows,
        min_train_cutoffs=LEAST_CUTOFFS,
        min_train_positives=settings.model.min_train_positives,
        max_folds=SPAN,
    ).origins
    if not origins:
        return []
    positives = sum(labels[origin.test].sum() for origin in origins) / len(origins)
    wanted = max(SPLITS, math.ceil(ENOUGH_POSITIVES / max(positives, 1.0)))
    places = np.linspace(0, len(origins) - 1, min(wanted, len(origins))).round().astype(int)
    return [origins[place] for place in places]


def _split(
    values: pd.DataFrame,
    labels: Floats,
    origin: Origin,
    settings: FitSettings,
    since: Mapping[str, datetime],
) -> _Split:
    allowed = usable(values, since, origin.as_of)
    train = allowed.iloc[origin.train]
    encoder = Encoder.fit(train, ranked=settings.ranked)
    return _Split(
        encoder.transform(train),
        labels[origin.train],
        encoder.categorical,
        monotone_constraints(encoder, settings),
        encoder.transform(allowed.iloc[origin.test]),
    )


def _error(better: Floats, accounts: Places) -> float:
    """Return the standard error of a sum of differences, over accounts."""
    sums = np.bincount(accounts, weights=better - better.mean())
    return float(np.sqrt((sums**2).sum()))
