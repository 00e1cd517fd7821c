"""Posted feature rows: checked against what a model reads, scored, and compared with its past."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tenure.core.errors import Problem, suggestion
from tenure.core.times import now
from tenure.explain.drivers import driver_arrays
from tenure.explain.row_words import NUMBERS, WORDS, About
from tenure.model.bundle.reference_stats import QUANTILES
from tenure.score.model import Model
from tenure.service.api.live_responses import RowScores
from tenure.service.api.meaning import meaning
from tenure.service.api.problems import MOST_PROBLEMS, Refusal, listed, shown

SELDOM = 0.01
"""Share of the training rows without a value up to which a missing one is told."""
LARGEST = float(np.finfo(np.float32).max)


def scored_rows(target: str, model: Model, rows: Sequence[Mapping[str, Any]]) -> RowScores:
    """Return probabilities and drivers of feature rows, and which inputs are doubtful.

    Raises:
        Refusal: If a row is not one that the model reads.
    """
    values = feature_frame(model, rows)
    scored = model.main.scores(values)
    contributions = scored.contributions
    words, numbers, _ = driver_arrays(contributions[:, :-1], values, model.explainer(), About())
    known = _past(model)
    scores = [
        {
            "probability": chance,
            "log_odds": margin,
            "drivers": _drivers(*drivers),
            "missing": [name for name in known.always if row[name] is None],
            "out_of_range": known.doubtful(row),
        }
        for row, chance, margin, *drivers in zip(
            rows,
            scored.probability.tolist(),
            contributions.sum(axis=1).tolist(),
            words.tolist(),
            numbers.tolist(),
            strict=True,
        )
    ]
    about = meaning(target, model).to_json()
    return RowScores.model_validate({**about, "target": target, "scored_at": now(), "rows": scores})


def _drivers(words: list[list[Any]], numbers: list[list[float]]) -> list[dict[str, Any]]:
    """Return the drivers of one row, strongest first."""
    return [
        dict(zip(WORDS, spoken, strict=True))
        | {
            name: None if math.isnan(value) else value
            for name, value in zip(NUMBERS, counted, strict=True)
        }
        for spoken, counted in zip(words, numbers, strict=True)
        if spoken[0] is not None
    ]


class _Past(NamedTuple):
    """What the training rows of a model held.

    Attributes:
        always: Features that nearly every row had.
        bounds: Feature → values between which a number is no surprise.
        words: Feature → words that have a code.
    """

    always: tuple[str, ...]
    bounds: Mapping[str, tuple[float, float]]
    words: Mapping[str, frozenset[str]]

    def doubtful(self, row: Mapping[str, Any]) -> list[str]:
        """Return the features of a row whose values the model never met."""
        numbers = [
            name
            for name, (lo, hi) in self.bounds.items()
            if (value := row[name]) is not None and not lo <= value <= hi
        ]
        texts = [
            name
            for name, known in self.words.items()
            if row[name] is not None and row[name] not in known
        ]
        return numbers + texts


_PASTS: dict[str, _Past] = {}
"""By version of the model."""


def _past(model: Model) -> _Past:
    """Return what the training rows of a model held, worked out once."""
    version = model.bundle.version
    if version not in _PASTS:
        features = model.bundle.reference["features"]
        stated = {name: features[name] for name in model.main.columns if name in features}
        bounds = {}
        for name, one in stated.items():
            if quantiles := one.get("quantiles"):
                lo, hi = quantiles[str(QUANTILES[0])], quantiles[str(QUANTILES[-1])]
                slack = max(hi - lo, 10 * (one["sd"] or 0.0))
                bounds[name] = (lo - slack, hi + slack)
        words = {
            name: frozenset(listed)
            for name, listed in model.main.encoder.categories.items()
            if name in stated
        }
        always = tuple(name for name, one in stated.items() if (one["missing"] or 0) < SELDOM)
        _PASTS[version] = _Past(always, bounds, words)
    return _PASTS[version]


def feature_frame(model: Model, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return posted feature rows as a matrix, in the types that scoring reads.

    Raises:
        Refusal: If a row lacks a feature, has one that the model does not read, or a wrong value.
    """
    columns = model.main.columns
    _check_names(rows, columns)
    problems: list[Problem] = []
    words: dict[str, Any] = {}
    numbers: dict[str, list[Any]] = {}
    for name in columns:
        text = model.specs[name].text
        values = [row[name] for row in rows]
        problems += [
            Problem(f"rows[{place}].{name}", *wrong)
            for place, value in enumerate(values)
            if (wrong := _wrong(value, text))
        ]
        (words if text else numbers)[name] = values
        if len(problems) >= MOST_PROBLEMS:
            break
    if problems:
        raise Refusal(*problems)
    matrix = np.array(list(numbers.values()), dtype=np.float32).T
    frame = pd.DataFrame(matrix, columns=list(numbers))
    if words:
        frame = pd.concat([frame, pd.DataFrame(words, dtype=object)], axis=1)
    return frame[list(columns)]


def _check_names(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Make sure that every row has the model's features and no others.

    Raises:
        Refusal: With the first problems; a suggestion costs a look at every feature, so no more
            are worked out than are shown.
    """
    known = set(columns)
    wrong = ((place, row) for place, row in enumerate(rows) if row.keys() != known)
    problems = list(
        islice(
            chain.from_iterable(_name_problems(*one, columns, known) for one in wrong),
            MOST_PROBLEMS,
        )
    )
    if problems:
        raise Refusal(*problems)


def _name_problems(
    place: int, row: Mapping[str, Any], columns: Sequence[str], known: set[str]
) -> Iterator[Problem]:
    for name in row:
        if name not in known:
            close = suggestion(name[:100], known)
            fix = close if close.startswith("did") else "GET /v1/models lists the features"
            yield Problem(f"rows[{place}].{name}", "is not a feature of the model", fix=fix)
    absent = [name for name in columns if name not in row]
    if absent:
        fix = "give every feature that /v1/models lists; null where it is not known"
        rule = f"{len(absent)} of the model's {len(columns)} features are missing"
        yield Problem(f"rows[{place}].{absent[0]}", rule, listed(absent, 20), fix)


def _wrong(value: Any, text: bool) -> tuple[str, str, str] | None:
    """Return the rule that a feature value breaks, the value and the fix, None where it is fine."""
    if value is None:
        return None
    if text:
        good = isinstance(value, str)
        return None if good else ("must be a string or null", shown(value), 'write it as "…"')
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "must be a number or null", shown(value), "write it without quotes"
    if abs(value) <= LARGEST:
        return None
    return "is no finite 32-bit number", shown(value), "null where it is not known"
