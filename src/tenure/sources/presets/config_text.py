"""The config that maps the tables of a folder, as a person would write it: with comments."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping

from tenure.sources.presets.mapped import MappedTable

WIDTH = 100
_PLAIN = re.compile(r"[A-Za-z_](?!.*(: | #))[^\n]*(?<![:\s])")
_YAML_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n", "none"}


def config_text(
    name: str,
    mapped: Iterable[MappedTable],
    *,
    path: str | None,
    connections: Mapping[str, str] | None = None,
    leave_out: Iterable[str],
    remarks: Iterable[str],
) -> str:
    """Return a config as YAML.

    Args:
        name: What the run is called.
        mapped: The tables.
        path: Folder of the files, from that of the config; None where there are none.
        connections: Name of a connection → its URL.
        leave_out: Tables that must not be looked for by their name.
        remarks: What to know before using it, a sentence each.
    """
    lines = ["# Written by `tenure init`. Read it, change it, and run `tenure check` on it again."]
    lines += [line for text in remarks for line in _comment(text)]
    lines.append(f"name: {scalar(name)}")
    lines += _section("connections", connections or {}, 0)
    lines += ["data:", *([f"  path: {_path(path)}"] if path else [])]
    left = ", ".join(leave_out)
    if left:
        lines.append(f"  leave_out: [{left}]")
    lines.append("  tables:")
    for table in mapped:
        lines += _left_out(table) if table.left_out else _table(table)
    return "\n".join(lines) + "\n"


def _path(path: str) -> str:
    return "." if path == "." else scalar(path)


def scalar(text: str) -> str:
    r"""Return a text as YAML: plain where that is safe, else in quotes.

    >>> scalar("Record ID"), scalar("no"), scalar("a: b"), scalar("'nps'")
    ('Record ID', '"no"', '"a: b"', '"\'nps\'"')
    """
    if _PLAIN.fullmatch(text) and text.lower() not in _YAML_WORDS:
        return text
    return json.dumps(text, ensure_ascii=False)


def _comment(text: str, indent: int = 0) -> Iterator[str]:
    start = " " * indent + "# "
    yield from textwrap.wrap(
        " ".join(text.split()),
        WIDTH,
        initial_indent=start,
        subsequent_indent=start,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _origin(table: MappedTable) -> str:
    return ", ".join(
        f"{item.vendor} (preset {item.name}, version {item.version})" for item in table.presets
    )


def _table(table: MappedTable) -> Iterator[str]:
    yield from _comment(f"{_origin(table)}.", 4)
    for note in table.notes:
        yield from _comment(f"{note}.", 4)
    if table.sql is not None:
        yield f"    {table.name}:"
        yield "      sql: |"
        yield from textwrap.indent(table.sql, " " * 8).splitlines()
        return
    renamed = {name: text for name, text in table.columns.items() if name != text}
    if not renamed and not table.formats and table.table is None:
        yield f"    {table.name}: {scalar(table.path or '')}"
        return
    yield f"    {table.name}:"
    if table.connection is not None:
        yield f"      connection: {scalar(table.connection)}"
    else:
        yield f"      path: {scalar(table.path or '')}"
    if table.table is not None:
        yield f"      table: {scalar(table.table)}"
    yield from _section("columns", renamed, 6)
    yield from _section("formats", table.formats, 6)


def _section(key: str, items: Mapping[str, str], indent: int) -> Iterator[str]:
    space = " " * indent
    if items:
        yield f"{space}{key}:"
    for name, text in items.items():
        yield f"{space}  {name}: {scalar(text)}"


def _left_out(table: MappedTable) -> Iterator[str]:
    first, *rest = table.left_out.splitlines()
    yield from _comment(f"{table.name} of {_origin(table)} is left out: {first}", 4)
    yield from (f"    #   {line}" for line in rest)
