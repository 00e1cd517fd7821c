"""Drivers and contributions as bytes, and back, exactly.

A driver's sentence repeats in thousands of rows but for its figures: it is kept once, with a mark
in the place of each, and a row holds the figures.  Contributions are float32, compressed
signal by signal and byte by byte, where like stands beside like.  Both come in blocks of a few
scores: large enough to be small on disk, small enough to be read for one account.
"""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tenure.core.arrays import Array

VALUE, PEER, FIGURE = "\x01", "\x02", "\x03"
"""Marks in a sentence: in the place of the value and of that of peers, as older rows have it, and
of each number in turn."""
MARKS = re.compile(f"[{VALUE}{PEER}{FIGURE}]")
FIGURES = re.compile(r"(\d[\d,.]*)")
BLOCK, STREAM = 16, 4
"""Scores of a block, and how many of them are compressed together: one is read without the rest."""
FLOAT = np.dtype("<f4")
DRIVER = pa.schema(
    {
        **dict.fromkeys(("code", "label", "sentence", "value"), pa.string()),
        "value_num": pa.float64(),
        "peer_value": pa.string(),
        **dict.fromkeys(("peer_value_num", "contribution"), pa.float64()),
        "lever": pa.bool_(),
        **dict.fromkeys(("since", "feature"), pa.string()),
    }
)
"""What is kept of a driver, in the order in which it is written."""
_ALIKE = tuple(DRIVER.names[:3])


class SentenceTemplate(NamedTuple):
    """What drivers of one signal share: a sentence with marks in the place of its figures."""

    code: str
    label: str
    sentence: str

    @classmethod
    def of(cls, code: str, label: str, sentence: str) -> tuple[SentenceTemplate, list[str]]:
        """Return the wording of a driver and the figures with which it is the sentence again."""
        if MARKS.search(sentence):
            return cls(code, label, sentence), []
        parts = FIGURES.split(sentence)
        return cls(code, label, FIGURE.join(parts[::2])), parts[1::2]

    def filled(self, figures: Sequence[str]) -> str:
        """Return the sentence with its numbers."""
        if not figures:
            return self.sentence
        return _format(self.sentence) % tuple(figures)

    def with_values(self, value: str, peer_value: str) -> str:
        """Return the sentence of a row that holds the value and that of peers alone."""
        return self.sentence.replace(VALUE, value, 1).replace(PEER, peer_value, 1)


@lru_cache(maxsize=65_536)
def _format(sentence: str) -> str:
    """Return a sentence with a place for each figure."""
    return sentence.replace("%", "%%").replace(FIGURE, "%s")


@dataclass(frozen=True)
class EncodedDrivers:
    """The drivers of scores as text, but for the numbers that the store gives their wordings."""

    wordings: list[SentenceTemplate]
    """Those that occur."""
    places: Array
    """Where the wording of each driver stands among them, by score, the strongest first."""
    texts: pa.Array
    """The JSON of all else that is kept of each driver, by score."""
    counts: Array
    """Drivers of each score."""
    actable: Array
    """2 of a driver that raises its score and that a team can act on, 1 of another that raises it,
    else 0."""

    @classmethod
    def of(cls, drivers: pa.Table, width: int) -> EncodedDrivers:
        """Return drivers as text.

        `drivers` have the schema `DRIVER`, `width` rows a score; no code where there is none.
        """
        present = pc.is_valid(drivers["code"])
        counts = present.to_numpy().reshape(-1, width).sum(axis=1)
        drivers = drivers.filter(present).combine_chunks()
        first, alike = _groups([drivers[name] for name in _ALIKE])
        spoken = drivers.select(_ALIKE).take(first).to_pydict()
        numbers: dict[SentenceTemplate, int] = {}
        places, figures = [], []
        for words in zip(*spoken.values(), strict=True):
            wording, own = SentenceTemplate.of(*words)
            places.append(numbers.setdefault(wording, len(numbers)))
            # Text from here on: millions of small lists would keep the garbage collector busy.
            figures.append(json.dumps(own))
        columns = [_json(drivers[name]) for name in DRIVER.names[len(_ALIKE) :]]
        columns.append(pa.array(figures, pa.string()).take(alike))
        texts = pc.binary_join_element_wise(*columns, ",")
        raises, levers = (
            pc.fill_null(flags, fill_value=False).to_numpy(zero_copy_only=False)
            for flags in (pc.greater(drivers["contribution"], 0), drivers["lever"])
        )
        actable = raises * (1 + levers.astype(np.int8))
        return cls(list(numbers), np.asarray(places, dtype=np.int64)[alike], texts, counts, actable)

    @property
    def leading(self) -> Array:
        """Return where the wording of the first reason of each score stands, -1 without one.

        That is the strongest driver that raises the score, one that a team can act on where there
        is any; else the strongest of all.
        """
        score = np.repeat(np.arange(len(self.counts)), self.counts)
        order = np.lexsort((-self.actable, score))  # stable: the strongest first
        first = np.cumsum(self.counts) - self.counts
        places = np.append(self.places[order], -1)
        return np.where(self.counts > 0, places[first], -1)

    def packed(self, numbers: Array) -> list[bytes]:
        """Return blocks of bytes, `BLOCK` scores in each.

        `numbers` are those of the wordings in the store.
        """
        own = pa.array(numbers[self.places]).cast(pa.string())
        drivers = pc.binary_join_element_wise("[", own, ",", self.texts, "]", "")
        lines = pc.binary_join(_lists(drivers, self.counts), ",")
        lines = pc.binary_join_element_wise("[", lines, "]", "")
        streams = [
            zlib.compress(text.encode())
            for text in pc.binary_join(
                _lists(lines, _lengths(len(lines), STREAM)), "\n"
            ).to_pylist()
        ]
        per_block = BLOCK // STREAM
        return [
            _joined(streams[start : start + per_block])
            for start in range(0, len(streams), per_block)
        ]


