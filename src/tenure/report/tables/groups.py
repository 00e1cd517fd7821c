"""The figures of each group of accounts, as a table."""

from __future__ import annotations

from tenure.core.records.base import UNMEASURED
from tenure.core.records.evaluation import Evaluation, GroupMetrics
from tenure.report.sentences.formatting import NONE, percent, plain, sentence
from tenure.report.sentences.outcome import Outcome
from tenure.report.tables.layout import Cell, Table, figure_cell, table, whole

GROUPS = {"mrr": "MRR", "tenure": "time as a customer"}


def group_table(outcome: Outcome, evaluation: Evaluation) -> Table | None:
    """Return the figures of each group of accounts.

    Args:
        outcome: How to speak of it.
        evaluation: The target's backtest.
    """
    rows, last = [], None
    for group in evaluation.groups:
        head = sentence(GROUPS.get(group.by) or plain(group.by)) if group.by != last else ""
        last = group.by
        rows.append(
            (
                Cell(head),
                Cell(group.group),
                whole(group.n),
                whole(group.events),
                Cell(percent(group.mean_probability, 1), numeric=True),
                Cell(percent(group.observed_rate, 1), numeric=True),
                *_measured(group),
            )
        )
    columns = (
        "By",
        "Group",
        "Predictions",
        f"Distinct {outcome.events}",
        "Predicted",
        "Observed",
        "Too high by (points)",
        "AUC",
        "Log loss gain",
    )
    caption = (
        "Figures within groups. Too high by: the predicted rate minus the observed one; red where "
        "it is beyond chance, though among several groups one in twenty is so by chance alone. Log "
        "loss gain: how much smaller the penalty for wrong probabilities is than with the average "
        "rate for everyone; above 0 is better"
    )
    return table(caption, columns, rows, numeric=range(2, len(columns)))


def _measured(group: GroupMetrics) -> tuple[Cell, ...]:
    gap = group.calibration_gap
    if gap == UNMEASURED:
        few = Cell(NONE, "fewer than 30 outcomes: no figures", numeric=True)
        return (few, Cell(NONE, numeric=True), Cell(NONE, numeric=True))
    return (
        figure_cell(gap.times(100), 1, "bad" if gap.above or gap.below else ""),
        figure_cell(group.auc, 2),
        figure_cell(group.log_loss_gain, 4),
    )
