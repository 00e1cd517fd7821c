"""What loading hands to the later stages: canonical tables in an engine, and their report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path

from tenure.core.files import digest, replacing
from tenure.core.records.data import DataRecord
from tenure.core.steps import quote, text_literal
from tenure.core.times import show
from tenure.engine import Engine
from tenure.sources.cache.manifest import Lease


@dataclass(frozen=True)
class Dataset:
    """Canonical tables, checked and cut at `observed_until`."""

    engine: Engine = field(repr=False)
    """What holds the tables, under their contract names."""
    columns: Mapping[str, frozenset[str]]
    """Usable columns by table; attributes that may not be features are not among them."""
    observed_until: datetime
    """When observation stopped, exclusive, naive UTC."""
    report: DataRecord = field(repr=False)
    rejects: Mapping[str, str] = field(default_factory=dict, repr=False)
    """By table with rejected rows, the SELECT of (rule, reason, row)."""
    leases: tuple[Lease, ...] = field(default=(), repr=False, compare=False)
    """Protect the cached files that the tables are read from."""

    def has(self, table: str, *columns: str) -> bool:
        """Return whether a table exists and all of these columns of it can be used."""
        return table in self.columns and all(name in self.columns[table] for name in columns)

    @cached_property
    def fingerprint(self) -> str:
        """Return a hash of the content: the same for any order of rows and number of threads."""
        queries = []
        for name in sorted(self.columns):
            columns = sorted(self.engine.columns(name).items())
            names = text_literal(", ".join(f"{column} {kind}" for column, kind in columns))
            row = f"hash({', '.join(quote(column) for column, _ in columns)})"
            queries.append(
                f"SELECT {text_literal(name)} || ' ' || {names} || ' ' || concat_ws(' ', count(*), "
                f"sum(CAST({row} AS HUGEINT)), bit_xor({row})) AS line FROM {quote(name)}"
            )
        lines = self.engine.fetch(" UNION ALL ".join(queries)).column("line").to_pylist()
        return digest(show(self.observed_until), *sorted(lines))


def write_rejects(dataset: Dataset, folder: Path) -> dict[str, Path]:
    """Write the rejected rows of each table to `<folder>/<table>.parquet`.

    Columns: `reason` (short code), `rule` (in words), `row` (the mapped row, uncoerced; JSON text).
    A file of an earlier run whose table has no rejects now is removed.

    Returns:
        The files written, by table.
    """
    for name in dataset.columns:
        if name not in dataset.rejects:
            (folder / f"{name}.parquet").unlink(missing_ok=True)
    written = {}
    for name, sql in dataset.rejects.items():
        written[name] = folder / f"{name}.parquet"
        with replacing(written[name]) as temporary:
            dataset.engine.write(sql, str(temporary))
    return written
