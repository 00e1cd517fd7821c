"""What is unlike before in a scored book, in sentences."""

from __future__ import annotations

from collections.abc import Mapping

from tenure.core.records.score_drift import BookDrift, UnseenInput
from tenure.labels.targets import TARGETS
from tenure.report.sentences.formatting import (
    count,
    counted,
    inside,
    listed,
    number,
    percent,
    plain,
)
from tenure.report.sentences.outcome import HAPPENED

MOST = 5
FEW = 0.01
"""Share of accounts up to which numbers beyond those learnt from are not worth a sentence."""


def drift_sentences(
    target: str, drift: BookDrift, labels: Mapping[str, str] | None = None
) -> list[str]:
    """Return what to know of a target's scores; nothing where the book is as before.

    `labels` say what columns are called; without them columns keep their names.
    """
    sentences, times = [], f"from {drift.since} to {drift.until}, the last known outcomes"
    if drift.off:
        event = TARGETS[target].event
        happened = HAPPENED.get(event, f"were followed by {event}")
        way = "above" if drift.mean_probability > drift.observed_rate else "below"
        sentences.append(
            f"predictions are far {way} what happens: on average "
            f"{percent(drift.mean_probability, 1)}, where {percent(drift.observed_rate, 1)} "
            f"{happened} ({times}; {percent(drift.predicted_rate, 1)} were predicted then)"
        )
    if drift.scores:
        sentences.append(
            f"probabilities are spread unlike those {times}: stability index "
            f"{number(drift.scores.psi, 2)}, where {number(drift.scores.limit, 2)} is usual"
        )
    if drift.inputs:
        names = [_called(item.column, labels) for item in drift.inputs]
        sentences.append(
            f"{count(len(names))} of {counted(drift.compared, 'input')} are distributed unlike "
            f"{times}: {_some(names)}"
        )
    least = FEW * drift.accounts
    words_first = sorted(drift.unseen, key=lambda item: item.values is None)
    unseen = [_new(item, labels) for item in words_first if item.values or item.accounts > least]
    if unseen:
        sentences.append(f"values that the model has never seen: {_some(unseen)}")
    return [f"{TARGETS[target].event}: {text}" for text in sentences]


def _some(names: list[str]) -> str:
    rest = len(names) - MOST
    return listed(names if rest <= 0 else [*names[:MOST], f"{rest} more"])


def _called(column: str, labels: Mapping[str, str] | None) -> str:
    """Return what a column is called, ``<table>.<column>`` included."""
    if labels is None:
        return column
    if column in labels:
        return inside(labels[column])
    table, _, name = column.rpartition(".")
    return f"{plain(name)} of {plain(table)}" if table else plain(column)


def _new(item: UnseenInput, labels: Mapping[str, str] | None) -> str:
    words = f" {', '.join(map(repr, item.values))}" if item.values else ""
    share = "" if item.share is None else f", {percent(item.share)} of the latest rows"
    return f"{_called(item.column, labels)}{words} ({counted(item.accounts, 'account')}{share})"
