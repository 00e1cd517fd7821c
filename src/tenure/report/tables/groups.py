"""The figures of each group of accounts, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tenure.report.sentences.words import NONE, Outcome, known, number, percent, plain, sentence
from tenure.report.tables.layout import Cell, Entry, Table, table, whole

GROUPS = {"mrr": "MRR", "tenure": "time as a customer"}


def group_table(outcome: Outcome, entry: Entry) -> Table | None:
    """Return the figures of each group of accounts.

    Args:
        outcome: How to speak of it.
        entry: The target's part of the training record.
    """
    rows, last = [], None
    for found in (entry.get("evaluation") or {}).get("groups") or []:
        by = str(found.get("by"))
        head = sentence(GROUPS.get(by) or plain(by)) if by != last else ""
        last = by
        rows.append(
            (
                Cell(head),
                Cell(str(found.get("group"))),
                whole(found.get("n")),
                whole(found.get("events")),
                Cell(percent(found.get("mean_probability"), 1), numeric=True),
                Cell(percent(found.get("observed_rate"), 1), numeric=True),
                *_measured(found),
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


def _measured(found: Entry) -> tuple[Cell, ...]:
    if "auc" not in found:
        few = Cell(NONE, "fewer than 30 outcomes: no figures", numeric=True)
        return (few, Cell(NONE, numeric=True), Cell(NONE, numeric=True))
    gap = {key: _points(value) for key, value in found["calibration_gap"].items()}
    off = known(gap["lo"]) and known(gap["hi"]) and (gap["lo"] > 0 or gap["hi"] < 0)
    return (
        Cell(number(gap["value"], 1), _bracket(gap, 1), numeric=True, tone="bad" if off else ""),
        Cell(number(found["auc"]["value"], 2), _bracket(found["auc"], 2), numeric=True),
        Cell(
            number(found["log_loss_gain"]["value"], 4),
            _bracket(found["log_loss_gain"], 4),
            numeric=True,
        ),
    )


def _points(value: Any) -> float | None:
    return 100 * value if known(value) else None


def _bracket(found: Mapping[str, Any], digits: int) -> str:
    if not known(found.get("lo")) or not known(found.get("hi")):
        return ""
    return f"[{number(found['lo'], digits)}, {number(found['hi'], digits)}]"
