"""Settings of fitting and evaluation: sections of the config, and values that a run resolves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from tenure.core.config import Config, ModelConfig
from tenure.core.sections import EvaluationConfig
from tenure.core.spec import Ranked


@dataclass(frozen=True)
class FitSettings:
    """Settings by which the models of one target are fitted and backtested."""

    model: ModelConfig = field(default_factory=ModelConfig)
    """The section ``model`` of the config."""
    ranked: tuple[Ranked, ...] = ()
    """Percentiles among peers that are fitted on the training rows."""
    outcome: str = "churn"
    """Kind of outcome of the target."""
    horizon_days: int = 90
    """Length of the label window."""
    monotone: Mapping[str, int] = field(default_factory=dict)
    """Column → 1 where the probability may only rise with it, -1 where only fall."""
    max_folds: int | None = None
    """Most folds of a walk, the latest; None for all."""
    bare: bool = False
    """Whether baselines and bounds of probabilities are left out, for comparisons."""

    @classmethod
    def of(cls, config: Config, ranked: tuple[Ranked, ...] = (), outcome: str = "churn") -> Self:
        """Return the settings of a run."""
        days = config.labels.horizon_days
        return cls(config.model, ranked, outcome, days, max_folds=config.evaluation.max_folds)

    def with_model(self, **changes: Any) -> Self:
        """Return the same settings with other values in the section ``model``."""
        return replace(self, model=self.model.model_copy(update=changes))


@dataclass(frozen=True)
class EvaluationSettings:
    """Settings by which predictions are measured."""

    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    """The section ``evaluation`` of the config."""
    seed: int = 0
    capacity: int | None = None
    """Accounts that a team works through at each prediction time; None leaves it out."""
    profit: bool = False
    """Whether the outcome is one that a retention campaign is meant to avert."""
    lowest: bool = False
    """Whether the low end of the list is measured too: where the outcome is welcome and the rule,
    those who miss it are the ones to look for."""
    horizon_days: int = 90
    """Length of the label window."""
    bounds_level: float = 0.8
    """Share of the true probabilities that bounds should hold."""

    @classmethod
    def of(cls, config: Config, *, profit: bool = False, lowest: bool = False) -> Self:
        """Return the settings of a run."""
        return cls(
            config.evaluation,
            config.model.seed,
            config.score.capacity,
            profit,
            lowest,
            config.labels.horizon_days,
            config.model.interval_level,
        )

    @property
    def resamples(self) -> int:
        """Account-clustered bootstrap resamples."""
        return self.evaluation.bootstrap

    @property
    def level(self) -> float:
        """Coverage of intervals."""
        return self.evaluation.level
