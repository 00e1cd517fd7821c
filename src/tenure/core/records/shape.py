"""Leaks of shape: what a data set or a backtest looks like where the future is in the data."""

from __future__ import annotations

from typing import Literal

from tenure.core.records.base import UNMEASURED, Figure, Record, SparseRecord


class LifetimeRecord(Record):
    """A table whose rows per account look as if they had been made for lives of a known length.

    An elasticity of 1 means twice as many rows in a life that is twice as long, one of 0 as many.

    Attributes:
        table: Its name, which also allows it.
        kind: ``spread``: early rows thin out with the life that is still to come, and the rows of a
            life do not grow with it.  ``cut_off``: many accounts have the same highest number of
            rows, though their lives differ.
        accounts: Accounts that were compared.
        from_days: Shortest life among these.
        early_days: First days of a life that count as early.
        early: Elasticity of the early rows with the length of life, among accounts that began in
            the same month.
        growth: Elasticity of all rows with it, among accounts that are still there.
        highest: Most rows of an account.
        at_highest: Share of accounts with nearly as many.
        lives_differ: How many times longer the long lives among these are than the short ones.
        allowed: Whether the config allows the table by name.
    """

    table: str
    kind: Literal["spread", "cut_off"]
    accounts: int
    from_days: int
    early_days: int
    early: Figure
    growth: Figure
    highest: int
    at_highest: float
    lives_differ: float
    allowed: bool

    @property
    def stops(self) -> bool:
        """Whether nothing may be fitted on the table."""
        return self.kind == "spread" and not self.allowed


class SkillRecord(SparseRecord):
    """How well a backtest ranks, towards the end of observation.

    Attributes:
        folds: Prediction times with both outcomes.
        latest: How many of these count as the latest: they span one horizon.
        before: Mean AUC of the earlier ones.
        lately: Mean AUC of the latest.
        change: The latter less the former; its interval allows for accounts and shared shocks.
        lost: Share of the earlier lead over chance that is lost; below 0 where it has grown.
        falls: Whether surely so much is lost that the skill falls steeply.
        drifting: Whether mean predictions also rise against what happens, beyond chance.
    """

    folds: int
    latest: int
    before: float
    lately: float
    change: Figure = UNMEASURED
    lost: float
    falls: bool
    drifting: bool


class ContradictionRecord(Record):
    """A feature that moves scores against its declared direction, as its outcomes do.

    Attributes:
        column: Its name.
        source: Table that it is read from.
        declared: Declared effect on churn: 1 raises, -1 lowers.
        association: Rank correlation of its values with their contributions.
        auc: How well it alone ranks, taken in its declared direction; below 0.5 it contradicts.
        share: Its share of all mean absolute contributions.
    """

    column: str
    source: str
    declared: Literal[-1, 1]
    association: float
    auc: Figure
    share: float


class DirectionRecord(Record):
    """What moves scores against its declared direction.

    Attributes:
        declared: Features with a declared direction.
        share: Share of all mean absolute contributions that the contradicting ones carry.
        limit: Share from which that is suspicious.
        suspicious: Whether it is.
        columns: The contradicting ones, the strongest first.
    """

    declared: int
    share: float
    limit: float
    suspicious: bool
    columns: tuple[ContradictionRecord, ...]


class ShapeRecord(SparseRecord):
    """What the shape of a backtest says of leaks.

    Attributes:
        lifetimes: Tables whose rows look made for whole lives, or cut off.
        skill: Skill towards the end of observation; None with too few prediction times.
        directions: Drivers against their declared direction; None where none is declared.
    """

    lifetimes: tuple[LifetimeRecord, ...] = ()
    skill: SkillRecord | None = None
    directions: DirectionRecord | None = None
