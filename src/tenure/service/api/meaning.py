"""How the probabilities of a model are to be read."""

from __future__ import annotations

from tenure.labels.targets import TARGETS
from tenure.score.model import Model
from tenure.service.api.responses import Direction, TargetMeaning


def direction(target: str) -> Direction:
    """Return whether a high probability of a target is bad news."""
    return "high_is_bad" if TARGETS[target].bad else "high_is_good"


def meaning(target: str, model: Model) -> TargetMeaning:
    """Return how the probabilities of a model are to be read."""
    spec = model.bundle.spec
    return TargetMeaning(
        model_name=spec.model_name,
        model_version=model.bundle.version,
        horizon_days=spec.labels.horizon_days,
        base_rate=model.main.base_rate,
        direction=direction(target),
        scale="probability",
    )
