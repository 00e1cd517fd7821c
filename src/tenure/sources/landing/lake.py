"""Lakes and object stores: Delta and Iceberg tables as batches, files of a store as they are."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from tenure.core.errors import DataError, Problem
from tenure.core.secrets import masked
from tenure.engine.base import CSV_SUFFIXES, PARQUET_SUFFIXES, has_suffix
from tenure.sources.landing.rows import ROWS_A_BATCH

if TYPE_CHECKING:
    import pyarrow as pa

    from tenure.core.tables import TableConfig

INSTALL = "`pip install 'tenure[lake]'`"
SHOWN = 300
"""Characters of a reason that a message shows."""


def delta_batches(name: str, table: TableConfig) -> Iterator[pa.RecordBatch | pa.Table]:
    """Yield the rows of a Delta table, of the version that is asked for.

    Raises:
        DataError: If the library is not installed, or the table cannot be read.
    """
    with _explained(name, "Delta", str(table.delta)):
        from deltalake import DeltaTable

        version: Any = table.version
        if isinstance(version, str):
            version = int(version) if version.isdigit() else datetime.fromisoformat(version)
        dataset = DeltaTable(str(table.delta), version=version).to_pyarrow_dataset()
        yield dataset.schema.empty_table()
        yield from dataset.to_batches(batch_size=ROWS_A_BATCH)


def iceberg_batches(name: str, table: TableConfig) -> Iterator[pa.RecordBatch | pa.Table]:
    """Yield the rows of an Iceberg table, of the snapshot that is asked for.

    Raises:
        DataError: If the library is not installed, or the table cannot be read.
    """
    place = str(table.iceberg)
    with _explained(name, "Iceberg", place):
        if place.endswith(".metadata.json"):
            from pyiceberg.table import StaticTable

            iceberg: Any = StaticTable.from_metadata(place)
        else:
            from pyiceberg.catalog import load_catalog

            iceberg = load_catalog(table.catalog or "default").load_table(place)
        snapshot = int(table.version) if table.version is not None else None
        reader = iceberg.scan(snapshot_id=snapshot).to_arrow_batch_reader()
        yield reader.schema.empty_table()
        yield from reader


def fetch_files(name: str, url: str, folder: Path, tell: Callable[[int, int], None]) -> None:
    """Copy the CSV and Parquet files of an object store's path or glob into a folder.

    Folders below the first part of the path that a glob leaves open are kept.

    Args:
        name: Canonical name, for messages.
        url: `s3://bucket/folder`, `gs://bucket/usage/*.parquet`, `abfss://…`.
        folder: Where the files go.
        tell: Called with the files that are copied so far, and of how many.

    Raises:
        DataError: If the store cannot be read, or holds no such file.
    """
    with _explained(name, "", url):
        from pyarrow import fs

        fixed = re.split(r"[*\[]", url, maxsplit=1)[0]
        base = url if fixed == url else fixed.rpartition("/")[0]
        store, root = fs.FileSystem.from_uri(base)
        pattern = url.removeprefix(base).lstrip("/") or "*"
        chosen = {
            path: to
            for path in _listed(store, root)
            if fnmatch.fnmatch(to := _below(path, root), pattern)
        }
        if not chosen:
            fix = "give the path or glob of CSV or Parquet files"
            raise DataError(Problem(name, "holds no file that can be read", masked(url), fix))
        for number, (path, to) in enumerate(chosen.items()):
            tell(number, len(chosen))
            (folder / to).parent.mkdir(parents=True, exist_ok=True)
            fs.copy_files(path, str(folder / to), store, fs.LocalFileSystem())


def _listed(store: Any, root: str) -> list[str]:
    """Return the CSV and Parquet files below a folder of a store, or the one file that it is."""
    from pyarrow import fs

    here = store.get_file_info(root)
    if here.type == fs.FileType.Directory:
        every = store.get_file_info(fs.FileSelector(root, recursive=True))
    else:
        every = [here]
    suffixes = (*CSV_SUFFIXES, *PARQUET_SUFFIXES)
    files = [item.path for item in every if item.type == fs.FileType.File]
    return sorted(path for path in files if has_suffix(path, suffixes))


def _below(path: str, root: str) -> str:
    """Return a file's place below a folder; its name where it is the file itself."""
    return path.removeprefix(root).lstrip("/") or PurePosixPath(path).name


@contextmanager
def _explained(name: str, kind: str, place: str) -> Iterator[None]:
    """Turn whatever a library raises into one message."""
    what = f"the {kind} table" if kind else "the object store"
    try:
        yield
    except (DataError, GeneratorExit):
        raise
    except ModuleNotFoundError as error:
        rule = f"needs {error.name}, which is not installed"
        raise DataError(Problem(f"{name}: {what}", rule, masked(place), INSTALL)) from None
    except Exception as error:
        text = masked(" ".join(str(error).split()) or type(error).__name__)
        fix = f"check {masked(place)}, and that the environment holds what gives access to it"
        raise DataError(Problem(f"{name}: {what}", "cannot be read", text[:SHOWN], fix)) from None
