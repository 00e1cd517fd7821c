"""Reports as lines for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from tenure.core.records.audit import CheckedFeatures, CheckRecord
from tenure.core.records.data import TableRecord
from tenure.core.records.evaluation import Evaluation
from tenure.core.records.training import TargetRecord, TrainingRecord
from tenure.report.sentences import audit as audit_sentences
from tenure.report.sentences import findings
from tenure.report.sentences.formatting import (
    count,
    counted,
    day,
    inside,
    number,
    percent,
    plain,
)
from tenure.report.sentences.names import METRIC
from tenure.report.sentences.outcome import Outcome
from tenure.report.tables.horizons import horizon_lines

RED = "RED"
REPEATED = ("rejected", "emptied")
FIGURES = ("auc", "log_loss", "brier_skill", "calibration_error")
MOST_DRIVERS = 5
MOST_REASONS = 8

Tables = Mapping[str, TableRecord]


def check_lines(check: CheckRecord) -> list[str]:
    """Return what a check came to, for people; red warnings come first, each after the word RED."""
    data = check.data
    lines = [
        f"{check.name}: {findings.data_finding(data)}",
        f"Observation stopped at {data.observed_until} (exclusive).",
    ]
    if not data.usable:
        lines.append(f"{RED}  nothing can be asked of this data: no account ever paid")
    lines += [f"{RED}  {text}" for text in data.red]
    lines += ["", *_tables(data.tables)]
    lines += _section("rejected and emptied", _rejected(data.tables))
    lines += _section("warnings", _warnings(data.tables))
    lines += _section("assumed by the config", _assumed(data.tables))
    attributes = [
        f"{item.name}: {'may be a feature' if item.usable else 'not a feature'} ({item.verdict})"
        for item in data.attributes
    ]
    lines += _section("account attributes", attributes)
    lines += _section("features", _features(check.features))
    lines += ["", *audit_sentences.lines(check.audit)]
    lines += _section("rejected rows", list(check.rejects.values()))
    return [*lines, "", f"audit: {check.page}"]


def _tables(tables: Tables) -> list[str]:
    heads = ["table", "rows in", "used", "rejected", "set aside", "first", "last", "accounts"]
    rows = [
        [
            name,
            count(table.rows_in),
            count(table.rows_used),
            count(table.rows_rejected),
            count(table.set_aside),
            day(table.first),
            day(table.last),
            percent(table.coverage),
        ]
        for name, table in tables.items()
    ]
    return grid([heads, *rows], left=(0, 5, 6)) if rows else []


def _rejected(tables: Tables) -> list[str]:
    rows = []
    for name, table in tables.items():
        rows += [
            [name, count(number), "rows", plain(reason)]
            for reason, number in table.rejected.items()
        ]
        rows += [
            [name, count(number), "values", f"{column}: {plain(reason)}"]
            for column, reasons in table.emptied.items()
            for reason, number in reasons.items()
        ]
    return grid(rows, left=(0, 2, 3))


def _warnings(tables: Tables) -> list[str]:
    return [
        f"{name}: {remark.text}"
        for name, table in tables.items()
        for remark in table.remarks
        if not remark.red and remark.code not in REPEATED
    ]


def _assumed(tables: Tables) -> list[str]:
    return [
        f"{name}.{column}: {text}"
        for name, table in tables.items()
        for column, text in table.assumptions.items()
    ]


def _features(features: CheckedFeatures) -> list[str]:
    reasons = Counter(item.reason for item in features.absent)
    lines = [f"{count(size)} absent: {why}" for why, size in reasons.most_common(MOST_REASONS)]
    rest = len(reasons) - len(lines)
    more = [f"and for {counted(rest, 'further reason')}"] if rest > 0 else []
    return [counted(features.count, "feature"), *lines, *more]


def train_lines(record: TrainingRecord) -> list[str]:
    """Return what a training run came to, for people."""
    lines = [f"{RED}  {text}" for text in record.data.red]
    for name, target in record.targets.items():
        lines += [*([""] if lines else []), *_target(name, target)]
    return [
        *lines,
        "",
        f"report: {record.config.paths.runs}/report.html",
        f"took {number(record.took_seconds, 0)} s",
    ]


def _target(name: str, target: TargetRecord) -> list[str]:
    outcome, model, evaluation = Outcome.of(name, target), target.model, target.evaluation
    headline = findings.headline(outcome, target)
    role = f"  ({plain(target.status)} {model.version})" if model else ""
    lines = [f"{outcome.title}: {headline.label}{role}"]
    lines += [f"  {text}" for text in (headline.first, *headline.more)]
    if evaluation.pooled.n is not None:
        base = f"base rate {percent(target.labels.base_rate)}"
        lines.append("  " + " · ".join([base, *_metrics(evaluation)]))
    lines += [f"  {text}" for text in horizon_lines(evaluation)]
    if target.drivers:
        labels = [inside(row.label) for row in target.drivers[:MOST_DRIVERS]]
        lines.append(f"  drivers: {'; '.join(labels)}")
    if model:
        lines.append(f"  bundle: {model.path}")
        if model.mlflow and model.mlflow.error:
            lines.append(f"  not recorded in MLflow: {model.mlflow.error}")
    return lines


def _metrics(evaluation: Evaluation) -> list[str]:
    metrics = [(METRIC[key], METRIC[key].of(evaluation.pooled)) for key in FIGURES]
    return [
        f"{inside(metric.name)} {metric.show(figure.value)} {metric.interval(figure)}".rstrip()
        for metric, figure in metrics
        if figure.value is not None
    ]


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
