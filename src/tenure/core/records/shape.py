"""Leaks of shape: what a data set or a backtest looks like where the future is in the data."""

from __future__ import annotations

from typing import Literal

from tenure.core.records.base import UNMEASURED, Figure, Record, SparseRecord


class LifetimeRecord(Record):
    """A table whose rows per account look as if they had been made for lives of a known length.

    An elasticity of 1 means twice as many rows in a life that is twice as long, one of 0 as many.
    """

    table: str
    """Its name, which also allows it."""
    kind: Literal["spread", "cut_off"]
    """``spread``: early rows thin out with the life that is still to come, and the rows of a life
    do not grow with it.  ``cut_off``: many accounts have the same highest number of rows, though
    their lives differ."""
    accounts: int
    """Accounts that were compared."""
    from_days: int
    """Shortest life among these."""
    early_days: int
    """First days of a life that count as early."""
    early: Figure
    """Elasticity of the early rows with the length of life, among accounts that began in the same
    month."""
    growth: Figure
    """Elasticity of all rows with it, among accounts that are still there."""
    highest: int
    """Most rows of an account."""
    at_highest: float
    """Share of accounts with nearly as many."""
    lives_differ: float
    """How many times longer the long lives among these are than the short ones."""
    allowed: bool
    """Whether the config allows the table by name."""

    @property
    def stops(self) -> bool:
        """Whether nothing may be fitted on the table."""
        return self.kind == "spread" and not self.allowed


class SkillRecord(SparseRecord):
    """How well a backtest ranks, towards the end of observation."""

    folds: int
    """Prediction times with both outcomes."""
    latest: int
    """How many of these count as the latest: they span one horizon."""
    before: float
    """Mean AUC of the earlier ones."""
    lately: float
    """Mean AUC of the latest."""
    change: Figure = UNMEASURED
    """The latter less the former; its interval allows for accounts and shared shocks."""
    lost: float
    """Share of the earlier lead over chance that is lost; below 0 where it has grown."""
    falls: bool
    """Whether surely so much is lost that the skill falls steeply."""
    drifting: bool
    """Whether mean predictions also rise against what happens, beyond chance."""


class ContradictionRecord(Record):
    """A feature that moves scores against its declared direction, as its outcomes do."""

    column: str
    """Its name."""
    source: str
    """Table that it is read from."""
    declared: Literal[-1, 1]
    """Declared effect on churn: 1 raises, -1 lowers."""
    association: float
    """Rank correlation of its values with their contributions."""
    auc: Figure
    """How well it alone ranks, taken in its declared direction; below 0.5 it contradicts."""
    share: float
    """Its share of all mean absolute contributions."""


class DirectionRecord(Record):
    """What moves scores against its declared direction."""

    declared: int
    """Features with a declared direction."""
    share: float
    """Share of all mean absolute contributions that the contradicting ones carry."""
    limit: float
    """Share from which that is suspicious."""
    suspicious: bool
    """Whether it is."""
    columns: tuple[ContradictionRecord, ...]
    """The contradicting ones, the strongest first."""


class ShapeRecord(SparseRecord):
    """What the shape of a backtest says of leaks."""

    lifetimes: tuple[LifetimeRecord, ...] = ()
    """Tables whose rows look made for whole lives, or cut off."""
    skill: SkillRecord | None = None
    """Skill towards the end of observation; None with too few prediction times."""
    directions: DirectionRecord | None = None
    """Drivers against their declared direction; None where none is declared."""
