"""One account at one prediction time: what features ask of a source, answered side by side.

A feature looks at the rows that lie in its window, were known by then and meet its conditions: a
row of a matrix of truths.  Features that ask the same of their rows are answered by one operation
over such rows.  The answers are those of the fold: whole numbers, joined in any order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from tenure.features.answers import ANSWERS, Mask, latest
from tenure.features.assemble import default
from tenure.features.fold import NOTHING, Array
from tenure.features.reading import SCALE, condition, member_column, operand
from tenure.features.values import MICROSECONDS_PER_DAY, Asked, Found, Starts

if TYPE_CHECKING:
    from tenure.engine.arrays import Columns
    from tenure.features.declare import Measured
    from tenure.features.reading import Reading
    from tenure.features.timeline import Timeline

MOST_CELLS = 4_000_000
"""Features by rows that are looked at in one matrix."""
Filter: TypeAlias = tuple[str | None, tuple[str, int] | None, tuple[str, bool] | None]
"""Columns of truths that rows must meet: a condition, a chosen value, and what is read."""
_WHOLE = -1_000_000_000
_COUNTS = {"count", "distinct", "most"}
_AMOUNTS = {"sum", "avg"}
_SCALED = {"min", "max", "last"}
_OF_ONE_COLUMN = {"last", "distinct", "most", "top", "longest_gap"}


def is_alone(reading: Reading, asked: Asked, columns: Columns) -> bool:
    """Return whether rows can be looked at side by side."""
    cells = len(reading.features) * len(columns["account_no"][0])
    return len(asked.times) == 1 and not reading.cells and cells <= MOST_CELLS


def alone_values(
    reading: Reading, timeline: Timeline, columns: Columns, asked: Asked, starts: Starts
) -> Iterator[Found]:
    """Yield the measured features of one account; see `measured_values`.

    Args:
        reading: What was read.
        timeline: The grid of one prediction time.
        columns: Result of the reading's statement.
        asked: The one snapshot.
        starts: Source → the first day of its history.
    """
    sheet = timeline.memo.get("sheet")
    if sheet is None:
        sheet = timeline.memo["sheet"] = _Sheet(reading, timeline)
    numbers, words = sheet.answers(_padded(columns, sheet.seen), int(asked.times[0]))
    first = starts.get(reading.source, [None])[0]
    cutoff = asked.cutoffs[0].toordinal()
    short = sheet.lengths > (cutoff - first.toordinal() if first else 0)
    numbers[short] = np.nan
    for place, item in enumerate(sheet.items):
        if item.spec.text:
            word = np.empty(1, dtype=object)
            word[0] = None if short[place] else words[place]
            yield item, word
        else:
            yield item, numbers[place : place + 1]


def _padded(columns: Columns, seen: Sequence[str]) -> Columns:
    """Return columns with a row that nobody sees where there is none."""
    if len(columns["account_no"][0]):
        return columns
    one = {name: (np.zeros(1, values.dtype), None) for name, (values, _) in columns.items()}
    return one | {name: (np.ones(1, dtype=np.int64), None) for name in seen}


class _Sheet:
    """What is asked of the rows of a source, put in order once.

    Attributes:
        items: The features, those that ask the same side by side.
        lengths: Days of each feature's window, `_WHOLE` where it looks at the whole past.
        seen: Columns that say who sees a row.
    """

    def __init__(self, reading: Reading, timeline: Timeline) -> None:
        self.seen = list(reading.seen.values())
        self._slot = list(reading.slot.values())
        self._reading = reading
        groups: dict[tuple[str, str], list[Measured]] = {}
        for item in reading.features:
            groups.setdefault(self._asks(item), []).append(item)
        self.items = [item for found in groups.values() for item in found]
        lengths = [item.spec.window for item in self.items]
        self.lengths = np.asarray([_WHOLE if days is None else days for days in lengths])
        self._default = np.asarray([default(item) for item in self.items], dtype=np.float64)
        ways = [item.aggregate.relative for item in self.items]
        self._way = np.asarray([{"since": 1, "until": -1}.get(way or "", 0) for way in ways])
        kinds = [item.aggregate.kind for item in self.items]
        self._summed = np.asarray([kind in _AMOUNTS for kind in kinds])
        self._scale = np.asarray([SCALE if kind in _SCALED else 1 for kind in kinds])
        self._nothing = np.asarray([0 if kind in _COUNTS else NOTHING for kind in kinds])
        self._views(timeline)
        self._filters()
        self._parts: list[tuple[str, str, slice, Array]] = []
        start = 0
        for (kind, column), found in groups.items():
            stop = start + len(found)
            self._parts.append((kind, column, slice(start, stop), self._read(kind, found)))
            start = stop

    def _asks(self, item: Measured) -> tuple[str, str]:
        """Return what is asked, and of which column where only features of one go together."""
        kind = item.aggregate.kind
        if kind not in _OF_ONE_COLUMN:
            return kind, ""
        return "words" if item.aggregate.text else kind, self._column(item)

    def _column(self, item: Measured) -> str:
        return self._reading.columns[operand(item.aggregate) or ""]

    def _views(self, timeline: Timeline) -> None:
        """Note which rows each feature may see: by whom, when, and whether still running."""
        reading, views = self._reading, dict[Any, int]()
        number = []
        for item in self.items:
            said = item.feature
            slot = self._slot.index(reading.slot[said.at])
            key = self.seen.index(reading.seen[item.clocks]), slot, said.running, item.window
            number.append(views.setdefault(key, len(views)))
        spans = [timeline.span(window) for *_, window in views]
        self._view = np.asarray(number)
        self._view_seen = np.asarray([key[0] for key in views])
        self._view_slot = np.asarray([key[1] for key in views])
        self._first = np.asarray([start for start, _ in spans])
        self._past = np.asarray([stop for _, stop in spans])
        running = [key[2] for key in views]
        self._running = np.flatnonzero(running) if any(running) else None

    def _filters(self) -> None:
        """Note which conditions the rows of each feature meet."""
        filters: dict[Filter, int] = {}
        number = []
        for item in self.items:
            where, each, kind = item.feature.where, item.feature.each, item.aggregate.kind
            chosen = read = None
            if each is not None and item.member is not None:
                chosen = member_column(each), self._reading.members[each][item.member]
            if item.aggregate.operand is not None:
                read = self._column(item), kind == "count"
            met = self._reading.columns[condition(where)] if where is not None else None
            number.append(filters.setdefault((met, chosen, read), len(filters)))
        self._filter, self._conditions = np.asarray(number), list(filters)

    def _read(self, kind: str, items: Sequence[Measured]) -> Array:
        """Return the columns that features read, by name."""
        if kind == "count":
            return np.empty(0, dtype=object)
        return np.asarray([self._column(item) for item in items], dtype=object)

    def answers(self, columns: Columns, now: int) -> tuple[Array, dict[int, Any]]:
        """Return the numbers of all features, and the words by the feature's place."""
        mask = self._mask(columns)
        whole, words = np.zeros(len(self.items), dtype=np.int64), dict[int, Any]()
        amounts = np.zeros(len(self.items))
        for kind, column, part, read in self._parts:
            if kind == "words":
                found = latest(columns, self._reading, column, mask[part], text=True)
                words |= zip(range(part.start, part.stop), found, strict=True)
            else:
                found = ANSWERS[kind](columns, self._reading, column or read, mask[part])
                (amounts if kind in _AMOUNTS else whole)[part] = found
        return self._finished(whole, amounts, now), words

    def _finished(self, whole: Array, amounts: Array, now: int) -> Array:
        """Return answers as the values of features, the default where no row counts."""
        plain = np.where(self._summed, amounts, whole / self._scale)
        distance = self._way * (now - whole) / MICROSECONDS_PER_DAY
        found = np.where(self._way != 0, distance, plain)
        nothing = np.where(self._summed, np.isnan(amounts), whole == self._nothing)
        return np.where(nothing, self._default, found)

    def _mask(self, columns: Columns) -> Mask:
        """Return the rows that count for each feature, shape (features, rows)."""
        seen = np.asarray([columns[name][0] for name in self.seen])
        slot = np.asarray([columns[name][0] for name in self._slot])
        when = slot[self._view_slot]
        views = (when >= self._first) & (when < self._past) & (seen < 1)[self._view_seen]
        if self._running is not None:
            views[self._running] &= columns["gone"][0] > 0
        filters = np.ones((len(self._conditions), seen.shape[1]), dtype=bool)
        for rows, (met, chosen, read) in zip(filters, self._conditions, strict=True):
            truths: list[Any] = [] if met is None else [columns[met][0]]
            if chosen is not None:
                numbers, there = columns[chosen[0]]
                truths += [numbers == chosen[1], there]
            if read is not None:
                truths.append(columns[read[0]][0 if read[1] else 1])
            for truth in truths:
                if truth is not None:
                    np.logical_and(rows, truth, out=rows)
        return np.asarray(views[self._view] & filters[self._filter])
