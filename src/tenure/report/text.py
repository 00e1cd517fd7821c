"""Reports as lines for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from tenure.core.records.audit import CheckedFeatures, CheckRecord
from tenure.core.records.data import AttributeRecord, TableRecord
from tenure.core.records.evaluation import Evaluation
from tenure.core.records.training import TargetRecord, TrainingRecord
from tenure.report.sentences import audit as audit_sentences
from tenure.report.sentences import findings
from tenure.report.sentences.formatting import (
    count,
    counted,
    day,
    first_of,
    inside,
    number,
    percent,
    plain,
)
from tenure.report.sentences.names import METRIC
from tenure.report.sentences.outcome import Outcome
from tenure.report.sentences.shape import shape_warnings
from tenure.report.tables.horizons import horizon_lines
from tenure.report.tables.layout import Table, aligned, listing, table

RED = "RED"
REPEATED = ("rejected", "emptied")
FIGURES = ("auc", "log_loss", "brier_skill", "calibration_error")
MOST_DRIVERS = 5
MOST_REASONS = 8
MOST_ATTRIBUTES = 8

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
    lines += ["", *aligned(_tables(data.tables))]
    lines += _section("rejected and emptied", aligned(_rejected(data.tables)))
    warnings = [
        f"{name}: {remark.text}"
        for name, item in data.tables.items()
        for remark in item.remarks
        if not remark.red and remark.code not in REPEATED
    ]
    assumed = [
        f"{name}.{column}: {text}"
        for name, item in data.tables.items()
        for column, text in item.assumptions.items()
    ]
    lines += _section("warnings", warnings)
    lines += _section("assumed by the config", assumed)
    lines += _section("account attributes", _attributes(data.attributes))
    lines += _section("features", _features(check.features))
    lines += ["", *audit_sentences.lines(check.audit)]
    lines += _section("rejected rows", list(check.rejects.values()))
    return [*lines, "", f"audit: {check.page}"]


def _attributes(attributes: Iterable[AttributeRecord]) -> list[str]:
    """Return a line for each verdict on account attributes, with all that share it."""
    names: dict[str, list[str]] = {}
    for item in attributes:
        use = "may be a feature" if item.usable else "not a feature"
        names.setdefault(f"{use} ({item.verdict})", []).append(item.name)
    return [f"{first_of(same, MOST_ATTRIBUTES)}: {verdict}" for verdict, same in names.items()]


def _tables(tables: Tables) -> Table | None:
    return table(
        "",
        tables.items(),
        ("table", lambda item: item[0]),
        (">rows in", lambda item: count(item[1].rows_in)),
        (">used", lambda item: count(item[1].rows_used)),
        (">rejected", lambda item: count(item[1].rows_rejected)),
        (">set aside", lambda item: count(item[1].set_aside)),
        ("first", lambda item: day(item[1].first)),
        ("last", lambda item: day(item[1].last)),
        (">accounts", lambda item: percent(item[1].coverage)),
    )


def _rejected(tables: Tables) -> Table | None:
    rows = []
    for name, item in tables.items():
        rows += [(name, count(n), "rows", plain(reason)) for reason, n in item.rejected.items()]
        rows += [
            (name, count(n), "values", f"{column}: {plain(reason)}")
            for column, reasons in item.emptied.items()
            for reason, n in reasons.items()
        ]
    return listing(rows, "", ">", "", "")


def _features(features: CheckedFeatures) -> list[str]:
    reasons = Counter(item.reason for item in features.absent)
    lines = [f"{count(size)} absent: {why}" for why, size in reasons.most_common(MOST_REASONS)]
    rest = len(reasons) - len(lines)
    more = [f"and for {counted(rest, 'further reason')}"] if rest > 0 else []
    return [counted(features.count, "feature"), *lines, *more]


def train_lines(record: TrainingRecord) -> list[str]:
    """Return what a training run came to, for people."""
    lines = [f"{RED}  {text}" for text in record.data.red]
    return [
        *lines,
        *([""] if lines else []),
        *target_lines(record.targets),
        "",
        f"report: {record.config.paths.runs}/report.html",
        f"took {number(record.took_seconds, 0)} s up to the report and the recording in MLflow",
    ]


def target_lines(targets: Mapping[str, TargetRecord]) -> list[str]:
    """Return how well each target is predicted, with a line between two of them."""
    parts = [["", *_target(name, target)] for name, target in targets.items()]
    return [line for part in parts for line in part][1:]


def _target(name: str, target: TargetRecord) -> list[str]:
    outcome, model, evaluation = Outcome(name, target), target.model, target.evaluation
    headline = findings.headline(outcome)
    role = f"  ({plain(target.status)} {model.version})" if model else ""
    lines = [f"{RED}  {text}" for text in shape_warnings(target.shape)]
    lines += [headline.first, *headline.more]
    if evaluation.pooled.n is not None:
        base = f"base rate {percent(target.labels.base_rate)}"
        lines.append(" · ".join([base, *_metrics(evaluation)]))
    lines += horizon_lines(evaluation)
    if target.drivers:
        labels = [inside(row.label) for row in target.drivers[:MOST_DRIVERS]]
        lines.append(f"drivers: {'; '.join(labels)}")
    if model:
        lines.append(f"bundle: {model.path}")
        if model.mlflow and model.mlflow.error:
            lines.append(f"not recorded in MLflow: {model.mlflow.error}")
    return [f"{outcome.title}: {headline.label}{role}", *(f"  {line}" for line in lines)]


def _metrics(evaluation: Evaluation) -> list[str]:
    metrics = [(METRIC[key], METRIC[key].of(evaluation.pooled)) for key in FIGURES]
    return [
        f"{inside(metric.name)} {metric.show(figure.value)} {metric.interval(figure)}".rstrip()
        for metric, figure in metrics
        if figure.value is not None
    ]


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return ["", f"{title}:", *(f"  {line}" for line in lines)] if lines else []
