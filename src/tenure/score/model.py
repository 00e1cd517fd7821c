"""Champions made ready for scoring: the bundle, its features, and what it may be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

import numpy as np

from tenure.core.config import Config
from tenure.core.errors import ModelError, Problem
from tenure.core.spec import Kind
from tenure.explain.driver_records import DriverFacts, ScorePlace
from tenure.explain.outcomes import OutcomeShares
from tenure.explain.peers import Peers
from tenure.explain.portfolio import SignalFacts
from tenure.explain.row_words import Explainer
from tenure.features.plan.columns import FeatureSpec
from tenure.features.plan.plan import Plan, from_json, resolve_plan, united_plan
from tenure.labels.targets import TARGETS
from tenure.labels.windows import RENEWAL
from tenure.model.boosting.fit import FittedModel
from tenure.model.boosting.part import PartModel, ScoringModel
from tenure.model.bundle.bundle import Bundle, read_bundle
from tenure.model.bundle.reference_stats import from_records
from tenure.model.evaluation.expected_amount import Amounts
from tenure.model.registry.champion import champion
from tenure.model.registry.published import waiting
from tenure.score.inputs import Inputs
from tenure.sources.contract import SOURCES


@dataclass(frozen=True)
class Model:
    """A bundle made ready for scoring."""

    bundle: Bundle
    plan: Plan
    """Its features, resolved from its own declarations."""
    peers: Peers
    """Typical values of retained accounts."""
    models: Mapping[str, ScoringModel]
    """Horizon, as text → what gives its probabilities."""

    @classmethod
    def of(cls, bundle: Bundle) -> Model:
        """Resolve a bundle's own declarations against the columns it was trained with."""
        spec = bundle.spec
        columns = {name: frozenset(listed) for name, listed in spec.tables.items()}
        resolved = resolve_plan(from_json(spec.declarations), columns, members=spec.members)
        peers = Peers.from_json(bundle.reference["peers"])
        return cls(bundle, resolved.only(bundle.columns), peers, bundle.models)

    def explainer(self, *, levers_first: bool = False) -> Explainer:
        """Return what speaks of the contributions to its scores."""
        return self._explainers[levers_first]

    @cached_property
    def _explainers(self) -> tuple[Explainer, Explainer]:
        target = TARGETS[self.bundle.spec.target]
        by_strength, levers_first = (
            Explainer(target, self.specs, self.peers, self.outcomes, first, self.begins)
            for first in (False, True)
        )
        return by_strength, levers_first

    @cached_property
    def outcomes(self) -> OutcomeShares | None:
        """Return what became of accounts by value; None of a model that did not learn it."""
        stored = self.bundle.reference.get("outcomes")
        return OutcomeShares.from_json(stored) if stored else None

    @cached_property
    def inputs(self) -> Inputs:
        """Return the features that its main model reads, and what its training rows held there."""
        features = self.bundle.reference["features"]
        return Inputs.of(self.specs, self.main.encoder, features)

    @cached_property
    def facts(self) -> DriverFacts:
        """Return what is known of its drivers beside their rows."""
        reference = self.bundle.reference
        signals = SignalFacts.of(self.specs, reference.get("effects"))
        return DriverFacts(signals, reference.get("stability", {}))

    def place(self, horizon: str, log_odds: float, probability: float) -> ScorePlace:
        """Return where a score of a horizon stands between the base value and its probability."""
        return ScorePlace(log_odds, probability, *self._bases[horizon])

    @cached_property
    def _bases(self) -> dict[str, tuple[float, float | None]]:
        """Return horizon → its base value, and the probability there where that alone gives it."""
        rows = from_records(dict(self.bundle.examples))
        bases: dict[str, tuple[float, float | None]] = {}
        for name, model in self.models.items():
            if model.encoder.absent(rows):
                bases[name] = 0.0, None
                continue
            base = float(model.contributions(rows.iloc[:1])[0, -1])
            chance = None
            if isinstance(model, FittedModel):
                chance = float(model.calibrator.probability(np.array([base]))[0])
            bases[name] = base, chance
        return bases

    def beside(self, whole: Model) -> Model:
        """Return the model of a part of an event as a share of another model of the event.

        It answers for the horizons of that model.

        `whole` may be older or newer than the part's own.
        """
        part = self.main
        if not isinstance(part, PartModel):
            raise TypeError(f"{self.bundle.spec.target} is no part of an event")
        models = {
            name: replace(part, whole=model)
            for name, model in whole.models.items()
            if isinstance(model, FittedModel)
        }
        return replace(self, plan=united_plan([self.plan, whole.plan]), models=models)

    @property
    def main(self) -> ScoringModel:
        """Return the model of the main horizon."""
        return self.models[str(self.horizon_days)]

    @cached_property
    def begins(self) -> dict[str, date]:
        """Return the first day of each source's history when the model was trained."""
        begins = self.bundle.spec.begins
        return {source: date.fromisoformat(day) for source, day in begins.items()}

    @cached_property
    def sources(self) -> frozenset[str]:
        """Return the tables that the model reads."""
        return frozenset(item.spec.source for item in self.plan.measured)

    @cached_property
    def kinds(self) -> dict[str, dict[str, Kind]]:
        """Return the tables and columns that the model was trained with, and what these are."""
        texts = {name for name, spec in self.specs.items() if spec.text}
        kinds: dict[str, dict[str, Kind]] = {}
        for table, columns in self.bundle.spec.tables.items():
            declared = {column.name: column.kind for column in SOURCES[table].columns}
            # A further attribute is a feature of the same name.
            kinds[table] = {
                name: declared.get(name, "text" if name in texts else "number") for name in columns
            }
        return kinds

    @cached_property
    def specs(self) -> dict[str, FeatureSpec]:
        """Return how to speak of the model's columns."""
        return self.plan.described

    @property
    def horizon_days(self) -> int:
        """Return the main horizon."""
        return self.bundle.spec.labels.horizon_days

    @cached_property
    def horizons(self) -> tuple[str, ...]:
        """Return the horizons that the model answers for, as text, the main one first."""
        main = str(self.horizon_days)
        further = sorted(self.models, key=lambda name: (name == RENEWAL, name.zfill(9)))
        return (main, *(name for name in further if name != main))

    @cached_property
    def longest(self) -> int:
        """Return the most days that the model looks ahead."""
        return max(int(name) for name in self.horizons if name != RENEWAL)

    @cached_property
    def amounts(self) -> dict[str, Amounts]:
        """Return how much is at stake where it happens, by horizon; none where not learnt."""
        stored = self.bundle.reference.get("amounts", {})
        return {horizon: Amounts.from_json(state) for horizon, state in stored.items()}


