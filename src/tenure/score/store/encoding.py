"""Drivers and contributions as bytes, and back, exactly.

A driver's sentence repeats in thousands of rows but for its two figures: it is kept once, with a
mark in the place of each, and a row holds the figures.  Contributions are float32, compressed
signal by signal and byte by byte, where like stands beside like.  Both come in blocks of a few
scores: large enough to be small on disk, small enough to be read for one account.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]

VALUE, PEER = "\x01", "\x02"
"""Marks in a sentence, in the place of the value and of that of peers."""
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


@dataclass(frozen=True)
class SentenceTemplate:
    """What drivers of one signal share: a sentence with marks in the place of its figures."""

    code: str
    label: str
    sentence: str

    @classmethod
    def of(cls, driver: DriverWords) -> SentenceTemplate:
        """Return the wording of a driver, from which its sentence follows exactly."""
        # The peers' value stands in the last place that it may, the account's own in the first.
        head, mark, tail = driver.sentence.rpartition(driver.peer_value or PEER)
        text = f"{head}{PEER}{tail}" if mark else driver.sentence
        wording = cls(driver.code, driver.label, text.replace(driver.value or VALUE, VALUE, 1))
        exact = wording.filled(driver.value, driver.peer_value) == driver.sentence
        return wording if exact else cls(driver.code, driver.label, driver.sentence)

    def filled(self, value: str, peer_value: str) -> str:
        """Return the sentence with its figures."""
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
    numbers = (map(_number, column.tolist()) for column in figures.reshape(-1, 3).T)
    drivers = [
        f"{starts[code]}{value}{middles[code]}{peer},{amount}]" if code >= 0 else ""
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


def _number(value: float) -> str:
    return repr(value) if math.isfinite(value) else _ODD[repr(value)]


_ODD = {"nan": "null", "inf": "Infinity", "-inf": "-Infinity"}


def unpacked_drivers(
    data: bytes, place: int, wordings: Mapping[int, SentenceTemplate]
) -> list[dict[str, Any]]:
    """Return the drivers of the score at a place of a block, None where a field has no value."""
    names = ("value", "value_num", "peer_value", "peer_value_num", "contribution")
    drivers = []
    for number, *figures in json.loads(zlib.decompress(data).decode().split("\n")[place]):
        wording, values = wordings[number], dict(zip(names, figures, strict=True))
        direction = "raises" if values["contribution"] > 0 else "lowers"
        sentence = wording.filled(values["value"], values["peer_value"])
        words = {"code": wording.code, "label": wording.label}
        drivers.append({**words, **values, "direction": direction, "sentence": sentence})
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
