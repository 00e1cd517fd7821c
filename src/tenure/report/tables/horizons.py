"""The further horizons of a target: how each was tested, and why one is left out."""

from __future__ import annotations

from collections.abc import Mapping

from tenure.report.sentences.words import (
    NONE,
    VERDICTS,
    Outcome,
    known,
    listed,
    number,
    percent,
    plain,
    spread,
)
from tenure.report.tables.layout import Cell, Entry, Table, table, whole

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


def horizon_words(outcome: Outcome, entry: Entry) -> list[str]:
    """Return what became of the further horizons, in sentences; nothing without any.

    Args:
        outcome: How to speak of the target.
        entry: The target's part of the training record.
    """
    found = _ordered(entry)
    if not found:
        return []
    said = [
        f"Besides {outcome.horizon_days} days, the same question was asked for "
        f"{listed([_named(name) for name in found])}. Each has a model of its own, which was put "
        "back to past days and judged in the same way. A usable one has rows of its own in the "
        "scores, told apart by horizon_days; in them no longer span is less likely than a shorter "
        "one.",
    ]
    for name, one in found.items():
        if not _usable(one):
            reasons = " ".join(str(text) for text in (one.get("verdict") or {})["sentences"])
            said.append(f"Left out: {_named(name)}. {reasons}")
    return said


def horizon_table(outcome: Outcome, entry: Entry) -> Table | None:
    """Return the figures of the further horizons, below those of the main one.

    Args:
        outcome: How to speak of the target.
        entry: The target's part of the training record.
    """
    found = _ordered(entry)
    if not found:
        return None
    rows = [_row(_named(name), one) for name, one in found.items()]
    caption = (
        "Each horizon on its own past; AUC is how often an account with the outcome was ranked "
        "above one without (0.5 is chance), log loss gain how much smaller the penalty for wrong "
        "probabilities is than if everyone were given the average rate (above 0 is better), "
        "calibration error the mean gap between predicted and observed rates; in brackets the "
        f"{percent((entry.get('evaluation') or {}).get('level', 0.95))} interval over accounts"
    )
    columns = [name.format(events=outcome.events) for name in COLUMNS]
    main = _row(f"{outcome.horizon_days} days (above)", _main(entry))
    return table(caption, columns, [main, *rows], numeric=range(1, len(COLUMNS) - 1))


def horizon_lines(entry: Entry) -> list[str]:
    """Return the further horizons in one line each, for a terminal.

    Args:
        entry: The target's part of the training record.
    """
    lines = []
    for name, one in _ordered(entry).items():
        auc = (one.get("pooled") or {}).get("auc")
        measured = f", AUC {spread(auc)}" if auc else ""
        left_out = "" if _usable(one) else ", left out"
        lines.append(f"{_named(name)}: {_status(one)}{measured}{left_out}")
    return lines


def _ordered(entry: Entry) -> dict[str, Entry]:
    """Return the further horizons, days before the renewal date, fewer days first."""
    found = (entry.get("evaluation") or {}).get("horizons") or {}
    return {name: found[name] for name in sorted(found, key=lambda x: (x == RENEWAL, x.zfill(9)))}


def _named(name: str) -> str:
    return "the time to the renewal date" if name == RENEWAL else f"{name} days"


def _main(entry: Entry) -> Entry:
    """Return the main horizon's figures in the shape of the further ones."""
    evaluation = entry.get("evaluation") or {}
    return {
        "folds": len(evaluation.get("folds") or []),
        "distinct_events": (entry.get("labels") or {}).get("distinct_events"),
        "pooled": evaluation.get("pooled") or {},
        "gain": (evaluation.get("differences") or {}).get("base_rate") or {},
        "verdict": entry.get("verdict") or {},
    }


def _usable(one: Entry) -> bool:
    return (one.get("verdict") or {}).get("status") == "usable"


def _status(one: Entry) -> str:
    status = str((one.get("verdict") or {}).get("status"))
    return VERDICTS.get(status, plain(status))


def _row(name: str, one: Entry) -> tuple[Cell, ...]:
    figures, gain = one.get("pooled") or {}, one.get("gain") or {}
    error = (figures.get("calibration_error") or {}).get("value")
    return (
        Cell(name),
        whole(one.get("folds")),
        whole(one.get("distinct_events")),
        Cell(percent(figures.get("mean_probability"), 1), numeric=True),
        Cell(percent(figures.get("observed_rate"), 1), numeric=True),
        _between(figures.get("auc"), 2),
        _between(gain.get("log_loss"), 4),
        Cell(percent(error, 1), numeric=True),
        Cell("yes" if _usable(one) else "no", _status(one), tone="" if _usable(one) else "bad"),
    )


def _between(found: Mapping[str, float | None] | None, digits: int) -> Cell:
    if not found or not known(found.get("value")):
        return Cell(NONE, numeric=True)
    value, lo, hi = (found.get(key) for key in ("value", "lo", "hi"))
    note = f"[{number(lo, digits)}, {number(hi, digits)}]" if known(lo) and known(hi) else ""
    return Cell(number(value, digits), note, numeric=True)