def load_models(config: Config) -> dict[str, Model]:
    """Return the champion of each target of a config that has one.

    Raises:
        ModelError: If no target has a champion, or a champion belongs to another project.
    """
    models: dict[str, Model] = {}
    for target in config.targets:
        if standing := champion(config.paths.models, target):
            models[target] = load_model(config, target, standing.version)
    if not models:
        raise ModelError(no_champion(config))
    return joined(models)


def load_model(config: Config, target: str, version: str) -> Model:
    """Return a published version of a target's model.

    Raises:
        ModelError: If its bundle is damaged, or belongs to another project.
    """
    folder = config.paths.models / target / version
    bundle = read_bundle(folder, threads=config.model.threads)
    check_owner(bundle, config, target)
    return Model.of(bundle)


def no_champion(config: Config) -> Problem:
    """Return what is wrong where no target of a config has a champion."""
    rule = f"holds no champion for {', '.join(config.targets)}"
    fix = "run `tenure train CONFIG`; it says why where no model was usable"
    return Problem(str(config.paths.models), rule, fix=fix)


def joined(models: Mapping[str, Model]) -> dict[str, Model]:
    """Return models, each part of an event as a share of the event's model, if that stands."""
    wholes = {name: models.get(TARGETS[name].whole or "") for name in models}
    return {
        name: model.beside(whole) if (whole := wholes[name]) else model
        for name, model in models.items()
    }


def load_challenger(
    config: Config, champions: Mapping[str, Model], target: str, before: Model | None = None
) -> Model | None:
    """Return the challenger of a target that waits to be compared, None where none waits.

    A part of an event is a share of the champion of the event.  `before` is the challenger as it
    was last read; it is returned where it still is the one.

    Raises:
        ModelError: If its bundle is damaged, or belongs to another project.
    """
    version = waiting(config.paths.models, target)
    if version is None:
        return None
    if before is not None and before.bundle.version == version:
        return before
    return joined({**champions, target: load_model(config, target, version)})[target]


def check_owner(bundle: Bundle, config: Config, target: str) -> None:
    """Make sure that a champion was trained for this config and target.

    Raises:
        ModelError: If it belongs to another target, another project or another horizon.
    """
    spec = bundle.spec
    place = f"champion of `{target}` in {config.paths.models}"
    if spec.target != target:
        fix = f"set another champion: `tenure promote CONFIG --target {target} --to VERSION`"
        raise ModelError(Problem(place, "is a model of another target", spec.target, fix))
    if spec.name != config.name:
        fix = "set `paths: {models: …}` to a folder of this project's own"
        raise ModelError(Problem(place, f"belongs to `{spec.name}`, not `{config.name}`", fix=fix))
    horizon = config.labels.horizon_days
    if spec.labels.horizon_days != horizon:
        fix = "run `tenure train CONFIG` for the new horizon in another `paths.models`"
        trained = f"{spec.labels.horizon_days} days, config: {horizon}"
        raise ModelError(Problem(place, "was trained for another horizon", trained, fix))
