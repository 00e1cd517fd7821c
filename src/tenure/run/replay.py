"""Two bundles on the same past rows, of which neither may have seen the outcome.

A bundle may speak for itself about rows with ``as_of`` at or after its ``trained_until``: nothing
that it learnt was known only then.  About earlier rows its recipe (declarations, settings) speaks:
it is walked through the past anew, and predicts each time from what was known by then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from tenure.core.config import Config
from tenure.core.errors import Problem, RefusedError
from tenure.core.progress import Progress
from tenure.core.records.promotion import Basis
from tenure.core.times import as_utc, show
from tenure.features.plan.plan import from_json
from tenure.labels.snapshots import prediction_times, snapshots
from tenure.labels.splits import rarer
from tenure.labels.targets import TARGETS, label
from tenure.model.bundle.bundle import Bundle
from tenure.model.evaluation.prediction_detail import mrr_thirds
from tenure.run.prepare import Prepared, feature_matrix, plan_features
from tenure.run.walk import walk_target
from tenure.score.score import Model, check_tables, features
from tenure.sources.dataset import Dataset

BASES: dict[Basis, str] = {
    "unseen": "both bundles as they stand, on rows later than anything either learnt from",
    "later": "the older bundle as it stands, on rows later than anything it learnt from, beside "
    "what the newer one's recipe would have predicted then",
    "replayed": "what both recipes would have predicted then, each walked through the past anew",
}


class TooFewOutcomesError(RefusedError):
    """The rows that two bundles can be compared on hold too few outcomes."""


@dataclass(frozen=True)
class PairedPredictions:
    """Two bundles on the same rows."""

    rows: pd.DataFrame
    """account_id, as_of, mrr, label, outcome_id, base_rate (of the labels known at as_of), the
    probabilities ``champion`` and ``challenger``, and, where the challenger's recipe spoke,
    ``as_it_stands``: those of its bundle, which may have learnt from these rows."""
    groups: dict[str, pd.Series[Any]]
    """What to divide by → the group of each row, in the same order."""
    basis: Basis
    """Who spoke."""
    notes: tuple[str, ...] = ()
    """What to know beside it."""


def trained_until(bundle: Bundle) -> datetime:
    """Return when the last outcome that a bundle learnt from was known."""
    return as_utc(bundle.spec.trained_until)


def same_recipe(one: Bundle, other: Bundle) -> bool:
    """Return whether two bundles were made from the same declarations, settings and code."""
    return one.spec.recipe is not None and one.spec.recipe == other.spec.recipe


@dataclass(frozen=True)
class Replay:
    """Two bundles of one target that are to predict what the config asks for, on the same rows."""

    dataset: Dataset
    config: Config
    champion: Bundle
    challenger: Bundle
    progress: Progress
    walks: dict[str, pd.Series[float]] = field(default_factory=dict)

    @property
    def target(self) -> str:
        """Return what both predict."""
        return self.challenger.spec.target

    @cached_property
    def cutoffs(self) -> list[datetime]:
        """Return the prediction times of a training run."""
        return prediction_times(self.config, self.dataset)

    @cached_property
    def snapshots(self) -> pd.DataFrame:
        """Return all snapshots, as a training run has them."""
        return snapshots(self.dataset, self.cutoffs)

    @cached_property
    def rows(self) -> pd.DataFrame:
        """Return the same with their labels."""
        return self._labelled(self.target)

    def _labelled(self, target: str) -> pd.DataFrame:
        return label(self.dataset, self.snapshots, TARGETS[target], self.config.labels)

    def pair(self) -> PairedPredictions:
        """Return the predictions of both.

        Raises:
            DataError: If a table that a bundle reads is missing.
            TooFewOutcomesError: If too few outcomes are known to compare.
        """
        pair = {"champion": self.champion, "challenger": self.challenger}
        check_tables(self.dataset, {name: Model.of(bundle) for name, bundle in pair.items()})
        older, newer = sorted(pair, key=lambda name: trained_until(pair[name]))
        known = self.rows[self.rows["label"].notna()]
        unseen = known[known["as_of"] >= trained_until(pair[newer])]
        if self._enough(unseen):
            stated = {name: self._stated(bundle, unseen) for name, bundle in pair.items()}
            return self._paired(unseen, stated, "unseen")
        later = known[known["as_of"] >= trained_until(pair[older])]
        if self._enough(later):
            walk = self._replayed(newer, pair[newer])
            later = later[later.index.isin(walk.index)]
            if self._enough(later):
                stated = {newer: walk[later.index], older: self._stated(pair[older], later)}
                return self._paired(later, stated, "later")
        walks = {name: self._replayed(name, bundle) for name, bundle in pair.items()}
        both = known[known.index.isin(walks[older].index.intersection(walks[newer].index))]
        if not self._enough(both):
            raise TooFewOutcomesError(self._too_few(both))
        return self._paired(
            both, {name: walk[both.index] for name, walk in walks.items()}, "replayed"
        )

    def _enough(self, rows: pd.DataFrame) -> bool:
        """Return whether rows can carry a comparison: as much as a claim needs."""
        model = self.config.model
        return rarer(rows) >= model.min_events and rows["as_of"].nunique() >= model.min_test_cutoffs

    def _too_few(self, rows: pd.DataFrame) -> Problem:
        model = self.config.model
        return Problem(
            f"challenger of `{self.target}`",
            f"cannot be compared with fewer than {model.min_events} distinct outcomes, or accounts "
            f"without one (model.min_events), at {model.min_test_cutoffs} prediction times "
            "(model.min_test_cutoffs)",
            f"{rarer(rows)} at {rows['as_of'].nunique()}",
            "wait for more outcomes, or decide yourself: `tenure promote CONFIG --force`",
        )

    def _stated(self, bundle: Bundle, rows: pd.DataFrame) -> pd.Series[float]:
        """Return the probabilities of a bundle as it stands."""
        self.progress.stage(f"{self.target}: {bundle.version} on {len(rows):,} rows")
        chosen = self.snapshots.loc[rows.index]
        matrix = features(self.dataset, chosen, {self.target: Model.of(bundle)})
        return pd.Series(bundle.main.probabilities(matrix.values), index=rows.index)

    def _replayed(self, name: str, bundle: Bundle) -> pd.Series[float]:
        """Return what a recipe would have predicted, by position in `rows`."""
        if same_recipe(self.champion, self.challenger):
            name, bundle = "challenger", self.challenger
        if name not in self.walks:
            self.walks[name] = self._walk(name, bundle)
        return self.walks[name]

    def _walk(self, name: str, bundle: Bundle) -> pd.Series[float]:
        """Return what a bundle's own declarations and settings would have predicted."""
        families = from_json(bundle.spec.declarations)
        threads = {"threads": self.config.model.threads}
        model = bundle.spec.model_settings.model_copy(update=threads)
        features = self.config.features.model_copy(update={"exclude": []})
        config = self.config.model_copy(update={"model": model, "features": features})
        dataset = self.dataset
        categories, plan = plan_features(config, dataset, families, self.cutoffs)
        plan = plan.only(bundle.main.columns)
        matrix = feature_matrix(config, dataset, self.snapshots, plan, categories, self.progress)
        labels, whole = {self.target: self.rows}, TARGETS[self.target].whole
        labels |= {whole: self._labelled(whole)} if whole else {}
        prepared = Prepared(self.cutoffs, families, plan, matrix, labels)
        stages = self.progress.within(name)
        predictions = walk_target(self.target, prepared, config, stages).predictions
        if predictions.empty:
            return pd.Series(dtype="float64")
        return pd.Series(predictions["probability"].to_numpy(), index=predictions["row"].to_numpy())

    def _paired(
        self, rows: pd.DataFrame, probabilities: dict[str, pd.Series[float]], basis: Basis
    ) -> PairedPredictions:
        names = ["account_id", "as_of", "mrr", "label", "outcome_id"]
        paired = rows[names].assign(base_rate=self._base_rates(rows), **probabilities)
        newer = trained_until(self.challenger) >= trained_until(self.champion)
        if basis == "replayed" or (basis == "later" and newer):
            paired = paired.assign(as_it_stands=self._stated(self.challenger, rows))
        paired = paired.reset_index(drop=True)
        return PairedPredictions(paired, self._groups(paired), basis, self._notes())

    def _base_rates(self, rows: pd.DataFrame) -> pd.Series[float]:
        """Return the rate of the outcome among the labels that were known at each row's time."""
        known = self.rows[self.rows["label"].notna()]
        rates = {
            moment: known.loc[known["label_known_at"] <= moment, "label"].mean()
            for moment in rows["as_of"].unique()
        }
        return rows["as_of"].map(rates)

    def _groups(self, rows: pd.DataFrame) -> dict[str, pd.Series[Any]]:
        mrr = rows["mrr"].to_numpy(dtype=np.float64, na_value=np.nan)
        groups: dict[str, pd.Series[Any]] = {"MRR": pd.Series(mrr_thirds(mrr, mrr))}
        if self.dataset.has("accounts", "segment"):
            sql = "SELECT account_id, segment FROM accounts ORDER BY event_time"
            history = self.dataset.engine.fetch(sql).to_pandas()
            latest = history.drop_duplicates("account_id", keep="last").set_index("account_id")
            groups["segment"] = rows["account_id"].map(latest["segment"])
        return groups

    def _notes(self) -> tuple[str, ...]:
        notes = []
        for name, bundle in (("champion", self.champion), ("challenger", self.challenger)):
            stored, current = bundle.spec.labels.model_dump(), self.config.labels.model_dump()
            other = [key for key, value in current.items() if stored[key] != value]
            if other:
                settings = ", ".join(f"labels.{key} {stored[key]}" for key in other)
                notes.append(
                    f"The {name} was trained with {settings}; both are judged by the config."
                )
        if self.challenger.spec.fingerprint != self.dataset.fingerprint:
            last = show(trained_until(self.challenger))
            notes.append(f"The challenger was trained on other data, on outcomes until {last}.")
        return tuple(notes)
