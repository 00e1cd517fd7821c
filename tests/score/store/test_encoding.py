"""Drivers are bytes and drivers again, whatever they say, and those of older stores are read."""

from __future__ import annotations

import json
import math
import zlib
from typing import Any

import numpy as np
import pyarrow as pa

from tenure.score.store.encoding import BLOCK, DRIVER, EncodedDrivers, unpacked_drivers

WIDTH = 3
WORDS = ('6 of 7,5 "seats", 100 %', "\x03 is marked", "none", "١٢ and 12", "\u202e\\ é\0", "%s")
FIGURES = (1.0, -0.0, 0.1, math.inf, -math.inf, None, 1e300, float(np.float32(0.3)))


def driver(number: int) -> dict[str, Any]:
    words, size = WORDS[number % len(WORDS)], len(FIGURES)
    return {
        "code": f"c{number % 4}",
        "label": f"L {number % 4}",
        "value": words[:5],
        "value_num": FIGURES[number % size],
        "peer_value": words[-3:] if number % 5 else None,
        "peer_value_num": FIGURES[(number + 3) % size],
        "contribution": (-1) ** number * (number + 1) / 7,
        "direction": "lowers" if number % 2 else "raises",
        "sentence": f"{words} for {number} days",
        "lever": (None, True, False)[number % 3],
        "since": f"2024-01-{number % 28 + 1:02}" if number % 2 else None,
        "feature": f"f{number % 9}",
    }


def test_what_was_packed_is_unpacked() -> None:
    scores = [
        [driver(WIDTH * score + n) for n in range(score % (WIDTH + 1))]
        for score in range(2 * BLOCK + 5)
    ]
    rows: list[Any] = [
        one for own in scores for one in [*own, *[dict.fromkeys(DRIVER.names)] * (WIDTH - len(own))]
    ]
    encoded = EncodedDrivers.of(pa.Table.from_pylist(rows, DRIVER), WIDTH)
    numbers = np.arange(len(encoded.wordings)) + 100
    blocks = encoded.packed(numbers)
    assert len(blocks) == 3
    wordings = dict(zip(numbers.tolist(), encoded.wordings, strict=True))
    packed = [(place, blocks[place // BLOCK]) for place in range(len(scores))]
    unpacked = unpacked_drivers(packed, wordings)
    assert repr(unpacked) == repr(scores)
    assert [place >= 0 for place in encoded.leading] == [bool(own) for own in scores]


def test_the_first_reason_is_one_that_can_be_acted_on() -> None:
    context = driver(1) | {"code": "context", "contribution": 0.9, "lever": False}
    lever = driver(2) | {"code": "lever", "contribution": 0.3, "lever": True}
    weaker = lever | {"code": "weaker", "contribution": 0.2}
    lowers = driver(3) | {"code": "lowers", "contribution": -0.5, "lever": True}
    scores = [[context, lowers, lever, weaker], [lowers, context], [lowers], [weaker, lever], []]
    nothing: dict[str, Any] = dict.fromkeys(DRIVER.names)
    rows = [one for own in scores for one in [*own, *[nothing] * (4 - len(own))]]
    encoded = EncodedDrivers.of(pa.Table.from_pylist(rows, DRIVER), 4)
    codes = [encoded.wordings[place].code if place >= 0 else None for place in encoded.leading]
    assert codes == ["lever", "context", "lowers", "weaker", None]


def test_the_blocks_of_older_stores_are_read() -> None:
    encoded = EncodedDrivers.of(pa.Table.from_pylist([driver(0)], DRIVER), 1)
    old = [[7, "5", 5.0, "9", 9.0, 0.5], [8, *json.loads(f"[{encoded.texts[0].as_py()}]")]]
    line = json.dumps(old)
    data = zlib.compress(f"[]\n{line}\n[]".encode())
    wording = encoded.wordings[0]
    wordings = {7: wording._replace(sentence="\x01 against \x02"), 8: wording}
    ((before, other),) = unpacked_drivers([(BLOCK + 1, data)], wordings)
    assert other == driver(0)
    assert before["sentence"] == "5 against 9"
    assert (before["lever"], before["since"], before["feature"]) == (None, None, None)
    assert unpacked_drivers([(BLOCK + 2, data)], wordings) == [[]]
