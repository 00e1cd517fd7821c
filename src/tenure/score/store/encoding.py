"""Drivers and contributions as bytes, and back, exactly.

A driver's sentence repeats in thousands of rows but for its figures: it is kept once, with a mark
in the place of each, and a row holds the figures.  Contributions are float32, compressed
signal by signal and byte by byte, where like stands beside like.  Both come in blocks of a few
scores: large enough to be small on disk, small enough to be read for one account.
"""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]

VALUE, PEER, FIGURE = "\x01", "\x02", "\x03"
"""Marks in a sentence: in the place of the value and of that of peers, as older rows have it, and
of each number in turn."""
NUMBER = re.compile(r"\d[\d,.]*")
BLOCK = 16
"""Scores that are compressed together."""
FLOAT = np.dtype("<f4")


class DriverWords(NamedTuple):
    """The words of a driver but for its direction."""

    code: str
    label: str
    sentence: str
    value: str
    peer_value: str
    lever: bool
    since: str
    feature: str


@dataclass(frozen=True)
class SentenceTemplate:
    """What drivers of one signal share: a sentence with marks in the place of its figures."""

    code: str
    label: str
    sentence: str

    @classmethod
    def of(cls, driver: DriverWords) -> SentenceTemplate:
        """Return the wording of a driver, from which its sentence follows exactly."""
        marked = any(mark in driver.sentence for mark in (VALUE, PEER, FIGURE))
        text = driver.sentence if marked else NUMBER.sub(FIGURE, driver.sentence)
        return cls(driver.code, driver.label, text)

    def filled(self, figures: Sequence[str]) -> str:
        """Return the sentence with its numbers."""
        if not figures:
            return self.sentence
        parts = self.sentence.split(FIGURE)
        return "".join(chain.from_iterable(zip(parts, (*figures, ""), strict=True)))

    def with_values(self, value: str, peer_value: str) -> str:
        """Return the sentence of a row that holds the value and that of peers alone."""
        return self.sentence.replace(VALUE, value, 1).replace(PEER, peer_value, 1)


def packed_drivers(
    codes: Array, words: Sequence[tuple[int, DriverWords]], figures: Array
) -> list[bytes]:
    """Return drivers as blocks of bytes, `BLOCK` scores in each: compressed JSON, a line a score.

    Args:
        codes: Place in `words` of each driver, strongest first, -1 where there is none, shape
            (scores, drivers).
        words: Number of the wording in the store, and the words themselves.
        figures: The numbers of `tenure.explain.drivers`, shape (scores, drivers, 3).
    """
    starts = [f"[{number},{json.dumps(word.value)}," for number, word in words]
    middles = [f",{json.dumps(word.peer_value)}," for _, word in words]
    ends = [_end(word) for _, word in words]
    numbers = (map(_number, column.tolist()) for column in figures.reshape(-1, 3).T)
    drivers = [
        f"{starts[code]}{value}{middles[code]}{peer},{amount},{ends[code]}]" if code >= 0 else ""
        for code, value, peer, amount in zip(codes.ravel().tolist(), *numbers, strict=True)
    ]
    width = codes.shape[1]
    lines = [
        f"[{','.join(filter(None, drivers[start : start + width]))}]"
        for start in range(0, len(drivers), width)
    ]
    return [
        zlib.compress("\n".join(lines[start : start + BLOCK]).encode())
        for start in range(0, len(lines), BLOCK)
    ]


def _end(word: DriverWords) -> str:
    wording = SentenceTemplate.of(word)
    figures = [] if wording.sentence == word.sentence else NUMBER.findall(word.sentence)
    rest = (int(word.lever), word.since or None, word.feature, figures)
    return json.dumps(rest, separators=(",", ":"))[1:-1]


def _number(value: float) -> str:
    return repr(value) if math.isfinite(value) else _ODD[repr(value)]


_ODD = {"nan": "null", "inf": "Infinity", "-inf": "-Infinity"}


def unpacked_drivers(
    data: bytes, place: int, wordings: Mapping[int, SentenceTemplate]
) -> list[dict[str, Any]]:
    """Return the drivers of the score at a place of a block, None where a field has no value.

    They have the fields of a flat row, and `feature`, the column whose value is told.
    """
    names = ("value", "value_num", "peer_value", "peer_value_num", "contribution")
    drivers = []
    for number, *fields in json.loads(zlib.decompress(data).decode().split("\n")[place]):
        wording, values = wordings[number], dict(zip(names, fields[:5], strict=True))
        lever, since, feature, figures = fields[5:] or (None, None, None, None)
        if figures is None:
            sentence = wording.with_values(values["value"], values["peer_value"])
        else:
            sentence = wording.filled(figures)
        drivers.append(
            {
                "code": wording.code,
                "label": wording.label,
                **values,
                "direction": "raises" if values["contribution"] > 0 else "lowers",
                "sentence": sentence,
                "lever": None if lever is None else bool(lever),
                "since": since,
                "feature": feature,
            }
        )
    return drivers


def packed_contributions(values: Array) -> list[bytes]:
    """Return contributions as blocks of bytes, `BLOCK` rows in each.

    Args:
        values: Contributions of the signals, the base value last, shape (rows, signals + 1).
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
