"""Batches of Arrow as one Parquet file, whose columns have the type that all batches share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tenure.core.errors import DataError, Problem
from tenure.sources.frames import converted, plain, texts

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_A_BATCH = 50_000
"""Rows that are held in memory at a time, where the reader lets one choose."""

MOST_DIGITS = 38
"""Digits of a decimal number at most."""


def write_rows(
    batches: Iterable[pa.RecordBatch | pa.Table], path: Path, tell: Callable[[int], None]
) -> tuple[int, dict[str, str]]:
    """Write batches to a Parquet file; return its rows, and its columns with their types.

    A column whose values have no type in common is text.

    The batches are one at least, of the same columns; `tell` is called with the rows written so
    far.
    """
    import pyarrow
    from pyarrow import parquet

    parts: list[tuple[Path, Any]] = []
    writer, rows = None, 0
    try:
        for batch in batches:
            table = _tidy(batch)
            if writer is None or table.schema != writer.schema:
                if writer:
                    writer.close()
                parts.append((path.with_name(f"{path.stem}-{len(parts)}.part"), table.schema))
                writer = parquet.ParquetWriter(*parts[-1])
            writer.write_table(table)
            rows += len(table)
            tell(rows)
    finally:
        if writer:
            writer.close()
    schema = _common([schema for _, schema in parts])
    if len(parts) == 1 and parts[0][1] == schema:
        parts[0][0].rename(path)
    else:
        with parquet.ParquetWriter(path, schema) as whole:
            for part, _ in parts:
                for batch in parquet.ParquetFile(part).iter_batches(ROWS_A_BATCH):
                    whole.write_table(_cast(pyarrow.Table.from_batches([batch]), schema))
                part.unlink()
    return rows, {field.name: str(field.type) for field in schema}


def _tidy(batch: Any) -> Any:
    """Return a batch as a table of plain types; names all in capitals are written small.

    Databases that know no small letters give capitals for names that nobody wrote so.
    """
    import pyarrow

    names = list(batch.schema.names)
    if all(name == name.upper() for name in names):
        names = [name.lower() for name in names]
    columns = [_plain(field, batch.column(place)) for place, field in enumerate(batch.schema)]
    return pyarrow.table(columns, names=names)


def _plain(field: Any, values: Any) -> Any:
    """Return a column with a type that Parquet and every reader know."""
    from pyarrow import types

    native = (field.metadata or {}).get(b"POSTGRESQL:type")
    if native == b"money":
        rule, fix = "is of type money, which has no unit here", "cast it: `column::numeric`"
        raise DataError(Problem(f"column {field.name}", rule, fix=fix))
    if types.is_null(values.type):
        return values
    values = plain(converted(lambda: values, values.to_pylist))
    return _as_decimal(values) if native == b"numeric" else values


def _as_decimal(written: Any) -> Any:
    """Return numbers written as text as decimals; as they are where these do not hold them."""
    import pyarrow
    from pyarrow import compute

    whole, fraction = (
        compute.max(compute.utf8_length(compute.replace_substring_regex(written, part, ""))).as_py()
        or 0
        for part in (r"\..*$|^-", r"^[^.]*\.?")
    )
    if whole + fraction > MOST_DIGITS:  # the cast would not refuse them
        return written
    try:
        return written.cast(pyarrow.decimal128(MOST_DIGITS, fraction))
    except pyarrow.ArrowException:
        return written


def _common(schemas: list[Any]) -> Any:
    import pyarrow

    fields = []
    for place, first in enumerate(schemas[0]):
        kinds = [
            pyarrow.schema([pyarrow.field("x", schema.field(place).type)]) for schema in schemas
        ]
        try:
            kind = pyarrow.unify_schemas(kinds, promote_options="permissive").field(0).type
        except pyarrow.ArrowException:
            kind = pyarrow.string()
        if pyarrow.types.is_null(kind) or pyarrow.types.is_decimal256(kind):
            kind = pyarrow.string()
        fields.append(pyarrow.field(first.name, kind))
    return pyarrow.schema(fields)


def _cast(table: Any, schema: Any) -> Any:
    import pyarrow

    columns = []
    for field in schema:
        values = table.column(field.name)
        try:
            columns.append(values.cast(field.type))
        except pyarrow.ArrowException:
            columns.append(texts(values.to_pylist()))
    return pyarrow.table(columns, schema=schema)
