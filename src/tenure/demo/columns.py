"""From numbers to the columns of a table: identifiers, times with nulls, and files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tenure.core.files import replacing
from tenure.demo.calendar import Flags, Ints, Times

ROWS_PER_GROUP = 131_072


def numbered(prefix: str, number: Ints, width: int) -> pa.Array:
    """Return identifiers such as ``acc-00012``."""
    digits = pc.utf8_lpad(pa.array(number).cast(pa.string()), width, "0")
    return pc.binary_join_element_wise(pa.scalar(prefix), digits, "")


def joined(left: pa.Array, right: pa.Array) -> pa.Array:
    """Return two identifiers joined by a hyphen; null where one is."""
    return pc.binary_join_element_wise(left, right, "-")


def named(names: Sequence[str], number: Ints, known: Flags | None = None) -> pa.Array:
    """Return names by number, null where not known."""
    mask = None if known is None else ~known
    codes = pa.array(number.astype(np.int32), mask=mask)
    return pa.DictionaryArray.from_arrays(codes, pa.array(names)).cast(pa.string())


def times(value: Times, known: Flags | None = None) -> pa.Array:
    """Return times, null where not known."""
    return pa.array(value, type=pa.timestamp("us"), mask=None if known is None else ~known)


def numbers(value: npt.NDArray[Any], known: Flags | None = None) -> pa.Array:
    """Return numbers, null where not known."""
    return pa.array(value, mask=None if known is None else ~known)


def table(columns: Mapping[str, pa.Array], order: Ints | None = None) -> pa.Table:
    """Return a table, its rows in a given order."""
    whole = pa.table(dict(columns))
    return whole if order is None else whole.take(pa.array(order))


def write(folder: Path, name: str, content: pa.Table) -> None:
    """Write a table as Parquet, by a temporary name; equal tables give equal bytes."""
    with replacing(folder / f"{name}.parquet") as temporary:
        pq.write_table(
            content,
            temporary,
            compression="zstd",
            row_group_size=ROWS_PER_GROUP,
            store_schema=False,
        )
