"""Reports as lines for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tenure.report.sentences import audit as audit_words
from tenure.report.sentences import findings
from tenure.report.sentences.words import (
    METRIC,
    Outcome,
    count,
    counted,
    day,
    inside,
    known,
    number,
    percent,
    plain,
)
from tenure.report.tables.horizons import horizon_lines
from tenure.report.tables.layout import Entry

RED = "RED"
REPEATED = ("rejected", "emptied")
FIGURES = ("auc", "log_loss", "brier_skill", "calibration_error")
MOST_DRIVERS = 5
MOST_REASONS = 8


def check_lines(result: Entry) -> list[str]:
    """Return what a check found, for people.

    Args:
        result: From `tenure check`: ``data`` (a data report), and where known ``name``,
            ``features``, ``audit``, ``rejects`` and ``page``.  Red warnings come first, each after
            the word RED.
    """
    data = result.get("data") or {}
    lines = [f"{result.get('name') or 'data'}: {findings.data_finding(data)}"]
    if data.get("observed_until"):
        lines.append(f"Observation stopped at {data['observed_until']} (exclusive).")
    if not data.get("usable", True):
        lines.append(f"{RED}  nothing can be asked of this data: no account ever paid")
    lines += [f"{RED}  {text}" for text in data.get("red") or []]
    tables = data.get("tables") or {}
    lines += ["", *_tables(tables)]
    lines += _section("rejected and emptied", _rejected(tables))
    lines += _section("warnings", _warnings(tables))
    lines += _section("assumed by the config", _assumed(tables))
    attributes = data.get("attributes") or []
    lines += _section("account attributes", [_attribute(item) for item in attributes])
    lines += _section("features", _features(result.get("features") or {}))
    if result.get("audit"):
        lines += ["", *audit_words.lines(result["audit"])]
    lines += _section(
        "rejected rows", [str(path) for path in (result.get("rejects") or {}).values()]
    )
    if result.get("page"):
        lines += ["", f"audit: {result['page']}"]
    return lines


def _tables(tables: Entry) -> list[str]:
    heads = ["table", "rows in", "used", "rejected", "set aside", "first", "last", "accounts"]
    rows = [
        [
            str(name),
            count(found.get("rows_in")),
            count(found.get("rows_used")),
            count(found.get("rows_rejected")),
            count(found.get("set_aside")),
            day(found.get("first")),
            day(found.get("last")),
            percent(found.get("coverage")),
        ]
        for name, found in tables.items()
    ]
    return grid([heads, *rows], left=(0, 5, 6)) if rows else []


def _rejected(tables: Entry) -> list[str]:
    found = []
    for name, table in tables.items():
        for reason, rows in (table.get("rejected") or {}).items():
            found.append([str(name), count(rows), "rows", plain(reason)])
        for column, reasons in (table.get("emptied") or {}).items():
            for reason, values in reasons.items():
                found.append([str(name), count(values), "values", f"{column}: {plain(reason)}"])
    return grid(found, left=(0, 2, 3))


def _warnings(tables: Entry) -> list[str]:
    return [
        f"{name}: {remark.get('text')}"
        for name, table in tables.items()
        for remark in table.get("remarks") or []
        if not remark.get("red") and remark.get("code") not in REPEATED
    ]


def _assumed(tables: Entry) -> list[str]:
    return [
        f"{name}.{column}: {text}"
        for name, table in tables.items()
        for column, text in (table.get("assumptions") or {}).items()
    ]


def _attribute(item: Entry) -> str:
    use = "may be a feature" if item.get("usable") else "not a feature"
    return f"{item.get('name')}: {use} ({item.get('verdict')})"


def _features(features: Entry) -> list[str]:
    if not features:
        return []
    reasons = Counter(str(item.get("reason")) for item in features.get("absent") or [])
    listed = [f"{count(found)} absent: {why}" for why, found in reasons.most_common(MOST_REASONS)]
    rest = len(reasons) - len(listed)
    more = [f"and for {counted(rest, 'further reason')}"] if rest > 0 else []
    return [counted(features.get("count") or 0, "feature"), *listed, *more]


def train_lines(record: Entry) -> list[str]:
    """Return what a training run came to, for people.

    Args:
        record: The training record.
    """
    lines: list[str] = []
    red = (record.get("data") or {}).get("red") or []
    lines += [f"{RED}  {text}" for text in red]
    for name, entry in (record.get("targets") or {}).items():
        lines += [*([""] if lines else []), *_target(name, entry)]
    runs = ((record.get("config") or {}).get("paths") or {}).get("runs")
    if runs:
        lines += ["", f"report: {runs}/report.html"]
    if known(record.get("took_seconds")):
        lines.append(f"took {number(record['took_seconds'], 0)} s")
    return lines


def _target(name: str, entry: Entry) -> list[str]:
    outcome = Outcome.of(name, entry)
    headline = findings.headline(outcome, entry)
    model = entry.get("model") or {}
    role = f"  ({plain(entry['status'])} {model.get('version')})" if model else ""
    lines = [f"{outcome.title}: {headline.label}{role}"]
    lines += [f"  {text}" for text in (headline.first, *headline.more)]
    figures = findings.pooled(entry)
    if figures:
        base = f"base rate {percent((entry.get('labels') or {}).get('base_rate'))}"
        said = [_figure(key, figures[key]) for key in FIGURES if figures.get(key)]
        lines.append("  " + " · ".join([base, *said]))
    lines += [f"  {text}" for text in horizon_lines(entry)]
    drivers = [str(row.get("label")) for row in (entry.get("drivers") or [])[:MOST_DRIVERS]]
    if drivers:
        lines.append(f"  drivers: {'; '.join(inside(text) for text in drivers)}")
    if model.get("path"):
        lines.append(f"  bundle: {model['path']}")
    untracked = (model.get("mlflow") or {}).get("error")
    if untracked:
        lines.append(f"  not recorded in MLflow: {untracked}")
    return lines


def _figure(key: str, found: Mapping[str, Any]) -> str:
    metric = METRIC[key]
    return " ".join(
        filter(None, [inside(metric.name), metric.say(found.get("value")), metric.interval(found)])
    )


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return ["", f"{title}:", *(f"  {line}" for line in lines)] if lines else []


def grid(rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)) -> list[str]:
    """Return rows as aligned columns.

    Args:
        rows: Texts; all rows are equally long.
        left: Columns set left; the others are set right.

    >>> grid([["a", "1"], ["bc", "10"]])
    ['a    1', 'bc  10']
    """
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))] if rows else []
    return [
        "  ".join(
            f"{text:<{width}}" if place in left else f"{text:>{width}}"
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
