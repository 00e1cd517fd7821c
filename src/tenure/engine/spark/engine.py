"""The scale-out engine: Spark, on one machine or a cluster, by the same SQL.

A step that is not lazy is written once, as Parquet in a scratch folder, and read from there:
memory stays bounded, later steps read only the columns that they need, and no plan grows with the
number of steps.  On a cluster the scratch folder must be one that all executors see.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa
from pyspark.errors import PySparkException

from tenure.core.config import EngineConfig
from tenure.core.errors import ConfigError, DataError, Problem
from tenure.core.steps import Step
from tenure.engine.base import Engine, Pairing
from tenure.engine.spark import files
from tenure.engine.spark.dialect import to_spark
from tenure.engine.spark.session import address, open_session

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
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


class SparkEngine(Engine):
    """Runs SQL steps in one Spark session with views of its own.

    Args:
        settings: How Spark is to run, and the folder for the rows of steps.
        search_path: Folders in which relative file names inside SQL are looked for.

    Raises:
        ConfigError: If Spark does not start, or a cluster has no scratch folder.
    """

    dialect: ClassVar[str] = "spark"
    scatters: ClassVar[bool] = True

    def __init__(self, settings: EngineConfig, search_path: Sequence[str | Path] = ()) -> None:
        master = address(settings)
        if settings.scratch is None and not master.startswith("local"):
            fix = "set `engine: {scratch: hdfs://… or s3a://…}`"
            raise ConfigError(Problem("engine.scratch", "is needed on a cluster", master, fix))
        self._own = tempfile.TemporaryDirectory(prefix="tenure-")
        self.scratch = self._own.name
        self._scratch = settings.scratch or self._own.name
        self._folders = [Path(folder) for folder in search_path]
        self._written: dict[str, str] = {}
        self._views: set[str] = set()
        self.threads = 1
        self._divided: dict[str, str] = {}
        self._session, self._started = open_session(settings, Path(self._own.name))

    @property
    def session(self) -> SparkSession:
        """Return the session, for what only Spark can do."""
        return self._session

    def run(self, steps: Sequence[Step]) -> None:
        """Create a table (or view) for each step, in order, replacing one of the same name."""
        for step in steps:
            text = self._text(step.sql)
            with _explained(text):
                if step.lazy:
                    view = _quote(step.name)
                    self._session.sql(f"CREATE OR REPLACE TEMPORARY VIEW {view} AS {text}")
                    self._replaced(step.name)
                else:
                    self._write_out(step.name, self._session.sql(text))

    def fetch(self, sql: str) -> pa.Table:
        """Return the rows of a SELECT as an Arrow table."""
        text = self._text(sql)
        with _explained(text):
            return self._session.sql(text).toArrow()

    def divide(self, step: Step, key: str, rows: int) -> None:
        """Compute the rows of a step, to be read by a column of whole numbers."""
        del rows
        self.run([step])
        self._divided[step.name] = key

    def share(self, name: str, value: int) -> pa.Table:
        """Return the rows of a divided step that have one value of its key."""
        key = self._divided[name]
        return self.fetch(f"SELECT * FROM {name} WHERE {key} = {value}").drop_columns([key])

    def register(self, name: str, table: pa.Table) -> None:
        """Make a table known under a name, replacing one of the same name."""
        with _explained(f"register {name}"):
            self._view(name, self._session.createDataFrame(readable(table)))

    def attach(self, name: str, path: str, table: str | None = None) -> None:
        """Make a CSV or Parquet file (or glob), or a table of the catalogue, known under a name."""
        with _explained(f"-- {path or table}"):
            spark = self._session
            frame = files.read(spark, path) if path else spark.table(table or name)
            self._view(name, frame)

    def tables(self, path: str) -> list[str]:
        """Refuse: Spark cannot open a DuckDB file.

        Raises:
            DataError: Always.
        """
        fix = "export its tables as Parquet, or set `engine: {kind: duckdb}`"
        raise DataError(Problem(path, "Spark cannot open a DuckDB file", fix=fix))

    def columns(self, name: str) -> dict[str, str]:
        """Return a table's columns and their SQL types, in order."""
        with _explained(f"DESCRIBE {name}"):
            schema = self._session.table(_quote(name)).schema
        return {field.name: sql_type(field.dataType) for field in schema}

    def cogroup(
        self, left: str, right: str, key: str, function: Pairing, schema: pa.Schema
    ) -> pa.Table:
        """Apply a function to the rows of two SELECTs that share a key, in the executors."""
        from pyspark.sql.pandas.types import from_arrow_schema

        def apply(one: pa.Table, other: pa.Table) -> pa.Table:
            return function(one, other)

        texts = [self._text(sql) for sql in (left, right)]
        with _explained(texts[1]), warnings.catch_warnings():
            # PySpark warns of pandas 3 here, of which it uses nothing.
            warnings.simplefilter("ignore", FutureWarning)
            one_side, other_side = (self._session.sql(text).groupBy(key) for text in texts)
            pairs = one_side.cogroup(other_side)
            return pairs.applyInArrow(apply, from_arrow_schema(schema)).toArrow()

    def write(self, sql: str, path: str) -> None:
        """Write the rows of a SELECT to one Parquet or CSV file, by its suffix."""
        import pyarrow.parquet as pq

        table = self.fetch(sql)
        if ".csv" in Path(path).name:
            table.to_pandas().to_csv(path, index=False)
        else:
            pq.write_table(table, path)

    def drop(self, *names: str) -> None:
        """Forget tables or views; unknown names are ignored."""
        for name in names:
            if name in self._views:
                self._session.catalog.dropTempView(name)
            self._views.discard(name)
            self._divided.pop(name, None)
            self._delete(self._written.pop(name, None))

    def clear(self) -> None:
        """Forget all tables and views."""
        self.drop(*list(self._views))

    def close(self) -> None:
        """Release the views and their rows; stop Spark if it was started for this engine."""
        self.clear()
        if self._started:
            self._session.stop()
        self._own.cleanup()

    def _text(self, sql: str) -> str:
        return to_spark(files.attached(sql, self._attach_file))

    def _attach_file(self, path: str) -> str:
        name = f"_file_{uuid.uuid4().hex[:8]}"
        self.attach(name, files.place(path, self._folders))
        return name

    def _view(self, name: str, frame: DataFrame) -> None:
        self._replaced(name)
        frame.createOrReplaceTempView(_quote(name))

    def _write_out(self, name: str, frame: DataFrame) -> None:
        """Write the rows, and read them from there from now on."""
        from pyspark.sql import functions

        untyped = [field.name for field in frame.schema if field.dataType.typeName() == "void"]
        for column in untyped:
            frame = frame.withColumn(column, functions.lit(None).cast("string"))
        folder = f"{self._scratch.rstrip('/')}/{uuid.uuid4().hex}"
        frame.write.parquet(folder)
        self._view(name, self._session.read.schema(frame.schema).parquet(folder))
        self._written[name] = folder

    def _replaced(self, name: str) -> None:
        self._views.add(name)
        self._delete(self._written.pop(name, None))

    def _delete(self, folder: str | None) -> None:
        if folder is None:
            return
        if "://" not in folder:
            shutil.rmtree(folder, ignore_errors=True)
            return
        jvm: Any = self._session.sparkContext._jvm
        place = jvm.org.apache.hadoop.fs.Path(folder)
        jvm_context: Any = self._session.sparkContext._jsc
        configuration = jvm_context.hadoopConfiguration()
        place.getFileSystem(configuration).delete(place, True)


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


def _quote(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


@contextlib.contextmanager
def _explained(sql: str) -> Iterator[None]:
    try:
        yield
    except PySparkException as error:
        reason = str(error).split("\n\nJVM stacktrace")[0].strip()
        raise DataError(Problem("Spark", reason, fix=f"the SQL was:\n{sql.strip()}")) from error
