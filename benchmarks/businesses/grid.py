"""Time as steps: four to a month, so that every first of a month begins a step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from businesses.options import Floats, Ints, Options

START = np.datetime64("2023-01-01", "D")
STEP_DAYS = (0, 8, 15, 23)  # days of a month on which its steps begin
PER_MONTH = len(STEP_DAYS)
AHEAD_MONTHS = 7  # simulated past the end of the history, so that its last outcomes are known
YEAR = 365.25


@dataclass(frozen=True, slots=True)
class Moment:
    """What one step is.

    Attributes:
        step: Its number.
        day: Days from the start of the history to its beginning.
        days: Its length.
        level: Factor of the shock on the rate of leaving.
        usage: Factor of the shock on everybody's usage.
    """

    step: int
    day: float
    days: float
    level: float
    usage: float


@dataclass(frozen=True, slots=True)
class Grid:
    """The steps of a history and of the months after it.

    Attributes:
        edges: Days from the start to the beginning of each step, then to the end of the last.
        levels: Factor of the shock on the rate of leaving, by step.
        usage: Factor of the shock on usage, by step.
        months: Months of history.
    """

    edges: Floats
    levels: Floats
    usage: Floats
    months: int

    @classmethod
    def of(cls, options: Options) -> Grid:
        """Return the steps of the history that the options describe."""
        total = options.months + AHEAD_MONTHS
        first = month_days(np.arange(total + 1))
        begins = first[:-1, None] + np.array(STEP_DAYS, float)
        edges = np.append(begins.ravel(), first[-1])
        levels, usage = np.ones(edges.size - 1), np.ones(edges.size - 1)
        begin = PER_MONTH * options.shock_begins
        if options.shock == "passes":
            span = slice(begin, begin + PER_MONTH * options.shock_months)
            levels[span], usage[span] = options.shock_size, 0.75
        elif options.shock == "stays":
            levels[begin:] = options.shock_size
        elif options.shock == "season":
            swing = np.sin(2 * np.pi * (edges[:-1] / YEAR))
            levels = np.asarray(options.shock_size ** (swing / 2))
            usage = np.asarray(1 - 0.15 * swing)
        return cls(edges, levels, usage, options.months)

    @property
    def steps(self) -> int:
        """Steps, those after the history included."""
        return self.edges.size - 1

    @property
    def observed_steps(self) -> int:
        """Steps of the history."""
        return self.months * PER_MONTH

    @property
    def until(self) -> float:
        """Days from the start to the end of the history."""
        return float(self.edges[self.observed_steps])

    def moment(self, step: int) -> Moment:
        """Return one step."""
        day, end = float(self.edges[step]), float(self.edges[step + 1])
        return Moment(step, day, end - day, float(self.levels[step]), float(self.usage[step]))


def month_days(months: Ints) -> Floats:
    """Return days from the start of the history to the firsts of months."""
    firsts = START.astype("M8[M]") + months
    return np.asarray((firsts.astype("M8[D]") - START).astype(float))


def stamps(days: Floats) -> npt.NDArray[np.datetime64]:
    """Return times to the second from days since the start, NaT where they are not finite."""
    known = np.isfinite(days)
    seconds = np.floor(np.where(known, days, 0.0) * 86_400).astype("m8[s]")
    times = (START.astype("M8[s]") + seconds).astype("M8[us]")
    return np.where(known, times, np.datetime64("NaT", "us"))
