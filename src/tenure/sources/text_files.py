"""How a text file is written: its encoding, separator and quotes, and where its header stands.

The header is the first line that names columns of the contract or of the mapping; where none does,
DuckDB's sniffer tells how the first line is written.  What is decided is a `TextForm`, and the file
is read by that alone: no line is skipped because a later one is wider, and a file whose first rows
hold no quote may still quote a later value.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from tenure.core.errors import DataError, Problem
from tenure.core.steps import text_literal
from tenure.engine import ENGINES, Engine

_HEAD = 65_536
"""Bytes of a file that are looked at, at either end."""
_CHUNK = 16_777_216
_BEFORE_HEADER = 40
"""Lines among which a header is looked for."""
LONGEST_LINE = 16_000_000
"""Bytes of a line, with all the values in it."""
_BUFFER = 2 * LONGEST_LINE
_PACKED = {".gz": "gzip", ".zst": "zstd"}
_UTF_16 = {b"\xff\xfe": "utf-16", b"\xfe\xff": ""}
"""First bytes of UTF-16 and what DuckDB calls it; of the other byte order, nothing."""
_SEPARATORS = (",", ";", "\t", "|")
_ENOUGH = 2
"""Wanted names that make a line a header."""
_ADVICE = ("Possible", "LINE ", "Use ", "Candidate")
AS_UTF_8 = "save it as UTF-8 (Excel: `CSV UTF-8`)"


@dataclass(frozen=True)
class TextForm:
    """How the values of a text file are written."""

    columns: tuple[str, ...]
    """Names of its columns, as its header gives them."""
    separator: str
    """What separates values."""
    quote: str
    """What encloses a value."""
    escape: str
    """What stands before a quote inside an enclosed value."""
    skip: int = 0
    """Lines before the header."""
    encoding: str = "utf-8"
    """Name of its encoding."""
    packing: str = "none"
    """How it is compressed."""
    copy: str = ""
    """A copy that is read in its place, in which every line ends in one way."""

    def options(self, relation: str) -> str:
        """Return the options of `read_csv`; lines it cannot read are kept as `rejected` tells.

        The names of the tables of rejected lines follow from `relation`.
        """
        # Every value stays text: types are coerced by the declared rules, not guessed.
        columns = ", ".join(f"{text_literal(name)}: 'VARCHAR'" for name in self.columns)
        texts = {
            "delim": self.separator,
            "quote": self.quote,
            "escape": self.escape,
            "encoding": self.encoding,
            "compression": self.packing,
            "comment": "",
            "rejects_table": f"{relation}_rejects",
            "rejects_scan": f"{relation}_scans",
        }
        written = ", ".join(f"{name}={text_literal(value)}" for name, value in texts.items())
        return (
            f"auto_detect=false, header=true, skip={self.skip}, columns={{{columns}}}, {written}, "
            f"store_rejects=true, max_line_size={LONGEST_LINE}, buffer_size={_BUFFER}, "
            "hive_partitioning=false"
        )


def forms_of(paths: Sequence[str], wanted: Collection[str], engine: Engine) -> dict[str, TextForm]:
    """Return how each of some text files is written, without those that hold nothing.

    Files that begin with the same header line are written alike.

    Args:
        paths: The files.
        wanted: Names that a header may hold: of the contract, and those that a mapping uses.
        engine: What reads them.

    Raises:
        DataError: If one is no text that can be read.
    """
    forms: dict[str, TextForm] = {}
    alike: dict[tuple[bytes, str], TextForm] = {}
    names = {name.lower() for name in wanted}
    for path in paths:
        head, packing = _head(path)
        if not head.strip():
            continue
        line = re.match(rb"[^\r\n]*(\r\n|\r|\n)?", head)
        key = (line.group() if line else b"", packing)
        form = alike.get(key) or _form(path, head, packing, names, engine)
        if not form.skip:
            alike[key] = form
        if form.encoding == "utf-8" and _ends_in_ways(head + _tail(path, packing)) > 1:
            form = replace(form, copy=_evened(path, packing, engine.scratch), packing="none")
        forms[path] = form
    return forms


def _head(path: str) -> tuple[bytes, str]:
    """Return the first bytes of a file, unpacked, and how it is packed."""
    import pyarrow as pa

    packing = _PACKED.get(Path(path).suffix.lower(), "none")
    try:
        with pa.input_stream(path, compression=packing if packing != "none" else None) as stream:
            return stream.read(_HEAD), packing
    except OSError as error:
        rule = (
            f"is not packed by {packing}, as its name says"
            if packing != "none"
            else "cannot be read"
        )
        raise DataError(Problem(path, rule, str(error)[:200], "check the file")) from error


def _tail(path: str, packing: str) -> bytes:
    if packing != "none":
        return b""
    with Path(path).open("rb") as stream:
        stream.seek(max(0, Path(path).stat().st_size - _HEAD))
        return stream.read()


def _ends_in_ways(data: bytes) -> int:
    """Return in how many ways lines end in a text, those inside quoted values too."""
    both, returns, feeds = data.count(b"\r\n"), data.count(b"\r"), data.count(b"\n")
    return sum((both > 0, returns > both, feeds > both))


def _evened(path: str, packing: str, scratch: str) -> str:
    """Return a copy of a text file, below a folder, in which every line ends in a line feed."""
    import pyarrow as pa

    copy = Path(f"{scratch}/{uuid4().hex}/{Path(path).absolute()}")
    copy.parent.mkdir(parents=True)
    compression = packing if packing != "none" else None
    with pa.input_stream(path, compression=compression) as source, copy.open("wb") as target:
        rest = b""
        while data := source.read(_CHUNK):
            data, rest = rest + data, b""
            if data.endswith(b"\r"):
                data, rest = data[:-1], b"\r"
            target.write(data.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
        target.write(rest.replace(b"\r", b"\n"))
    return str(copy)


def _form(
    path: str, head: bytes, packing: str, wanted: Collection[str], engine: Engine
) -> TextForm:
    encoding = _encoding(path, head)
    text = head.decode(encoding, errors="replace").removeprefix("\ufeff")
    lines = re.split(r"\r\n|\r|\n", text)
    blank = next((number for number, line in enumerate(lines) if line.strip()), 0)
    base = TextForm((), ",", '"', '"', blank, encoding, packing)
    other = replace(base, quote="'", escape="'")
    form = _by_names(base, lines, wanted) or _by_names(other, lines, wanted)
    form = form or _sniffed(path, base, engine)
    if any(_in_apostrophes(line, form) for line in lines[form.skip : form.skip + 2]):
        form = replace(form, quote="'", escape="'")
    _check_skipped(path, form, lines)
    if "\ufffd" in "".join(form.columns):
        raise DataError(not_utf_8(path, f"header {', '.join(form.columns)}"))
    # A quote after a backslash is one inside a value, or one that ends it: the sniffer tells.
    if f"\\{form.quote}" in text and _sniffed(path, form, engine, form.separator).escape == "\\":
        return replace(form, escape="\\")
    return form


def _in_apostrophes(line: str, form: TextForm) -> bool:
    """Return whether every text in a line is enclosed in apostrophes, and some text is."""
    cell = r"('([^']|'')*'|[-+.\d]*)"
    return "'" in line and bool(re.fullmatch(rf"{cell}({re.escape(form.separator)}{cell})*", line))


def _by_names(base: TextForm, lines: Sequence[str], wanted: Collection[str]) -> TextForm | None:
    """Return the form by the first line that names wanted columns, None where none does."""
    for skip in range(base.skip, min(len(lines), base.skip + _BEFORE_HEADER)):
        best, most = None, _ENOUGH - 1
        for separator in _SEPARATORS:
            columns = _header(lines[skip:], separator, base.quote)
            named = sum(name.lower() in wanted for name in columns)
            if named > most:
                best, most = replace(base, columns=columns, separator=separator, skip=skip), named
        if best:
            return best
        if lines[skip].count(base.quote) % 2 or base.encoding != "utf-8":
            return None
    return None


def _check_skipped(path: str, form: TextForm, lines: Sequence[str]) -> None:
    """Check that the lines before a header can be skipped: the engine counts them as rows.

    Raises:
        DataError: If a quote in one of them does not enclose a value.
    """
    for number, line in enumerate(lines[: form.skip], 1):
        cells = csv.reader([line], delimiter=form.separator, quotechar=form.quote, strict=True)
        try:
            next(cells, None)
        except csv.Error as error:
            rule = f"has a header in line {form.skip + 1}, and quotes in line {number} above it"
            fix = "delete the lines above the header"
            raise DataError(Problem(path, rule, line[:80], fix)) from error


def _header(lines: Sequence[str], separator: str, quote: str) -> tuple[str, ...]:
    """Return the names in the first of some lines, each once and none empty."""
    names: dict[str, str] = {}
    for number, cell in enumerate(
        next(csv.reader(lines, delimiter=separator, quotechar=quote), ())
    ):
        name = cell.strip() or f"column{number}"
        if name.lower() in names:
            name = next(
                other
                for count in range(1, len(names) + 2)
                if (other := f"{name}_{count}").lower() not in names
            )
        names[name.lower()] = name
    return tuple(names.values())


def _encoding(path: str, head: bytes) -> str:
    encoding = _UTF_16.get(head[:2], "utf-8")
    if not encoding or (encoding == "utf-8" and b"\0" in head):
        rule = "is not UTF-8 text: it holds zero bytes, as UTF-16 and spreadsheets do"
        raise DataError(Problem(path, rule, repr(head[:20]), AS_UTF_8))
    return encoding


def _sniffed(path: str, base: TextForm, engine: Engine, separator: str = "") -> TextForm:
    """Return the form of a file whose header stands after the lines that `base` skips.

    `base` is what is known of its form; without a separator it is to be told too.

    Raises:
        DataError: If no separator is known, and none can be told.
    """
    options = (
        f"{text_literal(path)}, all_varchar=true, header=true, skip={base.skip}, "
        f"quote={text_literal(base.quote)}, encoding='{base.encoding}', comment='', "
        f"compression='{base.packing}', store_rejects=true, max_line_size={LONGEST_LINE}, "
        f"buffer_size={_BUFFER}" + (f", delim={text_literal(separator)}" if separator else "")
    )
    sql = f"SELECT Delimiter AS separator, Escape AS escape, Columns FROM sniff_csv({options})"
    try:
        row = engine.row(sql)
    except DataError as error:
        if separator:
            return base
        raise DataError(_not_sniffed(path, error)) from error
    names = [str(column["name"]).strip() for column in row["Columns"]]
    if len({name.lower() for name in names}) < len(names):
        names = [str(column["name"]) for column in row["Columns"]]
    escape = "\\" if row["escape"] == "\\" else base.quote
    return replace(base, columns=tuple(names), separator=row["separator"], escape=escape)


def _not_sniffed(path: str, error: DataError) -> Problem:
    reason = engine_reason(error.problems[0])
    if "utf-8" in reason.lower() or "unicode" in reason.lower():
        return not_utf_8(path, reason)
    rule = "has no header line with rows below it, or its line ends or quotes are of several kinds"
    fix = "write it anew as CSV: one kind of line end, quotes inside quoted values doubled"
    return Problem(path, rule, reason, fix)


def not_utf_8(path: str, sample: str) -> Problem:
    """Return the problem with a file in another encoding, with a sample of it."""
    fix = (
        f"{AS_UTF_8}, or read it by `sql: SELECT * FROM read_csv('{path}', encoding='latin-1')` "
        "(of Windows-1252 that loses the euro sign and curly quotes)"
    )
    return Problem(path, "is not UTF-8 text", sample, fix)


def engine_reason(item: Problem | str) -> str:
    """Return what an engine had to say, without its advice and the SQL that it quotes."""
    if isinstance(item, Problem):
        item = item.rule if item.thing in ENGINES or not item.value else item.value
    lines = []
    for line in item.strip().splitlines():
        if not line.strip() or line.startswith(_ADVICE):
            break
        lines.append(line.strip())
    return " ".join(lines)[:300]
