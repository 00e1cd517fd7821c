"""Words that a model never learnt from: event names, kinds and types, plans and segments.

An event name that nobody had used before gets no feature of its own: no input shows it.  So the
words are looked up in the tables themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tenure.core.arrays import Array
from tenure.core.steps import quote, text_literal
from tenure.core.times import days, literal
from tenure.features.plan.plan import Plan
from tenure.model.boosting.encoder import is_text
from tenure.sources.contract import SOURCES
from tenure.sources.dataset import Dataset

if TYPE_CHECKING:
    from tenure.features.compute.matrix import FeatureMatrix
    from tenure.score.model import Model

MOST = 200
"""Words of a column that are remembered; of one with more, such as free text, none is unseen."""
RECENT_DAYS = 28
COLUMNS = ("account_id", "place", "word", "n")
NOT_EVENTS = frozenset({"accounts", "subscriptions", "fx_rates"})


def no_words() -> pd.DataFrame:
    """Return a table of unseen words without rows."""
    return pd.DataFrame({name: pd.Series(dtype="object") for name in COLUMNS})


def known_words(dataset: Dataset, plan: Plan) -> dict[str, list[str]]:
    """Return ``<table>.<column>`` → the words of it in the training data, sorted.

    Of the columns of words of events that features read.
    """
    words: dict[str, list[str]] = {}
    for table, read in plan.reads.items():
        texts = {column.name for column in SOURCES[table].columns if column.kind == "text"}
        for name in sorted(texts & read) if table not in NOT_EVENTS else ():
            rows = dataset.engine.fetch(
                f"SELECT DISTINCT {quote(name)} AS word FROM {quote(table)} "
                f"WHERE {quote(name)} IS NOT NULL ORDER BY word LIMIT {MOST + 1}"
            )
            if len(rows) <= MOST:
                words[f"{table}.{name}"] = [str(word) for word in rows.column("word").to_pylist()]
    return words


def unseen_words(
    dataset: Dataset, models: Mapping[str, Model], matrix: FeatureMatrix, as_of: datetime
) -> pd.DataFrame:
    """Return the words of scored accounts that a model never learnt from.

    `matrix` are the features of the accounts, one row each; rows of the `RECENT_DAYS` before
    `as_of` count that were known then.

    Returns:
        account_id, place (an input, or ``<table>.<column>``), word, and n: of an input 1, of a
        table the rows with that word; under no word those with words that every model knows.
    """
    known = _known(models)
    present = [place for place in known if dataset.has(*place.split("."))]
    frames = [_of_inputs(model, matrix) for model in models.values()]
    if present:
        statement = " UNION ALL ".join(_statement(place, known[place], as_of) for place in present)
        rows: pd.DataFrame = dataset.engine.fetch(statement).to_pandas()
        frames.append(rows[rows["account_id"].isin(matrix.rows["account_id"])])
    frames = [frame for frame in frames if len(frame)]
    if not frames:
        return no_words()
    return pd.concat(frames, ignore_index=True).drop_duplicates(list(COLUMNS))


def _known(models: Mapping[str, Model]) -> dict[str, set[str]]:
    """Return ``<table>.<column>`` → the words that every model knows that reads it."""
    known: dict[str, set[str]] = {}
    for model in models.values():
        for place, words in (model.bundle.reference.get("latest") or {}).get("words", {}).items():
            known[place] = known.get(place, set(words)) & set(words)
    return known


def _of_inputs(model: Model, matrix: FeatureMatrix) -> pd.DataFrame:
    """Return the accounts whose words in an input of the model it never learnt from."""
    stored = model.bundle.reference.get("latest")
    inputs = matrix.values
    frames = []
    for name, item in stored["inputs"].items() if stored else ():
        if item["seen"] is not None and name in inputs and is_text(inputs[name]):
            new = inputs[name].notna() & ~inputs[name].astype(str).isin(item["seen"])
            accounts = matrix.rows.loc[new.to_numpy(dtype=bool), "account_id"]
            words = inputs.loc[new.to_numpy(dtype=bool), name].astype(str).to_numpy()
            frames.append(
                pd.DataFrame(
                    {"account_id": accounts.to_numpy(), "place": name, "word": words, "n": 1}
                )
            )
    return pd.concat(frames) if frames else no_words()


def _statement(place: str, known: set[str], as_of: datetime) -> str:
    """Return SQL that counts the recent rows of each account by word, known words under none."""
    table, name = place.split(".")
    listed = ", ".join(map(text_literal, sorted(known))) or "''"
    clock = SOURCES[table].late.get(name)
    until = literal(as_of)
    also = f" AND {quote(f'{clock}__known')} < {until}" if clock else ""
    return (
        f"SELECT account_id, {text_literal(place)} AS place, "
        f"CASE WHEN {quote(name)} IN ({listed}) THEN NULL ELSE {quote(name)} END AS word, "
        f"count(*) AS n FROM {quote(table)} WHERE {quote(name)} IS NOT NULL "
        f"AND event_time >= {literal(as_of - days(RECENT_DAYS))} AND event_time < {until} "
        f"AND known_at < {until}{also} GROUP BY 1, 2, 3"
    )


def unseen_texts(unseen: pd.DataFrame, accounts: pd.Series[str]) -> Array:
    """Return what is unseen of each account, in words; None where everything is known.

    >>> unseen = pd.DataFrame(
    ...     [("a", "usage_events.event", None, 3), ("a", "usage_events.event", "fax", 1)],
    ...     columns=COLUMNS,
    ... )
    >>> list(unseen_texts(unseen, pd.Series(["a", "b"])))
    ["usage_events.event 'fax' (25% of its rows in 28 days)", None]
    """
    texts: dict[str, list[str]] = {}
    of = unseen.groupby(["account_id", "place"])["n"].transform("sum")
    new = unseen.assign(of=of)[unseen["word"].notna()].sort_values(["account_id", "place", "word"])
    for (account, place), part in new.groupby(["account_id", "place"], sort=True):
        words = ", ".join(map(repr, part["word"]))
        share = part["n"].sum() / part["of"].iloc[0]
        rows = f" ({share:.0%} of its rows in {RECENT_DAYS} days)" if "." in str(place) else ""
        texts.setdefault(str(account), []).append(f"{place} {words}{rows}")
    lines = ["; ".join(texts[name]) if name in texts else None for name in accounts]
    return np.array(lines, dtype=object)
