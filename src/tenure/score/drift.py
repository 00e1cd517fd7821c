"""What is scored, held against the last prediction times whose outcome is known.

The bundle keeps how the probabilities and every input were distributed then
(`tenure.model.evaluation.stability`), and which values the model learnt from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.normal import deviations
from tenure.core.records.base import Figure
from tenure.core.records.over_time import FoldSpan
from tenure.core.records.score_drift import BookDrift, InputDrift, UnseenInput
from tenure.core.times import as_utc
from tenure.labels.splits import thinned
from tenure.model.boosting.encoder import is_text
from tenure.model.evaluation.stability import Distribution
from tenure.model.evaluation.verdict import surely_off

if TYPE_CHECKING:
    import pandas as pd

    from tenure.score.scored import Scored


SEEN = 200
"""Words of an input that are remembered at most; of one with more, none counts as unseen."""
BEYOND = 0.25
"""Part of the range of numbers seen that one may lie beyond it: ages grow with the calendar."""
MOST_ROWS = 200_000
CHANCE = 0.01
"""Probability that chance alone moves any input of a book beyond its limit."""
SCORES = "probability"


def drift_reference(
    inputs: pd.DataFrame, rows: pd.DataFrame, predictions: pd.DataFrame, span: FoldSpan
) -> dict[str, Any]:
    """Return what later scores are compared with, JSON-safe.

    `inputs` are what the model reads of all snapshots of the training data, and `rows` their
    account_id, as_of and label in the same order; those without a label, such as accounts that had
    nothing to renew, get no score either and do not count.  The forward predictions have
    account_id, as_of and probability; `span` are the last prediction times whose outcome is known.
    """
    moments = rows["as_of"].to_numpy(dtype="datetime64[us]")
    known = moments <= np.datetime64(as_utc(span.until))
    lag = len(np.unique(moments[~known]))
    scored = known & rows["label"].notna().to_numpy()
    part = thinned(rows["account_id"], scored, MOST_ROWS, seed=0)
    inputs, moments = inputs.iloc[part], moments[part]
    times = predictions["as_of"].to_numpy(dtype="datetime64[us]")
    scores = Distribution.of(predictions[SCORES], times, span.folds, lag)
    return {
        "span": span.to_json(),
        "scores": asdict(scores),
        "inputs": {
            str(name): asdict(Distribution.of(inputs[name], moments, span.folds, lag))
            | {"seen": _seen(inputs[name])}
            for name in inputs.columns
        },
    }


def _seen(values: pd.Series[Any]) -> list[Any] | None:
    """Return the words of a text, or the ends of the numbers; None where nothing tells."""
    present = values.dropna()
    if is_text(values):
        words = sorted(present.astype(str).unique())
        return words if len(words) <= SEEN else None
    return [float(present.min()), float(present.max())] if len(present) else None


def book_drift(scored: Scored, target: str) -> BookDrift | None:
    """Return how a scored book differs from the last known times; None where nothing tells.

    The scores are of a whole book; those of the main horizon count.
    """
    model = scored.models[target]
    stored = model.bundle.reference.get("latest")
    rows = scored.rows.iloc[scored.main(target).rows]
    probabilities = rows[f"{target}_probability"]
    known = probabilities.notna().to_numpy()
    if stored is None or not known.any():
        return None
    inputs = scored.values(target)[known]
    span, chances = stored["span"], probabilities[known]
    limit = CHANCE / len(stored["inputs"])
    moves = [_move(name, inputs[name], item, limit) for name, item in stored["inputs"].items()]
    unseen = [_unseen(name, inputs[name], item["seen"]) for name, item in stored["inputs"].items()]
    unseen += _unseen_events(scored, stored.get("words", {}))
    gap = _gap(chances.to_numpy(dtype=np.float64), span)
    return BookDrift(
        since=span["since"],
        until=span["until"],
        accounts=len(chances),
        mean_probability=float(chances.mean()),
        observed_rate=span["observed_rate"],
        predicted_rate=span["mean_probability"],
        gap=gap,
        off=surely_off(gap, span["observed_rate"]),
        scores=_move(SCORES, chances, stored["scores"], CHANCE),
        inputs=tuple(sorted(filter(None, moves), key=lambda item: (-item.psi, item.column))),
        compared=len(moves),
        unseen=tuple(sorted(filter(None, unseen), key=lambda one: (-one.accounts, one.column))),
    )


def _gap(chances: Floats, span: dict[str, Any]) -> Figure:
    """Return the mean probability minus the observed rate, as uncertain as that rate was."""
    value, known = float(chances.mean() - span["observed_rate"]), span["calibration_gap"]
    if known.get("lo") is None:
        return Figure(value=value)
    own = deviations(0.95) * chances.std() / np.sqrt(len(chances))
    half = float(np.hypot((known["hi"] - known["lo"]) / 2, own))
    return Figure(value=value, lo=value - half, hi=value + half)


def _move(
    name: str, values: pd.Series[Any], stored: dict[str, Any], chance: float
) -> InputDrift | None:
    """Return how far an input has moved; None where it is within its limit."""
    move = Distribution.from_json(stored).move(values, chance)
    return InputDrift(column=name, psi=move.psi, limit=move.limit) if move else None


def _unseen_events(scored: Scored, words: dict[str, list[str]]) -> Iterator[UnseenInput]:
    """Yield the columns of events with words that the model never learnt from."""
    for place, seen in words.items():
        rows = scored.unseen[scored.unseen["place"] == place]
        new = rows[rows["word"].notna() & ~rows["word"].isin(seen)]
        if len(new):
            by_word = new.groupby("word")["n"].sum().sort_values(ascending=False, kind="stable")
            yield UnseenInput(
                column=place,
                accounts=new["account_id"].nunique(),
                values=tuple(map(str, by_word.index[:5])),
                share=float(new["n"].sum() / rows["n"].sum()),
            )


def _unseen(name: str, values: pd.Series[Any], seen: list[Any] | None) -> UnseenInput | None:
    """Return how many accounts have a value that the model never learnt from; None for none."""
    present = values.dropna()
    if seen is None or present.empty:
        return None
    if is_text(values):
        new = present.astype(str)[~present.astype(str).isin(seen)]
        words = tuple(map(str, new.value_counts().index[:5]))
        return UnseenInput(column=name, accounts=len(new), values=words) if words else None
    numbers = present.to_numpy(dtype=np.float64)
    reach = BEYOND * (seen[1] - seen[0])
    outside = int(((numbers < seen[0] - reach) | (numbers > seen[1] + reach)).sum())
    return UnseenInput(column=name, accounts=outside) if outside else None
