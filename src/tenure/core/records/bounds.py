"""Whether the bounds of a backtest hold."""

from __future__ import annotations

from tenure.core.records.base import Record


class Tally(Record):
    """How many groups of rows there are, and how many of them lie within their bounds."""

    n: int
    inside: int


class BoundsCheck(Record):
    """Whether bounds hold, on groups that were formed without the score."""

    level: float
    """Share of the true probabilities that bounds should hold."""
    groups: Tally
    """Segment × tenure × prediction time, of at least 20 predictions."""
    months: Tally
    """What each prediction time adds up to."""
