"""Bundles to promote, made from those of the small project."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from champions import set_champion
from e2e.road import UNTIL, Project
from tenure.core.times import as_utc, show
from tenure.model.boosting.fit import FittedModel
from tenure.model.bundle.bundle import Bundle, read_bundle, write_bundle
from tenure.model.bundle.reference_stats import from_records
from tenure.model.calibration.calibrators import Sigmoid
from tenure.model.registry.champion import champion

TARGET = "churn"
EARLY = UNTIL - timedelta(days=330)


def standing(own: Project) -> str:
    found = champion(own.root / "models", TARGET)
    assert found is not None
    return found.version


def bundle_of(own: Project) -> Bundle:
    return read_bundle(own.root / "models" / TARGET / standing(own))


def publish(
    own: Project, bundle: Bundle, *, days: int = 1, promotable: bool = True, **spec: Any
) -> str:
    """Publish a bundle as if it had been trained some days later."""
    made = datetime.now(UTC).replace(tzinfo=None, microsecond=0) + timedelta(days=days)
    assert bundle.metrics.verdict is not None
    verdict = bundle.metrics.verdict.model_copy(
        update={"status": "usable", "promotable": promotable}
    )
    later = replace(
        bundle,
        spec=bundle.spec.model_copy(update=spec),
        metrics=bundle.metrics.model_copy(update={"verdict": verdict}),
        run={**bundle.run, "created_at": show(made)},
    )
    write_bundle(later, own.root / "models", TARGET)
    return later.version


def tilted(bundle: Bundle, shift: float) -> Bundle:
    """Return a bundle whose log-odds are off by some amount."""
    assert isinstance(bundle.main, FittedModel)
    main = replace(bundle.main, calibrator=Sigmoid(1.0, shift))
    draft = replace(bundle, models={**bundle.models, str(bundle.spec.labels.horizon_days): main})
    scored = draft.main.probabilities(from_records(dict(bundle.examples))).tolist()
    return replace(draft, examples={**bundle.examples, "probabilities": scored})


def early(own: Project, shift: float = 0.0) -> str:
    """Put a champion in place that says it learnt nothing of the last months."""
    bundle = tilted(bundle_of(own), shift) if shift else bundle_of(own)
    version = publish(own, bundle, days=-30, trained_until=show(EARLY))
    set_champion(own.root / "models", TARGET, version, "test", "test")
    return version


def as_text(bundle: Bundle, days: int) -> str:
    """Return a bundle's last day of learning, moved."""
    return show(as_utc(bundle.spec.trained_until) + timedelta(days=days))
