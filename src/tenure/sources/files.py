"""The files of a table: which they are, and the SELECT that reads some of them.

Files of one table may differ in their columns (a later export has more), their order, their types
and the way in which text is written: rows are put together by the names of columns, and a column
that a file lacks is empty there.

Folders may carry values in their names (`…/date=2024-01-01/part.parquet`).  Such a value serves as
a column where the contract has one of that name, or where a mapping names it, and only if the
files themselves have no such column; it is text, like every value of a CSV file.  All other
folder names are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import uuid4

from tenure.core.errors import DataError, Problem
from tenure.core.steps import Step, quote, text_literal
from tenure.engine import Engine
from tenure.engine.base import CSV_SUFFIXES, PARQUET_SUFFIXES, has_suffix
from tenure.sources.text_files import TextForm, forms_of

MARKS = "*?["
_NAME = "_tenure_file"
_NULL = "__HIVE_DEFAULT_PARTITION__"
_SHOWN = 3
"""Files or columns that a sentence names at most."""


@dataclass(frozen=True)
class Files:
    """The files of a table."""

    path: str
    """A file or a glob, as configured."""
    paths: tuple[str, ...]
    """The files, in the order in which they are read."""
    keys: tuple[str, ...] = ()
    """Names of folders (`name=value`) that serve as columns."""
    forms: Mapping[str, TextForm] = field(default_factory=dict)
    """How each file is written, where they are text."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """All columns and their types, where not every file has the same."""
    relation: str = ""
    """Prefix of the tables into which the lines go that cannot be read."""
    notes: tuple[str, ...] = ()
    """What is to be known about them, a sentence each."""

    @property
    def text(self) -> bool:
        """Return whether every value is text."""
        return bool(self.forms)

    def select(self, paths: Sequence[str] | None = None) -> str:
        """Return the SELECT that reads the files, or some of them."""
        options = f", filename='{_NAME}'" if self.keys else ""
        values = "".join(f", {_value(key)} AS {quote(key)}" for key in self.keys)
        star = f"* EXCLUDE ({_NAME}){values}" if self.keys else "*"
        selects = [
            f"SELECT {star} FROM {reader}{options})"
            for reader in self._readers(paths or self.paths)
        ]
        if self.columns:
            typed = (
                f"CAST(NULL AS {kind}) AS {quote(name)}" for name, kind in self.columns.items()
            )
            selects.append(f"SELECT {', '.join(typed)} WHERE false")
        return " UNION ALL BY NAME ".join(selects)

    def _readers(self, paths: Sequence[str]) -> Iterator[str]:
        """Yield the calls that read some files, each without its last parenthesis."""
        if not self.text:
            # The statistics of Parquet files leave NaN out: without the option it seems impossible.
            options = "hive_partitioning=false, can_have_nan=true"
            union = ", union_by_name=true" if self.columns else ""
            yield f"read_parquet({_listed(paths)}, {options}{union}"
            return
        for number, form in enumerate(dict.fromkeys(self.forms.values())):
            alike = [path for path in paths if self.forms[path] == form]
            if alike:
                places = [form.copy] if form.copy else alike
                yield f"read_csv({_listed(places)}, {form.options(f'{self.relation}_{number}')}"

    def places(self, paths: Sequence[str]) -> list[str]:
        """Return the files that are read for some of these files: themselves, or their copies."""
        return [self.forms[path].copy or path if self.text else path for path in paths]

    def label(self, path: str) -> str:
        """Return what to call a file in a message: its folder if that carries a value.

        >>> files = Files("/d/**/*.parquet", ())
        >>> files.label("/d/date=2024-01-03/x.parquet"), files.label("/d/monday.parquet")
        ('date=2024-01-03', 'monday.parquet')
        """
        below = _below(self.path, path)
        valued = [name for name in below[:-1] if "=" in name]
        return "/".join(valued) or "/".join(below)

    def named(self, paths: Sequence[str]) -> str:
        """Return what to call some of the files: the first few, and how many more there are."""
        more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
        return f"{', '.join(map(self.label, paths[:_SHOWN]))}{more}"


def files_of(path: str, columns: Collection[str], relation: str, engine: Engine) -> Files | None:
    """Return the files that a path or glob stands for, None where only the engine can tell.

    The path is a file, a glob, or a folder of Parquet or CSV files.  Values of folders may serve as
    one of `columns`, and a header is known by them; `relation` names a view that may be made to
    look at files.

    Raises:
        DataError: If a file cannot be read.
    """
    if engine.dialect != "duckdb":
        return None
    others: list[str] = []
    if Path(path).is_dir():
        paths, others = _below_folder(Path(path))
        path = f"{path}/**/*"
    else:
        listed = engine.fetch(f"SELECT file FROM glob({text_literal(path)})")
        paths = listed.column(0).to_pylist()
    if not paths or any(mark in name for name in paths for mark in MARKS):
        return None
    files = Files(path, tuple(paths), relation=f"{relation}_{uuid4().hex[:8]}")
    if others:
        note = f"{files.named(others)} are not read: the folder holds Parquet files too"
        files = replace(files, notes=(note,))
    if has_suffix(paths[0], CSV_SUFFIXES):
        files = _as_text(files, columns, engine)
    elif len(paths) > 1:
        files = _united(files, relation, engine)
    keys = dict.fromkeys(
        name.split("=", 1)[0] for item in paths for name in _below(path, item)[:-1] if "=" in name
    )
    served = [name for name in keys if name.lower() in {column.lower() for column in columns}]
    if not served:
        return files
    engine.run([Step(relation, files.select(), lazy=True)])
    own = {name.lower() for name in engine.columns(relation)}
    return replace(files, keys=tuple(name for name in served if name.lower() not in own))


def _below_folder(folder: Path) -> tuple[list[str], list[str]]:
    """Return the files below a folder that are read, and those that are not beside them."""
    every = sorted(str(item) for item in folder.rglob("*") if item.is_file())
    parquet = [path for path in every if has_suffix(path, PARQUET_SUFFIXES)]
    texts = [path for path in every if has_suffix(path, CSV_SUFFIXES)]
    return (parquet, texts) if parquet else (texts, [])


def _as_text(files: Files, wanted: Collection[str], engine: Engine) -> Files:
    forms = forms_of(files.paths, wanted, engine)
    if not forms:
        raise DataError(Problem(files.path, "is empty"))
    owned: dict[tuple[str, ...], list[str]] = {}
    for path, form in forms.items():
        owned.setdefault(form.columns, []).append(path)
    names = {name.lower(): name for columns in owned for name in columns}
    differ = len({frozenset(map(str.lower, columns)) for columns in owned}) > 1
    notes = [
        *files.notes,
        *(
            f"{files.label(path)}: the {form.skip} lines before the header are left out"
            for path, form in forms.items()
            if form.skip
        ),
    ]
    if empty := [path for path in files.paths if path not in forms]:
        notes.append(f"{files.named(empty)} without a line")
    return replace(
        files,
        paths=tuple(forms),
        forms=forms,
        columns=dict.fromkeys(names.values(), "VARCHAR") if differ else {},
        notes=(*notes, *_lacking(files, {path: form.columns for path, form in forms.items()})),
    )


def _united(files: Files, relation: str, engine: Engine) -> Files:
    """Return Parquet files with all their columns, where not every file has the same."""
    shape = "name, type, converted_type, logical_type, num_children, duckdb_type"
    rows = engine.fetch(
        f"SELECT shape, list(file_name ORDER BY file_name) AS paths FROM (SELECT file_name, "
        f"CAST(list(struct_pack({', '.join(f'{name} := {name}' for name in shape.split(', '))}) "
        f"ORDER BY column_id) AS VARCHAR) AS shape FROM parquet_schema({_listed(files.paths)}) "
        "GROUP BY file_name) GROUP BY shape"
    ).to_pylist()
    if len(rows) == 1:
        return files
    owned: dict[str, Collection[str]] = {}
    for row in rows:
        one = Files(files.path, tuple(row["paths"][:1]))
        engine.run([Step(relation, one.select(), lazy=True)])
        owned |= dict.fromkeys(row["paths"], tuple(engine.columns(relation)))
    united = replace(files, columns={"": ""}, notes=(*files.notes, *_lacking(files, owned)))
    reader = next(united._readers(files.paths))
    engine.run([Step(relation, f"SELECT * FROM {reader})", lazy=True)])
    return replace(united, columns=engine.columns(relation))


def _lacking(files: Files, owned: Mapping[str, Collection[str]]) -> Iterator[str]:
    """Yield a sentence on columns that some files lack, for each group of such files."""
    sets = {path: {name.lower() for name in names} for path, names in owned.items()}
    groups: dict[tuple[str, ...], list[str]] = {}
    for name in dict.fromkeys(name.lower() for names in owned.values() for name in names):
        without = tuple(path for path in owned if name not in sets[path])
        if without:
            groups.setdefault(without, []).append(name)
    for without, names in groups.items():
        columns = ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")
        many = f"{len(without)} of {len(owned)} files"
        yield f"{columns}: not in {many} ({files.named(without)}), empty there"


def _listed(paths: Sequence[str]) -> str:
    return f"[{', '.join(map(text_literal, paths))}]"


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
