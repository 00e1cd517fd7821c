"""Lines of text files that cannot be read as a row: each is kept, counted and reported.

DuckDB keeps such lines in tables while it scans; here they become one table of the lines of one
table's files: `file`, `line` (its number), `code`, `rule` (in words), `row` (its text).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tenure.core.errors import Problem
from tenure.core.steps import Step, quote, text_literal
from tenure.engine import Engine
from tenure.sources.files import Files
from tenure.sources.staging_sql import LINE_RULES, Layout
from tenure.sources.text_files import not_utf_8

_CODES = {
    "MISSING COLUMNS": "ragged_line",
    "TOO MANY COLUMNS": "ragged_line",
    "UNQUOTED VALUE": "open_quote",
    "LINE SIZE OVER MAXIMUM": "long_line",
    "INVALID ENCODING": "not_utf_8",
}
_BLANK = "' ' || chr(9) || chr(10) || chr(13) || chr(26)"
_SHOWN = 80
"""Characters of a line that a message shows."""


def table_of(name: str) -> str:
    """Return the name of the table of a table's rejected lines."""
    return f"_lines_{name}"


def collect(name: str, reads: Iterable[Files], engine: Engine, paths: Sequence[str] = ()) -> int:
    """Make the table of the lines that the last scans of a table's files rejected; count them.

    Only those of the files in `paths` count, where it is not empty.

    Returns:
        The number of lines; where it is 0, there is no table.
    """
    engine.drop(table_of(name))
    prefixes = [files.relation for files in reads if files.text]
    if not prefixes:
        return 0
    ours = " OR ".join(f"starts_with(table_name, {text_literal(item)})" for item in prefixes)
    listed = engine.fetch(f"SELECT table_name FROM duckdb_tables() WHERE {ours} ORDER BY 1")
    rejects = [item for item in listed.column(0).to_pylist() if item.endswith("_rejects")]
    if not rejects:
        return 0
    lines = " UNION ALL ".join(_lines(item) for item in rejects)
    if paths:
        lines = f"SELECT * FROM ({lines}) WHERE file IN ({', '.join(map(text_literal, paths))})"
    engine.run([Step(table_of(name), lines)])
    return int(engine.value(f"SELECT count(*) FROM {quote(table_of(name))}"))


def _lines(rejects: str) -> str:
    """Return a SELECT of the rejected lines in the tables of one way of writing."""
    scans = rejects.removesuffix("_rejects") + "_scans"
    cases = " ".join(f"WHEN '{kind}' THEN '{code}'" for kind, code in _CODES.items())
    rules = " ".join(
        f"WHEN '{code}' THEN {text_literal(rule)}" for code, rule in LINE_RULES.items()
    )
    counts = r"'Columns: (\d+) Found: (\d+)'"
    records = (
        f"SELECT file_path, line AS start, CASE WHEN bool_or(error_type = 'INVALID ENCODING') "
        f"THEN 'not_utf_8' ELSE CASE max(CAST(error_type AS VARCHAR)) {cases} ELSE 'ragged_line' "
        # Of a line with several of them, DuckDB keeps the text of the line before.
        "END END AS code, CASE WHEN count(*) FILTER (error_type = 'UNQUOTED VALUE') > 1 THEN "
        f"'(not shown)' ELSE trim(any_value(csv_line), {_BLANK}) END AS text, "
        f"any_value(regexp_extract(error_message, {counts}, 1)) AS expected, "
        f"min(TRY_CAST(regexp_extract(error_message, {counts}, 2) AS INTEGER)) AS values "
        f"FROM {quote(rejects)} JOIN {quote(scans)} USING (scan_id, file_id) GROUP BY ALL"
    )
    pieces = r"regexp_split_to_array(text, '\r\n|\r|\n')"
    return (
        f"SELECT file_path AS file, CAST(start AS BIGINT) + place - 1 AS line, code, "
        f"CASE code {rules} END || "
        "CASE WHEN code = 'ragged_line' AND expected <> '' THEN ': ' || values || ' values, the "
        f"header has ' || expected ELSE '' END AS rule, pieces[place] AS row FROM (SELECT *, "
        f"unnest(range(1, len(pieces) + 1)) AS place FROM (SELECT *, {pieces} AS pieces "
        f"FROM ({records}))) WHERE trim(pieces[place], {_BLANK}) <> ''"
    )


def with_lines(layout: Layout, relation: str) -> str:
    """Return a SELECT of staged rows and, as rejected rows, of the lines that are none."""
    codes = [reason.code for reason in layout.every_reason]
    numbers = " ".join(f"WHEN '{code}' THEN {codes.index(code) + 1}" for code in LINE_RULES)
    return (
        f"SELECT * FROM {relation} UNION ALL BY NAME SELECT CAST(CASE code {numbers} END AS "
        f"UTINYINT) AS _reason, 0::UBIGINT AS _flags FROM {quote(table_of(layout.source.name))}"
    )


def sample(name: str, engine: Engine) -> str:
    """Return the first rejected line of a table, in words."""
    rows = engine.fetch(
        f"SELECT parse_filename(file) AS file, line, rule, left(row, {_SHOWN}) AS row "
        f"FROM {quote(table_of(name))} ORDER BY ALL LIMIT 1"
    ).to_pylist()
    return "".join(
        f"line {row['line']} of {row['file']} ({row['rule']}): {row['row']}" for row in rows
    )


def encoding_problem(name: str, relation: str, engine: Engine) -> Problem | None:
    """Return the problem with a table whose files are in another encoding than UTF-8.

    That is so where some lines are not UTF-8 and none that is holds a letter beyond ASCII; else
    those lines are damaged, and the others can be used.
    """
    bad = engine.fetch(
        f"SELECT file, line, left(row, {_SHOWN}) AS row FROM {quote(table_of(name))} "
        "WHERE code = 'not_utf_8' ORDER BY ALL LIMIT 1"
    ).to_pylist()
    if not bad:
        return None
    columns = ", ".join(map(quote, engine.columns(relation)))
    letters = engine.fetch(
        f"SELECT 1 FROM {quote(relation)} "
        rf"WHERE regexp_matches(concat_ws(' ', {columns}), '[^\x00-\x7F]') LIMIT 1"
    )
    if letters.num_rows:
        return None
    row = bad[0]
    problem = not_utf_8(row["file"], f"line {row['line']}: {row['row']}")
    return Problem(name, f"{row['file']} {problem.rule}", problem.value, problem.fix)
