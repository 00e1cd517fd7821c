"""The further horizons of a target: how each was tested, and why one is left out."""

from __future__ import annotations

from tenure.core.records.evaluation import Evaluation, Gains, Horizon
from tenure.report.sentences.formatting import count, listed, percent, plain, spread
from tenure.report.sentences.outcome import Outcome
from tenure.report.tables.layout import Cell, Table, figure_cell, flagged, table

RENEWAL = "renewal"


def horizon_words(outcome: Outcome) -> list[str]:
    """Return what became of the further horizons, in sentences; nothing without any."""
    horizons = _ordered(outcome.evaluation)
    if not horizons:
        return []
    sentences = [
        f"Besides {outcome.target.horizon_days} days, the same question was asked for "
        f"{listed([_title(name) for name in horizons])}. Each has a model of its own, which was "
        "put back to past days and judged in the same way. A usable one has rows of its own in the "
        "scores, told apart by horizon_days; in them no longer span is less likely than a shorter "
        "one.",
    ]
    return sentences + [
        f"Left out: {_title(name)}. {' '.join(horizon.verdict.sentences)}"
        for name, horizon in horizons.items()
        if horizon.verdict.status != "usable"
    ]


def horizon_table(outcome: Outcome) -> Table | None:
    """Return the figures of the further horizons, below those of the main one."""
    target, evaluation = outcome.target, outcome.evaluation
    if not evaluation.horizons:
        return None
    main = Horizon(
        distinct_events=target.labels.distinct_events,
        folds=len(evaluation.folds),
        pooled=evaluation.pooled,
        gain=evaluation.differences.get("base_rate", Gains()),
        verdict=target.verdict,
    )
    horizons = _ordered(evaluation)
    named = {_title(name): horizon for name, horizon in horizons.items()}
    return table(
        "Each horizon on its own past; AUC is how often an account with the outcome was ranked "
        "above one without (0.5 is chance), log loss gain how much smaller the penalty for wrong "
        "probabilities is than if everyone were given the average rate (above 0 is better), "
        "calibration error the mean gap between predicted and observed rates; in brackets the "
        f"{percent(evaluation.level)} interval over accounts",
        [(f"{target.horizon_days} days (above)", main), *named.items()],
        ("Looking ahead", lambda item: item[0]),
        (">Replayed times", lambda item: count(item[1].folds)),
        (f">Distinct {outcome.events}", lambda item: count(item[1].distinct_events)),
        (">Predicted", lambda item: percent(item[1].pooled.mean_probability, 1)),
        (">Observed", lambda item: percent(item[1].pooled.observed_rate, 1)),
        (">AUC", lambda item: figure_cell(item[1].pooled.auc, 2)),
        (">Log loss gain", lambda item: figure_cell(item[1].gain.log_loss, 4)),
        (">Calibration error", lambda item: percent(item[1].pooled.calibration_error.value, 1)),
        ("Usable", lambda item: _usable(item[1])),
    )


def horizon_lines(evaluation: Evaluation) -> list[str]:
    """Return the further horizons in one line each, for a terminal."""
    lines = []
    for name, horizon in _ordered(evaluation).items():
        measured = f", AUC {spread(horizon.pooled.auc)}" if horizon.pooled.n else ""
        status = horizon.verdict.status
        left_out = "" if status == "usable" else ", left out"
        lines.append(f"{_title(name)}: {plain(status)}{measured}{left_out}")
    return lines


def _ordered(evaluation: Evaluation) -> dict[str, Horizon]:
    """Return the further horizons, days before the renewal date, fewer days first."""
    order = sorted(evaluation.horizons, key=lambda name: (name == RENEWAL, name.zfill(9)))
    return {name: evaluation.horizons[name] for name in order}


def _title(name: str) -> str:
    return "the time to the renewal date" if name == RENEWAL else f"{name} days"


def _usable(horizon: Horizon) -> Cell:
    usable = horizon.verdict.status == "usable"
    return flagged("yes" if usable else "no", not usable, plain(horizon.verdict.status))
