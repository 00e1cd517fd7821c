"""Times that are written plainly, read at once: most of what is posted is.

What is not plain is left as text, and read value by value when its table is staged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

_DAY = r"(?:19|20|21)\d\d-\d\d-\d\d"
_CLOCK = r"[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?"
_NAIVE = re.compile(rf"(?:{_DAY}(?:{_CLOCK})?\n)*", re.ASCII)
_UTC = re.compile(rf"(?:{_DAY}(?:{_CLOCK}Z?)?\n)*", re.ASCII)


def plain_times(values: Sequence[str | None], zone: str) -> pa.Array | None:
    """Return texts as times, None where any of them is not written plainly.

    Plain is ISO 8601, to the microsecond and without an offset, or with `Z` where the zone is UTC.

    >>> plain_times(["2024-03-01T10:00:00", None], "UTC").to_pylist()
    [datetime.datetime(2024, 3, 1, 10, 0), None]
    >>> plain_times(["1 March 2024"], "UTC")

    Args:
        values: Texts; None is no time.
        zone: Zone of times that name none.
    """
    given = [value for value in values if value is not None]
    joined = "\n".join([*given, ""])
    pattern = _UTC if zone == "UTC" else _NAIVE
    if joined.count("\n") != len(given) or not pattern.fullmatch(joined):
        return None
    if "Z" in joined:
        values = [value and value.removesuffix("Z") for value in values]
    try:
        return pa.array(np.array(values, dtype="datetime64[us]"), pa.timestamp("us"))
    except ValueError:
        return None
