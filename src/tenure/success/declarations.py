"""What a metric is: a rule in words, and named methods as SQL over one prepared relation."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Literal

from tenure.core.normal import deviations

Relation = Literal[
    "money",
    "bridge",
    "accounts",
    "renewals",
    "losses",
    "answers",
    "sent",
    "tickets",
    "usage",
    "breadth",
    "starts",
    "scored",
]
"""The relations that metrics are aggregated from; `tenure.success.relations` builds them."""

Interval = Literal["share", "mean", "points", "worth"]
Direction = Literal[-1, 0, 1]
Unit = Literal["money", "share", "ratio", "count", "score", "hours", "days"]

Z = deviations(0.95)
"""Quantile of the normal distribution that leaves 2.5 % above it."""


@dataclass(frozen=True, slots=True)
class Method:
    """One named way to compute a metric."""

    name: str
    rule: str
    """What sets it apart, in words."""
    numerator: str
    """SQL aggregate over the relation: what is divided, or the value itself.  Here and in the
    denominator a name in braces, of `tenure.success.query.constants`, is a setting."""
    denominator: str | None = None
    """SQL aggregate that it is divided by; none where it is not divided."""
    n: str = "count(*)"
    """SQL aggregate that counts what stands behind the value."""
    interval: Interval | None = None
    """Which 95 % interval the value has: of a `share` of things counted, of a `mean`, of the
    difference of two shares (`points`), or of a `worth` divided by a share."""
    detail: str | None = None
    """SQL that the interval needs besides: the standard deviation of a mean, the sum of both shares
    of points, or what the share of a worth counts."""
    scale: float = 1.0
    """What the quotient is multiplied with."""
    relation: Relation | None = None
    """The relation, where it is not that of the metric."""
    mixed: str | None = None
    """SQL condition under which there is no value, because scales would be mixed."""
    used_by: str = ""
    """Who publishes it so, for the reference page."""


@dataclass(frozen=True, slots=True)
class MetricDeclaration:
    """A metric."""

    name: str
    """Its name in outputs."""
    rule: str
    """What it is, in words."""
    relation: Relation
    """What it is aggregated from."""
    methods: tuple[Method, ...]
    """Ways to compute it; the first is the default."""
    unit: Unit
    """What the value is measured in."""
    direction: Direction
    """1 where more is better, -1 where less is, 0 where neither holds."""
    none: str = ""
    """Why there is no value where the denominator is 0 or nothing can be averaged."""
    needs: tuple[str, ...] = ()
    """Tables, or ``table.column``, or ``metrics.key`` of the config, without which there is no
    value."""
    at_end: bool = False
    """Whether it is of the period's end; accounts are then grouped by their plan at the end, else
    by that at the start."""
    money: bool = False
    """Whether it is computed per currency."""
    instead: str | None = None
    """Name of the method that is shown too where the default gives no value."""

    def method(self, name: str | None = None) -> Method:
        """Return a method by its name; the default without one.

        Raises:
            KeyError: If there is no such method.
        """
        if name is None:
            return self.methods[0]
        return {method.name: method for method in self.methods}[name]


def share_method(
    name: str, rule: str, part: str, whole: str, mixed: str | None = None, used_by: str = ""
) -> Method:
    """Return the method of a share of things counted, with the interval of a share."""
    return Method(name, rule, part, whole, whole, interval="share", mixed=mixed, used_by=used_by)


def share_interval(part: float, whole: float) -> tuple[float, float]:
    """Return both ends of Wilson's 95 % interval of a share.

    >>> [round(end, 3) for end in share_interval(1, 10)]
    [0.018, 0.404]

    `part` was counted among the `whole`, which is above 0.
    """
    share, square = part / whole, Z * Z
    centre = share + square / (2 * whole)
    spread = Z * sqrt(share * (1 - share) / whole + square / (4 * whole * whole))
    scale = 1 + square / whole
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)
