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
    """One named way to compute a metric.

    Attributes:
        name: Its name.
        rule: What sets it apart, in words.
        numerator: SQL aggregate over the relation: what is divided, or the value itself.  Here and
            in the denominator a name in braces, of `tenure.success.query.constants`, is a setting.
        denominator: SQL aggregate that it is divided by; none where it is not divided.
        n: SQL aggregate that counts what stands behind the value.
        interval: Which 95 % interval the value has: of a `share` of things counted, of a `mean`,
            of the difference of two shares (`points`), or of a `worth` divided by a share.
        detail: SQL that the interval needs besides: the standard deviation of a mean, the sum of
            both shares of points, or what the share of a worth counts.
        scale: What the quotient is multiplied with.
        relation: The relation, where it is not that of the metric.
        mixed: SQL condition under which there is no value, because scales would be mixed.
        used_by: Who publishes it so, for the reference page.
    """

    name: str
    rule: str
    numerator: str
    denominator: str | None = None
    n: str = "count(*)"
    interval: Interval | None = None
    detail: str | None = None
    scale: float = 1.0
    relation: Relation | None = None
    mixed: str | None = None
    used_by: str = ""


@dataclass(frozen=True, slots=True)
class MetricDeclaration:
    """A metric.

    Attributes:
        name: Its name in outputs.
        rule: What it is, in words.
        relation: What it is aggregated from.
        methods: Ways to compute it; the first is the default.
        unit: What the value is measured in.
        direction: 1 where more is better, -1 where less is, 0 where neither holds.
        none: Why there is no value where the denominator is 0 or nothing can be averaged.
        needs: Tables, or ``table.column``, or ``metrics.key`` of the config, without which there
            is no value.
        at_end: Whether it is of the period's end; accounts are then grouped by their plan at the
            end, else by that at the start.
        money: Whether it is computed per currency.
        instead: Name of the method that is shown too where the default gives no value.
    """

    name: str
    rule: str
    relation: Relation
    methods: tuple[Method, ...]
    unit: Unit
    direction: Direction
    none: str = ""
    needs: tuple[str, ...] = ()
    at_end: bool = False
    money: bool = False
    instead: str | None = None

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

    Args:
        part: What was counted.
        whole: What it was counted among, above 0.
    """
    share, square = part / whole, Z * Z
    centre = share + square / (2 * whole)
    spread = Z * sqrt(share * (1 - share) / whole + square / (4 * whole * whole))
    scale = 1 + square / whole
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)