def _groups(columns: Sequence[Any]) -> tuple[Array, Array]:
    """Return where each combination of values first occurs, and which of them each row has."""
    keys = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        encoded = column.combine_chunks().dictionary_encode()
        keys = keys * len(encoded.dictionary) + encoded.indices.to_numpy()
    _, first, alike = np.unique(keys, return_index=True, return_inverse=True)
    return first, alike


def _json(column: Any) -> Any:
    """Return the JSON of values."""
    column = column.combine_chunks()
    if pa.types.is_string(column.type):
        encoded = column.dictionary_encode()
        words = [json.dumps(word) for word in encoded.dictionary.to_pylist()]
        texts = pa.array(words, pa.string()).take(encoded.indices)
    elif pa.types.is_boolean(column.type):
        texts = column.cast(pa.int8()).cast(pa.string())
    else:
        texts = column.cast(pa.string())
        decimal = pc.match_substring_regex(texts, "[.enif]")
        texts = pc.if_else(decimal, texts, pc.binary_join_element_wise(texts, ".0", ""))
        texts = pc.replace_substring(texts, "inf", "Infinity")
    return texts.fill_null("null")


def _lengths(size: int, most: int) -> Array:
    """Return the lengths of successive parts of rows, all but the last of the same."""
    return np.diff(np.append(np.arange(0, size, most), size))


def _lists(values: Any, counts: Array) -> Any:
    """Return values as successive lists of some lengths."""
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), values)


def _joined(streams: Sequence[bytes]) -> bytes:
    """Return a block: how many streams it has, where each ends, and the streams."""
    ends = accumulate(map(len, streams))
    return struct.pack(f"<B{len(streams)}I", len(streams), *ends) + b"".join(streams)


_ZLIB = 0x78
"""First byte of a block of older rows, which is one stream."""


def _line(data: bytes, place: int) -> bytes:
    """Return the JSON of the drivers of the score at a place."""
    stream, at = divmod(place % BLOCK, STREAM)
    count = data[0]
    if count == _ZLIB:
        return zlib.decompress(data).split(b"\n", place % BLOCK + 1)[place % BLOCK]
    ends = struct.unpack_from(f"<{count}I", data, 1)
    start = 1 + 4 * count
    own = data[start + (ends[stream - 1] if stream else 0) : start + ends[stream]]
    return zlib.decompress(own).split(b"\n", at + 1)[at]


def unpacked_drivers(
    packed: Sequence[tuple[int, bytes]], wordings: Mapping[int, SentenceTemplate]
) -> list[list[dict[str, Any]]]:
    """Return the drivers of scores, None where a field has no value.

    They have the fields of a flat row, and `feature`, the column whose value is told.

    `packed` is of each score its place and the drivers of its block, as they are stored; wordings
    go by their numbers in the store.

    Raises:
        KeyError: If a wording is not among them.
    """
    lines = b",".join(_line(data, place) for place, data in packed)
    scores = json.loads(b"[%b]" % lines)
    return [[_driver(driver, wordings) for driver in drivers] for drivers in scores]


def _driver(values: list[Any], wordings: Mapping[int, SentenceTemplate]) -> dict[str, Any]:
    number, value, value_num, peer_value, peer_value_num, contribution, *rest = values
    wording = wordings[number]
    lever, since, feature, figures = rest or (None, None, None, None)
    if figures is None:
        sentence = wording.with_values(value, peer_value)
    else:
        sentence = wording.filled(figures)
    return {
        "code": wording.code,
        "label": wording.label,
        "value": value,
        "value_num": value_num,
        "peer_value": peer_value,
        "peer_value_num": peer_value_num,
        "contribution": contribution,
        "direction": "raises" if contribution > 0 else "lowers",
        "sentence": sentence,
        "lever": None if lever is None else bool(lever),
        "since": since,
        "feature": feature,
    }


def packed_contributions(values: Array) -> list[bytes]:
    """Return contributions as blocks of bytes, `BLOCK` rows in each.

    `values` are contributions of the signals, the base value last, shape (rows, signals + 1).
    """
    rows = values.astype(FLOAT)
    return [_packed(rows[start : start + BLOCK]) for start in range(0, len(rows), BLOCK)]


def _packed(rows: Array) -> bytes:
    split = rows.view(np.uint8).reshape(len(rows), -1, FLOAT.itemsize)
    return zlib.compress(split.transpose(2, 1, 0).tobytes(), 1)


def unpacked_contributions(data: bytes, width: int) -> Array:
    """Return the float32 contributions of a block, shape (rows of the block, width)."""
    split = np.frombuffer(zlib.decompress(data), dtype=np.uint8)
    split = split.reshape(FLOAT.itemsize, width, -1).transpose(2, 1, 0)
    return np.ascontiguousarray(split).view(FLOAT)[:, :, 0]
