"""The files of a table: which they are, and the SELECT that reads some of them.

Folders may carry values in their names (`…/date=2024-01-01/part.parquet`).  Such a value serves as
a column where the contract has one of that name, or where a mapping names it, and only if the
files themselves have no such column; it is text, like every value of a CSV file.  All other
folder names are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tenure.core.steps import Step, quote, text_literal
from tenure.engine.base import CSV_SUFFIXES

if TYPE_CHECKING:
    from tenure.engine import Engine

MARKS = "*?["
_NAME = "_tenure_file"
_NULL = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class Files:
    """The files of a table.

    Attributes:
        path: A file or a glob, as configured.
        paths: The files, in the order in which they are read.
        keys: Names of folders (`name=value`) that serve as columns.
    """

    path: str
    paths: tuple[str, ...]
    keys: tuple[str, ...] = ()

    @property
    def text(self) -> bool:
        """Return whether every value is text."""
        return self.path.endswith(CSV_SUFFIXES)

    def select(self, paths: Sequence[str] | None = None) -> str:
        """Return the SELECT that reads the files, or some of them."""
        listed = ", ".join(text_literal(path) for path in paths or self.paths)
        options = "hive_partitioning=false"
        if self.text:
            # Every value stays text: types are coerced by the declared rules, not guessed.
            options += ", all_varchar=true, header=true"
        if self.keys:
            options += f", filename='{_NAME}'"
        reader = "read_csv" if self.text else "read_parquet"
        values = "".join(f", {_value(key)} AS {quote(key)}" for key in self.keys)
        star = f"* EXCLUDE ({_NAME}){values}" if self.keys else "*"
        return f"SELECT {star} FROM {reader}([{listed}], {options})"

    def label(self, path: str) -> str:
        """Return what to call a file in a message: its folder if that carries a value.

        >>> files = Files("/d/**/*.parquet", ())
        >>> files.label("/d/date=2024-01-03/x.parquet"), files.label("/d/monday.parquet")
        ('date=2024-01-03', 'monday.parquet')
        """
        below = _below(self.path, path)
        valued = [name for name in below[:-1] if "=" in name]
        return "/".join(valued) or "/".join(below)


def files_of(path: str, columns: Collection[str], relation: str, engine: Engine) -> Files | None:
    """Return the files that a path or glob stands for, None where only the engine can tell.

    Args:
        path: A file or a glob.
        columns: Names that values of folders may serve as.
        relation: Name of a view that may be made to look at the first file.
        engine: What reads them.
    """
    if engine.dialect != "duckdb":
        return None
    paths = engine.fetch(f"SELECT file FROM glob({text_literal(path)})").column(0).to_pylist()
    if not paths or any(mark in name for name in paths for mark in MARKS):
        return None
    files = Files(path, tuple(paths))
    keys = dict.fromkeys(
        name.split("=", 1)[0] for item in paths for name in _below(path, item)[:-1] if "=" in name
    )
    served = [name for name in keys if name.lower() in {column.lower() for column in columns}]
    if not served:
        return files
    engine.run([Step(relation, files.select(), lazy=True)])
    own = {name.lower() for name in engine.columns(relation)}
    return replace(files, keys=tuple(name for name in served if name.lower() not in own))


def dialects(files: Files, paths: Sequence[str], engine: Engine) -> set[str]:
    """Return the different ways in which the first file and others separate and quote values.

    Empty where the files are not text.
    """
    if not files.text:
        return set()
    dialects = set()
    for path in dict.fromkeys((files.paths[0], *paths)):
        sniffed = engine.fetch(
            "SELECT Delimiter, Quote, Escape, NewLineDelimiter, Comment, SkipRows, HasHeader "
            f"FROM sniff_csv({text_literal(path)}, all_varchar=true, header=true)"
        )
        dialects.add(str(sniffed.to_pylist()[0]))
    return dialects


def _value(key: str) -> str:
    pattern = text_literal(rf"[/\\]{re.escape(key)}=([^/\\]*)[/\\]")
    value = f"regexp_extract({_NAME}, {pattern}, 1)"
    return f"nullif(url_decode({value}), '{_NULL}')"


def _below(path: str, item: str) -> list[str]:
    """Return the parts of a file's path from the first that the glob leaves open."""
    fixed = []
    for part in Path(path).parts[:-1]:
        if any(mark in part for mark in MARKS):
            break
        fixed.append(part)
    return list(Path(item).parts[len(fixed) :])
