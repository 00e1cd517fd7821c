"""What `tenure init` came to, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tenure.core.records.init import FolderTable, InitRecord, MissingPart, ProposedTable
from tenure.report.tables.layout import Table, aligned, listing, table
from tenure.report.text import check_lines

_WIDE = 19
"""Characters of a value that a preview shows."""
_SHOWN = 7
"""Columns that a preview shows."""


def init_lines(result: InitRecord) -> list[str]:
    """Return what was recognised, how it is mapped, what is missing and what the check says."""
    lines = ["files", *_indented(aligned(_files(result.files)))]
    for item in result.tables:
        lines += ["", *_proposed(item)]
    if result.questions:
        lines += ["", "open", *(f"  {text}" for text in result.questions)]
    lines += _missing(result.missing)
    if result.check is not None:
        lines += ["", "check", *_indented(check_lines(result.check))]
    if result.problems:
        lines += ["", "it cannot be used yet:", *(f"  {text}" for text in result.problems)]
    step = f"tenure {'train' if result.passed else 'check'} {result.config}"
    if result.problems:
        step = f"{result.problems[0].rpartition(' → ')[2]}; then {step}"
    return [*lines, "", f"config: {result.config}", f"next:   {step}"]


def _files(files: Sequence[FolderTable]) -> Table | None:
    return table(
        "",
        files,
        ("file", lambda item: item.name),
        ("is", lambda item: f"{item.vendor} {item.object}".strip() or "unknown"),
        (">columns", lambda item: str(item.columns) if item.columns else ""),
        ("", lambda item: item.remark),
    )


def _proposed(item: ProposedTable) -> Iterator[str]:
    origin = ", ".join(item.presets)
    if item.left_out:
        yield f"{item.name} ({origin}) is left out: {item.left_out.splitlines()[0]}"
        return
    yield f"{item.name} ({origin})"
    yield from (f"  {text}" for text in item.notes)
    yield from _indented(_rows(item.rows))


def _rows(rows: Sequence[Mapping[str, str | None]]) -> list[str]:
    """Return rows as lines: the columns that have a value, the first few of them."""
    names = [name for name in (rows[0] if rows else {}) if any(row[name] for row in rows)]
    shown, more = names[:_SHOWN], names[_SHOWN:]
    columns = [(name, lambda row, name=name: _short(row[name])) for name in shown]
    lines = aligned(table("", rows, *columns)) if shown else []
    return [*lines, *([f"and {', '.join(more)}"] if more else [])]


def _short(value: str | None) -> str:
    text = " ".join((value or "").split())
    return text if len(text) <= _WIDE else f"{text[: _WIDE - 1]}…"


def _missing(parts: Sequence[MissingPart]) -> list[str]:
    if not parts:
        return []
    rows = [(part.name, _brought(part)) for part in parts]
    return ["", "missing", *_indented(aligned(listing(rows, "", "")))]


def _brought(part: MissingPart) -> str:
    usually = part.usually.replace("`", "")
    return f"{part.without} ({usually})" if usually else part.without


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"  {line}".rstrip() for line in lines]
