"""What all sections of a config are, and those of tuning, the backtest and promotion."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """Base of all sections: frozen, and unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TuningConfig(Section):
    """How long the booster's parameters are searched; without a limit they are not."""

    trials: int = Field(
        0, ge=0, le=10_000, description="Trials of each search; 0 and no seconds: no tuning."
    )
    seconds: float | None = Field(
        None, gt=0, description="Seconds of all searches of a model; the result then varies."
    )
    every: int = Field(6, ge=1, description="Backtest folds that use a search before the next.")

    @property
    def wanted(self) -> bool:
        """Whether anything is searched."""
        return bool(self.trials) or self.seconds is not None


class EvaluationConfig(Section):
    """How the backtest is measured."""

    bootstrap: int = Field(500, ge=50, le=10_000, description="Account-clustered resamples.")
    level: float = Field(0.95, gt=0.5, lt=1)
    max_folds: int | None = Field(
        None, ge=1, description="Replay only so many of the latest prediction times; default: all."
    )
    contrast: bool = Field(
        True, description="Also measure accounts never seen, and what a random split would promise."
    )
    groups: list[str] = Field(
        ["segment"], description="Text features whose values are measured apart."
    )
    profit_months: float = Field(
        12.0, gt=0, description="Months of MRR that an account which is kept is worth."
    )
    profit_margin: float = Field(
        0.8, gt=0, le=1, description="Share of MRR left after the cost of serving the account."
    )
    profit_contact_cost: float = Field(
        50.0, ge=0, description="Cost of contacting one account, in the currency of its MRR."
    )
    profit_offer: float = Field(
        0.05, ge=0, lt=1, description="Share of its worth that an account is offered to stay."
    )
    profit_accepted: float = Field(
        0.3, gt=0, lt=1, description="Assumed share of leaving accounts that an offer keeps."
    )


class PromotionConfig(Section):
    """What a challenger may be worse at and still become champion."""

    tolerance: float = Field(
        0.05,
        ge=0,
        le=1,
        description="Share of the champion's log loss that the gain may lie below 0 at the lower "
        "end of its interval.",
    )
    group_tolerance: float = Field(
        0.10,
        ge=0,
        le=1,
        description="Share of a group's log loss by which it may rise, at the upper end of the "
        "interval.",
    )
    group_events: int = Field(
        30,
        ge=1,
        description="Groups with fewer distinct outcomes, or accounts without one, are not judged.",
    )
