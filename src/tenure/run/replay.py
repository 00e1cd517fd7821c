"""Two bundles on the same past rows, of which neither may have seen the outcome.

A bundle may speak for itself about rows with ``as_of`` at or after its ``trained_until``: nothing
that it learnt was known only then.  About earlier rows its recipe (declarations, settings) speaks:
it is walked through the past anew, and predicts each time from what was known by then.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tenure.core.config import Config, ModelConfig
from tenure.core.errors import Problem, RefusedError
from tenure.core.times import as_utc, show
from tenure.features.cache.matrix_cache import build_cached
from tenure.features.compute.categories import choose_categories
from tenure.features.plan.plan import from_json, resolve_plan
from tenure.labels.snapshots import prediction_times, snapshots
from tenure.labels.splits import rarer
from tenure.labels.targets import TARGETS, label
from tenure.model.registry.comparison import mrr_thirds
from tenure.run.fit import walk_target
from tenure.run.prepare import CACHE, Prepared, Progress, since
from tenure.score.score import Model, check_tables, features

if TYPE_CHECKING:
    from tenure.model.bundle.bundle import Bundle
    from tenure.sources.dataset import Dataset

Floats = NDArray[np.float64]
Basis = Literal["unseen", "later", "replayed"]

RECIPE = "recipe"
WORDS: dict[Basis, str] = {
    "unseen": "both bundles as they stand, on rows later than anything either learnt from",
    "later": "the older bundle as it stands, on rows later than anything it learnt from, beside "
    "what the newer one's recipe would have predicted then",
    "replayed": "what both recipes would have predicted then, each walked through the past anew",
}


@dataclass(frozen=True)
class PairedPredictions:
    """Two bundles on the same rows.

    Attributes:
        rows: account_id, as_of, mrr, label, outcome_id, the probabilities ``champion`` and
            ``challenger``, and, where the challenger's recipe spoke, ``as_it_stands``: those of its
            bundle, which may have learnt from these rows.
        groups: What to divide by → the group of each row, in the same order.
        basis: Who spoke.
        notes: What to know beside it.
    """

    rows: pd.DataFrame
    groups: dict[str, pd.Series[Any]]
    basis: Basis
    notes: tuple[str, ...] = ()


def trained_until(bundle: Bundle) -> datetime:
    """Return when the last outcome that a bundle learnt from was known."""
    return as_utc(bundle.spec["trained_until"])


def same_recipe(one: Bundle, other: Bundle) -> bool:
    """Return whether two bundles were made from the same declarations, settings and code."""
    recipe = one.spec.get(RECIPE)
    return recipe is not None and recipe == other.spec.get(RECIPE)


def paired_predictions(
    dataset: Dataset,
    config: Config,
    champion: Bundle,
    challenger: Bundle,
    progress: Progress,
) -> PairedPredictions:
    """Let two bundles of one target predict the same rows.

    Args:
        dataset: Loaded tables.
        config: Settings; what is asked, and when, is taken from here.
        champion: The bundle that stands.
        challenger: The bundle that would take its place.
        progress: Called with a line for each step.

    Raises:
        DataError: If a table that a bundle reads is missing.
        RefusedError: If too few outcomes are known to compare.
    """
    return _Replay(dataset, config, champion, challenger, progress).pair()


@dataclass(frozen=True)
class _Replay:
    dataset: Dataset
    config: Config
    champion: Bundle
    challenger: Bundle
    progress: Progress
    walks: dict[str, pd.Series[float]] = field(default_factory=dict)

    @property
    def target(self) -> str:
        return str(self.challenger.spec["target"])

    @cached_property
    def cutoffs(self) -> list[datetime]:
        return prediction_times(self.config, self.dataset)

    @cached_property
    def asked(self) -> pd.DataFrame:
        """All snapshots, as a training run has them."""
        return snapshots(self.dataset, self.cutoffs)

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The same with their labels."""
        return label(self.dataset, self.asked, TARGETS[self.target], self.config.labels)

    def pair(self) -> PairedPredictions:
        pair = {"champion": self.champion, "challenger": self.challenger}
        check_tables(self.dataset, {name: Model.of(bundle) for name, bundle in pair.items()})
        older, newer = sorted(pair, key=lambda name: trained_until(pair[name]))
        known = self.rows[self.rows["label"].notna()]
        unseen = known[known["as_of"] >= trained_until(pair[newer])]
        if self._enough(unseen):
            said = {name: self._stated(bundle, unseen) for name, bundle in pair.items()}
            return self._contest(unseen, said, "unseen")
        later = known[known["as_of"] >= trained_until(pair[older])]
        if self._enough(later):
            walk = self._replayed(newer, pair[newer])
            later = later[later.index.isin(walk.index)]
            if self._enough(later):
                said = {newer: walk[later.index], older: self._stated(pair[older], later)}
                return self._contest(later, said, "later")
        said = {name: self._replayed(name, bundle) for name, bundle in pair.items()}
        both = known[known.index.isin(said[older].index.intersection(said[newer].index))]
        if not self._enough(both):
            raise RefusedError(self._too_few(both))
        return self._contest(
            both, {name: walk[both.index] for name, walk in said.items()}, "replayed"
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
        """Return what a bundle says itself."""
        self.progress(f"{self.target}: {bundle.version} on {len(rows):,} rows")
        asked = self.asked.loc[rows.index]
        matrix = features(self.dataset, asked, {self.target: Model.of(bundle)})
        found = bundle.main.probabilities(matrix.values)
        return pd.Series(found, index=rows.index)

    def _replayed(self, name: str, bundle: Bundle) -> pd.Series[float]:
        """Return what a recipe would have predicted, by position in `rows`."""
        if same_recipe(self.champion, self.challenger):
            name, bundle = "challenger", self.challenger
        if name not in self.walks:
            self.walks[name] = self._walk(name, bundle)
        return self.walks[name]

    def _walk(self, name: str, bundle: Bundle) -> pd.Series[float]:
        families = from_json(bundle.spec["declarations"])
        engine, columns = self.dataset.engine, self.dataset.columns
        members = choose_categories(engine, families, columns, self.cutoffs)
        resolved = resolve_plan(families, columns, members=members.values).only(bundle.main.columns)
        matrix = build_cached(
            engine,
            self.asked,
            resolved,
            self.config.paths.runs / CACHE if self.config.features.cache else None,
            since=since(resolved, members),
            progress=self.progress,
        )
        labels = {self.target: self.rows}
        prepared = Prepared(self.cutoffs, families, members, resolved, matrix, labels)
        told = lambda line: self.progress(f"{name}: {line}")  # noqa: E731
        walk = walk_target(self.target, prepared, self._settings(bundle), told)
        found = walk.predictions
        if found.empty:
            return pd.Series(dtype="float64")
        return pd.Series(found["probability"].to_numpy(), index=found["row"].to_numpy())

    def _settings(self, bundle: Bundle) -> Config:
        """Return the config with the bundle's own settings of how to fit."""
        stored = bundle.spec["model_settings"]
        known = {name: stored[name] for name in ModelConfig.model_fields if name in stored}
        model = ModelConfig.model_validate(known | {"threads": self.config.model.threads})
        return self.config.model_copy(update={"model": model})

    def _contest(
        self, rows: pd.DataFrame, said: dict[str, pd.Series[float]], basis: Basis
    ) -> PairedPredictions:
        kept = rows[["account_id", "as_of", "mrr", "label", "outcome_id"]].assign(**said)
        replayed = basis == "replayed" or (
            basis == "later" and trained_until(self.challenger) >= trained_until(self.champion)
        )
        if replayed:
            kept = kept.assign(as_it_stands=self._stated(self.challenger, rows))
        made = PairedPredictions(kept.reset_index(drop=True), {}, basis, self._notes())
        return replace(made, groups=self._groups(made.rows))

    def _groups(self, rows: pd.DataFrame) -> dict[str, pd.Series[Any]]:
        groups = {"MRR": mrr_thirds(rows["mrr"])}
        if self.dataset.has("accounts", "segment"):
            sql = "SELECT account_id, segment FROM accounts ORDER BY event_time"
            found = self.dataset.engine.fetch(sql).to_pandas()
            latest = found.drop_duplicates("account_id", keep="last").set_index("account_id")
            groups["segment"] = rows["account_id"].map(latest["segment"])
        return groups

    def _notes(self) -> tuple[str, ...]:
        notes = []
        for name, bundle in (("champion", self.champion), ("challenger", self.challenger)):
            stored, asked = bundle.spec["labels"], self.config.labels.model_dump(mode="json")
            other = [key for key, value in asked.items() if stored.get(key, value) != value]
            if other:
                said = ", ".join(f"labels.{key} {stored[key]}" for key in other)
                notes.append(f"The {name} was trained with {said}; both are judged by the config.")
        if self.challenger.spec["fingerprint"] != self.dataset.fingerprint:
            last = show(trained_until(self.challenger))
            notes.append(f"The challenger was trained on other data, on outcomes until {last}.")
        return tuple(notes)
