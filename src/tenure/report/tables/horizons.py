"""The further horizons of a target: how each was tested, and why one is left out."""

from __future__ import annotations

from tenure.core.records.evaluation import Evaluation, Gains, Horizon
from tenure.core.records.training import TargetRecord
from tenure.report.sentences.formatting import listed, percent, spread
from tenure.report.sentences.names import VERDICTS
from tenure.report.sentences.outcome import Outcome
from tenure.report.tables.layout import Cell, Table, figure_cell, table, whole

RENEWAL = "renewal"
COLUMNS = (
    "Looking ahead",
    "Replayed times",
    "Distinct {events}",
    "Predicted",
    "Observed",
    "AUC",
    "Log loss gain",
    "Calibration error",
    "Usable",
)


def horizon_words(outcome: Outcome, evaluation: Evaluation) -> list[str]:
    """Return what became of the further horizons, in sentences; nothing without any.

    Args:
        outcome: How to speak of the target.
        evaluation: Its backtest.
    """
    horizons = _ordered(evaluation)
    if not horizons:
        return []
    sentences = [
        f"Besides {outcome.horizon_days} days, the same question was asked for "
        f"{listed([_title(name) for name in horizons])}. Each has a model of its own, which was "
        "put back to past days and judged in the same way. A usable one has rows of its own in the "
        "scores, told apart by horizon_days; in them no longer span is less likely than a shorter "
        "one.",
    ]
    for name, horizon in horizons.items():
        if horizon.verdict.status != "usable":
            sentences.append(f"Left out: {_title(name)}. {' '.join(horizon.verdict.sentences)}")
    return sentences


def horizon_table(outcome: Outcome, target: TargetRecord) -> Table | None:
    """Return the figures of the further horizons, below those of the main one.

    Args:
        outcome: How to speak of the target.
        target: Its part of the training record.
    """
    evaluation = target.evaluation
    horizons = _ordered(evaluation)
    if not horizons:
        return None
    main = Horizon(
        distinct_events=target.labels.distinct_events,
        folds=len(evaluation.folds),
        pooled=evaluation.pooled,
        gain=evaluation.differences.get("base_rate", Gains()),
        verdict=target.verdict,
    )
    caption = (
        "Each horizon on its own past; AUC is how often an account with the outcome was ranked "
        "above one without (0.5 is chance), log loss gain how much smaller the penalty for wrong "
        "probabilities is than if everyone were given the average rate (above 0 is better), "
        "calibration error the mean gap between predicted and observed rates; in brackets the "
        f"{percent(evaluation.level)} interval over accounts"
    )
    rows = [
        _row(f"{outcome.horizon_days} days (above)", main),
        *(_row(_title(name), horizon) for name, horizon in horizons.items()),
    ]
    columns = [name.format(events=outcome.events) for name in COLUMNS]
    return table(caption, columns, rows, numeric=range(1, len(COLUMNS) - 1))


def horizon_lines(evaluation: Evaluation) -> list[str]:
    """Return the further horizons in one line each, for a terminal.

    Args:
        evaluation: The target's backtest.
    """
    lines = []
    for name, horizon in _ordered(evaluation).items():
        measured = f", AUC {spread(horizon.pooled.auc)}" if horizon.pooled.n else ""
        status = horizon.verdict.status
        left_out = "" if status == "usable" else ", left out"
        lines.append(f"{_title(name)}: {VERDICTS[status]}{measured}{left_out}")
    return lines


def _ordered(evaluation: Evaluation) -> dict[str, Horizon]:
    """Return the further horizons, days before the renewal date, fewer days first."""
    order = sorted(evaluation.horizons, key=lambda name: (name == RENEWAL, name.zfill(9)))
    return {name: evaluation.horizons[name] for name in order}


def _title(name: str) -> str:
    return "the time to the renewal date" if name == RENEWAL else f"{name} days"


def _row(name: str, horizon: Horizon) -> tuple[Cell, ...]:
    pooled, usable = horizon.pooled, horizon.verdict.status == "usable"
    status = VERDICTS[horizon.verdict.status]
    return (
        Cell(name),
        whole(horizon.folds),
        whole(horizon.distinct_events),
        Cell(percent(pooled.mean_probability, 1), numeric=True),
        Cell(percent(pooled.observed_rate, 1), numeric=True),
        figure_cell(pooled.auc, 2),
        figure_cell(horizon.gain.log_loss, 4),
        Cell(percent(pooled.calibration_error.value, 1), numeric=True),
        Cell("yes" if usable else "no", status, tone="" if usable else "bad"),
    )
