"""Drivers and contributions as bytes, and back, exactly.

A driver's sentence repeats in thousands of rows but for its two figures: it is kept once, with a
mark in the place of each, and a row holds the figures.  Contributions are float32; blocks of them
are compressed signal by signal and byte by byte, where like stands beside like.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from tenure.explain.drivers import FIELDS

Array = np.ndarray[Any, Any]

FIGURES = ("value", "value_num", "peer_value", "peer_value_num", "contribution")
"""Fields of a driver that are its own."""
VALUE, PEER = "\x01", "\x02"
"""Marks in a sentence, in the place of the value and of that of peers."""
BLOCK = 32
"""Rows whose contributions are compressed together."""
FLOAT = np.dtype("<f4")


@dataclass(frozen=True)
class Wording:
    """What drivers of one signal share.

    Attributes:
        code: The signal.
        label: What it is called.
        sentence: The reason, with marks in the place of its figures.
    """

    code: str
    label: str
    sentence: str

    @classmethod
    def of(cls, code: str, label: str, sentence: str, value: str, peer_value: str) -> Wording:
        """Return the wording of a driver, from which its sentence follows exactly."""
        # The peers' value stands in the last place that it may, the account's own in the first.
        head, mark, tail = sentence.rpartition(peer_value or PEER)
        text = (f"{head}{PEER}{tail}" if mark else sentence).replace(value or VALUE, VALUE, 1)
        wording = cls(code, label, text)
        exact = wording.filled(value, peer_value) == sentence
        return wording if exact else cls(code, label, sentence)

    def filled(self, value: str, peer_value: str) -> str:
        """Return the sentence with its figures."""
        return self.sentence.replace(VALUE, value, 1).replace(PEER, peer_value, 1)


Driver: TypeAlias = tuple[Wording, str, float | None, str, float | None, float]
"""A wording and `FIGURES`."""


def packed_drivers(drivers: Sequence[Driver], numbers: Mapping[Wording, int]) -> bytes:
    """Return the drivers of a score, strongest first, as bytes: compressed JSON, a list of lists.

    Args:
        drivers: Wordings and figures.
        numbers: Wording → its number in the store.
    """
    rows = [(numbers[wording], *figures) for wording, *figures in drivers]
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return zlib.compress(text.encode())


def unpacked_drivers(data: bytes, wordings: Mapping[int, Wording]) -> list[dict[str, Any]]:
    """Return the drivers of a score by field, None where a field has no value.

    Args:
        data: What `packed_drivers` returned.
        wordings: Number in the store → wording.
    """
    drivers = []
    for number, *figures in json.loads(zlib.decompress(data)):
        wording, driver = wordings[number], dict(zip(FIGURES, figures, strict=True))
        driver |= {
            "code": wording.code,
            "label": wording.label,
            "direction": "raises" if driver["contribution"] > 0 else "lowers",
            "sentence": wording.filled(driver["value"], driver["peer_value"]),
        }
        drivers.append({name: driver[name] for name in FIELDS})
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
