"""Answers about the rows of one account: counts, sums, extremes, and what is said of members.

Each is given for several features at once, from the columns, what is read of them, and which rows
count, shape (features, rows).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from tenure.features.active import longest
from tenure.features.fold import NOTHING, Array
from tenure.features.reading import MOMENT, SCALE

if TYPE_CHECKING:
    from tenure.engine.arrays import Columns
    from tenure.features.reading import Reading

Mask: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]


def _amounts(columns: Columns, read: Array) -> Array:
    """Return the whole numbers that each feature reads, shape (features, rows)."""
    return np.asarray([columns[name][0] for name in read])


def _count(_: Columns, __: Reading, ___: Any, mask: Mask) -> Array:
    return np.asarray(mask.sum(axis=1))


def _sum(columns: Columns, _: Reading, read: Array, mask: Mask) -> Array:
    total = np.where(mask, _amounts(columns, read), 0).sum(axis=1, dtype=np.int64)
    return np.where(mask.any(axis=1), total / SCALE, np.nan)


def _mean(columns: Columns, reading: Reading, read: Array, mask: Mask) -> Array:
    return np.asarray(_sum(columns, reading, read, mask) / np.maximum(mask.sum(axis=1), 1))


def _largest(columns: Columns, _: Reading, read: Array, mask: Mask) -> Array:
    return np.asarray(np.where(mask, _amounts(columns, read), NOTHING).max(axis=1))


def _smallest(columns: Columns, _: Reading, read: Array, mask: Mask) -> Array:
    found = np.where(mask, -_amounts(columns, read), NOTHING).max(axis=1)
    return np.where(found == NOTHING, NOTHING, -found)


def latest(
    columns: Columns, reading: Reading, name: str, mask: Mask, *, text: bool = False
) -> Array:
    """Return what the latest row says; the larger value decides between equal times."""
    values = columns[name][0]
    ranked = rank = np.zeros(1, dtype=np.int64)
    if len(values) > 1:
        order = _alphabetic(values) if text else values
        ranked = np.lexsort((order, columns[reading.columns[MOMENT]][0]))
        rank = np.empty(len(ranked), dtype=np.int64)
        rank[ranked] = np.arange(len(ranked))
    latest = np.where(mask, rank, -1).max(axis=1)
    found: Array = values[ranked[latest]].astype(object if text else np.int64)
    found[latest < 0] = None if text else NOTHING
    return found


def _alphabetic(words: Array) -> Array:
    """Return the place of each word among all of them in order."""
    texts = [str(word) for word in words.tolist()]
    place = {text: number for number, text in enumerate(sorted(set(texts)))}
    return np.asarray([place[text] for text in texts])


def _together(columns: Columns, name: str, mask: Mask) -> tuple[Mask, Array, Array]:
    """Return the mask with the rows of one value side by side, where each begins, and the order."""
    values = columns[name][0]
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    changes = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
    return mask[:, order], np.concatenate([[0], changes]), order


def _distinct(columns: Columns, _: Reading, name: str, mask: Mask) -> Array:
    ordered, begins, _order = _together(columns, name, mask)
    return np.asarray(np.logical_or.reduceat(ordered, begins, axis=1).sum(axis=1))


def _most(columns: Columns, _: Reading, name: str, mask: Mask) -> Array:
    ordered, begins, _order = _together(columns, name, mask)
    return np.asarray(np.add.reduceat(ordered.astype(np.int64), begins, axis=1).max(axis=1))


def _top(columns: Columns, reading: Reading, name: str, mask: Mask) -> Array:
    """Return when the value with most rows was last seen."""
    ordered, begins, order = _together(columns, name, mask)
    counts = np.add.reduceat(ordered.astype(np.int64), begins, axis=1)
    moments = columns[reading.columns[MOMENT]][0][order]
    seen = np.maximum.reduceat(np.where(ordered, moments, NOTHING), begins, axis=1)
    leads = (counts == counts.max(axis=1, keepdims=True)) & (counts > 0)
    return np.asarray(np.where(leads, seen, NOTHING).max(axis=1))


def _gap(columns: Columns, _: Reading, name: str, mask: Mask) -> Array:
    ordered, begins, order = _together(columns, name, mask)
    there = np.logical_or.reduceat(ordered, begins, axis=1)
    return longest(there, columns[name][0][order][begins])


ANSWERS: dict[str, Callable[[Columns, Reading, Any, Mask], Array]] = {
    "count": _count,
    "sum": _sum,
    "avg": _mean,
    "max": _largest,
    "min": _smallest,
    "last": latest,
    "distinct": _distinct,
    "most": _most,
    "top": _top,
    "longest_gap": _gap,
}
"""Aggregate → what answers it."""
