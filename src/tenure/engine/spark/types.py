"""Types on their way between Spark, Arrow and the names that the stages know (DuckDB's)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from pyspark.sql.types import DataType

NAMES = {
    "string": "VARCHAR",
    "boolean": "BOOLEAN",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "int": "INTEGER",
    "bigint": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "date": "DATE",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "timestamp_ntz": "TIMESTAMP",
    "binary": "BLOB",
    "void": "VARCHAR",
}
_WIDER = {
    pa.uint8(): pa.int16(),
    pa.uint16(): pa.int32(),
    pa.uint32(): pa.int64(),
    pa.uint64(): pa.decimal128(20, 0),
    pa.float16(): pa.float32(),
    pa.null(): pa.string(),
}


def sql_type(kind: DataType) -> str:
    """Return the DuckDB name of a Spark type."""
    name = kind.simpleString()
    if name.startswith("array<"):
        return f"{NAMES.get(name[6:-1], name[6:-1].upper())}[]"
    if name.startswith("decimal"):
        return name.upper()
    return NAMES.get(name, name.upper())


def readable(table: pa.Table) -> pa.Table:
    """Return an Arrow table in types that Spark takes: no unsigned, dictionary or finer times."""
    fields = [pa.field(field.name, _readable(field.type)) for field in table.schema]
    return table.cast(pa.schema(fields), safe=False)


def _readable(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return _readable(kind.value_type)
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", tz=kind.tz)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    return _WIDER.get(kind, kind)
