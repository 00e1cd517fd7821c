"""What the methods of a project return: tables to look at and charts, made from a run's records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from tenure.core.errors import ConfigError, Problem, suggestion
from tenure.core.records.audit import CheckRecord
from tenure.core.records.base import Figure
from tenure.core.records.explain import AccountExplanation, DriverRecord
from tenure.core.records.training import TargetRecord, TrainingRecord

if TYPE_CHECKING:
    from tenure.core.records.scorecards import HealthComparison
    from tenure.report.charts.look import Picture

METRICS = (
    *("auc", "average_precision", "log_loss", "brier_skill", "calibration_error"),
    *("lift_at_10", "detection_at_10"),
)


def _drawing(chart: str, what: str) -> Callable[..., Picture]:
    """Return a method that draws a chart of a target, the first by default."""

    def plot(self: Measured, target: str | None = None) -> Picture:
        return self._drawn(chart, target)

    plot.__doc__ = f"Draw {what}."
    return plot


@dataclass(frozen=True, repr=False)
class Measured:
    """Targets whose models were tested on the past.

    Every figure is out of time: each month is predicted by a model fitted on what was known then.
    In `plot_…`, `target` may be left out: it is the first of the targets.

    Attributes:
        targets: Target → its record.
    """

    targets: Mapping[str, TargetRecord]

    @property
    def verdicts(self) -> pd.DataFrame:
        """What may be said of each target: ``verdict``, and why, in ``sentence``."""
        rows = {
            name: {"verdict": target.verdict.status, "sentence": target.verdict.sentences[0]}
            for name, target in self.targets.items()
        }
        return pd.DataFrame.from_dict(rows, orient="index")

    @property
    def metrics(self) -> pd.DataFrame:
        """Metrics over all folds, by target: ``value`` with its interval ``lo`` to ``hi``."""
        figures = {
            (name, metric): target.evaluation.pooled.figure(metric)
            for name, target in self.targets.items()
            for metric in METRICS
        }
        return _table(figures)

    def folds(self, target: str | None = None) -> pd.DataFrame:
        """Return the metrics of each fold, by its prediction time ``as_of``."""
        rows = [
            {
                "as_of": pd.Timestamp(fold.as_of).tz_localize(None),
                "n": fold.n,
                "positives": fold.positives,
                "mean_probability": fold.mean_probability,
                "observed_rate": fold.observed_rate,
                **{name: fold.figure(name).value for name in METRICS},
            }
            for fold in self._of(target)[1].evaluation.folds
        ]
        return pd.DataFrame(rows).set_index("as_of") if rows else pd.DataFrame()

    def baselines(self, target: str | None = None) -> pd.DataFrame:
        """Return the gain over each baseline: ``value`` above 0 where the model is better."""
        gains = self._of(target)[1].evaluation.differences
        return _table(
            {
                (name, measure): getattr(gain, measure)
                for name, gain in gains.items()
                for measure in ("auc", "log_loss")
            }
        )

    plot_folds = _drawing("folds", "the AUC at each prediction time")
    plot_reliability = _drawing("calibration", "predicted against observed rates")
    plot_detection = _drawing("detection", "which share of the outcomes the lists met in time")
    plot_baselines = _drawing("baselines", "how much better the model is than each baseline")
    plot_contrast = _drawing("contrast", "what other ways of testing would have promised")
    plot_lead_time = _drawing("lead", "how long before the outcome the list named the account")

    def __repr__(self) -> str:
        """Return the verdict on each target."""
        verdicts = (f"{name}: {record.verdict.status}" for name, record in self.targets.items())
        return f"<{type(self).__name__} {', '.join(verdicts)}>"

    def _of(self, target: str | None) -> tuple[str, TargetRecord]:
        name = next(iter(self.targets)) if target is None else target
        if name not in self.targets:
            raise ConfigError(
                Problem("target", "is not among these", name, suggestion(name, self.targets))
            )
        return name, self.targets[name]

    def _drawn(self, chart: str, target: str | None) -> Picture:
        from tenure.report.charts.look import picture
        from tenure.report.sentences.outcome import Outcome
        from tenure.report.target_charts import target_specs

        name, record = self._of(target)
        specs = target_specs(Outcome(name, record))
        if chart not in specs:
            rule, reason = "its past gives nothing to draw here", record.verdict.sentences[0]
            raise ConfigError(Problem(f"target `{name}`", rule, chart, reason))
        return picture(specs[chart][0])

    def _repr_html_(self) -> str:
        return as_html(self.verdicts, self.metrics["value"].unstack(level=0))


@dataclass(frozen=True, repr=False)
class Training(Measured):
    """What `Project.train` came to.

    Attributes:
        record: The training record, as it stands in ``<runs>/training.json``.
    """

    record: TrainingRecord

    @property
    def models(self) -> pd.DataFrame:
        """The exported model of each target, and whether it is champion."""
        keys = ("version", "rows", "positives", "features", "path")
        rows = {
            name: {
                "status": target.status,
                **{key: getattr(target.model, key, None) for key in keys},
            }
            for name, target in self.targets.items()
        }
        return pd.DataFrame.from_dict(rows, orient="index")

    def drivers(self, target: str | None = None) -> pd.DataFrame:
        """Return what moves the scores of the training rows, strongest first."""
        return pd.DataFrame([driver.to_json() for driver in self._of(target)[1].drivers])

    plot_drivers = _drawing("drivers", "what moves the scores")
    plot_labels = _drawing("labels", "the rate of the outcome over the prediction times")


@dataclass(frozen=True, repr=False)
class Backtest(Measured):
    """What `Project.backtest` came to.

    Attributes:
        predictions: One row per account and past prediction time: account_id, as_of, fold, mrr,
            and of each target ``<target>_probability``, its bounds ``_lo`` and ``_hi`` where there
            are any, and ``<target>_outcome`` (1 or 0).  The oldest fold is 0.
        health: The weighted health score of the config beside the model of churn, on the same
            rows; None where the config has none.
    """

    predictions: pd.DataFrame
    health: HealthComparison | None = None


@dataclass(frozen=True, repr=False)
class Checked:
    """What `Project.check` came to.

    Attributes:
        record: Data report, features and audit.
    """

    record: CheckRecord

    @property
    def passed(self) -> bool:
        """Whether the data can be used and no feature saw its future."""
        return self.record.passed

    @property
    def tables(self) -> pd.DataFrame:
        """Each table: rows read, used and rejected, first and last event, share of accounts."""
        columns = ("rows_in", "rows_used", "rows_rejected", "first", "last", "coverage")
        tables = self.record.data.tables
        rows = {name: [getattr(table, key) for key in columns] for name, table in tables.items()}
        return pd.DataFrame.from_dict(rows, orient="index", columns=list(columns))

    @property
    def remarks(self) -> pd.DataFrame:
        """What looks wrong in the tables, worst first; `red` puts conclusions in doubt."""
        rows = [
            {"table": name, **remark.model_dump()}
            for name, table in self.record.data.tables.items()
            for remark in table.remarks
        ]
        frame = pd.DataFrame(rows, columns=["table", "text", "rows", "share", "red"])
        return frame.sort_values(["red", "rows"], ascending=False, ignore_index=True)

    @property
    def absent(self) -> pd.DataFrame:
        """Features that the data cannot give, and why."""
        rows = [feature.model_dump() for feature in self.record.features.absent]
        return pd.DataFrame(rows, columns=["name", "reason"])

    def __repr__(self) -> str:
        """Return whether it passed, and how much looks wrong."""
        verdict = "passed" if self.passed else "failed"
        return f"<Checked: {verdict}, {len(self.tables)} tables, {len(self.remarks)} remarks>"

    def _repr_html_(self) -> str:
        return as_html(self.tables, self.remarks)


@dataclass(frozen=True, repr=False)
class AccountReasons:
    """What `Project.explain` came to; shown as sentences.

    Attributes:
        record: Its flat row, drivers, evidence and changes.
    """

    record: AccountExplanation

    @property
    def row(self) -> Mapping[str, Any]:
        """The account's flat row, as `tenure score` writes it, in JSON values."""
        return self.record.row

    @property
    def lines(self) -> tuple[str, ...]:
        """The same for people."""
        return self.record.lines

    def drivers(self, target: str = "churn") -> pd.DataFrame:
        """Return what moves a score most, by the fields of `DriverRecord`."""
        rows = [driver.model_dump() for driver in self.record.drivers.get(target, ())]
        return pd.DataFrame(rows, columns=list(DriverRecord.model_fields))

    def __repr__(self) -> str:
        """Return the lines."""
        return "\n".join(self.lines)


def as_html(*frames: pd.DataFrame) -> str:
    """Return tables as HTML, no text in them cut short."""
    with pd.option_context("display.max_colwidth", None, "display.precision", 3):
        return "\n".join(frame.to_html(na_rep="") for frame in frames)


def _table(figures: Mapping[tuple[str, str], Figure]) -> pd.DataFrame:
    columns = ["value", "lo", "hi"]
    if not figures:
        return pd.DataFrame(columns=columns)
    rows = [figure.to_json() for figure in figures.values()]
    index = pd.MultiIndex.from_tuples(figures, names=[None, "metric"])
    return pd.DataFrame(rows, index=index, columns=columns)
